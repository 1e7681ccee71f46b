/** `imapferry senders`: who still writes to the old mailbox, and whether it can go. */
import { Failure } from '../domain/failure.ts';
import type { Findings } from '../domain/status.ts';
import { type RouteRead, readArrivals } from '../journal/read-arrivals.ts';
import { readJournal } from '../journal/read-journal.ts';
import { healthOf, troublesWith } from '../report/health.ts';
import { countsFrom, joined } from '../report/senders.ts';
import { type SendersReport, sendersJson, sendersText } from '../report/senders-text.ts';
import { printable } from '../report/sentences.ts';
import { isFresh } from './health.ts';

/** Returns the exit code: 0, whoever writes; 1 where the journal can't be read. */
export function senders(
  stateDir: string,
  { json, print }: { readonly json: boolean; readonly print: (line: string) => void },
  now = Date.now(),
): number {
  let reports: SendersReport[];
  try {
    reports = reportsOf(stateDir, now);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    print(printable(thrown.message));
    return 1;
  }
  if (json) print(sendersJson(reports));
  else if (reports.length > 0) print(sendersText(reports));
  else
    print(
      `No imapferry has run with STATE_DIR ${stateDir} yet: who writes to the old mailbox is not known.`,
    );
  return 0;
}

function reportsOf(stateDir: string, now: number): SendersReport[] {
  const read = readArrivals(stateDir, countsFrom(now));
  if (read === undefined) return [];
  const { lastSign, forgotten } = read;
  const { beat, findings } = latest(stateDir);
  const runs = isFresh(beat, now);
  const health = findings ? healthOf(findings, now) : { troubles: [] };
  const whole = ({ route, ...rest }: RouteRead): SendersReport => ({
    ...{ route, ...rest, now, forgotten, runs, lastSign },
    state: {
      status: findings?.routes.find((each) => each.route === route),
      troubles: troublesWith(route, health),
    },
  });
  // What is carried no more counts as long as something of it is known.
  return joined(read.routes)
    .filter(({ current, written }) => current || written.length > 0)
    .map(whole);
}

/** The last sign of life, and what the imapferry that runs said of itself then. */
function latest(stateDir: string): { beat: number | undefined; findings: Findings | undefined } {
  using journal = readJournal(stateDir);
  const text = journal.lastStatus();
  return { beat: journal.lastBeat(), findings: text ? (JSON.parse(text) as Findings) : undefined };
}
