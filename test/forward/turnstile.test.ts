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

/**
 * A turnstile of so many messages, or bytes, an hour before a queue whose room is given by hand, and which asks what it is
 * expected to as soon as a batch has passed.
 */
function begun(most: number, of: RateLimit['of'] = 'messages', asks = true) {
  const clock = new HandClock();
  const limit: RateLimit = { of, most, within: HOUR };
  const route = routeOf();
  const limited = { ...route, source: { ...route.source, rateLimits: [limit] } };
  const budget = new Budgets([limited], memoryJournal(), clock).of(limited);
  const quit = new AbortController();
  const passed: Batch[] = [];
  const down: number[] = [];
  const rooms: (() => void)[] = [];
  const turnstile = new Turnstile(
    {
      budget,
      clock,
      quit: quit.signal,
      weigh: ({ messages }) =>
        messages.map(({ size }) => ({
          source: { messages: 1, bytes: size },
          destination: NO_LOAD,
        })),
      paced: () => 2 * HOUR,
      postponed: () => undefined,
    },
    {
      room: () => new Promise((resolve) => rooms.push(resolve)),
      pass: (batch) => {
        passed.push(batch);
        if (asks) batch.spent?.traffic.fetching(batch.messages);
      },
      putDown: ({ messages }) => down.push(messages.length),
    },
  );
  /** The queue has room for so many batches. */
  const room = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await settle();
      rooms.shift()?.();
    }
    await settle();
  };
  const uids = () => passed.map(({ messages }) => messages.map(({ uid }) => uid));
  return { turnstile, passed, down, room, uids, clock, quit };
}

const view = { folder: 'INBOX', uidValidity: 1, uidNext: 1, messages: 0 };
const epoch = new Epoch(
  { source: 'INBOX', dest: 'INBOX' },
  { ...view, readOnly: false, uidNotSticky: false },
);

/** @param sizes of 1 byte, where nothing is said */
function batch(uids: readonly number[], fresh = false, sizes: readonly number[] = []): Batch {
  const messages = uids.map((uid, i) => ({ uid, size: sizes[i] ?? 1, flags: new Set<string>() }));
  return { epoch, lane: {} as Lane, seenAt: 0, fresh, alone: false, messages };
}

it('lets nothing through before the queue has room, and new mail before what waits', async () => {
  const { turnstile, uids, room } = begun(100);
  for (const old of [1, 2, 3]) turnstile.enter(batch([old]));
  await room(1);
  expect(uids()).toEqual([[1]]);
  turnstile.enter(batch([8], true));
  turnstile.enter(batch([9], true));
  await room(4);
  expect(uids()).toEqual([[1], [8], [9], [2], [3]]);
});

it('cuts a batch to what is left, and keeps the order of the rest', async () => {
  const { turnstile, uids, room, clock } = begun(10);
  turnstile.enter(batch([1, 2, 3, 4, 5, 6]));
  turnstile.enter(batch([7, 8, 9, 10, 11, 12]));
  await room(3);
  expect(uids()).toEqual([
    [1, 2, 3, 4, 5, 6],
    [7, 8, 9],
  ]);
  clock.advance(2 * HOUR);
  await room(2);
  expect(uids().at(-1)).toEqual([10, 11, 12]);
});

it('lets new mail that fits go by new mail that is too large for now, wherever it stands', async () => {
  const { turnstile, uids, room, clock } = begun(100, 'bytes');
  turnstile.enter(batch([1], false, [60]));
  turnstile.enter(batch([2, 3]));
  await room(1);
  turnstile.enter(batch([10, 11, 12, 13], true, [70, 5, 5, 80]));
  turnstile.enter(batch([14, 15], true, [90, 5]));
  await room(4);
  expect(uids()).toEqual([[1], [11, 12], [15]]);
  clock.advance(HOUR + HOUR / 50);
  await room(2);
  expect(uids().slice(3)).toEqual([[10]]);
});

it('keeps the room that the large one waits for, and lets no old mail take it', async () => {
  const { turnstile, uids, room, clock } = begun(100, 'bytes');
  turnstile.enter(batch([1], false, [60]));
  await room(1);
  // What is used in one stretch counts no longer than the rest of it.
  clock.advance(HOUR / 50);
  turnstile.enter(batch([2]));
  turnstile.enter(batch([10], true, [95]));
  for (let uid = 11; uid < 20; uid++) turnstile.enter(batch([uid], true, [2]));
  await room(10);
  expect(uids()).toEqual([[1], [11], [12]]);
  clock.advance(HOUR);
  await room(3);
  expect(uids().slice(3)).toEqual([[10]]);
});

it('looks again as soon as a batch has asked less than was expected', async () => {
  const { turnstile, uids, room, passed, clock } = begun(10, 'messages', false);
  turnstile.enter(batch([1, 2, 3, 4, 5, 6, 7, 8, 9]));
  turnstile.enter(batch([10, 11]));
  await room(2);
  // However long that takes: nobody knows when it will ask.
  clock.advance(2 * HOUR);
  await room(2);
  expect(uids()).toHaveLength(1);
  passed[0]?.spent?.traffic.fetching([{ size: 1 }]);
  passed[0]?.spent?.settle();
  turnstile.again();
  await room(1);
  expect(uids().at(-1)).toEqual([10, 11]);
});

it('puts down what is meant, and lets nothing through after a stop', async () => {
  const { turnstile, uids, down, room, quit } = begun(1);
  turnstile.enter(batch([1, 2, 3]));
  await room(1);
  expect(uids()).toEqual([[1]]);
  turnstile.putDown(({ epoch: its }) => its !== epoch);
  expect(down).toEqual([]);
  quit.abort();
  await room(2);
  turnstile.putDown();
  expect(down).toEqual([2]);
  expect(uids()).toEqual([[1]]);
});
