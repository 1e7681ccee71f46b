/** Several routes in one imapferry, between real servers: each with its own mail, connections and troubles. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dovecot, someUsers, startDovecot } from '../support/dovecot.ts';
import { ImapWire } from '../support/imap-wire.ts';
import { Mail, message, type Stored } from '../support/mail.ts';
import { overWires, Place, Program, type Settings } from './program.ts';

const users = someUsers(30);
const NAMES = Object.keys(users);
let source: Dovecot;
let destination: Dovecot;
let used = 0;

beforeAll(async () => {
  [source, destination] = await Promise.all([startDovecot({ users }), startDovecot({ users })]);
});
afterAll(() => Promise.all([source?.stop(), destination?.stop()]));

/** Mailboxes that nobody used before, and settings that name them. */
class Household implements AsyncDisposable {
  readonly place = new Place();
  readonly #mails: Mail[] = [];

  /** A mailbox of somebody new. */
  async mailbox(at: Dovecot, user = NAMES[used++] ?? ''): Promise<{ user: string; mail: Mail }> {
    const mail = await Mail.login(at.port, user, users[user] ?? '');
    this.#mails.push(mail);
    return { user, mail };
  }

  /** Settings of all routes, and each one's own. */
  settings(routes: Record<string, Settings>, all: Settings = {}): Settings {
    const { SOURCE_USER, SOURCE_PASSWORD_FILE, DEST_USER, DEST_PASSWORD_FILE, ...rest } =
      this.place.settings(source, destination);
    const own = Object.entries(routes).flatMap(([name, settings]) =>
      Object.entries(settings).map(([key, value]) => [`${name.toUpperCase()}_${key}`, value]),
    );
    return { ...rest, ROUTES: Object.keys(routes).join(','), ...all, ...Object.fromEntries(own) };
  }

