import { rmSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InMemory } from '../../src/domain/content.ts';
import { compare } from '../../src/domain/receipt.ts';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { corpus, Mail, message, type Stored } from '../support/mail.ts';
import { Wire } from '../support/wire.ts';
import { overWires, Place, Program } from './program.ts';

let source: Dovecot;
let destination: Dovecot;
let users = 0;

/** Fresh mailboxes on both servers for each test: a user nobody used before. */
interface Scene extends AsyncDisposable {
  readonly place: Place;
  readonly user: string;
  readonly old: Mail;
  readonly fresh: Mail;
  settings(changes?: Record<string, string>): Record<string, string>;
}

async function scene(): Promise<Scene> {
  const user = `user${++users}`;
  const place = new Place();
  const old = await Mail.login(source.port, user, `secret-of-${user}`);
  const fresh = await Mail.login(destination.port, user, `secret-of-${user}`);
  return {
    place,
    user,
    old,
    fresh,
    settings: (changes = {}) => {
      const passwords = place.file('password', `secret-of-${user}\n`);
      return place.settings(source, destination, {
        SOURCE_USER: user,
        DEST_USER: user,
        SOURCE_PASSWORD_FILE: passwords,
        DEST_PASSWORD_FILE: passwords,
        ...changes,
      }) as Record<string, string>;
    },
    async [Symbol.asyncDispose]() {
      await old[Symbol.asyncDispose]();
      await fresh[Symbol.asyncDispose]();
      place[Symbol.dispose]();
    },
  };
}

function manyUsers(): Record<string, string> {
  const names = Array.from({ length: 60 }, (_, i) => `user${i + 1}`);
  return Object.fromEntries([...names, 'anna', 'bert'].map((name) => [name, `secret-of-${name}`]));
}

/** Every original arrived exactly once, as it was. */
function expectSame(originals: readonly Stored[], copies: readonly Stored[]): void {
  expect(copies.length).toBe(originals.length);
  const left = [...copies];
  const sameAs = (one: Stored) => (other: Stored) =>
    compare(new InMemory(one.bytes), new InMemory(other.bytes), 'bytes') !== undefined;
  for (const original of originals) {
    const at = left.findIndex(sameAs(original));
    const [copy] = left.splice(at, at < 0 ? 0 : 1);
    if (!copy) throw new Error(`The message with UID ${original.uid} has no copy`);
    expect(copy.flags).toEqual(original.flags);
    expect(copy.internalDate).toEqual(original.internalDate);
  }
}

beforeAll(async () => {
  const options = { users: manyUsers() };
  [source, destination] = await Promise.all([startDovecot(options), startDovecot(options)]);
});

afterAll(async () => {
  await Promise.all([source?.stop(), destination?.stop()]);
});

