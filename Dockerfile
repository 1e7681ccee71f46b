ARG NODE_VERSION=24
# Nothing here is made for one processor: what is built once, on whatever builds it, runs on each of them.
FROM --platform=$BUILDPLATFORM node:${NODE_VERSION}-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund
# What the last stage, where nothing can be run, is to find: folders with their owners.
RUN install -d /base/app && install -d -o 1000 -g 1000 -m 0700 /base/data && cp package.json /base/app/

# Node.js and the libraries that it wants: no shell, no package manager, nothing to run but imapferry.
FROM gcr.io/distroless/nodejs${NODE_VERSION}-debian13:nonroot
LABEL org.opencontainers.image.title="imapferry" \
      org.opencontainers.image.description="Carries mail from one IMAP account to another as it arrives, and removes nothing it has not proven." \
      org.opencontainers.image.licenses="MIT"
# V8 does not fit itself into a container's memory limit. compose.yaml gives 512 MB: message bytes live outside of the
# heap, so that the heap gets less than half of it. What is new is collected in small portions and often (semi-space), and
# memory comes from one arena: mail in bytes passes through, and would leave tens of megabytes behind for a while.
ENV PATH=/nodejs/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    NODE_ENV=production \
    NODE_OPTIONS="--max-old-space-size=192 --max-semi-space-size=1" \
    MALLOC_ARENA_MAX=1 \
    STATE_DIR=/data
COPY --from=build /base /
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# 1000, not the base's nonroot: so that volumes and secrets of earlier images, and of the first user of most machines, fit.
USER 1000:1000
VOLUME /data
STOPSIGNAL SIGTERM
# Docker marks an unhealthy container and restarts nothing; a process that can't go on ends by itself.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --start-interval=2s --retries=3 \
    CMD ["node", "dist/main.js", "health"]
# Old garbage is collected when there is enough of it, not bit by bit meanwhile: that takes 20 ms now and then, and saves much of
# the work and of the memory where much mail passes. Behind "--" Node.js leaves --env-file to imapferry.
ENTRYPOINT ["node", "--no-incremental-marking", "--enable-source-maps", "--", "dist/main.js"]
CMD ["run"]
