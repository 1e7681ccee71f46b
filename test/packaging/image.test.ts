/** What Dockerfile and compose.yaml promise, as far as reading them shows it. test/container builds and runs them. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const dockerfile = read('Dockerfile');
const manifest = JSON.parse(read('package.json'));

/** The last stage: what becomes the image. */
const image = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

test('the image has a base without a shell, so that nothing in it needs one', () => {
  expect(image).toMatch(/^\nFROM gcr\.io\/distroless\/nodejs\$\{NODE_VERSION\}-debian13:nonroot\n/);
  expect(image).not.toMatch(/^(RUN|SHELL) /m);
  for (const [, form] of image.matchAll(/(?:^|\s)(?:CMD|ENTRYPOINT) (.*)$/gm))
    expect(form).toMatch(/^\[/);
  expect(image).toContain('CMD ["node", "dist/main.js", "health"]');
});

test('the image runs as nobody in particular, and keeps its journal where that user may write', () => {
  expect(image).toContain('USER 1000:1000');
  expect(image).toContain('VOLUME /data');
  expect(image).toContain('STATE_DIR=/data');
  expect(dockerfile).toContain('install -d -o 1000 -g 1000 -m 0700 /base/data');
});

test('the image says what it is, in the words of the package', () => {
  const label = (name: string) =>
    new RegExp(`org\\.opencontainers\\.image\\.${name}="([^"]*)"`).exec(image)?.[1];
  expect(label('title')).toBe(manifest.name);
  expect(label('description')).toBe(manifest.description);
  expect(label('licenses')).toBe(manifest.license);
  const [major] = /\d+/.exec(manifest.engines.node) ?? [];
  expect(dockerfile).toContain(`ARG NODE_VERSION=${major}\n`);
});

test('what is built is built on the processor that builds, for whichever runs it', () => {
  expect(dockerfile).toMatch(/^FROM --platform=\$BUILDPLATFORM .* AS build$/m);
});

test('compose.yaml closes the container up, and bounds what it may use', () => {
  const { services, secrets, volumes } = parse(read('compose.yaml'));
  expect(services.imapferry).toMatchObject({
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    restart: 'unless-stopped',
    mem_limit: '512m',
    volumes: ['state:/data'],
    secrets: ['source_password', 'dest_password'],
    environment: {
      SOURCE_PASSWORD_FILE: '/run/secrets/source_password',
      DEST_PASSWORD_FILE: '/run/secrets/dest_password',
    },
    logging: { options: { 'max-size': '10m', 'max-file': '3' } },
  });
  expect(services.imapferry.pids_limit).toBeGreaterThan(0);
  expect(services.imapferry.healthcheck).toBeUndefined();
  expect(Object.keys(secrets)).toEqual(['source_password', 'dest_password']);
  expect(Object.keys(volumes)).toEqual(['state']);
});
