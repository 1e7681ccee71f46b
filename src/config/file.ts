/** Small files that settings name: read, or told why not and which command mends it. */
import { existsSync, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';

/**
 * Either the file's text and, where others may read it, the command that mends this; or why it can't be read: a
 * sentence that goes on after the variable's name.
 */
export type FileRead =
  | { readonly text: string; readonly exposed?: string }
  | { readonly wrong: string };

/**
 * Reads a file as UTF-8 text. What was typed is shown only where it is the name of something that exists: else it may
 * be a secret that stands in the wrong variable.
 */
export function readTextFile(path: string): FileRead {
  try {
    const text = readFileSync(path, 'utf8');
    const stats = statSync(path);
    const others = isCredential(path) ? 0o007 : 0o077;
    return (stats.mode & others) === 0 ? { text } : { text, exposed: mend(path, stats, '400') };
  } catch (thrown) {
    return { wrong: whyUnreadable(path, (thrown as NodeJS.ErrnoException).code ?? 'unknown') };
  }
}

/**
 * Whether systemd has handed the file to us alone (LoadCredential). It may have done so by an ACL, whose mask stands where
 * the group's rights stand otherwise.
 */
function isCredential(path: string): boolean {
  // biome-ignore lint/style/noProcessEnv: no setting, but where systemd says that its credentials are
  const folder = process.env.CREDENTIALS_DIRECTORY;
  return folder !== undefined && resolve(path).startsWith(resolve(folder) + sep);
}

/** The .env files to read, earlier ones win: those that were named, else `.env` in the working directory if it is there. */
export function settingFiles(named: readonly string[]): readonly string[] {
  return named.length > 0 ? named : ['.env'].filter((path) => existsSync(path));
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
  return `can't be read: imapferry runs as user id ${uid}, but the ${kind} ${path} belongs to user id ${stats.uid} and has mode ${mode}. This mends it (for a file mounted into a container, on the host): ${mend(path, stats, kind === 'file' ? '400' : 'u+rx')}`;
}

/** The command that makes a file ours, with these rights. */
function mend(path: string, stats: Stats, rights: string): string {
  const uid = process.getuid?.() ?? stats.uid;
  const name = shellWord(path);
  const own = stats.uid === uid ? '' : `chown ${uid} ${name} && `;
  return `${own}chmod ${rights} ${name}`;
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
