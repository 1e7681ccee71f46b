/** `imapferry health`: does the imapferry of this STATE_DIR live? Light: a container starts it every half minute. */
import { readJournal } from '../journal/read-journal.ts';

/** Three beats. */
const STALE = 90_000;

/** Resolves with the exit code: 0 it lives, 1 it does not, and why is printed. */
export function health(stateDir: string, print: (line: string) => void, now = Date.now()): number {
  let beat: number | undefined;
  try {
    using journal = readJournal(stateDir);
    beat = journal.lastBeat();
  } catch (thrown) {
    print(thrown instanceof Error ? thrown.message : String(thrown));
    return 1;
  }
  if (beat === undefined) {
    print(`No imapferry has run with STATE_DIR ${stateDir} yet.`);
    return 1;
  }
  const age = Math.round((now - beat) / 1000);
  if (!isFresh(beat, now)) {
    print(
      `imapferry has given no sign of life for ${Math.abs(age)} s: it has stopped, or hangs. Look at its log.`,
    );
    return 1;
  }
  print(`imapferry lives; its last sign is ${Math.max(0, age)} s old.`);
  return 0;
}

/** Whether a sign of life (epoch ms) is so recent that imapferry lives. One of tomorrow was given before the clock was set back. */
export function isFresh(beat: number | undefined, now: number): boolean {
  return beat !== undefined && Math.abs(now - beat) <= STALE;
}
