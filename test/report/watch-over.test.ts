import { expect, it } from 'vitest';
import { type EventFields, type EventName, eventStream } from '../../src/domain/events.ts';
import type { Status, Trouble } from '../../src/domain/status.ts';
import { inOneLine, watchOver } from '../../src/report/watch-over.ts';
import { HandClock } from '../support/hand-clock.ts';

const STATUS: Status = {
  version: '0.1.0',
  startedAt: 0,
  at: 0,
  routes: [],
  healthy: true,
  troubles: [],
};

function trouble(says: string, unhealthy: boolean): Trouble {
  const cause = 'mail-waits';
  return { cause, route: 'mum', folder: 'INBOX', since: 0, says, help: 'Look.', unhealthy };
}

const WELL = STATUS;
const SINGLE = { ...STATUS, troubles: [trouble('One stays.', false)] };
const ILL = {
  ...STATUS,
  healthy: false,
  troubles: [trouble('One stays.', false), trouble('It waits.', true)],
};

/** Looks as often as there are verdicts, and gives what was told. */
async function told(verdicts: readonly Status[]) {
  const events: [EventName, EventFields][] = [];
  const stream = eventStream();
  stream.subscribe((...each) => events.push(each));
  const ends = new AbortController();
  const seen: Status[] = [];
  await watchOver({
    status: () => verdicts[seen.length] ?? WELL,
    clock: HandClock.leaping(1),
    emit: stream.emit,
    signal: ends.signal,
    every: 10_000,
    readers: [
      (status) => {
        seen.push(status);
        if (seen.length === verdicts.length) ends.abort();
      },
    ],
  });
  expect(seen).toEqual(verdicts);
  return events;
}

it('tells each change of the verdict once, and why', async () => {
  const events = await told([WELL, SINGLE, ILL, ILL, ILL, SINGLE, WELL, ILL]);
  expect(events).toEqual([
    ['health.degraded', { route: 'mum', folder: 'INBOX', why: 'It waits.', count: 2 }],
    ['health.recovered', { ms: expect.closeTo(30_000, -3) }],
    ['health.degraded', { route: 'mum', folder: 'INBOX', why: 'It waits.', count: 2 }],
  ]);
});

it('tells nothing while all is well', async () => {
  expect(await told([WELL, SINGLE, WELL])).toEqual([]);
});

it('says it in one line', () => {
  const begun = { route: 'mum', ready: true } as Status['routes'][number];
  const waiting = { ...begun, ready: false };
  expect(inOneLine(ILL)).toBe('It waits.');
  expect(inOneLine({ ...WELL, routes: [waiting] })).toBe('connects');
  expect(inOneLine({ ...WELL, routes: [begun] })).toBe('mail flows: the route is watched');
  expect(inOneLine({ ...WELL, routes: [begun, waiting] })).toBe(
    'mail flows: 1 of 2 routes is watched',
  );
  expect(inOneLine({ ...WELL, routes: [begun, begun] })).toBe(
    'mail flows: 2 of 2 routes are watched',
  );
});
