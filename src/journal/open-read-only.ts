/** Opens a journal so that looking at it changes nothing in STATE_DIR. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/**
 * Opens the database for reading, whether or not another process writes it.
 * A -wal is there while imapferry runs, and after it was killed. Without one the file is at rest and is opened as
 * immutable: otherwise SQLite would make a -wal and a -shm and leave them, owned by whoever looks.
 */
export function openReadOnly(file: string): DatabaseSync {
  const options = { readOnly: true, timeout: 2000 };
  if (existsSync(`${file}-wal`)) return new DatabaseSync(file, options);
  const url = pathToFileURL(resolve(file));
  url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, options);
}
