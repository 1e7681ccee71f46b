/** Who waits for whom: new mail of one route, and old mail of another one into the same account. */
import { expect, it } from 'vitest';
import type { RateLimit } from '../../src/domain/route.ts';
import { Budgets } from '../../src/forward/budget.ts';
import { type Batch, Epoch } from '../../src/forward/folder-state.ts';
import type { Lane } from '../../src/forward/lane.ts';
import { NO_LOAD } from '../../src/forward/traffic.ts';
import { Turnstile } from '../../src/forward/turnstile.ts';
import { HandClock } from '../support/hand-clock.ts';
import { memoryJournal } from '../support/memory-journal.ts';
import { routeOf } from './rig.ts';

const HOUR = 3_600_000;
const settle = () => new Promise((resolve) => setImmediate(resolve));
const view = { folder: 'INBOX', uidValidity: 1, uidNext: 1, messages: 0 };
const epoch = new Epoch(
  { source: 'INBOX', dest: 'INBOX' },
  { ...view, readOnly: false, uidNotSticky: false },
);

function batch(uid: number, size: number, fresh = false): Batch {
  const messages = [{ uid, size, flags: new Set<string>() }];
  return { epoch, lane: {} as Lane, seenAt: 0, fresh, alone: false, messages };
}

it('new mail of one route does not wait for ever for the old mail of another one', async () => {
  const clock = new HandClock();
  const limit: RateLimit = { of: 'bytes', most: 1000, within: HOUR };
  // Two routes from two old mailboxes into one account.
  const routes = ['a', 'b'].map((name) => {
    const route = routeOf({ name });
    return {
      ...route,
      source: { ...route.source, user: name },
      destination: { ...route.destination, rateLimits: [limit] },
    };
  });
  const budgets = new Budgets(routes, memoryJournal(), clock);
  const passed = { a: [] as number[], b: [] as number[] };
  const turnstileOf = (nth: 0 | 1) =>
    new Turnstile(
      {
        budget: budgets.of(routes[nth] as (typeof routes)[number]),
        clock,
        quit: new AbortController().signal,
        weigh: ({ messages }) =>
          messages.map(({ size }) => ({
            source: NO_LOAD,
            destination: { messages: 1, bytes: size },
          })),
        paced: () => Number.POSITIVE_INFINITY,
        postponed: () => undefined,
      },
      {
        room: settle as () => Promise<void>,
        pass: ({ messages, spent }) => {
          for (const { uid } of messages) passed[nth === 0 ? 'a' : 'b'].push(uid);
          spent?.traffic.appending(messages);
          spent?.settle();
        },
        putDown: () => undefined,
      },
    );
  const a = turnstileOf(0);
  const b = turnstileOf(1);
  // The old mail of route b, a drain of days: a slow line has spread what it used over the first hour.
  let uid = 0;
  for (let i = 0; i < 20; i++) {
    b.enter(batch(++uid, 50));
    for (let j = 0; j < 20; j++) await settle();
    clock.advance(HOUR / 20);
  }
  while (uid < 5000) b.enter(batch(++uid, 50));
  for (let i = 0; i < 100; i++) await settle();
  // A message that has just come on route a: a fifth of the limit.
  a.enter(batch(1, 200, true));
  for (let i = 0; i < 200; i++) {
    clock.advance(HOUR / 20);
    for (let j = 0; j < 40; j++) await settle();
  }
  // Ten hours later.
  expect(passed.b.length).toBeGreaterThan(100);
  expect(passed.a).toEqual([1]);
});
