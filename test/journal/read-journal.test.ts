import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readJournal } from '../../src/journal/read-journal.ts';
import { VERSION } from '../../src/journal/schema.ts';
import { openJournal } from '../../src/journal/sqlite-journal.ts';
import { ACCOUNT, FOLDER, intents, routeOf } from './calls.ts';
import { child, folder } from './support.ts';

const FILE = 'journal.sqlite';
const STANDING = { folder: 'Post', uidValidity: 4, uidNext: 10 };

/** Every file of a folder with its bytes. */
function contents(stateDir: string): [string, string][] {
  return readdirSync(stateDir)
    .sort()
    .map((name) => [name, readFileSync(join(stateDir, name), 'base64')]);
}

function resting(): string {
  const stateDir = folder();
  const { journal } = openJournal(stateDir);
  journal.beat(1_800_000_000_123);
  const reason = { why: 'too large', dest: STANDING, retryAt: 50 };
  routeOf(journal).setAside(FOLDER, intents(8, 2), 'refused', reason, 40);
  routeOf(journal).intend(FOLDER, STANDING, intents(3));
  const other = journal.route('another', ACCOUNT, 'dad@b.example.org:993');
  other.setAside(FOLDER, intents(5), 'unverified', { ...reason, destUid: 11 }, 41);
  journal.close();
  return stateDir;
}

describe('reading beside', () => {
  it('tells the last beat and what is set aside on all routes, and leaves no trace', () => {
    const stateDir = resting();
    const before = contents(stateDir);
    const reader = readJournal(stateDir);
    expect(reader.lastBeat()).toBe(1_800_000_000_123);
    const [five, two] = reader.aside();
    expect(reader.aside().map(({ route, folder, uid }) => [route, folder, uid])).toEqual([
      ['another', 'INBOX', 5],
      ['default', 'INBOX', 2],
      ['default', 'INBOX', 8],
    ]);
    expect(two).toEqual({
      ...{ route: 'default', ...FOLDER, ...intents(2)[0], state: 'refused', why: 'too large' },
      ...{ dest: STANDING, retryAt: 50, tries: 1, notedAt: 40 },
    });
    expect(five).toMatchObject({ state: 'unverified', destUid: 11, notedAt: 41 });
    reader.close();
    reader.close();
    expect(contents(stateDir)).toEqual(before);
  });

  it('works while imapferry holds the lock and writes, and disturbs it in nothing', async () => {
    const stateDir = folder();
    const writer = child(['beats', stateDir]);
    for (let turn = 1; turn <= 50; turn++) {
      const said = Number(await writer.line());
      using reader = readJournal(stateDir);
      const aside = reader.aside().length;
      expect(reader.lastBeat()).toBeGreaterThanOrEqual(said);
      expect(aside).toBeGreaterThanOrEqual(said);
    }
    await writer.kill();
    expect(await writer.end()).toMatchObject({ stderr: '' });
  });

  it('tells what a killed process left, which the next one finds too', async () => {
    const stateDir = folder();
    const writer = child(['beats', stateDir]);
    for (let turn = 1; turn <= 5; turn++) await writer.line();
    await writer.kill();
    const before = contents(stateDir).map(([name]) => name);
    const seen = [1, 2].map(() => {
      using reader = readJournal(stateDir);
      return [reader.lastBeat(), reader.aside().length];
    });
    expect(seen[0]?.[0]).toBeGreaterThanOrEqual(5);
    expect(seen[1]).toEqual(seen[0]);
    expect(contents(stateDir).map(([name]) => name)).toEqual(before);
    const { journal } = openJournal(stateDir);
    expect(routeOf(journal).aside().length).toBe(seen[0]?.[1]);
    journal.close();
  });

  it('knows nothing and makes nothing where there is no journal', () => {
    const stateDir = folder();
    for (const place of [stateDir, join(stateDir, 'missing')]) {
      using reader = readJournal(place);
      expect(reader.lastBeat()).toBeUndefined();
      expect(reader.aside()).toEqual([]);
    }
    expect(readdirSync(stateDir)).toEqual([]);
  });

  it('knows of no beat before the first', () => {
    const stateDir = folder();
    openJournal(stateDir).journal.close();
    using reader = readJournal(stateDir);
    expect(reader.lastBeat()).toBeUndefined();
  });

  it('finds a folder whose name has marks that mean something in a URL', () => {
    const stateDir = folder();
    const odd = join(stateDir, 'a%20b?c#d e');
    mkdirSync(odd);
    copyFileSync(join(resting(), FILE), join(odd, FILE));
    using reader = readJournal(odd);
    expect(reader.lastBeat()).toBe(1_800_000_000_123);
  });

  const strangers: [string, (file: string) => void, RegExp][] = [
    ['a newer version', (file) => exec(file, `PRAGMA user_version = ${VERSION + 1}`), /its format/],
    ['another program’s file', (file) => exec(file, 'PRAGMA application_id = 5'), /not a journal/],
    ['garbage', (file) => writeFileSync(file, 'x'.repeat(5000)), /damaged/],
  ];
  for (const [name, spoil, message] of strangers) {
    it(`refuses ${name} and leaves it as it is`, () => {
      const stateDir = resting();
      spoil(join(stateDir, FILE));
      const before = contents(stateDir);
      expect(() => readJournal(stateDir)).toThrow(
        expect.objectContaining({
          ...{ name: 'Failure', step: 'journal', lasting: true },
          message: expect.stringMatching(message),
        }),
      );
      expect(contents(stateDir)).toEqual(before);
    });
  }

  it('loads no package and little of ours, since health starts a process every half minute', () => {
    const loaded = loadedBy(
      fileURLToPath(new URL('../../src/journal/read-journal.ts', import.meta.url)),
    );
    expect(loaded.packages).toEqual(['node:fs', 'node:path', 'node:sqlite', 'node:url']);
    expect(loaded.files).toEqual([
      'failure.ts',
      'failures.ts',
      'open-read-only.ts',
      'read-journal.ts',
      'rows.ts',
      'schema.ts',
    ]);
  });
});

function exec(file: string, sql: string): void {
  using db = new DatabaseSync(file);
  db.exec(sql);
}

/** What a module imports at run time, and what that imports in turn. */
function loadedBy(start: string): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, from = ''] of text.matchAll(/^import (?!type )[^;]*? from '([^']+)';/gm)) {
      if (from.startsWith('.')) visit(resolve(dirname(file), from));
      else packages.add(from);
    }
  };
  visit(start);
  const names = [...files].map((file) => file.slice(file.lastIndexOf('/') + 1));
  return { files: names.sort(), packages: [...packages].sort() };
}
