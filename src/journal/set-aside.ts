/** Journals that were set aside: nobody opens them any more, and yet they may hold senders' addresses. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { openReadOnly } from './open-read-only.ts';

/** A journal set aside, and what lies beside it. */
const NAME = /^(journal-torn-.*\.sqlite)(-wal|-shm|-journal)?$/;
/** Is somewhere in every journal that can hold an address, however torn it is. */
const SCHEMA = 'CREATE TABLE sender';
const WINDOW = 1 << 20;
/** Longer than any address. */
const LONGEST = 512;
const AT = 0x40;
const BLANK = 0x78;

/**
 * Blanks whatever looks like an address in the journals of a STATE_DIR that were set aside, unless they say themselves that
 * they hold none. What can't be opened as a database is gone through byte by byte; other programs' files stay as they are.
 * Returns the names of those that could not be written.
 */
export function blankSetAside(stateDir: string): string[] {
  const names = fs.readdirSync(stateDir).filter((name) => NAME.test(name));
  const journals = Map.groupBy(names, (name) => NAME.exec(name)?.[1] ?? '');
  return [...journals].flatMap(([journal, files]) => {
    const paths = files.map((name) => join(stateDir, name));
    try {
      if (mayHold(join(stateDir, journal), paths)) for (const path of paths) blank(path);
      return [];
    } catch {
      return [journal];
    }
  });
}

function mayHold(file: string, paths: readonly string[]): boolean {
  // What a -wal holds without its database can't be told.
  if (!paths.includes(file)) return true;
  if (paths.length === 1 && keptNone(file)) return false;
  return paths.some((path) =>
    anywhere(path, 'r', (window) => window.includes(SCHEMA, 0, 'latin1')),
  );
}

/** Whether the journal can be read so far, and says that no address was ever kept, or none is left. */
function keptNone(file: string): boolean {
  try {
    using db = openReadOnly(file);
    return db.prepare('SELECT kept FROM sender_book').get()?.kept === 0;
  } catch {
    return false;
  }
}

function blank(path: string): void {
  anywhere(path, 'r+', (window, write) => {
    let changed = false;
    for (let at = window.indexOf(AT); at >= 0; at = window.indexOf(AT, at + 1)) {
      let [from, to] = [at, at + 1];
      while (from > 0 && at - from < LONGEST && isText(window[from - 1])) from--;
      while (to < window.length && to - at < LONGEST && isText(window[to])) to++;
      window.fill(BLANK, from, to);
      changed = true;
    }
    if (changed) write();
    return false;
  });
}

/** What separates the fields of a row is below that. */
function isText(byte = 0): boolean {
  return byte >= 0x20;
}

/** Goes through a file, each part beginning a little before the end of the last one, until `found`. */
function anywhere(
  path: string,
  flags: 'r' | 'r+',
  found: (window: Buffer, write: () => void) => boolean,
): boolean {
  const fd = fs.openSync(path, flags);
  try {
    const whole = Buffer.alloc(WINDOW);
    for (let at = 0; ; at += WINDOW - LONGEST) {
      const window = whole.subarray(0, fs.readSync(fd, whole, 0, WINDOW, at));
      const write = () => fs.writeSync(fd, window, 0, window.length, at);
      if (found(window, write)) return true;
      if (window.length < WINDOW) break;
    }
    if (flags === 'r+') fs.fsyncSync(fd);
    return false;
  } finally {
    fs.closeSync(fd);
  }
}
