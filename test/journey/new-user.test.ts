/** What a new user gets wrong, and the sentence that helps. Each is tried with the program itself. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';
import { freePorts } from '../support/ports.ts';
import { Place, Program, type Settings } from './program.ts';

let source: Dovecot;
let destination: Dovecot;

beforeAll(async () => {
  [source, destination] = await Promise.all([startDovecot(), startDovecot()]);
});

afterAll(async () => {
  await Promise.all([source?.stop(), destination?.stop()]);
});

interface Mistake {
  readonly title: string;
  readonly changes: (place: Place) => Settings;
  /** The event whose line helps; without one the program ends with 2 and the help is on standard error. */
  readonly event?: string;
  readonly helps: readonly string[];
}

const mistakes: Mistake[] = [
  {
    title: 'a host name that does not exist',
    changes: () => ({ SOURCE_HOST: 'imap.example.invalid' }),
    event: 'account.reconnecting',
    helps: ['source server imap.example.invalid', 'name can not be'],
  },
  {
    title: 'a port where TLS is not spoken',
    changes: () => ({ SOURCE_PORT: String(source.port) }),
    event: 'account.reconnecting',
    helps: ['does not speak TLS on that port', 'SOURCE_TLS=starttls'],
  },
  {
    title: 'a certificate nobody trusts',
    changes: () => ({ DEST_CA_FILE: '' }),
    event: 'account.reconnecting',
    helps: ['authority that is not trusted', 'DEST_CA_FILE', 'No password was sent'],
  },
  {
    title: 'a certificate for another name',
    changes: () => ({ DEST_TLS_NAME: 'imap.example.org' }),
    event: 'account.reconnecting',
    helps: ['its certificate is for', 'localhost', 'DEST_TLS_NAME'],
  },
  {
    title: 'another certificate than the pinned one',
    changes: () => ({ DEST_TLS_FINGERPRINT: 'ab'.repeat(32) }),
    event: 'account.reconnecting',
    helps: ['SHA-256 fingerprint', 'DEST_TLS_FINGERPRINT'],
  },
  {
    title: 'a wrong password',
    changes: (place) => ({ SOURCE_PASSWORD_FILE: place.file('wrong', 'not-the-password\n') }),
    event: 'account.reconnecting',
    helps: ['source server', 'refuses the login', 'AUTHENTICATIONFAILED'],
  },
  {
    title: 'a folder that does not exist',
    changes: () => ({ FOLDERS: 'INBOX, Snet' }),
    event: 'folder.left-out',
    helps: ['the source has no such folder'],
  },
  {
    title: 'a password file that is not there',
    changes: (place) => ({ DEST_PASSWORD_FILE: join(place.home, 'nowhere') }),
    helps: ['DEST_PASSWORD_FILE', 'a file that does not exist'],
  },
  {
    title: 'a mistyped variable',
    changes: () => ({ SOURCE_HSOT: 'imap.example.org' }),
    helps: ['SOURCE_HSOT', 'SOURCE_HOST'],
  },
  {
    title: 'three mistakes at once',
    changes: () => ({ SWEEP_INTERVAL: 'often', CONCURRENCY: '0', AFTER_DELIVERY: 'burn' }),
    helps: ['SWEEP_INTERVAL', 'CONCURRENCY', 'AFTER_DELIVERY'],
  },
];

it.each(mistakes)(
  'tells a new user of $title, and touches no mail',
  async ({ changes, event, helps }) => {
    using place = new Place();
    await using old = await Mail.login(source.port, 'anna', 'secret-of-anna');
    await old.put('INBOX', message());
    const before = await old.dump('INBOX');
    const settings: Record<string, string> = {
      ...place.settings(source, destination),
      ...changes(place),
    };
    if (event === 'folder.left-out') settings.AFTER_DELIVERY = 'keep';
    for (const [name, value] of Object.entries(settings)) if (value === '') delete settings[name];
    await using program = new Program(place, settings);
    let said: string;
    if (event === undefined) {
      expect((await program.ended).code).toBe(2);
      said = program.stderr;
    } else {
      await program.saw(event);
      const line = program.log.find((each) => each.event === event);
      said = `${line?.msg} ${line?.why}`;
      expect((await program.kill('SIGTERM')).code).toBe(0);
    }
    for (const help of helps) expect(said).toContain(help);
    expect(JSON.stringify(program.log) + program.stderr).not.toMatch(/secret-of|not-the-password/);
    expect(await old.dump('INBOX')).toEqual(before);
  },
);

