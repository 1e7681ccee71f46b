/** Who still writes to the old mailbox: counted by domain, and whether the mailbox can go. Pure. Times are epoch ms. */
import type { RouteWritten, Written } from '../domain/senders.ts';
import type { Status } from '../domain/status.ts';
import { troublesWith } from './health.ts';
import type { Senders } from './http/world.ts';
import { type RouteState, stuckOf, unsettled } from './unsettled.ts';

const DAY = 86_400_000;

/** So long nobody may have written before a mailbox can go. */
export const QUIET_DAYS = 90;

/** From when on mail counts, at a time. */
export function countsFrom(now: number): number {
  return now - QUIET_DAYS * DAY;
}

/** What came from a domain. */
export interface SenderDomain {
  /** Empty where the messages name no sender. */
  readonly domain: string;
  readonly messages: number;
  /** How many senders: of mailing lists, how many lists. */
  readonly senders: number;
  /** The latest INTERNALDATE. */
  readonly lastAt: number;
  /** From mailing lists, or sent by programs to whom it may concern. */
  readonly bulk: boolean;
}

export interface RouteSenders {
  readonly route: string;
  /** Since when senders are noted. */
  readonly since: number;
  /** The domain that wrote last stands first. A domain may stand there twice: with bulk mail, and with other mail. */
  readonly senders: readonly SenderDomain[];
}

/** By route and domain, and never an address: of what `Journal.written(countsFrom(now))` tells. */
export function sendersOf(routes: readonly RouteWritten[]): RouteSenders[] {
  return joined(routes.filter(({ current }) => current)).map(({ route, since, written }) => ({
    route,
    since,
    senders: counted(written.map(({ address: _, ...rest }) => rest)),
  }));
}

/**
 * The same for the status page: all routes together. Absent where none is carried for.
 * @param historyDays HISTORY_DAYS: of what came before, nothing is known
 */
export function pageSenders(
  routes: readonly RouteWritten[],
  historyDays: number,
  now: number,
): Senders | undefined {
  const told = sendersOf(routes);
  if (told.length === 0) return undefined;
  const since = Math.max(now - historyDays * DAY, ...told.map((each) => each.since));
  const written = told.flatMap(({ senders }) => senders);
  const domains = counted(written).map(({ domain, messages, lastAt, bulk }) => ({
    domain: domain || NOBODY,
    ...{ messages, lastAt, bulk },
  }));
  return { since, days: QUIET_DAYS, domains };
}

/** What stands in place of a domain where a message names no sender. */
export const NOBODY = '(without a readable sender)';

/** The same route between the same source and several destinations is one here. */
export function joined<R extends RouteWritten>(routes: readonly R[]): R[] {
  const groups = Map.groupBy(routes, ({ route, source }) => JSON.stringify([route, source]));
  return [...groups.values()].map((its) =>
    its.reduce((one, other) => ({
      ...(other.current ? other : one),
      since: Math.min(one.since, other.since),
      written: [...one.written, ...other.written],
    })),
  );
}

export interface Counted extends SenderDomain {
  /** Of one sender alone, whose address is kept. */
  readonly address?: string;
}

/** Counted by address where that is kept, else by domain; bulk mail and other mail apart; the latest first. */
export function counted(written: readonly Written[]): Counted[] {
  const groups = Map.groupBy(written, ({ bulk, domain, address }) =>
    JSON.stringify([bulk, domain, address]),
  );
  const all = [...groups.values()].flatMap((its) =>
    its.slice(0, 1).map(({ domain, address, bulk }) => ({
      domain,
      ...(address !== undefined && { address }),
      messages: its.reduce((sum, { messages }) => sum + messages, 0),
      senders: its.length,
      lastAt: its.reduce((last, { lastAt }) => Math.max(last, lastAt), 0),
      bulk,
    })),
  );
  return all.sort((a, b) => b.lastAt - a.lastAt || b.messages - a.messages);
}

/** What bears on the question whether a mailbox can go. */
export interface Standing {
  readonly now: number;
  /** Since when senders are noted. */
  readonly since: number;
  /** Nothing is known of mail before that. */
  readonly forgotten: number;
  readonly runs: boolean;
  readonly lastSign: number | undefined;
  /** The imapferry that runs, or ran last, carries for this route. */
  readonly current: boolean;
  /** Messages that could not be carried, as the journal notes them. */
  readonly aside: number;
  /** How the route stands, as the imapferry that runs says, or ran last. */
  readonly state: RouteState;
}

/** Why silence does not say yet that nobody writes any more: whole sentences. None: it does. */
export function doubtsOf(standing: Standing): string[] {
  const { now, since, forgotten, runs, lastSign, current, state } = standing;
  const from = countsFrom(now);
  const doubts: string[] = [];
  if (since > from)
    doubts.push(
      `imapferry has been looking since ${day(since)} only: ask again on ${day(since + QUIET_DAYS * DAY + DAY)}.`,
    );
  if (forgotten > from)
    doubts.push(
      `imapferry remembers ${days(now - forgotten)} of ${QUIET_DAYS}: set HISTORY_DAYS to ${QUIET_DAYS} or more.`,
    );
  if (!current) doubts.push('imapferry does not carry for this route any more.');
  else if (runs) doubts.push(...unsettled(state, now));
  else if (lastSign !== undefined)
    doubts.push(
      `imapferry does not run now: this is as old as its last sign of life, of ${minute(lastSign)}.`,
    );
  const aside = Math.max(standing.aside, runs && state.status ? stuckOf(state.status) : 0);
  return aside > 0 ? [...doubts, stuck(aside)] : doubts;
}

/** The same of all routes, for the status page, which tells elsewhere since when senders are noted. */
export function pageDoubts({ routes, troubles, at }: Status): string[] {
  const doubts = routes.map((status) => {
    const its = troublesWith(status.route, { troubles });
    const aside = stuckOf(status);
    return [...unsettled({ status, troubles: its }, at), ...(aside > 0 ? [stuck(aside)] : [])];
  });
  return [...new Set(doubts.flat())];
}

function stuck(aside: number): string {
  return `${aside} message${aside === 1 ? ' is' : 's are'} stuck and not counted: "imapferry stuck" lists them.`;
}

/** How many days the list covers: of mail that was still in the old mailbox, also some before imapferry began to look. */
export function daysCovered({ now, forgotten }: Pick<Standing, 'now' | 'forgotten'>): number {
  return Math.max(1, Math.round((now - Math.max(countsFrom(now), forgotten)) / DAY));
}

function days(ms: number): string {
  const many = Math.max(0, Math.floor(ms / DAY));
  return `${many} day${many === 1 ? '' : 's'}`;
}

/** `2026-11-28`. */
export function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function minute(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
