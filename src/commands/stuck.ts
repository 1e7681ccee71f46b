/** `imapferry stuck`: what could not be carried, and why; with `--retry` it is tried again now. */
import { type AsideNote, readJournal } from '../journal/read-journal.ts';
import { retryNow } from '../journal/retry-now.ts';
import { printable } from '../report/sentences.ts';
import { isFresh } from './health.ts';

/** Resolves with the exit code: 0 nothing is stuck, 1 something is. */
export function stuck(
  stateDir: string,
  { retry, print }: { readonly retry: boolean; readonly print: (line: string) => void },
): number {
  const { aside, beat } = read(stateDir);
  if (aside.length === 0) {
    print('Nothing is stuck.');
    return 0;
  }
  for (const note of aside) print(printable(told(note)));
  if (!retry) return 1;
  retryNow(stateDir);
  print(
    isFresh(beat, Date.now())
      ? 'They are tried again now; the log tells what comes of it.'
      : 'They are tried again as soon as imapferry runs: it does not run now.',
  );
  return 1;
}

function read(stateDir: string) {
  using journal = readJournal(stateDir);
  return { aside: journal.aside(), beat: journal.lastBeat() };
}

/** `default: INBOX, UID 7, of 2024-05-06 07:08, 12345 bytes: refused since …: why; next try …`. */
function told({ route, folder, uid, internalDate, size, state, notedAt, why, retryAt }: AsideNote) {
  const of = internalDate === undefined ? '' : `of ${at(internalDate)}, `;
  const next = retryAt === undefined ? '' : `; next try ${retryAt === 0 ? 'now' : at(retryAt)}`;
  return `${route}: ${folder}, UID ${uid}, ${of}${size} bytes: ${state} since ${at(notedAt)}: ${why ?? ''}${next}`;
}

function at(time: number): string {
  return new Date(time).toISOString();
}