it('takes the pinned certificate though nobody else vouches for it', async () => {
  using place = new Place();
  const { createHash, X509Certificate } = await import('node:crypto');
  const { connect } = await import('node:tls');
  const certificate = await new Promise<Buffer>((resolve, reject) => {
    const socket = connect(
      { port: destination.tlsPort, host: '127.0.0.1', rejectUnauthorized: false },
      () => {
        resolve(Buffer.from(socket.getPeerX509Certificate()?.raw ?? ''));
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });
  expect(new X509Certificate(certificate).subject).toContain('localhost');
  const { DEST_CA_FILE: _, ...settings } = place.settings(source, destination, {
    DEST_TLS_FINGERPRINT: createHash('sha256').update(certificate).digest('hex'),
  });
  await using program = new Program(place, settings);
  await program.saw('account.connected', 2);
});

it('logs in by STARTTLS', async () => {
  using place = new Place();
  const ports = { SOURCE_PORT: String(source.port), DEST_PORT: String(destination.port) };
  const starttls = { ...ports, SOURCE_TLS: 'starttls', DEST_TLS: 'starttls' };
  await using program = new Program(place, place.settings(source, destination, starttls));
  await program.saw('account.connected', 2);
});

it('waits for a server that is not there yet, and goes on when it is', async () => {
  using place = new Place();
  const [port] = await freePorts(2);
  await using program = new Program(
    place,
    place.settings(source, destination, { DEST_PORT: String(port) }),
  );
  await program.saw('account.reconnecting');
  const line = program.log.find(({ event }) => event === 'account.reconnecting');
  expect(line?.why).toContain('nothing answers on that port');
  expect((await program.kill('SIGTERM')).code).toBe(0);
});

it('after three refused logins knocks only every 15 minutes, and no sooner after a restart', async () => {
  using place = new Place();
  const settings = place.settings(source, destination, {
    SOURCE_PASSWORD_FILE: place.file('wrong', 'not-the-password\n'),
  });
  await using first = new Program(place, settings);
  await first.saw('account.refused');
  const refusal = first.log.find(({ event }) => event === 'account.refused');
  expect(refusal?.level).toBe('error');
  expect(refusal?.msg).toContain('SOURCE_PASSWORD');
  // Not at once: it is written when it has been told.
  let says = '';
  await vi.waitFor(async () => {
    await using health = new Program(place, settings, ['health']);
    expect((await health.ended).code).toBe(1);
    says = health.plain.join('\n');
    expect(says).toContain('! The source server refuses the login');
  }, 20_000);
  expect(says).toContain('Mail is not flowing.');
  expect(says).toContain('Check SOURCE_USER and SOURCE_PASSWORD');
  await first.kill('SIGKILL');
  await using second = new Program(place, settings);
  await second.saw('account.connected');
  await second.saw('account.refused');
  const waits = second.log.filter(({ event = '' }) => /account.re/.test(event));
  // It says that it waits, and has not knocked.
  expect(waits.map(({ msg }) => msg)).toEqual([
    'The source server has refused the login three times in a row. So that it locks nobody out, imapferry waits 15 minutes before it tries again.',
  ]);
  expect((await second.kill('SIGTERM')).code).toBe(0);
});

it('a configuration that can not be used is told to people on standard error, and as an event to who reads the log', async () => {
  using place = new Place();
  await using program = new Program(place, { SOURCE_HOST: 'mail.example.org' });
  expect((await program.ended).code).toBe(2);
  expect(program.stderr).toContain('SOURCE_USER');
  const [told] = program.log;
  expect(told).toMatchObject({ event: 'config.rejected', level: 'error' });
  expect(told?.msg).toContain('SOURCE_USER is needed: the login name.');
});

it('says so and ends with 1 where another imapferry uses STATE_DIR', async () => {
  using place = new Place();
  const settings = place.settings(source, destination);
  await using first = new Program(place, settings);
  await first.saw('watcher.idling');
  await using second = new Program(place, settings);
  expect((await second.ended).code).toBe(1);
  expect(second.log.at(-1)?.msg).toContain('Another imapferry uses STATE_DIR');
  await using health = new Program(place, settings, ['health']);
  expect((await health.ended).code).toBe(0);
  expect(health.plain[0]).toMatch(/^(?:Mail is flowing|imapferry is starting)\.$/);
  expect(health.plain.join('\n')).toMatch(/ {2}INBOX → INBOX: /);
});

it('says so, and how to mend it, and ends with 1 where STATE_DIR can not be written', async () => {
  using place = new Place();
  // Root may write anywhere: the program runs as somebody who may not.
  const uid = process.getuid?.() === 0 ? 65534 : undefined;
  mkdirSync(place.stateDir);
  chmodSync(place.stateDir, 0o555);
  chmodSync(place.home, 0o755);
  const settings = place.settings(source, destination, {
    SOURCE_PASSWORD_FILE: place.file('read-by-all', 'secret-of-anna\n', 0o644),
    DEST_PASSWORD_FILE: place.file('by-all-too', 'secret-of-bert\n', 0o644),
  });
  await using program = new Program(place, settings, ['run'], uid === undefined ? {} : { uid });
  expect((await program.ended).code).toBe(1);
  const said = program.log.at(-1)?.msg;
  expect(said).toContain(place.stateDir);
  expect(said).toContain(`user id ${uid ?? process.getuid?.()}`);
  expect(said).toContain('chown');
});

it.each(['run', 'health', 'stuck'])(
  '%s names a settings file that is not there, and ends with 2',
  async (command) => {
    using place = new Place();
    await using program = new Program(place, {}, [command, '--env-file', 'nowhere.env']);
    expect((await program.ended).code).toBe(2);
    expect(program.stderr).toContain('--env-file');
    expect(program.stderr).not.toContain('node:');
  },
);

it('health says why it is not well where nothing runs', async () => {
  using place = new Place();
  await using health = new Program(place, { STATE_DIR: place.stateDir }, ['health']);
  expect((await health.ended).code).toBe(1);
  expect(health.plain.join('\n')).toContain('No imapferry has run');
});

it('sweep carries what is there, says how many, and ends with 0', async () => {
  using place = new Place();
  await using old = await Mail.login(source.port, 'bert', 'secret-of-bert');
  for (let i = 0; i < 7; i++) await old.put('INBOX', message());
  const settings = place.settings(source, destination, {
    SOURCE_USER: 'bert',
    SOURCE_PASSWORD_FILE: place.file('bert', 'secret-of-bert\n'),
  });
  await using sweep = new Program(place, settings, ['sweep']);
  expect((await sweep.ended).code).toBe(0);
  expect(sweep.plain).toContain('default: 7 messages carried.');
  expect(await old.count('INBOX')).toBe(0);
  await using stuck = new Program(place, settings, ['stuck']);
  expect((await stuck.ended).code).toBe(0);
});
