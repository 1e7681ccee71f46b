/**
 * The image, built and run by a real Docker engine between two Dovecots: hardened, healthy, forwarding, stopped in order.
 * `tools/container.sh` brings the engine along; it wants root, Debian's packages and the npm registry.
 */
import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TOOL = join(ROOT, 'tools', 'container.sh');
const run = promisify(execFile);

/** Why this can't be tried here; `undefined` where it can. */
function hindrance(): string | undefined {
  if (process.getuid?.() !== 0) return 'it wants root';
  if (!existsSync('/usr/bin/apt-get')) return "it wants Debian's packages";
  return undefined;
}

const why = hindrance();
if (why !== undefined) console.error(`The container is not tried here: ${why}.`);

describe.skipIf(why !== undefined)('the container', { timeout: 600_000 }, () => {
  const name = `imapferry-test-${process.pid}`;
  const home = mkdtempSync(join(tmpdir(), 'imapferry-container-'));
  const secrets = join(home, 'secrets');
  let source: Dovecot;
  let destination: Dovecot;

  const tool = (...args: string[]) =>
    run(TOOL, args, { env: { ...process.env, NAME: name, MEMORY: '512m' }, timeout: 500_000 });
  const container = `lab-${name}`;
  const docker = async (...args: string[]) => (await tool('docker', ...args)).stdout.trim();

  function settings(): string {
    mkdirSync(secrets, { recursive: true });
    for (const side of ['source', 'dest'] as const) {
      const file = join(secrets, side);
      writeFileSync(file, `secret-of-${side === 'source' ? 'anna' : 'bert'}\n`, { mode: 0o400 });
      chownSync(file, 1000, 1000);
    }
    for (const [side, server] of [
      ['source', source],
      ['dest', destination],
    ] as const) {
      writeFileSync(join(secrets, `${side}.pem`), server.ca);
    }
    chmodSync(home, 0o755);
    const lines = [
      ['SOURCE_HOST', 'localhost'],
      ['SOURCE_PORT', source.tlsPort],
      ['SOURCE_USER', 'anna'],
      ['SOURCE_PASSWORD_FILE', '/secrets/source'],
      ['SOURCE_CA_FILE', '/secrets/source.pem'],
      ['DEST_HOST', 'localhost'],
      ['DEST_PORT', destination.tlsPort],
      ['DEST_USER', 'bert'],
      ['DEST_PASSWORD_FILE', '/secrets/dest'],
      ['DEST_CA_FILE', '/secrets/dest.pem'],
    ];
    const file = join(home, 'env');
    writeFileSync(file, lines.map(([key, value]) => `${key}=${value}`).join('\n'));
    return file;
  }

  beforeAll(async () => {
    [source, destination] = await Promise.all([startDovecot(), startDovecot()]);
  }, 60_000);

  afterAll(async () => {
    await docker('rm', '-f', '-v', container).catch(() => undefined);
    await tool('down').catch(() => undefined);
    await Promise.all([source?.stop(), destination?.stop()]);
    rmSync(home, { recursive: true, force: true });
  }, 120_000);

  it('is built, starts hardened and healthy, forwards, and stops in order', async () => {
    await using old = await Mail.login(source.port, 'anna', 'secret-of-anna');
    await using fresh = await Mail.login(destination.port, 'bert', 'secret-of-bert');
    for (let i = 0; i < 5; i++) await old.put('INBOX', message());
    await tool(ROOT, settings(), '--', '-v', `${secrets}:/secrets:ro`);
    const inspected = JSON.parse(await docker('inspect', container))[0];
    expect(inspected.State.Health.Status).toBe('healthy');
    expect(inspected.HostConfig.ReadonlyRootfs).toBe(true);
    expect(inspected.Config.User).toBe('1000:1000');
    await old.put('INBOX', message());
    const deadline = Date.now() + 30_000;
    while ((await fresh.count('INBOX')) < 6 || (await old.count('INBOX')) > 0) {
      if (Date.now() > deadline) throw new Error(await docker('logs', container));
      await wait(50);
    }
    const stopped = await tool('stop', ROOT);
    expect(`${stopped.stdout}${stopped.stderr}`).toContain('exit code 0');
    const events = (await docker('logs', container))
      .split('\n')
      .map((line) => JSON.parse(line).event);
    expect(events.filter((event) => event === 'delivery.done').length).toBe(6);
    expect(events.at(-1)).toBe('imapferry.stopped');
  });

  it('names the user id and the command that mends a password file it may not read', async () => {
    const unreadable = join(secrets, 'dest');
    chownSync(unreadable, 0, 0);
    const args = [
      'run',
      '--rm',
      '--network',
      'host',
      '--env-file',
      join(home, 'env'),
      '-v',
      `${secrets}:/secrets:ro`,
    ];
    const image = `lab/${name}`;
    const ended = await tool('docker', ...args, image).then(
      () => undefined,
      (thrown: { code: number; stderr: string }) => thrown,
    );
    expect(ended?.code).toBe(2);
    expect(ended?.stderr).toContain('DEST_PASSWORD_FILE');
    expect(ended?.stderr).toContain('user id 1000');
    expect(ended?.stderr).toContain('chown 1000 /secrets/dest');
    expect(ended?.stderr).not.toContain('secret-of');
  });

  it('has a compose file that Compose takes', async () => {
    const folder = join(home, 'compose');
    mkdirSync(join(folder, 'secrets'), { recursive: true });
    writeFileSync(join(folder, 'compose.yaml'), readFileSync(join(ROOT, 'compose.yaml')));
    writeFileSync(join(folder, '.env'), readFileSync(join(ROOT, '.env.example')));
    for (const side of ['source', 'dest'])
      writeFileSync(join(folder, 'secrets', `${side}_password`), 'x');
    await tool('compose', folder, 'config', '-q');
    expect(execFileSync('ls', [folder], { encoding: 'utf8' })).toContain('compose.yaml');
  });
});
