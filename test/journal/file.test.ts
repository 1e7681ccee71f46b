import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { STEPS, upgrade, VERSION, versionOf } from '../../src/journal/schema.ts';
import { openJournal } from '../../src/journal/sqlite-journal.ts';
import { Store } from '../../src/journal/store.ts';
import { CALLS, FOLDER, intents, routeOf, told } from './calls.ts';
import { child, folder, noMounts, OWN_MOUNTS } from './support.ts';

const FILE = 'journal.sqlite';
const STANDING = { folder: 'Post', uidValidity: 4, uidNext: 10 };

/** A STATE_DIR whose journal holds enough to fill many pages. */
function filled(): string {
  const stateDir = folder();
  const { journal } = openJournal(stateDir);
  const uids = Array.from({ length: 2000 }, (_, i) => i + 1);
  routeOf(journal).intend(FOLDER, STANDING, intents(...uids));
  journal.close();
  return stateDir;
}

/** Everything in a folder by name, but for the journal in use. */
function others(stateDir: string): Record<string, string> {
  const names = readdirSync(stateDir).filter((name) => !name.startsWith(FILE));
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(stateDir, name), 'latin1')]),
  );
}

describe('a journal set aside', () => {
  const ADDRESS = 'ann@family.example';
  /** A journal in which a table has a bad sector, and which holds an address. */
  function torn(keep: boolean): string {
    const stateDir = folder();
    openJournal(stateDir, Date.now, keep).journal.close();
    const file = join(stateDir, FILE);
    using db = new DatabaseSync(file);
    const add = 'INSERT INTO sender (hash, domain, address) VALUES (?, ?, ?)';
    db.prepare(add).run(Buffer.from([1]), 'family.example', ADDRESS);
    db.close();
    const bytes = readFileSync(file);
    bytes.fill(0xff, 4096, 4096 + 64);
    writeFileSync(file, bytes);
    return stateDir;
  }

  it('keeps no address without KEEP_SENDERS, at once or at a later start', () => {
    const stateDir = torn(true);
    const kept = openJournal(stateDir, Date.now, true);
    kept.journal.close();
    expect(kept.setAside).toBeDefined();
    expect(Object.values(others(stateDir)).join()).toContain(ADDRESS);
    openJournal(stateDir, Date.now, false).journal.close();
    const [bytes = ''] = Object.values(others(stateDir));
    expect(bytes).not.toContain('@');
    expect(bytes).toContain('CREATE TABLE sender');
    const another = torn(true);
    const opened = openJournal(another, Date.now, false);
    opened.journal.close();
    expect(opened).toMatchObject({ created: true });
    expect(opened).not.toHaveProperty('uncleaned');
    expect(Object.values(others(another)).join()).not.toContain('@');
  });

  it('keeps none where its first page is gone, nor in what lies beside it', () => {
    const stateDir = torn(true);
    const bytes = readFileSync(join(stateDir, FILE));
    bytes.fill(0, 0, 4096);
    writeFileSync(join(stateDir, FILE), bytes);
    writeFileSync(join(stateDir, `${FILE}-wal`), `\0${'x'.repeat((1 << 20) - 5)}\0${ADDRESS}\0`);
    openJournal(stateDir, Date.now, false).journal.close();
    const all = others(stateDir);
    expect(Object.keys(all)).toHaveLength(2);
    expect(Object.values(all).join()).not.toMatch(/ann|@/);
  });

  it('stays as it is where it says that it holds none, or is of another program', () => {
    const stateDir = torn(false);
    openJournal(stateDir, Date.now, false).journal.close();
    expect(Object.values(others(stateDir)).join()).toContain(ADDRESS);
    const strange = folder();
    writeFileSync(join(strange, FILE), `somebody's notes on ${ADDRESS}`);
    openJournal(strange, Date.now, false).journal.close();
    expect(Object.values(others(strange))).toEqual([`somebody's notes on ${ADDRESS}`]);
  });

  it('that can not be changed is named', () => {
    const stateDir = torn(true);
    openJournal(stateDir, Date.now, true).journal.close();
    const [name = ''] = Object.keys(others(stateDir));
    rmSync(join(stateDir, name));
    mkdirSync(join(stateDir, name));
    const opened = openJournal(stateDir, Date.now, false);
    opened.journal.close();
    expect(opened.uncleaned).toEqual([name]);
  });
});

