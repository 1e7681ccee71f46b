/** `imapferry stuck`: what could not be carried, and why. */
import { readJournal } from '../journal/read-journal.ts';

/** Resolves with the exit code: 0 nothing is stuck, 1 something is. */
export function stuck(stateDir: string, print: (line: string) => void): number {
  using journal = readJournal(stateDir);
  const aside = journal.aside();
  if (aside.length === 0) {
    print('Nothing is stuck.');
    return 0;
  }
  for (const note of aside) {
    const since = new Date(note.notedAt).toISOString();
    const next =
      note.retryAt === undefined ? '' : `; next try ${new Date(note.retryAt).toISOString()}`;
    print(
      `${note.route}: ${note.folder}, UID ${note.uid}, ${note.size} bytes: ${note.state} since ${since}: ${note.why ?? ''}${next}`,
    );
  }
  return 1;
}
