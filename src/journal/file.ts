/** The journal's file: opened, made where there is none, and set aside where it is torn or not ours. */
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../domain/failure.ts';
import { isTorn } from './failures.ts';
import { openReadOnly } from './open-read-only.ts';
import { APPLICATION_ID, JOURNAL_FILE, upgrade, VERSION, versionOf } from './schema.ts';

export interface OpenedFile {
  readonly db: DatabaseSync;
  readonly created: boolean;
  /** Where an unusable file was moved. */
  readonly setAside?: string;
}

/** What SQLite may keep beside a database; they belong together. */
const COMPANIONS = ['-wal', '-shm', '-journal'];

/**
 * Opens the journal of a locked STATE_DIR for writing, in the present version. Throws SQLite's own errors, or a Failure.
 * @param now epoch ms, for the name of a file set aside
 */
export function openFile(stateDir: string, now: number): OpenedFile {
  const file = join(stateDir, JOURNAL_FILE);
  const setAside = isUsable(file) ? undefined : moveAside(file, now);
  const created = !fs.existsSync(file);
  if (created) create(file);
  const db = new DatabaseSync(file, { timeout: 2000 });
  try {
    // FULL: on disk when COMMIT returns. WAL alone would wait for the next checkpoint.
    db.exec('PRAGMA synchronous = FULL');
    const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
    if (mode !== 'wal') throw new Failure(noWal(stateDir), LASTING);
    upgrade(db);
    return { db, created, ...(setAside !== undefined && { setAside }) };
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

const LASTING = { step: 'journal', scope: 'account', lasting: true } as const;

function noWal(stateDir: string): string {
  return `The file system of STATE_DIR (${stateDir}) can not hold the journal: SQLite finds no shared memory there (WAL). Use a local disk or volume, not a network share.`;
}

/** What the first 100 bytes of a database say (https://sqlite.org/fileformat.html §1.3): whether it may be ours at all. */
function isOurs(file: string): boolean {
  if (!fs.statSync(file).isFile()) return false;
  const header = Buffer.alloc(100);
  const fd = fs.openSync(file, 'r');
  try {
    if (fs.readSync(fd, header, 0, 100, 0) < 100) return false;
  } finally {
    fs.closeSync(fd);
  }
  const magic = header.toString('latin1', 0, 16);
  return magic === 'SQLite format 3\0' && header.readUInt32BE(68) === APPLICATION_ID;
}

/**
 * Whether the journal is whole and ours, or there is none. Read-only throughout, so that a file which turns out torn
 * is set aside as it was found: a writing connection would work the -wal into it on closing.
 * Throws a Failure where it is of a newer version.
 */
export function isUsable(file: string): boolean {
  // A -wal without its database would be replayed into the next one.
  if (!fs.existsSync(file)) return !COMPANIONS.some((end) => fs.existsSync(file + end));
  if (!isOurs(file)) return false;
  const db = openReadOnly(file);
  try {
    refuseNewer(versionOf(db), dirname(file));
    return db.prepare('PRAGMA quick_check(1)').get()?.quick_check === 'ok';
  } catch (thrown) {
    if (isTorn(thrown)) return false;
    throw thrown;
  } finally {
    db.close();
  }
}

/** Throws a Failure, lasting, if the version is newer than ours: what we don't know we can't keep right. */
function refuseNewer(version: number, stateDir: string): void {
  if (version <= VERSION) return;
  throw new Failure(
    `The journal in STATE_DIR (${stateDir}) was written by a newer imapferry (its format is ${version}, this one knows ${VERSION}). Start that newer version again, or name another STATE_DIR: imapferry then looks for what was carried at the destination.`,
    LASTING,
  );
}

/** Makes a whole journal under another name first, so that one under its own name is never half made. */
function create(file: string): void {
  const draft = `${file}.new`;
  for (const end of ['', ...COMPANIONS]) fs.rmSync(draft + end, { force: true });
  // SQLite gives its other files the mode of this one.
  fs.closeSync(fs.openSync(draft, 'wx', 0o600));
  const db = new DatabaseSync(draft);
  try {
    upgrade(db);
  } finally {
    db.close();
  }
  fs.renameSync(draft, file);
  syncFolder(dirname(file));
}

/** Renames the file and what belongs to it to a name that nothing has. Returns that name. */
function moveAside(file: string, now: number): string {
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  const name = (nth: number) =>
    join(
      dirname(file),
      `${basename(file, '.sqlite')}-torn-${stamp}${nth > 1 ? `-${nth}` : ''}.sqlite`,
    );
  let nth = 1;
  while (['', ...COMPANIONS].some((end) => fs.existsSync(name(nth) + end))) nth++;
  // The database first: a crash in between leaves a -wal alone, which the next start sets aside too.
  for (const end of ['', ...COMPANIONS]) {
    if (fs.existsSync(file + end)) fs.renameSync(file + end, name(nth) + end);
  }
  syncFolder(dirname(file));
  return name(nth);
}

/** Renames are on disk when this returns. */
function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
