/**
 * A journal that forgets: what the one in STATE_DIR knows at this moment, taken into memory. It keeps every promise of
 * a journal but the one to outlive the process; in STATE_DIR nothing is written, and another imapferry may run there.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Journal } from '../domain/ports.ts';
import { journalFailure } from './failures.ts';
import { isUsable } from './file.ts';
import { readOnlyUrl } from './open-read-only.ts';
import { JOURNAL_FILE, STEPS, upgrade } from './schema.ts';
import { SqliteJournal } from './sqlite-journal.ts';
import { Store } from './store.ts';

export interface Forgetful {
  readonly journal: Journal;
  /** The journal in STATE_DIR is torn, or not ours: nothing is known of what was carried before. */
  readonly torn: boolean;
}

/**
 * Opens it. Where STATE_DIR has no journal, or does not exist, it knows nothing. Throws a Failure (step `journal`) where
 * the journal can't be read, or is of a newer version.
 * @param now epoch ms; stamps rows whose caller gives no time
 */
export function openForgetful(stateDir: string, now: () => number = Date.now): Forgetful {
  const file = join(stateDir, JOURNAL_FILE);
  const db = new DatabaseSync(':memory:');
  try {
    const torn = !isUsable(file);
    if (!torn && existsSync(file)) takeIn(db, file);
    upgrade(db);
    return { journal: new SqliteJournal(new Store(db, stateDir), now), torn };
  } catch (thrown) {
    db.close();
    throw journalFailure(thrown, stateDir);
  }
}

/** Every row of the journal, in tables of its version. One transaction, so that all are of one moment. */
function takeIn(db: DatabaseSync, file: string): void {
  db.prepare('ATTACH ? AS kept').run(readOnlyUrl(file).href);
  const version = db.prepare('PRAGMA kept.user_version').get()?.user_version as number;
  upgrade(db, STEPS.slice(0, version));
  const tables = db.prepare(`SELECT name FROM kept.sqlite_schema WHERE type = 'table'`).all();
  const copies = tables.map(
    ({ name }) => `DELETE FROM main.${name}; INSERT INTO main.${name} SELECT * FROM kept.${name};`,
  );
  db.exec(`PRAGMA foreign_keys = OFF; BEGIN; ${copies.join(' ')} COMMIT; DETACH kept`);
}
