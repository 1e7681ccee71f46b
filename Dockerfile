ARG NODE_VERSION=24
FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:${NODE_VERSION}-bookworm-slim
# V8 does not fit itself into a container's memory limit. compose.yaml gives 512 MB: message bytes live outside of the
# heap, so that the heap gets less than half of it. What is new is collected in small portions and often (semi-space), and
# memory comes from few arenas: mail in bytes passes through, and would leave tens of megabytes behind for a while.
ENV NODE_ENV=production \
    NODE_OPTIONS="--max-old-space-size=192 --max-semi-space-size=1" \
    MALLOC_ARENA_MAX=2 \
    STATE_DIR=/data
WORKDIR /app
RUN install -d -o 1000 -g 1000 -m 0700 /data
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
USER 1000:1000
VOLUME /data
STOPSIGNAL SIGTERM
# Docker marks an unhealthy container and restarts nothing; a process that can't go on ends by itself.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --start-interval=2s --retries=3 \
    CMD ["node", "dist/main.js", "health"]
# Behind "--" Node.js leaves --env-file to imapferry.
ENTRYPOINT ["node", "--enable-source-maps", "--", "dist/main.js"]
CMD ["run"]
