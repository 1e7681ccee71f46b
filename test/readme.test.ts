/** The README tells of every event, and each of its commands can be typed as it stands there. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { EVENTS } from '../src/domain/events.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const readme = read('README.md');
const manifest = JSON.parse(read('package.json'));

it.each(Object.entries(EVENTS))(
  'the README tells of %s, its level and what it means',
  (name, [level, says]) => {
    expect(readme).toContain(`| \`${name}\` | ${level} | ${says.replaceAll('\\', '\\\\')} |`);
  },
);

it('the README shows both commands within its first twenty lines', () => {
  const first = readme.split('\n').slice(0, 20).join('\n');
  expect(first).toContain('$ npm run demo');
  expect(first).toContain('$ npm test');
});

/** What is between the fences that begin so, without the margin that the first line has. */
function fences(kind: string): string[] {
  const found = readme.matchAll(new RegExp(`^( *)\`\`\`${kind}\\n(.*?)^ *\`\`\`$`, 'gms'));
  return [...found].map(([, margin = '', text = '']) =>
    text.replaceAll(new RegExp(`^${margin}`, 'gm'), ''),
  );
}

const scripts = fences('sh');
const commands = scripts.flatMap((script) => script.trimEnd().split('\n'));

const home = mkdtempSync(join(tmpdir(), 'imapferry-readme-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A shell in a folder of its own. What would reach beyond it is put in its place: `sudo` only does what comes after it. */
function shell(folder: string, script: string, stand: Record<string, string> = {}) {
  const bin = join(folder, '.bin');
  mkdirSync(bin, { recursive: true });
  for (const [name, body] of Object.entries({ sudo: 'exec "$@"', ...stand })) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  return spawnSync('sh', ['-ec', script], { cwd: folder, env, encoding: 'utf8' });
}

/** The part of a `docker compose` line that names the service, and what is run in it. */
const compose = parse(read('compose.yaml'));
const inContainer = /^docker compose (?:run --rm|exec) (\w+) (.*)$/;

describe('each command in the README', () => {
  /** By what a line of a shell begins with: which test knows it. A line that none knows has no test yet. */
  const known = [
    /^docker compose /,
    /^(cp \.env\.example|mkdir secrets|printf .* > secrets|sudo chown 1000 secrets)/,
    /^(sudo (npm|install|cp|chmod|systemctl) |printf .*\| sudo tee \/etc\/imapferry\/)/,
  ];

  test.each(commands)('is known to a test: %s', (command) => {
    expect(
      known.some((pattern) => pattern.test(command)),
      `test/readme.test.ts tries nothing like "${command}"`,
    ).toBe(true);
  });

  test('makes the files that compose.yaml wants, as the user of the container may read them', () => {
    const folder = join(home, 'start');
    mkdirSync(folder);
    copyFileSync(join(ROOT, '.env.example'), join(folder, '.env.example'));
    const script = commands.filter((line) => known[1]?.test(line)).join('\n');
    const chown = 'echo "$1" > owner';
    const { status, stderr } = shell(folder, script, { chown });
    expect([status, stderr]).toEqual([0, '']);
    const { file } = compose.secrets.source_password;
    expect(readFileSync(join(folder, file), 'utf8')).toBe('the old one');
    expect(readFileSync(join(folder, compose.secrets.dest_password.file), 'utf8')).toBe(
      'the new one',
    );
    expect(existsSync(join(folder, compose.services.imapferry.env_file))).toBe(true);
    const owner = readFileSync(join(folder, 'owner'), 'utf8').trim();
    expect(read('Dockerfile')).toContain(`USER ${owner}:`);
  });

  const ofCompose = commands.filter((line) => line.startsWith('docker compose '));

  test.each(ofCompose)('names a service, and a command of imapferry: %s', (line) => {
    const [, service, command = ''] = inContainer.exec(line) ?? [];
    if (service === undefined) return expect(line).toMatch(/^docker compose (up -d|logs -f)$/);
    expect(Object.keys(compose.services)).toContain(service);
    // With `exec` the entry point is typed; it is the one of the image.
    const typed = line.includes(' exec ')
      ? /^node dist\/main\.js (.*)$/.exec(command)?.[1]
      : command;
    if (line.includes(' exec '))
      expect(read('Dockerfile')).toContain(
        'ENTRYPOINT ["node", "--no-incremental-marking", "--enable-source-maps", "--", "dist/main.js"]',
      );
    const help = execFileSync('node', [join(ROOT, 'src', 'main.ts'), '--help'], {
      encoding: 'utf8',
    });
    expect(help).toContain(`imapferry ${typed} `);
  });

  test('puts the unit and its files where the unit looks for them', () => {
    const folder = join(home, 'systemd');
    const root = join(folder, 'npm', 'imapferry');
    for (const name of ['.env.example', 'packaging/imapferry.service']) {
      mkdirSync(join(root, name, '..'), { recursive: true });
      copyFileSync(join(ROOT, name), join(root, name));
      expect(manifest.files).toContain(name.split('/')[0]);
    }
    mkdirSync(join(folder, 'etc', 'systemd', 'system'), { recursive: true });
    const script = commands.filter((line) => known[2]?.test(line)).join('\n');
    const npm = `case "$1" in root) echo "${join(folder, 'npm')}" ;; *) echo "npm $*" ;; esac`;
    const systemctl = 'echo "systemctl $*"';
    const moved = script.replaceAll('/etc/', `${folder}/etc/`);
    const { status, stdout, stderr } = shell(folder, moved, { npm, systemctl });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toEqual([
      'npm install --global imapferry',
      'systemctl enable --now imapferry',
    ]);
    const unit = readFileSync(join(folder, 'etc/systemd/system/imapferry.service'), 'utf8');
    for (const [, path = ''] of unit.matchAll(/^LoadCredential=\w.*?:\/(.*)$/gm))
      expect(existsSync(join(folder, path)), path).toBe(true);
    expect(manifest.bin).toEqual({ imapferry: 'dist/main.js' });
  });

  test('makes of a line of imapsync what the README shows', () => {
    const examples = [
      ...readme.matchAll(/^```\n\$ imapferry (.*?) > \.env\n```\nwrites\n```\n(.*?)^```$/gms),
    ];
    expect(examples).toHaveLength(1);
    for (const [, typed = '', written] of examples) {
      const folder = join(home, 'imapsync');
      mkdirSync(folder);
      const imapferry = `exec node '${join(ROOT, 'src', 'main.ts')}' "$@"`;
      const { status, stdout } = shell(folder, `imapferry ${typed}`, { imapferry });
      expect(status).toBe(0);
      expect(stdout).toBe(written);
    }
  });
});

test('each npm script, file and folder that the README names is there', () => {
  const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
  expect(named).toContain('demo');
  for (const name of named) expect(Object.keys(manifest.scripts)).toContain(name);
  for (const [, name = ''] of readme.matchAll(/node (scripts\/[\w.-]+)/g))
    expect(existsSync(join(ROOT, name)), name).toBe(true);
});