  login(side: 'SOURCE' | 'DEST', user: string, password = users[user] ?? ''): Settings {
    return {
      [`${side}_USER`]: user,
      [`${side}_PASSWORD_FILE`]: this.place.file(`${side}-${user}`, `${password}\n`),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const mail of this.#mails) await mail[Symbol.asyncDispose]();
    this.place[Symbol.dispose]();
  }
}

const bodies = (stored: readonly Stored[]) => stored.map(({ bytes }) => bytes.toString()).sort();
const texts = (letters: readonly Buffer[]) => letters.map((bytes) => bytes.toString()).sort();

/** Which routes told an event, each once. */
function routesOf(program: Program, event: string): string[] {
  const lines = program.log.filter((line) => line.event === event);
  return [...new Set(lines.map(({ route }) => String(route)))].sort();
}

describe('several routes', () => {
  it('bring two old mailboxes to one new one, and say which of them', async () => {
    await using home = new Household();
    const [mum, dad] = [await home.mailbox(source), await home.mailbox(source)];
    const fresh = await home.mailbox(destination);
    const letters = Array.from({ length: 6 }, () => message());
    for (const [i, bytes] of letters.entries()) await (i % 2 ? mum : dad).mail.put('INBOX', bytes);
    const settings = home.settings(
      { mum: home.login('SOURCE', mum.user), dad: home.login('SOURCE', dad.user) },
      home.login('DEST', fresh.user),
    );
    await using program = new Program(home.place, settings);
    await program.saw('delivery.done', 6);
    for (const { mail } of [mum, dad]) {
      const bytes = message();
      letters.push(bytes);
      await mail.put('INBOX', bytes);
    }
    await program.saw('delivery.done', 8);
    expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(bodies(await fresh.mail.dump('INBOX'))).toEqual(texts(letters));
    expect([await mum.mail.count('INBOX'), await dad.mail.count('INBOX')]).toEqual([0, 0]);
    for (const event of ['account.connected', 'plan.made', 'watcher.idling', 'delivery.done'])
      expect(routesOf(program, event)).toEqual(['dad', 'mum']);
  });

  it('from one account share its watchers, and bring each folder to its own place', async () => {
    await using home = new Household();
    const old = await home.mailbox(source);
    const [one, two] = [await home.mailbox(destination), await home.mailbox(destination)];
    const folders = ['INBOX', 'Club', 'Work', 'Work2'];
    for (const name of folders.slice(1)) await old.mail.create(name);
    await using up = await ImapWire.between({ to: source.port });
    const settings = home.settings(
      {
        a: { ...home.login('DEST', one.user), FOLDERS: 'INBOX, Club' },
        b: { ...home.login('DEST', two.user), FOLDERS: 'Work*' },
      },
      {
        ...home.login('SOURCE', old.user),
        ...overWires(up, { port: destination.port }),
        MAX_WATCHERS: '2',
        SWEEP_INTERVAL: '1s',
      },
    );
    await using program = new Program(home.place, settings);
    await program.saw('watcher.idling', 2);
    for (const name of folders) await old.mail.put(name, message({ body: name }));
    await program.saw('delivery.done', 4);
    expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect([await one.mail.count('INBOX'), await one.mail.count('Club')]).toEqual([1, 1]);
    expect([await two.mail.count('Work'), await two.mail.count('Work2')]).toEqual([1, 1]);
    const idled = up.commands
      .filter(({ name }) => name === 'IDLE')
      .map(({ connection }) => connection);
    expect(new Set(idled).size).toBe(2);
    expect(routesOf(program, 'watcher.idling')).toEqual(['a', 'b']);
  });

  it('carry on where one of them is refused', async () => {
    await using home = new Household();
    const [mum, dad] = [await home.mailbox(source), await home.mailbox(source)];
    const fresh = await home.mailbox(destination);
    const settings = home.settings(
      { mum: home.login('SOURCE', mum.user, 'wrong'), dad: home.login('SOURCE', dad.user) },
      home.login('DEST', fresh.user),
    );
    await using program = new Program(home.place, settings);
    await program.saw('account.reconnecting', 2);
    await dad.mail.put('INBOX', message());
    await program.saw('delivery.done');
    expect(routesOf(program, 'account.reconnecting')).toEqual(['mum']);
    expect(routesOf(program, 'delivery.done')).toEqual(['dad']);
    expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('whose patterns mean one folder are both stopped, with both names, and go on once it is gone', async () => {
    await using home = new Household();
    const old = await home.mailbox(source);
    const [one, two] = [await home.mailbox(destination), await home.mailbox(destination)];
    for (const name of ['Lists', 'Lists2', 'Other']) await old.mail.create(name);
    await old.mail.put('Lists2', message());
    const settings = home.settings(
      {
        a: { ...home.login('DEST', one.user), FOLDERS: 'L*' },
        b: { ...home.login('DEST', two.user), FOLDERS: '*2, Other' },
      },
      { ...home.login('SOURCE', old.user), SWEEP_INTERVAL: '1s' },
    );
    await using program = new Program(home.place, settings);
    await program.saw('route.blocked', 2);
    const blocked = program.log.filter(({ event }) => event === 'route.blocked');
    expect(blocked.map(({ route, why }) => [route, String(why).slice(0, 43)]).sort()).toEqual([
      ['a', 'Lists2 would be carried by the route b, too'],
      ['b', 'Lists2 would be carried by the route a, too'],
    ]);
    await program.saw('sweep.finished', 2);
    expect(await old.mail.count('Lists2')).toBe(1);
    await using other = await Mail.login(source.port, old.user, users[old.user] ?? '');
    await other.command('RENAME Lists2 Lists3');
    await program.saw('route.resumed', 2);
    await program.saw('delivery.done');
    expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await one.mail.count('Lists3')).toBe(1);
  });

  it('whose counterparts lead round in a circle are both stopped, before check and while they run', async () => {
    await using home = new Household();
    const [old, fresh] = [await home.mailbox(source), await home.mailbox(destination)];
    await old.mail.create('Sent');
    await fresh.mail.create('Gesendet');
    await fresh.mail.put('Gesendet', message());
    const there = { ...home.login('SOURCE', old.user), ...home.login('DEST', fresh.user) };
    const swapped = Object.entries({
      ...home.place.settings(source, destination),
      ...there,
    }).flatMap(([name, value]): [string, string][] => {
      const [, side, rest] = /^(SOURCE|DEST)_(.*)$/.exec(name) ?? [];
      return side ? [[`${side === 'DEST' ? 'SOURCE' : 'DEST'}_${rest}`, value]] : [];
    });
    const settings = home.settings(
      {
        there: { ...there, FOLDERS: 'Sent' },
        back: { ...Object.fromEntries(swapped), FOLDERS: 'Gesendet' },
      },
      { SWEEP_INTERVAL: '1s' },
    );
    await using looked = new Program(home.place, settings, ['check']);
    expect((await looked.ended).code).toBe(1);
    const text = looked.plain.join('\n').replaceAll(/\s+/g, ' ');
    expect(text).toContain('there: Sent → Gesendet, back: Gesendet → Sent');
    expect(text).toContain('back: Gesendet → Sent, there: Sent → Gesendet');
    await using program = new Program(home.place, settings);
    await program.saw('route.blocked', 2);
    expect(routesOf(program, 'route.blocked')).toEqual(['back', 'there']);
    expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('of which one is a dry run carry the mail of the others only', async () => {
    await using home = new Household();
    const [mum, dad] = [await home.mailbox(source), await home.mailbox(source)];
    const fresh = await home.mailbox(destination);
    for (const { mail } of [mum, dad]) await mail.put('INBOX', message());
    const settings = home.settings(
      {
        mum: { ...home.login('SOURCE', mum.user), DRY_RUN: 'true' },
        dad: home.login('SOURCE', dad.user),
      },
      home.login('DEST', fresh.user),
    );
    await using program = new Program(home.place, settings, ['sweep']);
    expect((await program.ended).code).toBe(0);
    expect([await mum.mail.count('INBOX'), await dad.mail.count('INBOX')]).toEqual([1, 0]);
    expect(await fresh.mail.count('INBOX')).toBe(1);
    expect(program.plain.map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining(['mum', 'dad']),
    );
  });

  it('that inherit the new mailbox are pointed out by check', async () => {
    await using home = new Household();
    const [mum, dad] = [await home.mailbox(source), await home.mailbox(source)];
    const fresh = await home.mailbox(destination);
    const settings = home.settings(
      { mum: home.login('SOURCE', mum.user), dad: home.login('SOURCE', dad.user) },
      home.login('DEST', fresh.user),
    );
    await using program = new Program(home.place, settings, ['check']);
    expect((await program.ended).code).toBe(0);
    const text = program.plain.join('\n').replaceAll(/\s+/g, ' ');
    expect(text).toContain(
      'The route dad has a DAD_SOURCE_USER of its own and takes DEST_USER from all routes',
    );
    expect(text).toContain('route mum: ready');
    expect(text).toContain('route dad: ready');
  });
});