describe('the journal file', () => {
  it('is made where there is none, for its owner alone, and found again', () => {
    const stateDir = folder();
    const first = openJournal(stateDir);
    expect({ ...first, journal: undefined }).toEqual({ journal: undefined, created: true });
    for (const call of CALLS) call(first.journal);
    const before = told(first.journal);
    for (const name of readdirSync(stateDir)) {
      expect([name, statSync(join(stateDir, name)).mode & 0o777]).toEqual([name, 0o600]);
    }
    expect(readdirSync(stateDir).sort()).toEqual([FILE, `${FILE}-shm`, `${FILE}-wal`]);
    first.journal.close();
    const second = openJournal(stateDir);
    expect({ ...second, journal: undefined }).toEqual({ journal: undefined, created: false });
    expect(told(second.journal)).toEqual(before);
    second.journal.close();
    second.journal.close();
    expect(readdirSync(stateDir)).toEqual([FILE]);
  });

  it('is written ahead, so that others can read beside', () => {
    const stateDir = folder();
    const { journal } = openJournal(stateDir);
    using db = new DatabaseSync(join(stateDir, FILE));
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    journal.close();
  });

  it('holds no more of a message than its Message-ID', () => {
    const stateDir = filled();
    using db = new DatabaseSync(join(stateDir, FILE));
    const columns = db.prepare("SELECT name FROM pragma_table_info('message')").all();
    expect(columns.map(({ name }) => name)).toEqual([
      ...['route', 'folder', 'uid_validity', 'uid', 'state', 'present', 'sha256', 'message_id'],
      ...['size', 'dest_folder', 'dest_uid_validity', 'dest_uid_next', 'dest_uid', 'proof'],
      ...['retired', 'why', 'tries', 'noted_at', 'retry_at', 'proven_at', 'retired_at', 'ms'],
      'internal_date',
    ]);
    const others = db
      .prepare(
        "SELECT t.name AS name, c.name AS of FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.name IN ('sender', 'arrival') ORDER BY t.name, cid",
      )
      .all();
    expect(others.map(({ name, of }) => `${name}.${of}`)).toEqual([
      ...['arrival.route', 'arrival.at', 'arrival.sender', 'arrival.sha256', 'arrival.bulk'],
      ...['sender.id', 'sender.hash', 'sender.domain', 'sender.address'],
    ]);
  });

  it('fails after close with a Failure', () => {
    const { journal } = openJournal(folder());
    const route = routeOf(journal);
    journal.close();
    expect(() => route.count('proven')).toThrow(Failure);
    expect(() => journal.beat(1)).toThrow(Failure);
  });
});

