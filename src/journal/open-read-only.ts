/** Opens a journal so that looking at it changes nothing in STATE_DIR. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/**
 * Opens the database for reading, whether or not another process writes it. See `readOnlyUrl`.
 */
export function openReadOnly(file: string): DatabaseSync {
  return new DatabaseSync(readOnlyUrl(file), { readOnly: true, timeout: 2000 });
}

/**
 * The URL under which SQLite opens the database without changing a byte beside it (https://sqlite.org/uri.html).
 * A -wal is there while imapferry runs, and after it was killed: it is read through the -shm as that is, or past it, where
 * nobody runs. Without a -wal the file is at rest and is opened as immutable: otherwise SQLite would make a -wal and
 * a -shm and leave them, owned by whoever looks.
 */
export function readOnlyUrl(file: string): URL {
  const url = pathToFileURL(resolve(file));
  url.searchParams.set('mode', 'ro');
  if (!existsSync(`${file}-wal`)) url.searchParams.set('immutable', '1');
  else if (existsSync(`${file}-shm`)) url.searchParams.set('readonly_shm', '1');
  return url;
}
