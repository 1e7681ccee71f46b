/** One imapferry a STATE_DIR: makes sure of the folder, and holds a lock in it that ends with the process. */
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../domain/failure.ts';
import { isBusy, journalFailure, whoAmI } from './failures.ts';
import { JOURNAL_FILE } from './schema.ts';

const LOCK_FILE = 'lock';

export interface Lock extends Disposable {
  /** Lets go of STATE_DIR. Idempotent. */
  release(): void;
}

/** A lock whose caller forgot it must not be collected as garbage: that would let a second imapferry in. */
const held = new Set<DatabaseSync>();

/**
 * Makes STATE_DIR where it is missing (mode 0700) and locks it. The lock is SQLite's own on an empty database: the
 * kernel takes it back when the process ends, however it ends. A file with a process id would tell nothing in a
 * container, where every process is number 1.
 * Throws a Failure (step `journal`, lasting): STATE_DIR is in use, can't be made or can't be written.
 */
export function lockStateDir(stateDir: string): Lock {
  makeUsable(stateDir);
  const db = take(stateDir);
  held.add(db);
  const release = () => {
    if (held.delete(db)) db.close();
  };
  return { release, [Symbol.dispose]: release };
}

function take(stateDir: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(join(stateDir, LOCK_FILE), { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (thrown) {
    db?.close();
    if (!isBusy(thrown)) throw journalFailure(thrown, stateDir);
    throw unusable(
      `Another imapferry uses STATE_DIR (${stateDir}). Stop that one first, or give this one a STATE_DIR of its own.`,
      thrown,
    );
  }
}

function makeUsable(stateDir: string): void {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    accessSync(stateDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (thrown) {
    throw refused(stateDir, stateDir, thrown);
  }
  for (const name of [LOCK_FILE, JOURNAL_FILE, `${JOURNAL_FILE}-wal`, `${JOURNAL_FILE}-shm`]) {
    const file = join(stateDir, name);
    try {
      if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
      // Never opened here once it is there: closing any descriptor of it would drop this process's lock (POSIX).
      else if (name === LOCK_FILE) closeSync(openSync(file, 'wx', 0o600));
    } catch (thrown) {
      throw refused(stateDir, file, thrown);
    }
  }
}

/** What the file system said of STATE_DIR, or of a file in it, with the way out. */
function refused(stateDir: string, path: string, thrown: unknown): Failure {
  const { code } = thrown as NodeJS.ErrnoException;
  const who = whoAmI();
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return unusable(
        `STATE_DIR (${stateDir}) is not a folder. imapferry (${who}) keeps its journal there: name a folder in STATE_DIR.`,
        thrown,
      );
    case 'EROFS':
      return unusable(
        `STATE_DIR (${stateDir}) is on a read-only file system. imapferry (${who}) keeps its journal there: mount a writable volume at ${stateDir}, in a container for instance with "-v imapferry:${stateDir}".`,
        thrown,
      );
    case 'EACCES':
    case 'EPERM':
      return unusable(
        `imapferry runs as ${who} and may not write to ${path}, where it keeps its journal (STATE_DIR is ${stateDir}). This mends it: ${mend(path, stateDir)}`,
        thrown,
      );
    case 'ENOSPC':
      return unusable(
        `No space is left in STATE_DIR (${stateDir}), where imapferry (${who}) keeps its journal. Free some space there.`,
        thrown,
      );
    default:
      return unusable(
        `STATE_DIR (${stateDir}) can not be used by imapferry (${who}): ${(thrown as Error).message}.`,
        thrown,
      );
  }
}

/** The command, run by root, after which `path` is ours. */
function mend(path: string, stateDir: string): string {
  const chown = `chown ${process.getuid?.() ?? 'USER'} ${path}`;
  return existsSync(stateDir) ? chown : `mkdir -p ${path} && ${chown}`;
}

function unusable(sentence: string, cause: unknown): Failure {
  return new Failure(sentence, { step: 'journal', scope: 'account', lasting: true, cause });
}