describe('a journal that is torn or not ours', () => {
  const page = 4096;
  const faults: [string, (file: string) => void][] = [
    ['is empty', (file) => truncateSync(file, 0)],
    ['ends in its header', (file) => truncateSync(file, 60)],
    ['ends in the midst', (file) => truncateSync(file, 20 * page)],
    ['is garbage', (file) => writeFileSync(file, 'Dear diary\n'.repeat(1000))],
    ['has garbage in the midst', (file) => garble(file, 9 * page, 6 * page)],
    ['has garbage after its header', (file) => garble(file, 100, page)],
    ['has garbage in its last page', (file) => garble(file, statSync(file).size - page, page)],
    [
      'lost its pages but kept the -wal',
      (file) => {
        writeFileSync(`${file}-wal`, 'left behind');
        rmSync(file);
      },
    ],
    [
      'is garbage with files beside it',
      (file) => {
        writeFileSync(file, 'x'.repeat(9000));
        writeFileSync(`${file}-wal`, 'wal');
        writeFileSync(`${file}-shm`, 'shm');
      },
    ],
    [
      'is another program’s database',
      (file) => {
        rmSync(file);
        using db = new DatabaseSync(file);
        db.exec('PRAGMA application_id = 42; CREATE TABLE message (body TEXT)');
      },
    ],
    [
      'is a database of nobody',
      (file) => {
        rmSync(file);
        using db = new DatabaseSync(file);
        db.exec('CREATE TABLE message (body TEXT)');
      },
    ],
  ];

  function garble(file: string, from: number, length: number): void {
    const bytes = readFileSync(file);
    bytes.fill(0xa5, from, from + length);
    writeFileSync(file, bytes);
  }

  for (const [fault, spoil] of faults) {
    it(`is set aside unchanged when it ${fault}, and a new one begun`, () => {
      const stateDir = filled();
      const file = join(stateDir, FILE);
      spoil(file);
      const before = Object.fromEntries(
        readdirSync(stateDir).map((name) => [name, readFileSync(join(stateDir, name), 'latin1')]),
      );
      const now = () => Date.UTC(2026, 10, 30, 12);
      // Without KEEP_SENDERS, what looks like an address would be blanked then.
      const { journal, created, setAside } = openJournal(stateDir, now, true);
      expect(created).toBe(true);
      expect(setAside).toBe(join(stateDir, 'journal-torn-20261130T120000Z.sqlite'));
      const renamed = Object.fromEntries(
        Object.entries(before).map(([name, bytes]) => [
          name.replace(FILE, 'journal-torn-20261130T120000Z.sqlite'),
          bytes,
        ]),
      );
      expect(others(stateDir)).toEqual(renamed);
      expect(routeOf(journal).notes(FOLDER).size).toBe(0);
      for (const call of CALLS) call(journal);
      journal.close();
      const again = openJournal(stateDir, now, true);
      expect(again.setAside).toBeUndefined();
      again.journal.close();
    });
  }

  it('is set aside unchanged after a crash too, with what SQLite kept beside it', async () => {
    const stateDir = folder();
    const program = child(['calls', stateDir, 'steps']);
    for (let done = 0; done < 5; done++) {
      await program.line();
      program.go();
    }
    await program.kill();
    const file = join(stateDir, FILE);
    garble(file, 0, 16);
    const database = readFileSync(file);
    const wal = readFileSync(`${file}-wal`);
    expect(wal.length).toBeGreaterThan(0);
    const { journal, setAside } = openJournal(stateDir, Date.now, true);
    journal.close();
    expect(readFileSync(setAside ?? '')).toEqual(database);
    expect(readFileSync(`${setAside}-wal`)).toEqual(wal);
  });

  it('never takes the place of one that was set aside before', () => {
    const stateDir = folder();
    const now = () => Date.UTC(2026, 10, 30, 12);
    const names = ['first', 'second', 'third'].map((text) => {
      writeFileSync(join(stateDir, FILE), text);
      const { journal, setAside } = openJournal(stateDir, now);
      journal.close();
      return setAside ?? '';
    });
    expect(names.map((name) => readFileSync(name, 'utf8'))).toEqual(['first', 'second', 'third']);
  });

  it('is healed by SQLite where only the end of the -wal is torn', async () => {
    const stateDir = folder();
    const program = child(['calls', stateDir, 'steps']);
    for (let done = 0; done < 4; done++) {
      await program.line();
      if (done < 3) program.go();
    }
    await program.kill();
    appendFileSync(join(stateDir, `${FILE}-wal`), 'half a frame');
    const { journal, setAside } = openJournal(stateDir);
    expect(setAside).toBeUndefined();
    expect(routeOf(journal).count('proven')).toBe(2);
    journal.close();
  });

  it('is begun anew where making the first one was cut short', () => {
    const stateDir = folder();
    writeFileSync(join(stateDir, `${FILE}.new`), 'half made');
    writeFileSync(join(stateDir, `${FILE}.new-journal`), 'half made');
    const { journal, created, setAside } = openJournal(stateDir);
    journal.close();
    expect([created, setAside]).toEqual([true, undefined]);
    expect(readdirSync(stateDir)).toEqual([FILE]);
  });
});

