/** `imapferry health`: does mail flow in the imapferry of this STATE_DIR? Light: a container starts it every half minute. */
import type { Findings } from '../domain/status.ts';
import { type JournalReader, readJournal } from '../journal/read-journal.ts';
import { statusOf } from '../report/health.ts';
import { linesOf } from '../report/lines.ts';
import { printable } from '../report/sentences.ts';

/** Three beats. */
const STALE = 90_000;

/** Resolves with the exit code: 0 mail flows, 1 it does not, and why is printed. */
export function health(stateDir: string, print: (line: string) => void, now = Date.now()): number {
  let read: { beat: number | undefined; findings: Findings | undefined };
  try {
    using journal = readJournal(stateDir);
    read = { beat: journal.lastBeat(), findings: findingsOf(journal) };
  } catch (thrown) {
    print(thrown instanceof Error ? thrown.message : String(thrown));
    return 1;
  }
  const { beat, findings } = read;
  if (beat === undefined) {
    print(`No imapferry has run with STATE_DIR ${stateDir} yet.`);
    return 1;
  }
  const age = Math.round((now - beat) / 1000);
  if (!isFresh(beat, now)) {
    print(
      `imapferry has given no sign of life for ${Math.abs(age)} s: it has stopped, hangs, or can not write its journal. Look at its log.`,
    );
    return 1;
  }
  if (findings === undefined) {
    print(`imapferry lives; its last sign is ${Math.max(0, age)} s old.`);
    return 0;
  }
  const status = statusOf(findings, now);
  for (const line of linesOf(status)) print(printable(line));
  return status.healthy ? 0 : 1;
}

/** What the imapferry that runs has said of itself. */
function findingsOf(journal: JournalReader): Findings | undefined {
  const text = journal.lastStatus();
  return text === undefined ? undefined : (JSON.parse(text) as Findings);
}

/** Whether a sign of life (epoch ms) is so recent that imapferry lives. One of tomorrow was given before the clock was set back. */
export function isFresh(beat: number | undefined, now: number): boolean {
  return beat !== undefined && Math.abs(now - beat) <= STALE;
}
