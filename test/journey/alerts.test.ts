/** Trouble that lasts, as a household meets it: told where it looks, once, and its end too. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { run } from '../../src/commands/run.ts';
import { loadConfig } from '../../src/config/config.ts';
import { type EventFields, type EventName, eventStream } from '../../src/domain/events.ts';
import { PACE, type Pace } from '../../src/forward/pace.ts';
import { startDovecot, withQuota } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';
import { notifySocket, SYSTEMD_NOTIFY } from '../support/notify-socket.ts';
import { parsed } from '../support/parsed.ts';
import { listening } from '../support/ports.ts';
import { Place, Program, type Settings } from './program.ts';

const QUICK: Pace = {
  ...PACE,
  reconnectFirst: 20,
  reconnectLongest: 50,
  refusals: 50,
  refusedLogin: 500,
  holdFirst: 200,
  holdLongest: 300,
};

/** Dovecot lets whoever fails to log in wait for longer and longer. */
const PATIENT = `
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`;

/** The command `run` in this process, so that its waits are short. */
class Life implements AsyncDisposable {
  readonly told: [EventName, EventFields][] = [];
  readonly #stop = new AbortController();
  readonly #life: Promise<number>;

  constructor(settings: Settings) {
    const stream = eventStream();
    stream.subscribe((...each) => this.told.push(each));
    const config = loadConfig({ PATH: process.env.PATH, ...settings }, { envFiles: ['/dev/null'] });
    this.#life = run(config, { signal: this.#stop.signal, stream, pace: QUICK, look: 100 });
  }

  count(event: EventName): number {
    return this.told.filter(([name]) => name === event).length;
  }

