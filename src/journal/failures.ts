/** What SQLite, the file system or the journal itself says, as a Failure that people can act on. */
import { Failure } from '../domain/failure.ts';

/** SQLite's primary result codes that mean something to a person. */
const SQLITE = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
} as const;

/** The primary result code of an error of node:sqlite; `undefined` for any other error. */
function resultCode(thrown: unknown): number | undefined {
  const { errcode } = (thrown ?? {}) as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

/** Whether the file is no whole database (any more), as opposed to a disk or a lock in the way. */
export function isTorn(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code === SQLITE.corrupt || code === SQLITE.notADatabase;
}

/** Whether another connection holds the lock. */
export function isBusy(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code === SQLITE.busy || code === SQLITE.locked;
}

/** Any error met while the journal of `stateDir` was used, as a Failure; itself where it is one. */
export function journalFailure(thrown: unknown, stateDir: string): Failure {
  if (thrown instanceof Failure) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const lasting = isTorn(thrown);
  return new Failure(sentence(thrown, stateDir, text), {
    step: 'journal',
    scope: 'account',
    lasting,
    cause: thrown,
  });
}

function sentence(thrown: unknown, stateDir: string, text: string): string {
  const waits = 'Originals stay where they are, and imapferry tries again';
  switch (resultCode(thrown)) {
    case SQLITE.full:
      return `No space is left for the journal in STATE_DIR (${stateDir}). ${waits}; free some space there.`;
    case SQLITE.readOnly:
      return `The journal in STATE_DIR (${stateDir}) can not be written: file or file system are read-only. ${waits}; make them writable for ${whoAmI()}.`;
    case SQLITE.ioError:
      return `The disk that holds the journal in STATE_DIR (${stateDir}) reports an error (${text}): it may have turned read-only, be over a quota or a limit, or be broken. ${waits}; look at the disk.`;
    case SQLITE.busy:
    case SQLITE.locked:
      return `Another program keeps the journal in STATE_DIR (${stateDir}) locked. ${waits}; end that program.`;
    case SQLITE.cantOpen:
      return `The journal in STATE_DIR (${stateDir}) can not be opened by ${whoAmI()} (${text}). ${waits}; look whose files are there.`;
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return `The journal in STATE_DIR (${stateDir}) is damaged. Originals stay where they are; start imapferry again: it sets the journal aside and looks for what it had carried at the destination.`;
    default:
      return `The journal in STATE_DIR (${stateDir}) does not work (${text}). ${waits}.`;
  }
}

/** The user we run as, for sentences: what counts is the number, in a container above all. */
export function whoAmI(): string {
  const uid = process.getuid?.();
  return uid === undefined ? 'the user imapferry runs as' : `user id ${uid}`;
}
