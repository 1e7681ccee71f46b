import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { openForgetful } from '../../src/journal/forgetful.ts';
import { JOURNAL_FILE, STEPS, upgrade } from '../../src/journal/schema.ts';
import { openJournal } from '../../src/journal/sqlite-journal.ts';
import { ACCOUNT, CALLS, COPIES, FOLDER, intents, routeOf } from './calls.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function stateDir(): string {
  const directory = mkdtempSync(join(tmpdir(), 'imapferry-forgetful-'));
  directories.push(directory);
  return directory;
}

function contents(directory: string) {
  return readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'hex')]);
}

describe('a journal that forgets', () => {
  it('knows all that the one in STATE_DIR knows', () => {
    const directory = stateDir();
    const { journal: kept } = openJournal(directory);
    for (const call of CALLS) call(kept);
    const { journal: forgetful, torn } = openForgetful(directory);
    for (const uids of [undefined, [1, 2, 3, 4, 5, 6, 7]]) {
      expect(routeOf(forgetful).notes(FOLDER, uids)).toEqual(routeOf(kept).notes(FOLDER, uids));
    }
    expect(routeOf(forgetful).claimed(COPIES)).toEqual(routeOf(kept).claimed(COPIES));
    expect(routeOf(forgetful).aside()).toEqual(routeOf(kept).aside());
    expect(forgetful.refusals(ACCOUNT)).toEqual(kept.refusals(ACCOUNT));
    expect(torn).toBe(false);
    kept.close();
    forgetful.close();
  });

  it('takes notes, and leaves STATE_DIR as it is', () => {
    const directory = stateDir();
    openJournal(directory).journal.close();
    const before = contents(directory);
    const { journal } = openForgetful(directory);
    for (const call of CALLS) call(journal);
    expect(routeOf(journal).claimed(COPIES).size).toBeGreaterThan(0);
    journal.close();
    expect(contents(directory)).toEqual(before);
    const again = openForgetful(directory).journal;
    expect(routeOf(again).claimed(COPIES).size).toBe(0);
    again.close();
  });

  it('begins with nothing where there is no STATE_DIR, and makes none', () => {
    const directory = join(stateDir(), 'none');
    const { journal, torn } = openForgetful(directory);
    routeOf(journal).intend(FOLDER, { ...COPIES, uidNext: 1 }, intents(1));
    expect(routeOf(journal).count('appending')).toBe(1);
    expect(torn).toBe(false);
    expect(existsSync(directory)).toBe(false);
    journal.close();
  });

  it('reads a journal of an older version, and leaves it in that version', () => {
    const directory = stateDir();
    const file = join(directory, JOURNAL_FILE);
    const db = new DatabaseSync(file);
    upgrade(db, STEPS.slice(0, 1));
    db.exec(`INSERT INTO account (name, refusals) VALUES ('${ACCOUNT}', 2)`);
    db.close();
    const before = contents(directory);
    const { journal } = openForgetful(directory);
    expect(journal.refusals(ACCOUNT).count).toBe(2);
    journal.close();
    expect(contents(directory)).toEqual(before);
  });

  it('begins with nothing where the journal is torn, says so, and leaves it', () => {
    const directory = stateDir();
    writeFileSync(join(directory, JOURNAL_FILE), 'not a database');
    const before = contents(directory);
    const { journal, torn } = openForgetful(directory);
    expect(torn).toBe(true);
    expect(routeOf(journal).notes(FOLDER).size).toBe(0);
    journal.close();
    expect(contents(directory)).toEqual(before);
  });

  it('refuses a journal of a newer version', () => {
    const directory = stateDir();
    openJournal(directory).journal.close();
    const db = new DatabaseSync(join(directory, JOURNAL_FILE));
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => openForgetful(directory)).toThrow(/newer imapferry/);
  });
});
