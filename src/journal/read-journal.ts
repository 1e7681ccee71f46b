/**
 * Reads the journal beside a running imapferry, for `health` and `stuck`: no lock, nothing written. `health` starts a
 * process every half minute, so this file and what it imports stay small.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Failure } from '../domain/failure.ts';
import type { MessageKey } from '../domain/message.ts';
import type { Note } from '../domain/ports.ts';
import { journalFailure } from './failures.ts';
import { openReadOnly } from './open-read-only.ts';
import { NOTE_COLUMNS, type NoteRow, noteOf } from './rows.ts';
import { APPLICATION_ID, JOURNAL_FILE, VERSION, versionOf } from './schema.ts';

export type AsideNote = Note & MessageKey & { readonly route: string };

export interface JournalReader extends Disposable {
  /** When the imapferry of this STATE_DIR last said that it lives (epoch ms); `undefined` if it never did. */
  lastBeat(): number | undefined;
  /** What it said of itself then (domain/status.ts, JSON); `undefined` if it never did. */
  lastStatus(): string | undefined;
  /** What is set aside, of every route that this journal knows. */
  aside(): AsideNote[];
  close(): void;
}

/**
 * Opens the journal of a STATE_DIR for reading. Where there is none yet, nothing is made, and the reader knows nothing.
 * Throws a Failure (step `journal`) where it is torn, not ours, or of another version than this imapferry.
 */
export function readJournal(stateDir: string): JournalReader {
  const db = openForReading(stateDir);
  if (db === undefined)
    return {
      lastBeat: () => undefined,
      lastStatus: () => undefined,
      aside: () => [],
      ...closing(),
    };
  return {
    lastBeat: () => reading(stateDir, () => lastBeat(db)),
    lastStatus: () => reading(stateDir, () => lastStatus(db)),
    aside: () => reading(stateDir, () => aside(db)),
    ...closing(db),
  };
}

/** The journal's database, to be read; `undefined` where there is none yet. Throws as `readJournal` does. */
export function openForReading(stateDir: string): DatabaseSync | undefined {
  const file = join(stateDir, JOURNAL_FILE);
  if (!existsSync(file)) return undefined;
  const db = reading(stateDir, () => openReadOnly(file));
  try {
    reading(stateDir, () => refuseOthers(db, stateDir));
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/** Throws a Failure where the database is no journal of the present version. */
export function refuseOthers(db: DatabaseSync, stateDir: string): void {
  const id = db.prepare('PRAGMA application_id').get()?.application_id;
  const version = versionOf(db);
  if (id === APPLICATION_ID && version === VERSION) return;
  const why =
    id === APPLICATION_ID
      ? `its format is ${version}, this imapferry knows ${VERSION}: use the imapferry that runs`
      : 'it is not a journal of imapferry';
  throw new Failure(`The journal in STATE_DIR (${stateDir}) can not be read: ${why}.`, {
    step: 'journal',
    scope: 'account',
    lasting: true,
  });
}

function lastBeat(db: DatabaseSync): number | undefined {
  return (db.prepare('SELECT at FROM heartbeat').get()?.at ?? undefined) as number | undefined;
}

function lastStatus(db: DatabaseSync): string | undefined {
  return (db.prepare('SELECT status FROM heartbeat').get()?.status ?? undefined) as
    | string
    | undefined;
}

function aside(db: DatabaseSync): AsideNote[] {
  const rows = db.prepare(
    `SELECT ${NOTE_COLUMNS}, folder, uid_validity, route.name
     FROM route JOIN message INDEXED BY message_state
       ON message.route = route.id AND state IN ('unverified', 'refused')
     ORDER BY route.name, folder, uid_validity, uid`,
  );
  rows.setReturnArrays(true);
  return (rows.all() as unknown as [...NoteRow, string, number, string][]).map((row) => {
    const [folder, uidValidity, route] = row.slice(-3) as [string, number, string];
    return { ...noteOf(row as unknown as NoteRow), folder, uidValidity, route };
  });
}

function closing(db?: DatabaseSync): { close(): void; [Symbol.dispose](): void } {
  const close = () => {
    if (db?.isOpen) db.close();
  };
  return { close, [Symbol.dispose]: close };
}

/** Runs `work`, which reads the journal of this STATE_DIR. Throws a Failure. */
export function reading<T>(stateDir: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw journalFailure(thrown, stateDir);
  }
}
