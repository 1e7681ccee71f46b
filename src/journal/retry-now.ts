/** Has what is set aside tried again now: by the imapferry that runs, or by the next one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { journalFailure } from './failures.ts';
import { refuseOthers } from './read-journal.ts';
import { JOURNAL_FILE } from './schema.ts';

/**
 * Makes every message that is set aside due. Wants no lock: an imapferry that runs meanwhile notices by `revision`.
 * Returns how many there are. Throws a Failure (step `journal`).
 */
export function retryNow(stateDir: string): number {
  const file = join(stateDir, JOURNAL_FILE);
  if (!existsSync(file)) return 0;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 2000 });
    refuseOthers(db, stateDir);
    const due = "UPDATE message SET retry_at = 0 WHERE state IN ('unverified', 'refused')";
    return Number(db.prepare(due).run().changes);
  } catch (thrown) {
    throw journalFailure(thrown, stateDir);
  } finally {
    db?.close();
  }
}
