/** Who still writes to the old mailbox, as text for people, at most 80 columns wide, and as JSON for programs. Pure. */
import type { RouteWritten } from '../domain/senders.ts';
import {
  type Counted,
  counted,
  day,
  daysCovered,
  doubtsOf,
  NOBODY,
  type Standing,
} from './senders.ts';
import { printable } from './sentences.ts';
import { cut, padded, width, wrapped } from './width.ts';

const COLUMNS = 80;
/** Columns: two for the margin, one between any two cells. */
const MESSAGES = 8;
const SENDERS = 7;
const LAST = 10;
const NAME = COLUMNS - 2 - MESSAGES - SENDERS - LAST - 3;

/** A route, what was written to it, and how far that can be relied on. */
export type SendersReport = RouteWritten & Standing;

/** Ends without a line end. */
export function sendersText(reports: readonly SendersReport[]): string {
  const several = reports.length > 1;
  return reports
    .map((report) => {
      const twice = reports.some((other) => other !== report && other.route === report.route);
      const title = `route ${report.route}${twice ? `, from ${report.source}` : ''}`;
      return [...(several ? wrapped(printable(title), COLUMNS, '  ') : []), ...linesOf(report)];
    })
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** On one line, with what can steer a terminal escaped. Times are ISO 8601. */
export function sendersJson(reports: readonly SendersReport[]): string {
  const iso = (time: number) => new Date(time).toISOString();
  const routes = reports.map((report) => {
    const { route, since, written } = report;
    const doubts = doubtsOf(report);
    const senders = counted(written).map((each) => ({ ...each, lastAt: iso(each.lastAt) }));
    const canGo = senders.length === 0 && doubts.length === 0;
    return { route, since: iso(since), days: daysCovered(report), canGo, doubts, senders };
  });
  return printable(JSON.stringify({ routes }));
}

function linesOf(report: SendersReport): string[] {
  const all = counted(report.written);
  const doubts = doubtsOf(report);
  const days = daysCovered(report);
  const lately = `in the last ${days === 1 ? 'day' : `${days} days`}`;
  if (all.length === 0) return silence(lately, doubts);
  const bulk = all.filter((each) => each.bulk);
  const others = all.filter((each) => !each.bulk);
  return [
    ...(others.length > 0
      ? [`people and services that wrote ${lately}`, ...table(others)]
      : paragraph(`No person and no service has written ${lately}, but for what is below.`)),
    ...(bulk.length > 0 ? ['', 'mailing lists and bulk mail', ...table(bulk)] : []),
    ...(doubts.length > 0 ? ['', 'to know', ...listed(doubts)] : []),
  ];
}

function silence(lately: string, doubts: readonly string[]): string[] {
  if (doubts.length === 0) {
    return paragraph(
      `Nobody has written to the old mailbox ${lately} through imapferry: it can go. (Sent mail, drafts, junk and trash do not count.)`,
    );
  }
  return [
    ...paragraph(`Nobody has written to the old mailbox ${lately}, as far as imapferry knows.`),
    ...paragraph('It is too early to say that the mailbox can go:'),
    ...listed(doubts),
  ];
}

function table(senders: readonly Counted[]): string[] {
  const names = senders.map(nameOf);
  const head = senders.some(({ address }) => address !== undefined) ? 'sender' : 'domain';
  const wide = Math.min(NAME, Math.max(width(head), ...names.map(width)));
  const row = ([name, messages, many, last]: readonly [string, string, string, string]) => {
    const [first = '', ...more] = cut(name, wide);
    const line = [
      `  ${padded(first, wide)}`,
      padded(messages, MESSAGES, 'right'),
      padded(many, SENDERS, 'right'),
      last,
    ].join(' ');
    return [line, ...more.map((rest) => `  ${rest}`)];
  };
  return [
    ...row([head, 'messages', 'senders', 'last']),
    ...senders.flatMap(({ messages, senders: many, lastAt }, i) =>
      row([names[i] ?? '', String(messages), String(many), day(lastAt)]),
    ),
  ];
}

function nameOf({ domain, address }: Counted): string {
  return printable((address ?? domain) || NOBODY);
}

function listed(sentences: readonly string[]): string[] {
  return sentences.flatMap((each) => wrapped(`  ${printable(each)}`, COLUMNS, '    '));
}

function paragraph(text: string): string[] {
  return wrapped(printable(text), COLUMNS);
}
