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
  statfsSync,
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

/** OVERLAYFS_SUPER_MAGIC of Linux. */
const OVERLAY = 0x794c7630;

/** Why this can't be tried here; `undefined` where it can. */
function hindrance(): string | undefined {
  if (process.getuid?.() !== 0) return 'it wants root';
  if (!existsSync('/usr/bin/apt-get')) return "it wants Debian's packages";
  // The engine lays its images one over another, and an overlay is nothing to lay them on: this is a container.
  if (statfsSync('/var/tmp').type === OVERLAY) return 'it wants a disk of its own at /var/tmp';
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
      // There is no shell in the image, and none is wanted.
      ['SOURCE_PASSWORD_COMMAND', `node -p "fs.readFileSync('/secrets/source', 'utf8')"`],
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
    await docker('rmi', `lab/${name}`).catch(() => undefined);
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
    expect(await docker('exec', container, 'node', 'dist/main.js', 'stuck')).toBe(
      'Nothing is stuck.',
    );
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

  it('is an image of less than 180 MB, with its user, its labels and nothing to run but Node.js', async () => {
    const [image] = JSON.parse(await docker('image', 'inspect', `lab/${name}`));
    console.error(`The image has ${(image.Size / 1e6).toFixed(0)} MB.`);
    expect(image.Size).toBeLessThan(180_000_000);
    const told = /The image has (\d+) MB/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1];
    expect(Math.abs(Number(told) - image.Size / 1e6)).toBeLessThan(5);
    expect(image.Config.Labels['org.opencontainers.image.title']).toBe('imapferry');
    const script = `
      const found = (folder) => fs.existsSync(folder) ? fs.readdirSync(folder) : [];
      const mode = (path) => [fs.statSync(path).uid, (fs.statSync(path).mode & 0o777).toString(8)];
      const files = fs.readdirSync('/app', { recursive: true });
      console.log(JSON.stringify({
        programs: ['/bin', '/sbin', '/usr/bin', '/usr/local/bin', '/nodejs/bin'].flatMap(found),
        data: mode('/data'), app: mode('/app'),
        foreign: files.filter((name) => /\\.node$|^node_modules\\/(typescript|vitest)$/.test(name)),
      }));`;
    const look = ['run', '--rm', '--network', 'none', '--entrypoint', 'node', `lab/${name}`, '-e'];
    const { programs, data, app, foreign } = JSON.parse(await docker(...look, script));
    expect(programs.filter((program: string) => program !== 'ldconfig')).toEqual(['node']);
    expect(data).toEqual([1000, '700']);
    expect(app).toEqual([0, '755']);
    expect(foreign).toEqual([]);
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

  it('runs as the unit for systemd says, under systemd', async () => {
    const folder = join(home, 'systemd');
    mkdirSync(folder);
    const copy = (from: string, to = from) => writeFileSync(join(folder, to), readFileSync(from));
    copy(join(ROOT, 'packaging', 'imapferry.service'), 'imapferry.service');
    writeFileSync(
      join(folder, 'imapferry.env'),
      readFileSync(join(home, 'env'), 'utf8')
        .replace(/^SOURCE_PASSWORD_COMMAND.*$/m, '')
        .replaceAll(/\/secrets\/(?=\w+\.pem$)/gm, '/usr/share/'),
    );
    for (const side of ['source', 'dest']) {
      copy(join(secrets, side), `${side}_password`);
      copy(join(secrets, `${side}.pem`), `${side}.pem`);
    }
    // READY is said for it here, by the way that it is said by.
    const ready =
      "sh -c 'systemd-notify --ready && exec imapferry run --env-file %d/imapferry.env'";
    writeFileSync(join(folder, 'ready.conf'), `[Service]\nExecStart=\nExecStart=${ready}\n`);
    // systemd as the first process of a container: the unit alone is tried, on a machine of its own.
    writeFileSync(
      join(folder, 'Dockerfile'),
      `FROM lab/${name} AS imapferry
FROM node:24-trixie-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends systemd
COPY --from=imapferry /app /opt/imapferry
RUN chmod 755 /opt/imapferry/dist/main.js && ln -s /opt/imapferry/dist/main.js /usr/local/bin/imapferry
COPY imapferry.env source_password dest_password /etc/imapferry/
RUN chmod 600 /etc/imapferry/*
COPY source.pem dest.pem /usr/share/
COPY imapferry.service /etc/systemd/system/
COPY ready.conf /etc/systemd/system/imapferry.service.d/
CMD ["/lib/systemd/systemd"]
`,
    );
    const machine = `${container}-systemd`;
    await docker('build', '--network', 'host', '-q', '-t', machine, folder);
    const options = '--privileged --cgroupns host --network host --tmpfs /run --tmpfs /tmp:exec';
    const mounts = ['-v', '/sys/fs/cgroup:/sys/fs/cgroup:rw', '-e', 'container=docker'];
    await docker('run', '-d', '--name', machine, ...options.split(' '), ...mounts, machine);
    const inside = (...command: string[]) => docker('exec', machine, ...command);
    try {
      // A machine that was booted has its mounts so; credentials are handed over by one.
      await inside('mount', '--make-rshared', '/');
      await inside('systemctl', 'is-system-running', '--wait').catch(() => undefined);
      expect(await inside('systemd-analyze', 'verify', 'imapferry.service')).toBe('');
      await using old = await Mail.login(source.port, 'anna', 'secret-of-anna');
      await inside('systemctl', 'start', 'imapferry');
      await old.put('INBOX', message());
      const deadline = Date.now() + 30_000;
      while ((await old.count('INBOX')) > 0) {
        if (Date.now() > deadline) throw new Error(await inside('journalctl', '-u', 'imapferry'));
        await wait(50);
      }
      await inside('systemctl', 'stop', 'imapferry');
      const log = await inside('journalctl', '-u', 'imapferry', '-o', 'cat');
      const events = [...log.matchAll(/"event":"([^"]+)"/g)].map(([, event]) => event);
      expect(events).toContain('delivery.done');
      expect(events.at(-1)).toBe('imapferry.stopped');
      expect(events).not.toContain('config.doubtful');
      const ended = ['show', 'imapferry', '-P', 'Result', '-P', 'ExecMainStatus'];
      expect((await inside('systemctl', ...ended)).split('\n')).toEqual(['success', '0']);
    } finally {
      await docker('rm', '-f', '-v', machine);
      await docker('rmi', machine);
    }
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
