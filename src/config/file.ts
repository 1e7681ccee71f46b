/** Small files that settings name: read, or told why not and which command mends it. */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Either the file's text and who may read it, or why not: a sentence that goes on after the variable's name. */
export type FileRead =
  | { readonly text: string; readonly othersMayRead: boolean }
  | { readonly wrong: string };

/**
 * Reads a file as UTF-8 text. What was typed is shown only where it is the name of something that exists: else it may
 * be a secret that stands in the wrong variable.
 */
export function readTextFile(path: string): FileRead {
  try {
    const text = readFileSync(path, 'utf8');
    return { text, othersMayRead: (statSync(path).mode & 0o077) !== 0 };
  } catch (thrown) {
    return { wrong: whyUnreadable(path, (thrown as NodeJS.ErrnoException).code ?? 'unknown') };
  }
}

function whyUnreadable(path: string, code: string): string {
  const stats = statusOf(path);
  if (stats?.isDirectory()) return `names ${path}, which is a directory, not a file`;
  if (stats && code === 'EACCES') return barred(path, stats, 'file');
  if (stats) return `names ${path}, which can't be read (${code})`;
  const folder = nearestFolder(path);
  const folderStats = statusOf(folder);
  if (code === 'EACCES' && folderStats) return barred(folder, folderStats, 'directory');
  return `names a file that does not exist (the nearest directory that does is ${folder})`;
}

/** Who we are, whose it is, and the command that mends it. */
function barred(path: string, stats: Stats, kind: 'file' | 'directory'): string {
  const uid = process.getuid?.() ?? 0;
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
  const name = shellWord(path);
  const rights = kind === 'file' ? `chmod 400 ${name}` : `chmod u+rx ${name}`;
  const mend = stats.uid === uid ? rights : `chown ${uid} ${name} && ${rights}`;
  return `can't be read: imapferry runs as user id ${uid}, but the ${kind} ${path} belongs to user id ${stats.uid} and has mode ${mode}. This mends it (for a file mounted into a container, on the host): ${mend}`;
}

function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function nearestFolder(path: string): string {
  let folder = dirname(resolve(path));
  while (!statusOf(folder)?.isDirectory() && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

function shellWord(path: string): string {
  return /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
