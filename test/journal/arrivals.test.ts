/** What the journal keeps of those who wrote what was carried: its bytes, its key, what it costs to ask. */
import { createHmac } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { Journal } from '../../src/domain/ports.ts';
import type { Sender } from '../../src/domain/senders.ts';
import { readArrivals } from '../../src/journal/read-arrivals.ts';
import { upgrade } from '../../src/journal/schema.ts';
import { openJournal } from '../../src/journal/sqlite-journal.ts';
import { Store } from '../../src/journal/store.ts';
import { COPIES, FOLDER, intents, proof, routeOf } from './calls.ts';
import { child, folder } from './support.ts';

const FILE = 'journal.sqlite';
const STANDING = { ...COPIES, uidNext: 10 };
const LATER = { why: 'no', dest: STANDING, retryAt: 5 };

function sender(nth: number, domain = 'a.example'): Sender {
  return { domain, address: `somebody-${nth}@${domain}`, bulk: false };
}

function carry(journal: Journal, uid: number, by: Sender): void {
  const route = routeOf(journal);
  route.intend(FOLDER, STANDING, intents(uid));
  route.prove([proof(uid, uid)], 1000 + uid, new Map([[uid, by]]));
}

/** All that is in STATE_DIR, in one text. */
function bytes(stateDir: string): string {
  return readdirSync(stateDir)
    .map((name) => readFileSync(join(stateDir, name), 'latin1'))
    .join('\n');
}

describe('a sender’s address', () => {
  it('is nowhere in the bytes of a journal, its domain is', () => {
    const stateDir = folder();
    const { journal } = openJournal(stateDir);
    for (let uid = 1; uid <= 50; uid++) carry(journal, uid, sender(uid));
    expect(existsSync(join(stateDir, `${FILE}-wal`))).toBe(true);
    expect(bytes(stateDir)).not.toContain('somebody-');
    expect(bytes(stateDir)).toContain('a.example');
    journal.close();
    expect(bytes(stateDir)).not.toContain('somebody-');
  });

  it('is there where it is asked for, also of those who were known before', () => {
    const stateDir = folder();
    const before = openJournal(stateDir);
    carry(before.journal, 1, sender(1));
    carry(before.journal, 2, sender(2));
    before.journal.close();
    const { journal } = openJournal(stateDir, Date.now, true);
    carry(journal, 3, sender(1));
    const [route] = journal.written(0);
    expect(route?.written.map(({ address, messages }) => [address, messages])).toEqual([
      ['somebody-1@a.example', 2],
      [undefined, 1],
    ]);
    journal.close();
  });

  it('is removed when it is asked for no more, whatever was pruned meanwhile', () => {
    const stateDir = folder();
    const kept = openJournal(stateDir, Date.now, true);
    for (let uid = 1; uid <= 400; uid++)
      carry(kept.journal, uid, sender((uid * 7919) % 1009, `${uid % 13}.example`));
    kept.journal.prune(1100);
    kept.journal.close();
    expect(bytes(stateDir)).toContain('somebody-');
    const { journal } = openJournal(stateDir);
    expect(bytes(stateDir)).not.toContain('somebody-');
    const [route] = journal.written(0);
    const messages = route?.written.reduce((sum, each) => sum + each.messages, 0);
    expect(messages).toBe(301);
    expect(route?.written.some(({ address }) => address !== undefined)).toBe(false);
    carry(journal, 500, sender(500));
    journal.close();
    expect(bytes(stateDir)).not.toContain('somebody-');
  });

  it('is removed at the next start where somebody reads at this one', () => {
    const stateDir = folder();
    const kept = openJournal(stateDir, Date.now, true);
    carry(kept.journal, 1, sender(1));
    using reader = new DatabaseSync(join(stateDir, FILE), { readOnly: true });
    reader.exec('BEGIN; SELECT count(*) FROM sender');
    kept.journal.close();
    openJournal(stateDir).journal.close();
    reader.exec('COMMIT');
    reader.close();
    const { journal } = openJournal(stateDir);
    expect(bytes(stateDir)).not.toContain('somebody-');
    journal.close();
  });

  it('is known by an HMAC whose key each journal makes for itself, once', () => {
    const rows = [folder(), folder()].map((stateDir) => {
      for (const uid of [1, 2]) {
        const { journal } = openJournal(stateDir);
        carry(journal, uid, sender(1));
        journal.close();
      }
      using db = new DatabaseSync(join(stateDir, FILE));
      expect(db.prepare('SELECT count(*) AS many FROM sender').get()?.many).toBe(1);
      const { key, hash } = db.prepare('SELECT key, hash FROM sender_book, sender').get() as {
        key: Uint8Array;
        hash: Uint8Array;
      };
      expect(key).toHaveLength(32);
      const right = createHmac('sha256', key).update('somebody-1@a.example').digest('hex');
      expect(Buffer.from(hash).toString('hex')).toBe(right);
      return right;
    });
    expect(rows[0]).not.toBe(rows[1]);
  });

  it('goes with the last message that somebody wrote', () => {
    const stateDir = folder();
    const { journal } = openJournal(stateDir);
    carry(journal, 1, sender(1));
    carry(journal, 2, sender(2));
    journal.prune(1002);
    journal.close();
    using db = new DatabaseSync(join(stateDir, FILE));
    expect(db.prepare('SELECT count(*) AS many FROM sender').get()?.many).toBe(1);
  });
});

