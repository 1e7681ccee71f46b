/** How far a drain has come: counted as mail is taken in hand and carried, told while it is long. */
import { expect, it } from 'vitest';
import { Drain } from '../../src/forward/drain.ts';
import { HandClock } from '../support/hand-clock.ts';
import { meanwhile } from '../support/memory-mail.ts';
import { letter, Rig } from './rig.ts';

it('counts what is carried and what is left, and says how long that will take', () => {
  const clock = new HandClock();
  const drain = new Drain(clock);
  drain.took({ messages: 10, bytes: 10_000 });
  expect(drain.progress).toMatchObject({ count: 0, bytes: 0, left: 10 });
  expect(drain.progress.eta).toBeUndefined();
  clock.advance(1000);
  for (let i = 0; i < 5; i++) drain.hear('delivery.done', { bytes: 1000 });
  drain.letGo({ messages: 5, bytes: 5000 });
  const { count, bytes, left, rate, eta = 0 } = drain.progress;
  expect({ count, bytes, left }).toEqual({ count: 5, bytes: 5000, left: 5 });
  expect(rate).toBeGreaterThan(4000);
  expect(rate).toBeLessThanOrEqual(5000);
  expect(eta).toBeGreaterThanOrEqual(1000);
  expect(eta).toBeLessThan(1500);
});

it('begins anew once nothing was in hand', () => {
  const drain = new Drain(new HandClock());
  for (let i = 0; i < 2; i++) {
    drain.took({ messages: 1, bytes: 10 });
    drain.hear('delivery.done', { bytes: 10 });
    drain.letGo({ messages: 1, bytes: 10 });
    expect(drain.progress).toMatchObject({ count: 1, left: 0 });
  }
});

it('knows of folders that are still to be looked at', () => {
  const drain = new Drain(new HandClock());
  drain.last();
  drain.expect(new Map(Object.entries({ INBOX: 10, Sent: 30 })));
  expect(drain.progress.left).toBe(40);
  drain.hear('folder.looked', { folder: 'INBOX' });
  drain.took({ messages: 8, bytes: 80 });
  expect(drain.progress.left).toBe(38);
});

it('is told of by run while it is long, and once when it is over', async () => {
  await using rig = new Rig();
  for (let i = 1; i <= 500; i++) rig.source.put(letter(`old ${i}`));
  rig.destination.plan('append', {}, {}, { takes: 60 });
  rig.start({ concurrency: 1, pace: { progress: 5 } });
  await rig.saw('drain.progress');
  await rig.empty();
  await rig.until('its end is told', () =>
    rig.told.some(({ event, left }) => event === 'drain.progress' && left === 0),
  );
  const lines = rig.told.filter(({ event }) => event === 'drain.progress');
  expect(lines.at(-1)).toMatchObject({ route: 'default', count: 500, left: 0 });
  expect(lines[0]?.bytes).toBeGreaterThan(1000);
  expect(lines[0]?.rate).toBeGreaterThan(0);
  // Where nothing is carried meanwhile, nothing is told.
  const counts = lines.map(({ count }) => count);
  expect(new Set(counts).size).toBe(counts.length);
});

it('is not told of on a quiet day', async () => {
  await using rig = new Rig();
  for (let i = 1; i <= 20; i++) rig.source.put(letter(`old ${i}`));
  rig.destination.plan('append', { takes: 30 });
  rig.start({ pace: { progress: 1 } });
  await rig.empty();
  rig.source.put(letter());
  await rig.empty();
  expect(rig.count('drain.progress')).toBe(0);
});

it('is there to be asked for while a sweep goes on, with what it has not looked at yet', async () => {
  const rig = new Rig('INBOX', 'Sent');
  for (let i = 1; i <= 20; i++) rig.source.put(letter(`old ${i}`));
  for (let i = 1; i <= 30; i++) rig.source.put(letter(`sent ${i}`), { folder: 'Sent' });
  const seen: { count: number; left: number }[] = [];
  const runner = rig.runner({}, new AbortController().signal);
  rig.destination.plan(
    'append',
    meanwhile(() => seen.push(runner.progress)),
  );
  await runner.sweep({ counts: true });
  expect(seen).toEqual([expect.objectContaining({ count: 0, left: 50 })]);
  expect(runner.progress).toMatchObject({ count: 50, left: 0 });
});