describe('imapferry run between two Dovecots', () => {
  it('carries 50 that wait, 20 that come one by one, and 200 at once', async () => {
    await using here = await scene();
    const all: Stored[] = [];
    const flagged = {
      flags: ['\\Answered', '\\Flagged', '\\Seen', 'a-keyword'],
      internalDate: new Date('2009-02-13T23:31:30Z'),
    };
    for (let i = 0; i < 50; i++)
      await here.old.put('INBOX', message({ size: i * 100 }), i % 2 ? flagged : {});
    all.push(...(await here.old.dump('INBOX')));
    await using program = new Program(here.place, here.settings());
    await program.saw('delivery.done', 50);
    for (let i = 0; i < 20; i++) {
      await here.old.put('INBOX', message(), flagged);
      await program.saw('delivery.done', 51 + i);
    }
    for (let i = 0; i < 200; i++) await here.old.put('INBOX', message({ size: 3000 }));
    await program.saw('delivery.done', 270);
    expect(await here.old.count('INBOX')).toBe(0);
    const copies = await here.fresh.dump('INBOX');
    expect(copies.length).toBe(270);
    expectSame(
      all,
      copies.filter(({ bytes }) => all.some((one) => one.bytes.equals(bytes))),
    );
    expect(new Set(copies.map(({ bytes }) => bytes.toString('latin1'))).size).toBe(270);
    expect(program.count('sweep.caught')).toBe(0);
    expect(program.log.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
    expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(program.stderr).toBe('');
  });

  it('stopped in the middle and started again carries each message once', async () => {
    await using here = await scene();
    for (let i = 0; i < 700; i++) await here.old.put('INBOX', message());
    const originals = await here.old.dump('INBOX');
    const settings = here.settings({ CONCURRENCY: '1' });
    await using first = new Program(here.place, settings);
    // The first batch is on its way, the others have not begun.
    await first.saw('delivery.fetched');
    expect(await first.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(first.count('imapferry.stopped')).toBe(1);
    expect(await here.old.count('INBOX')).toBeGreaterThan(0);
    await using second = new Program(here.place, settings);
    await second.until('all is carried', async () => (await here.old.count('INBOX')) === 0);
    expectSame(originals, await here.fresh.dump('INBOX'));
  });

  it.each(['delivery.appended', 'delivery.verified', 'delivery.fetched'])(
    'killed right after %s and started again carries each message once',
    async (event) => {
      await using here = await scene();
      for (let i = 0; i < 30; i++) await here.old.put('INBOX', message({ size: 2000 }));
      await here.old.put('INBOX', message({ id: '<twin@example.org>', body: 'one' }));
      const originals = await here.old.dump('INBOX');
      await using first = new Program(here.place, here.settings());
      await first.saw(event);
      await first.kill('SIGKILL');
      await using second = new Program(here.place, here.settings());
      await second.until('all is carried', async () => (await here.old.count('INBOX')) === 0);
      expectSame(originals, await here.fresh.dump('INBOX'));
    },
  );

  it('killed between APPEND and expunge, with the journal lost, carries each message once', async () => {
    await using here = await scene();
    for (let i = 0; i < 10; i++) await here.old.put('INBOX', message());
    const originals = await here.old.dump('INBOX');
    await using wire = await Wire.between({ to: source.port });
    // The source never hears of the STORE: the copies are there, and so are the originals.
    wire.onUp = (chunk) => (chunk.includes('STORE') ? 'cut' : undefined);
    const plain = { SOURCE_HOST: '127.0.0.1', SOURCE_PORT: String(wire.port), SOURCE_TLS: 'none' };
    await using first = new Program(here.place, here.settings(plain));
    await first.saw('delivery.verified');
    await first.kill('SIGKILL');
    expect(await here.old.count('INBOX')).toBe(10);
    expect(await here.fresh.count('INBOX')).toBe(10);
    rmSync(here.place.stateDir, { recursive: true });
    await using second = new Program(here.place, here.settings());
    await second.until('all is carried', async () => (await here.old.count('INBOX')) === 0);
    expectSame(originals, await here.fresh.dump('INBOX'));
    expect(second.count('delivery.recovered')).toBe(10);
  });

  it('goes on by itself when both connections are cut, again and again', async () => {
    await using here = await scene();
    await using up = await Wire.between({ to: source.port });
    await using down = await Wire.between({ to: destination.port });
    const originals: Stored[] = [];
    await using program = new Program(here.place, here.settings(overWires(up, down)));
    await program.saw('watcher.idling');
    for (let round = 0; round < 4; round++) {
      up.cut();
      await here.old.put('INBOX', message());
      originals.push(...(await here.old.dump('INBOX')));
      down.cut();
      await program.until('it is carried', async () => (await here.old.count('INBOX')) === 0);
    }
    expect((await here.fresh.dump('INBOX')).length).toBe(4);
  });

  it('carries folders with their names, watches no more than MAX_WATCHERS, and makes what is missing', async () => {
    await using here = await scene();
    for (const folder of ['Sent', 'Lists', 'Lists/imap', 'Entw&APw-rfe', 'a b', 'Q&-A'])
      await here.old.create(folder);
    const folders = ['INBOX', 'Sent', 'Lists/imap', 'Entw&APw-rfe', 'a b', 'Q&-A'];
    // A draft goes once nobody has touched it for an hour.
    const internalDate = new Date(Date.now() - 2 * 60 * 60 * 1000);
    for (const folder of folders) await here.old.put(folder, message(), { internalDate });
    const idling = { FOLDERS: '*, Sent=Sent Messages', MAX_WATCHERS: '2', SWEEP_INTERVAL: '1s' };
    await using program = new Program(here.place, here.settings(idling));
    await program.saw('delivery.done', 6);
    expect(program.count('watcher.idling')).toBe(2);
    expect((await here.fresh.folders()).sort()).toEqual(
      ['Entw&APw-rfe', 'INBOX', 'Lists/imap', 'Q&-A', 'Sent Messages', 'a b', 'Lists'].sort(),
    );
    await here.old.put('Lists/imap', message());
    await program.saw('delivery.done', 7);
    for (const folder of folders) expect(await here.old.count(folder)).toBe(0);
  });

  it('expunges its own only: what another client marked stays', async () => {
    await using here = await scene();
    for (let i = 0; i < 3; i++) await here.old.put('INBOX', message());
    await here.old.flag('INBOX', '2', '+FLAGS (\\Deleted)');
    await using program = new Program(here.place, here.settings());
    await program.saw('delivery.done', 2);
    expect((await here.old.dump('INBOX')).map(({ uid }) => uid)).toEqual([2]);
  });
});

describe('the corpus', () => {
  let samples: ReturnType<typeof corpus>;
  beforeEach(() => {
    samples = corpus();
  });

  it('crosses whole, with the same bytes as the source shows', { timeout: 120_000 }, async () => {
    await using here = await scene();
    const refused: string[] = [];
    for (const { file, bytes } of samples) {
      await here.old.put('INBOX', bytes).catch(() => refused.push(file));
    }
    expect(refused.length).toBeLessThan(5);
    const originals = await here.old.dump('INBOX');
    expect(originals.length).toBe(samples.length - refused.length);
    await using program = new Program(here.place, here.settings());
    await program.until(
      'all came to an end',
      async () => (await here.old.count('INBOX')) === 0,
      90_000,
    );
    expectSame(originals, await here.fresh.dump('INBOX'));
    await program.saw('delivery.done', originals.length);
  });
});
