/** `imapferry senders`: who still writes to the old mailbox, told by the program that carried the mail. */
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Dovecot, someUsers, startDovecot } from '../support/dovecot.ts';
import { Mail } from '../support/mail.ts';
import { freePorts } from '../support/ports.ts';
import { Place, Program, type Settings } from './program.ts';

const DAY = 86_400_000;
const users = someUsers(10);
const NAMES = Object.keys(users);
let source: Dovecot;
let destination: Dovecot;
let used = 0;

beforeAll(async () => {
  [source, destination] = await Promise.all([startDovecot({ users }), startDovecot({ users })]);
});
afterAll(() => Promise.all([source?.stop(), destination?.stop()]));

/** Mailboxes of somebody new, and settings that name them. */
class House implements AsyncDisposable {
  readonly place = new Place();
  readonly settings: Settings;
  readonly old: Mail;

  static async begun(changes: Settings = {}): Promise<House> {
    const user = NAMES[used++] ?? '';
    await using fresh = await Mail.login(destination.port, user, users[user] ?? '');
    for (const folder of ['Junk', 'Trash']) await fresh.create(folder);
    return new House(user, await Mail.login(source.port, user, users[user] ?? ''), changes);
  }

  private constructor(user: string, old: Mail, changes: Settings) {
    this.old = old;
    const password = this.place.file('password', `${users[user]}\n`);
    this.settings = this.place.settings(source, destination, {
      ...{ SOURCE_USER: user, SOURCE_PASSWORD_FILE: password },
      ...{ DEST_USER: user, DEST_PASSWORD_FILE: password },
      ...changes,
    });
  }

  /** Somebody's letter, of so many days ago. */
  async letter(from: string, days = 0, fields: string[] = [], folder = 'INBOX'): Promise<void> {
    const lines = [`From: Somebody <${from}>`, ...fields, `Subject: ${letters++}`, '', 'Hello', ''];
    const internalDate = new Date(Date.now() - days * DAY - 60_000);
    await this.old.put(folder, Buffer.from(lines.join('\r\n')), { internalDate });
  }

  async carried(work: (program: Program) => Promise<unknown>, changes: Settings = {}) {
    await using program = new Program(this.place, { ...this.settings, ...changes });
    await program.saw('route.ready');
    await work(program);
    expect((await program.kill('SIGTERM')).code).toBe(0);
  }

  /** What `imapferry senders` prints. */
  async senders(): Promise<string[]> {
    await using program = new Program(this.place, this.settings, ['senders']);
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(program.stderr).toBe('');
    return program.plain;
  }

  async json() {
    await using program = new Program(this.place, this.settings, ['senders', '--json']);
    expect((await program.ended).code).toBe(0);
    return program.log[0] as unknown as { routes: { [field: string]: unknown }[] };
  }

  bytes(): string {
    return readdirSync(this.place.stateDir)
      .map((name) => readFileSync(join(this.place.stateDir, name), 'latin1'))
      .join();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.old[Symbol.asyncDispose]();
    this.place[Symbol.dispose]();
  }
}