describe('the version of a journal', () => {
  /** Version 1 as it was released, by hand: this text stays when the ladder grows. */
  const VERSION_1 = `
    PRAGMA application_id = 1768321657;
    PRAGMA user_version = 1;
    CREATE TABLE account (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
      refusals INTEGER NOT NULL DEFAULT 0, refused_at INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE TABLE route (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
      source INTEGER NOT NULL REFERENCES account, destination INTEGER NOT NULL REFERENCES account,
      UNIQUE (name, source, destination)) STRICT;
    CREATE TABLE folder (route INTEGER NOT NULL REFERENCES route, path TEXT NOT NULL,
      uid_validity INTEGER NOT NULL, PRIMARY KEY (route, path)) STRICT, WITHOUT ROWID;
    CREATE TABLE message (route INTEGER NOT NULL REFERENCES route, folder TEXT NOT NULL,
      uid_validity INTEGER NOT NULL, uid INTEGER NOT NULL, state TEXT NOT NULL,
      present INTEGER NOT NULL DEFAULT 1, sha256 TEXT NOT NULL, message_id TEXT,
      size INTEGER NOT NULL, dest_folder TEXT NOT NULL, dest_uid_validity INTEGER NOT NULL,
      dest_uid_next INTEGER NOT NULL, dest_uid INTEGER, proof TEXT, retired TEXT, why TEXT,
      tries INTEGER NOT NULL, noted_at INTEGER NOT NULL, retry_at INTEGER, proven_at INTEGER,
      retired_at INTEGER, ms INTEGER,
      PRIMARY KEY (route, folder, uid_validity, uid)) STRICT, WITHOUT ROWID;
    CREATE INDEX message_present ON message (route, folder, uid_validity, uid) WHERE present = 1;
    CREATE INDEX message_state ON message (route, state);
    CREATE INDEX message_history ON message (retired_at) WHERE present = 0;
    CREATE TABLE claim (destination INTEGER NOT NULL REFERENCES account, folder TEXT NOT NULL,
      uid_validity INTEGER NOT NULL, uid INTEGER NOT NULL,
      source INTEGER NOT NULL REFERENCES account, source_folder TEXT NOT NULL,
      source_uid_validity INTEGER NOT NULL, source_uid INTEGER NOT NULL,
      PRIMARY KEY (destination, folder, uid_validity, uid)) STRICT, WITHOUT ROWID;
    CREATE TABLE heartbeat (at INTEGER) STRICT;
    INSERT INTO heartbeat VALUES (77);
    INSERT INTO account VALUES (1, 'mum@a.example.org:993', 2, 9), (2, 'mum@b.example.org:993', 0, 0);
    INSERT INTO route VALUES (1, 'default', 1, 2);
    INSERT INTO message VALUES (1, 'INBOX', 3, 8, 'retired', 1, 'ab', '<8@example.org>', 5, 'Post', 4,
      10, 12, 'identical', 'kept', NULL, 0, 1000, NULL, 1001, 1002, 3);
    INSERT INTO claim VALUES (2, 'Post', 4, 12, 1, 'INBOX', 3, 8);
  `;

  it('1 is taken over with all that it holds', () => {
    const stateDir = folder();
    const db = new DatabaseSync(join(stateDir, FILE));
    db.exec(VERSION_1);
    db.close();
    const { journal, created, setAside } = openJournal(stateDir);
    expect([created, setAside]).toEqual([false, undefined]);
    const route = routeOf(journal);
    expect(route.notes(FOLDER).get(8)).toEqual({
      ...{ uid: 8, state: 'retired', sha256: 'ab', messageId: '<8@example.org>', size: 5 },
      ...{ dest: STANDING, destUid: 12, proof: 'identical', retired: 'kept' },
      ...{ tries: 0, notedAt: 1000 },
    });
    const original = { ...FOLDER, uid: 8, sha256: 'ab', renumbered: false };
    expect(route.claimed(STANDING)).toEqual(new Map([[12, original]]));
    expect(route.claimedBefore({ ...STANDING, uidValidity: 5 }, 'ab')).toEqual([original]);
    expect(journal.refusals('mum@a.example.org:993')).toEqual({ count: 2, lastAt: 9 });
    // Of what was carried before nobody knows who wrote it.
    const [written] = journal.written(0);
    expect(written).toMatchObject({ route: 'default', current: true, written: [] });
    expect(Math.abs(Date.now() - Number(written?.since))).toBeLessThan(60_000);
    journal.close();
    using after = new DatabaseSync(join(stateDir, FILE));
    expect(versionOf(after)).toBe(VERSION);
  });

  it('climbs one step after another, and only those that are missing', () => {
    using db = new DatabaseSync(':memory:');
    upgrade(db, STEPS);
    db.exec("INSERT INTO account (name) VALUES ('a')");
    const more = [...STEPS, 'ALTER TABLE account ADD COLUMN colour TEXT'];
    upgrade(db, more);
    upgrade(db, [...more, "UPDATE account SET colour = 'blue'"]);
    expect(versionOf(db)).toBe(STEPS.length + 2);
    expect(db.prepare('SELECT name, colour FROM account').all()).toEqual([
      { name: 'a', colour: 'blue' },
    ]);
  });

  it('stays where it was when a step fails, with nothing half done', () => {
    using db = new DatabaseSync(':memory:');
    upgrade(db, STEPS);
    const steps = [...STEPS, 'CREATE TABLE colour (name TEXT)', 'INSERT INTO nowhere VALUES (1)'];
    expect(() => upgrade(db, steps)).toThrow(/nowhere/);
    expect(versionOf(db)).toBe(STEPS.length);
    expect(() => db.prepare('SELECT * FROM colour')).toThrow(/no such table/);
  });

  it('newer than ours is refused with what to do, and not touched', () => {
    const stateDir = filled();
    const file = join(stateDir, FILE);
    const db = new DatabaseSync(file);
    db.exec(`PRAGMA user_version = ${VERSION + 1}`);
    db.close();
    const before = readFileSync(file);
    const message = new RegExp(
      `newer imapferry \\(its format is ${VERSION + 1}, this one knows ${VERSION}\\)\\. Start that newer version again, or name another STATE_DIR`,
    );
    expect(() => openJournal(stateDir)).toThrow(message);
    expect(() => openJournal(stateDir)).toThrow(
      expect.objectContaining({ name: 'Failure', step: 'journal', lasting: true }),
    );
    expect(readFileSync(file)).toEqual(before);
    expect(existsSync(file)).toBe(true);
  });
});