  async saw(event: EventName, nth = 1): Promise<void> {
    for (const deadline = Date.now() + 40_000; this.count(event) < nth; await wait(20)) {
      if (Date.now() < deadline) continue;
      const last = this.told.slice(-15).map(([name, { why, msg }]) => `${name}: ${msg ?? why}`);
      throw new Error(`${event} was not told ${nth} times. Told last:\n${last.join('\n')}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the test stops it'));
    expect(await this.#life).toBe(0);
  }
}

it('a refused password is told once in the new INBOX, over a restart, and so is its end', async () => {
  await using source = await startDovecot({ extra: PATIENT });
  await using destination = await startDovecot({ users: { 'bert@new.example': 'of-bert' } });
  using place = new Place();
  await using fresh = await Mail.login(destination.port, 'bert@new.example', 'of-bert');
  await using old = await Mail.login(source.port, 'anna', source.users.anna ?? '');
  await old.put('INBOX', message());
  const right = place.file('right', source.users.anna ?? '');
  const settings = place.settings(source, destination, {
    SOURCE_PASSWORD_FILE: place.file('password', 'wrong-password'),
    DEST_USER: 'bert@new.example',
    DEST_PASSWORD_FILE: place.file('dest', 'of-bert'),
    ALERT_AFTER: '3s',
  });
  {
    await using life = new Life(settings);
    await life.saw('account.refused');
    await life.saw('health.degraded');
    await life.saw('alert.sent');
    await wait(3000);
    expect(life.count('alert.sent')).toBe(1);
  }
  {
    await using life = new Life(settings);
    await life.saw('account.reconnecting', 3);
    await wait(3000);
    expect(life.count('alert.sent')).toBe(0);
    expect(await fresh.count('INBOX')).toBe(1);
  }
  const [alert] = await fresh.dump('INBOX');
  if (!alert) throw new Error('there is no alert');
  expect(alert.flags.filter((flag) => flag !== '\\Recent')).toEqual([]);
  expect(Math.abs(Date.now() - alert.internalDate.getTime())).toBeLessThan(60_000);
  const { header, text } = parsed(alert.bytes);
  expect(header.get('from')).toBe('imapferry <no-reply@imapferry.invalid>');
  expect(header.get('to')).toBe('bert@new.example');
  expect(header.get('subject')).toBe('Mail from your old mailbox is not coming through');
  expect(header.get('auto-submitted')).toBe('auto-generated');
  expect(text).toContain('What has happened: The old mailbox does not let imapferry in');
  expect(text).toContain('No mail is lost.');
  expect(text).toContain('Check SOURCE_USER and SOURCE_PASSWORD');
  expect(text).not.toMatch(/wrong-password|of-bert|anna|bert|@/);
  {
    await using life = new Life({ ...settings, SOURCE_PASSWORD_FILE: right });
    await life.saw('delivery.done');
    await life.saw('alert.sent');
    await wait(2500);
    expect(life.count('alert.sent')).toBe(1);
  }
  const letters = (await fresh.dump('INBOX')).filter(({ bytes }) =>
    bytes.toString().includes('imapferry.invalid'),
  );
  expect(letters.map(({ bytes }) => parsed(bytes).header.get('subject'))).toEqual([
    'Mail from your old mailbox is not coming through',
    'It is over: mail from your old mailbox flows again',
  ]);
  expect(await old.count('INBOX')).toBe(0);
});

const QUOTA = withQuota('messages=2');

it('a new mailbox that is full is told by ALERT_COMMAND, and nothing is put there but mail', async () => {
  await using source = await startDovecot({ extra: PATIENT });
  await using destination = await startDovecot({ extra: QUOTA });
  using place = new Place();
  await using fresh = await Mail.login(destination.port, 'bert', destination.users.bert ?? '');
  await using old = await Mail.login(source.port, 'anna', source.users.anna ?? '');
  for (let i = 0; i < 2; i++) await fresh.put('INBOX', message());
  await old.put('INBOX', message());
  const out = place.file('out', '');
  const script = place.file(
    'tell',
    `#!/bin/sh\necho "$IMAPFERRY_ROUTE $IMAPFERRY_CAUSE $IMAPFERRY_STATE $DEST_PASSWORD_FILE" >> ${out}\ncat >> ${out}\n`,
    0o755,
  );
  const settings = place.settings(source, destination, {
    ALERT_AFTER: '1s',
    ALERT_COMMAND: script,
  });
  await using life = new Life(settings);
  await life.saw('alert.handed');
  await wait(3000);
  expect(life.count('alert.handed')).toBe(1);
  expect(await fresh.count('INBOX')).toBe(2);
  const given = readFileSync(out, 'utf8');
  expect(given.split('\n')[0]).toBe('default destination-full trouble ');
  expect(given).toContain('What has happened: The new mailbox is full and takes no more mail.');
  expect(given).toContain('No mail is lost.');
  expect(await old.count('INBOX')).toBe(1);
  await fresh.expunge('INBOX', '1');
  await life.saw('delivery.done');
  await life.saw('alert.handed', 2);
  expect(readFileSync(out, 'utf8')).toContain('default destination-full over \nIt is over: ');
  expect(life.count('alert.sent')).toBe(0);
  expect(await fresh.count('INBOX')).toBe(2);
  expect(await old.count('INBOX')).toBe(0);
});

it('the heartbeat comes once mail flows, and not before', async () => {
  await using source = await startDovecot({ extra: PATIENT });
  await using destination = await startDovecot();
  using place = new Place();
  const asked: string[] = [];
  const server = createServer(({ url }, response) => {
    asked.push(url ?? '');
    response.end('OK');
  });
  const port = await listening(server);
  const settings = place.settings(source, destination, {
    SOURCE_PASSWORD_FILE: place.file('password', 'wrong'),
    HEARTBEAT_URL: `http://127.0.0.1:${port}/ping/a-token`,
  });
  try {
    {
      await using life = new Life(settings);
      await life.saw('health.degraded');
      await wait(1500);
      expect(asked).toEqual([]);
    }
    const right = place.file('right', source.users.anna ?? '');
    await using life = new Life({ ...settings, SOURCE_PASSWORD_FILE: right });
    await life.saw('route.ready');
    while (asked.length === 0) await wait(20);
    expect(asked).toEqual(['/ping/a-token']);
    expect(life.count('heartbeat.failed')).toBe(0);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

it('a dry run puts no alert anywhere', async () => {
  await using source = await startDovecot({ extra: PATIENT });
  await using destination = await startDovecot();
  using place = new Place();
  await using fresh = await Mail.login(destination.port, 'bert', destination.users.bert ?? '');
  const settings = place.settings(source, destination, {
    SOURCE_PASSWORD_FILE: place.file('password', 'wrong'),
    ALERT_AFTER: '1s',
    DRY_RUN: 'true',
  });
  await using life = new Life(settings);
  await life.saw('alert.planned');
  await wait(1500);
  expect(life.count('alert.planned')).toBe(1);
  expect(life.count('alert.sent')).toBe(0);
  expect(await fresh.count('INBOX')).toBe(0);
});

it('systemd hears that the program is ready though nobody lets it in, and that it stops', async () => {
  await using source = await startDovecot({ extra: PATIENT });
  await using destination = await startDovecot();
  await using socket = await notifySocket();
  using place = new Place();
  await using program = new Program(
    place,
    place.settings(source, destination, {
      SOURCE_PASSWORD_FILE: place.file('password', 'wrong'),
      NOTIFY_SOCKET: socket.socket,
      WATCHDOG_USEC: '1000000',
      ...(SYSTEMD_NOTIFY === undefined && { PATH: `${socket.path}:${process.env.PATH}` }),
    }),
  );
  await socket.until('is ready', (told) => told.includes('READY=1'));
  await socket.until('lives', (told) => told.filter((each) => each === 'WATCHDOG=1').length > 2);
  await program.saw('account.reconnecting');
  expect((await program.kill('SIGTERM')).code).toBe(0);
  await socket.until('stops', (told) => told.some((each) => each.startsWith('STOPPING=1')));
  expect(program.count('systemd.unreached')).toBe(0);
});