/** A wire to a server that ends the connection when an APPEND comes. */
async function cutting(port: number) {
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    upstream.pipe(client);
    client.on('data', (bytes) => {
      if (/ APPEND /i.test(bytes.toString('latin1'))) {
        client.destroy();
        upstream.destroy();
      } else upstream.write(bytes);
    });
    client.on('close', () => upstream.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: own } = server.address() as { port: number };
  return {
    port: own,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

let letters = 0;
const day = (days: number) => new Date(Date.now() - days * DAY - 60_000).toISOString().slice(0, 10);

it('lists who wrote, while imapferry runs and after, and keeps no address', async () => {
  await using house = await House.begun();
  for (const folder of ['Sent', 'Junk', 'Trash', 'Trash/Old', 'Club'])
    await house.old.create(folder);
  await house.letter('ann@family.example', 3);
  await house.letter('Abe@FAMILY.example', 5);
  await house.letter('ann@family.example', 7, [], 'Club');
  await house.letter('statements@bank.example', 40);
  await house.letter('long-ago@past.example', 95);
  const list = ['List-Id: <dev.lists.example.org>', 'List-Post: <mailto:dev@lists.example.org>'];
  await house.letter('poster@anywhere.example', 2, list);
  await house.letter('news@shop.example', 4, ['List-Unsubscribe: <https://shop.example/out>']);
  for (const folder of ['Sent', 'Junk', 'Trash', 'Trash/Old'])
    await house.letter('nobody@elsewhere.example', 1, [], folder);
  const expected = [
    'people and services that wrote in the last 90 days',
    '  domain         messages senders last',
    `  family.example        3       2 ${day(3)}`,
    `  bank.example          1       1 ${day(40)}`,
    '',
    'mailing lists and bulk mail',
    '  domain            messages senders last',
    `  lists.example.org        1       1 ${day(2)}`,
    `  shop.example             1       1 ${day(4)}`,
    '',
    'to know',
  ];
  await house.carried(async (program) => {
    await program.saw('delivery.done', 11);
    const told = await house.senders();
    expect(told.slice(0, expected.length)).toEqual(expected);
    expect(told.join(' ')).toContain('imapferry has been looking since');
    expect(told.join(' ')).not.toContain('does not run now');
    expect(house.bytes()).toContain('family.example');
    expect(house.bytes()).not.toMatch(/(?:ann|abe|statements|poster|nobody)@/i);
  });
  const after = await house.senders();
  expect(after.slice(0, expected.length)).toEqual(expected);
  const [route] = (await house.json()).routes;
  expect(route).toMatchObject({ route: 'default', canGo: false, days: 90 });
  expect(route?.senders).toMatchObject([
    { domain: 'lists.example.org', messages: 1, senders: 1, bulk: true },
    { domain: 'family.example', messages: 3, senders: 2, bulk: false },
    { domain: 'shop.example', messages: 1, senders: 1, bulk: true },
    { domain: 'bank.example', messages: 1, senders: 1, bulk: false },
  ]);
  expect(JSON.stringify(route)).not.toContain('@');
  expect(house.bytes()).not.toMatch(/(?:ann|abe|statements|poster|nobody)@/i);
});

it('lists addresses with KEEP_SENDERS, and removes them without it', async () => {
  await using house = await House.begun();
  await house.letter('ann@family.example', 3);
  await house.carried((program) => program.saw('delivery.done', 1));
  await house.letter('abe@family.example', 2);
  await house.carried((program) => program.saw('delivery.done', 1), { KEEP_SENDERS: 'true' });
  expect((await house.senders()).slice(1, 4)).toEqual([
    '  sender             messages senders last',
    `  abe@family.example        1       1 ${day(2)}`,
    `  family.example            1       1 ${day(3)}`,
  ]);
  expect(house.bytes()).toContain('abe@family.example');
  await house.carried(() => Promise.resolve());
  expect((await house.senders()).slice(1, 3)).toEqual([
    '  domain         messages senders last',
    `  family.example        2       2 ${day(2)}`,
  ]);
  expect(house.bytes()).not.toContain('abe@');
});

it('knows who wrote what was found at the destination after the journal was lost', async () => {
  await using house = await House.begun({ AFTER_DELIVERY: 'keep' });
  await house.letter('ann@family.example', 3);
  await house.letter('abe@family.example', 5);
  await house.carried((program) => program.saw('delivery.done', 2));
  rmSync(house.place.stateDir, { recursive: true });
  await house.carried((program) => program.saw('delivery.recovered', 2));
  expect((await house.senders())[2]).toBe(`  family.example        2       2 ${day(3)}`);
});

it('says when the old mailbox can go, and what keeps it from saying so', async () => {
  await using house = await House.begun();
  const verdict = async () => (await house.senders()).join(' ').replaceAll(/ +/g, ' ');
  expect(await verdict()).toContain('No imapferry has run with STATE_DIR');
  const change = (sql: string) => {
    using db = new DatabaseSync(join(house.place.stateDir, 'journal.sqlite'), { timeout: 5000 });
    db.exec(sql);
  };
  await house.letter('long-ago@past.example', 91);
  await house.carried(async (program) => {
    await program.saw('delivery.done', 1);
    expect(await verdict()).toContain('It is too early to say that the mailbox can go');
    change(`UPDATE route SET since = since - ${91 * DAY}`);
  });
  await house.carried(async (program) => {
    // What imapferry says of itself is written twice a minute.
    await program.until('it can go', async () => (await verdict()).includes('it can go'));
    expect(await verdict()).toBe(
      'Nobody has written to the old mailbox in the last 90 days through imapferry: it can go. (Sent mail, drafts, junk and trash do not count.)',
    );
    expect((await house.json()).routes).toMatchObject([{ canGo: true, doubts: [], senders: [] }]);
  });
  change(`UPDATE heartbeat SET at = at - ${DAY}, begun_at = begun_at - ${DAY}`);
  expect(await verdict()).toContain('imapferry does not run now');
  await house.carried(
    async (program) => {
      await program.until('it has forgotten', async () => /remembers 7 days/.test(await verdict()));
      expect(await verdict()).toContain('in the last 7 days, as far as imapferry knows');
    },
    { HISTORY_DAYS: '7' },
  );
  change('PRAGMA user_version = 99');
  await using refused = new Program(house.place, house.settings, ['senders']);
  expect((await refused.ended).code).toBe(1);
  expect(refused.plain.join()).toMatch(/its format is 99, this imapferry knows/);
  expect(refused.stderr).toBe('');
});

it('does not say so while mail waits in it, whatever keeps it there', async () => {
  await using house = await House.begun();
  await house.carried(() => Promise.resolve());
  using db = new DatabaseSync(join(house.place.stateDir, 'journal.sqlite'), { timeout: 5000 });
  db.exec(`UPDATE route SET since = since - ${200 * DAY}, opened_at = opened_at - ${100 * DAY}`);
  db.exec(`UPDATE heartbeat SET at = at - ${100 * DAY}, begun_at = begun_at - ${100 * DAY}`);
  await house.letter('ann@family.example', 3);
  const verdict = async () => (await house.senders()).join(' ').replaceAll(/ +/g, ' ');
  {
    const away = { ...house.settings, DEST_PORT: String((await freePorts(1))[0]) };
    await using program = new Program(house.place, away);
    await program.saw('account.reconnecting', 2);
    const told = await verdict();
    expect(told).toContain('as far as imapferry knows');
    expect(told).toMatch(/The (new|old) mailbox is not connected|starting/);
  }
  // Whatever is appended ends the connection: nothing is refused, nothing is set aside.
  await using wire = await cutting(destination.port);
  const cut = { DEST_HOST: '127.0.0.1', DEST_PORT: String(wire.port), DEST_TLS: 'none' };
  await using program = new Program(house.place, { ...house.settings, ...cut });
  await program.saw('delivery.retried', 1);
  // With another destination it is another route.
  db.exec(`UPDATE route SET since = since - ${200 * DAY}`);
  expect(await verdict()).toContain('as far as imapferry knows');
});

it('does not say so of a mailbox with folders that FOLDERS leaves out', async () => {
  await using house = await House.begun({ FOLDERS: 'Club', AFTER_DELIVERY: 'keep' });
  await house.old.create('Club');
  await house.letter('ann@family.example', 3);
  await house.carried(async () => {
    using db = new DatabaseSync(join(house.place.stateDir, 'journal.sqlite'), { timeout: 5000 });
    db.exec(`UPDATE route SET since = since - ${200 * DAY}`);
    const told = (await house.senders()).join(' ').replaceAll(/ +/g, ' ');
    expect(told).toContain('as far as imapferry knows');
    expect(told).toMatch(/INBOX (is|and .+ are) not carried/);
  });
});

it('tells the status page domains alone, whatever KEEP_SENDERS says', async () => {
  await using house = await House.begun();
  const [port] = await freePorts(1);
  await house.letter('ann@family.example', 3);
  await house.carried(
    async (program) => {
      await program.saw('delivery.done', 1);
      const answer = await fetch(`http://127.0.0.1:${port}/api/status`);
      const told = await answer.text();
      expect(JSON.parse(told).senders).toMatchObject({
        days: 90,
        domains: [{ domain: 'family.example', messages: 1, bulk: false }],
      });
      expect(told).not.toContain('ann@');
    },
    { KEEP_SENDERS: 'true', HTTP_PORT: String(port) },
  );
});

it('lists several routes one by one', async () => {
  await using house = await House.begun();
  await house.old.create('Club');
  await house.letter('ann@family.example', 3);
  await house.letter('abe@club.example', 5, [], 'Club');
  const routes = { ROUTES: 'mail,club', MAIL_FOLDERS: 'INBOX', CLUB_FOLDERS: 'Club' };
  await house.carried((program) => program.saw('delivery.done', 2), routes);
  const told = await house.senders();
  expect(told.filter((line) => /^route|\.example/.test(line))).toEqual([
    'route club',
    `  club.example        1       1 ${day(5)}`,
    'route mail',
    `  family.example        1       1 ${day(3)}`,
  ]);
});