describe('a disk without space', () => {
  const reason = noMounts();
  it.skipIf(reason)(
    `fails a call whole, and works again when there is space${reason ? ` (not tried: ${reason})` : ''}`,
    async () => {
      const stateDir = folder();
      const script = 'mount -t tmpfs -o size=1m tmpfs "$1" && shift && exec "$@"';
      const program = child(
        ['full', stateDir],
        [...OWN_MOUNTS, 'sh', '-c', script, 'sh', stateDir],
      );
      expect(await program.line()).toBe('done');
      expect(await program.line()).toBe('ENOSPC');
      const failure = JSON.parse((await program.line()) ?? '');
      expect(failure).toMatchObject({ step: 'journal', scope: 'account', lasting: false });
      expect(failure.message).toContain(
        `No space is left for the journal in STATE_DIR (${stateDir})`,
      );
      const full = JSON.parse((await program.line()) ?? '');
      expect(full.rows).toBe(full.noted);
      expect(await program.line()).toBe('done');
      const after = JSON.parse((await program.line()) ?? '');
      expect(after).toEqual({ noted: full.noted + 100, rows: full.noted + 100 });
      expect(await program.end()).toEqual({ code: 0, stderr: '' });
    },
  );
});

it('tells that another program keeps the journal locked, and works again after that', () => {
  const stateDir = folder();
  const { journal } = openJournal(stateDir);
  using other = new DatabaseSync(join(stateDir, FILE));
  other.exec('BEGIN IMMEDIATE');
  expect(() => journal.beat(1)).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/locked/), lasting: false }),
  );
  other.exec('ROLLBACK');
  journal.beat(2);
  journal.close();
});

describe('no call reads all that a journal has ever noted', () => {
  const db = new DatabaseSync(':memory:');
  upgrade(db);
  const { sql } = new Store(db, 'nowhere');
  const plans = (text: string) =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${text}`)
      .all()
      .map(({ detail }) => `${detail}`);

  it.each(Object.entries(sql).map(([name, { sourceSQL }]) => [name, plans(sourceSQL)] as const))(
    '%s',
    (name, steps) => {
      expect(steps.filter((step) => /^SCAN (?:message|hand|turned)\b/.test(step))).toEqual([]);
      // Once, when a source folder is renumbered, every claim is looked at.
      const reads = steps.some((step) => /^SCAN claim\b/.test(step));
      expect(reads).toBe(name === 'letGoRenumbered' || name === 'loosen');
    },
  );

  it('nor does the step from version 2', () => {
    using old = new DatabaseSync(':memory:');
    upgrade(old, STEPS.slice(0, 2));
    const [columns, update = '', ...rest] = (STEPS[2] ?? '').split(
      /(?=UPDATE claim)|(?<=;)\s*(?=CREATE INDEX)/,
    );
    expect(rest).toHaveLength(1);
    old.exec(columns ?? '');
    const steps = old
      .prepare(`EXPLAIN QUERY PLAN ${update}`)
      .all()
      .map(({ detail }) => `${detail}`);
    expect(steps.filter((step) => /^SCAN message/.test(step))).toEqual([]);
    expect(steps.filter((step) => /SEARCH message USING PRIMARY KEY/.test(step)).length).toBe(2);
  });
});
