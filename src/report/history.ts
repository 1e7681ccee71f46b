/** What was carried lately, day by day, for people. Pure. */
import type { Tallies } from '../domain/ports.ts';
import type { Carried, Day, RouteHistory, Totals } from '../domain/status.ts';
import { localDay } from './sentences.ts';

const DAYS = 30;
const DAY = 24 * 60 * 60_000;

/** The first day that `historiesOf` asks for. */
export function firstDay(now: number): string {
  return days(now)[0] as string;
}

/**
 * What each of these routes has carried.
 * @param tallies from `firstDay` on
 * @param now epoch ms
 */
export function historiesOf(
  routes: readonly string[],
  { carried, speeds }: Tallies,
  now: number,
): RouteHistory[] {
  const all = days(now);
  return routes.map((route) => {
    const own = carried.filter((each) => each.route === route);
    const folders = [...Map.groupBy(own, ({ folder }) => folder)];
    const quick = Map.groupBy(
      speeds.filter((each) => each.route === route),
      ({ day }) => day,
    );
    const byDay = Map.groupBy(own, ({ day }) => day);
    return {
      route,
      ...totals(own, all),
      days: all.map((day): Day => {
        const steps = quick.get(day) ?? [];
        const p50 = quantile(steps, 0.5);
        const p95 = quantile(steps, 0.95);
        return {
          day,
          ...sum(byDay.get(day) ?? []),
          ...(p50 !== undefined && { p50 }),
          ...(p95 !== undefined && { p95 }),
        };
      }),
      folders: folders.map(([folder, rows]) => ({ folder, ...totals(rows, all) })),
    };
  });
}

function totals(rows: Tallies['carried'], all: readonly string[]): Totals {
  const last = (count: number) => {
    const from = all[all.length - count] as string;
    return sum(rows.filter(({ day }) => day >= from));
  };
  return { today: last(1), week: last(7), month: last(DAYS) };
}

function sum(rows: readonly Carried[]): Carried {
  return rows.reduce(
    (total, { messages, bytes }) => ({
      messages: total.messages + messages,
      bytes: total.bytes + bytes,
    }),
    { messages: 0, bytes: 0 },
  );
}

/** Which value so many of all messages do not exceed. */
function quantile(steps: Tallies['speeds'], part: number): number | undefined {
  const all = steps.reduce((count, { messages }) => count + messages, 0);
  let seen = 0;
  for (const { ms, messages } of steps.toSorted((a, b) => a.ms - b.ms)) {
    seen += messages;
    if (seen >= all * part) return ms;
  }
  return undefined;
}

/** The last days by the clock of this machine, today last. Days have noons, also those of 23 or 25 hours. */
function days(now: number): string[] {
  const noon = new Date(now).setHours(12, 0, 0, 0);
  return Array.from({ length: DAYS }, (_, i) => localDay(new Date(noon - (DAYS - 1 - i) * DAY)));
}