describe('reading beside who wrote', () => {
  it('tells each route, what is stuck, the last sign of life and what is forgotten', () => {
    const stateDir = folder();
    const { journal } = openJournal(stateDir, () => 500);
    journal.begin();
    carry(journal, 1, sender(1));
    routeOf(journal).setAside(FOLDER, intents(7, 8), 'refused', LATER, 1);
    journal.route('another', 'x', 'y').setAside(FOLDER, intents(7), 'unverified', LATER, 1);
    const told = () => readArrivals(stateDir, 0);
    expect(told()).toMatchObject({ lastSign: 500, forgotten: 0 });
    expect(
      told()?.routes.map(({ route, aside, written }) => [route, aside, written.length]),
    ).toEqual([
      ['another', 1, 0],
      ['default', 2, 1],
    ]);
    journal.beat(900);
    journal.prune(40);
    journal.prune(30);
    expect(told()).toMatchObject({ lastSign: 900, forgotten: 40 });
    expect(readArrivals(stateDir, 1002)?.routes[1]?.written).toEqual([]);
    journal.close();
    const before = bytes(stateDir);
    expect(told()?.routes).toHaveLength(2);
    expect(bytes(stateDir)).toBe(before);
  });

  it('works while another process writes', async () => {
    const stateDir = folder();
    const writer = child(['beats', stateDir]);
    await writer.line();
    expect(readArrivals(stateDir, 0)?.routes).toHaveLength(1);
    await writer.kill();
  });

  it('knows nothing and makes nothing where there is no journal', () => {
    const stateDir = folder();
    expect(readArrivals(stateDir, 0)).toBeUndefined();
    expect(readdirSync(stateDir)).toEqual([]);
  });

  it('refuses a journal of another version', () => {
    const stateDir = folder();
    openJournal(stateDir).journal.close();
    const db = new DatabaseSync(join(stateDir, FILE));
    db.exec('PRAGMA user_version = 3');
    db.close();
    expect(() => readArrivals(stateDir, 0)).toThrow(/its format is 3, this imapferry knows/);
  });
});

it('reads no messages but those of its days', () => {
  const db = new DatabaseSync(':memory:');
  upgrade(db);
  const { sql } = new Store(db, 'nowhere');
  const steps = ['written', 'forgetArrivals', 'forgetArrival', 'addArrival'] as const;
  for (const name of steps) {
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql[name].sourceSQL}`).all();
    const details = plan.map(({ detail }) => `${detail}`);
    expect([
      name,
      details.filter((step) => /^SCAN (?:arrival|message|sender)\b/.test(step)),
    ]).toEqual([name, []]);
  }
});
