/** What is proven gives back its place and is retired in parties: what that saves, and what it must not hold up. */
import { expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { letter, Rig, type RigOptions } from './rig.ts';

const MINUTE = 60_000;

/** Old mail whose destination takes each message by itself: batches of 25, seven of which are under way at a time. */
function old(count: number): Rig {
  const rig = new Rig();
  rig.destination.manners.batching = 'single';
  for (let i = 0; i < count; i++) rig.source.put(letter());
  return rig;
}

/** Messages that were verified by now. */
const verified = (rig: Rig) =>
  rig.told
    .filter(({ event }) => event === 'delivery.verified')
    .reduce((sum, { count = 0 }) => sum + count, 0);

it('goes all together where it takes less than a party waits', async () => {
  await using rig = old(500);
  await rig.sweep({ pace: { gather: MINUTE } });
  rig.oracle.assert({ carried: true });
  expect(rig.source.count('expunge')).toBe(1);
});

it('goes two thousand at a time, so that new mail need not wait for all', async () => {
  await using rig = new Rig();
  for (let i = 0; i < 5000; i++) rig.source.put(letter());
  const parties: number[] = [];
  rig.source.beforeEach(({ name, uids = [] }) => {
    if (name === 'expunge') parties.push(uids.length);
  });
  await rig.sweep({ pace: { gather: MINUTE } });
  rig.oracle.assert({ carried: true });
  expect(Math.max(...parties)).toBeLessThan(2200);
  expect(parties.length).toBeLessThanOrEqual(4);
});

it('is told as it goes, while the source is what keeps it waiting', async () => {
  await using rig = old(1000);
  for (let i = 0; i < 100; i++) rig.source.plan('fetch', { takes: 30 });
  let most = 0;
  rig.source.beforeEach(() => {
    most = Math.max(most, verified(rig) - rig.count('delivery.done'));
  });
  await rig.sweep();
  expect(most).toBeLessThanOrEqual(750);
});

it('leaves at once when imapferry is to stop', async () => {
  await using rig = old(500);
  for (let i = 0; i < 100; i++) rig.source.plan('fetch', { takes: 20 });
  rig.start({ pace: { gather: MINUTE } });
  await rig.saw('delivery.verified', 5);
  await rig.stop();
  expect(rig.source.folder().messages).toHaveLength(500 - verified(rig));
});

it('is in nobody’s hand any more, should the process die', async () => {
  await using rig = old(100);
  rig.source.plan('mark', { takes: 300 });
  rig.start({ pace: { gather: 1 } });
  await rig.until('all is proven', () => verified(rig) === 100);
  const { uidValidity } = rig.source.folder();
  rig.journal.begin();
  expect(rig.rows.deaths({ folder: 'INBOX', uidValidity }).size).toBe(0);
});

it('is retired without a pause where nothing else is to be done', async () => {
  await using rig = old(1000);
  rig.destination.renumber('INBOX');
  await rig.sweep({ afterDelivery: { kind: 'keep' } });
  const before = rig.source.count('expunge');
  await rig.sweep({ pace: { gather: MINUTE } });
  expect(rig.source.folder().messages).toEqual([]);
  expect(rig.source.count('expunge') - before).toBe(1);
});

const ALL: RigOptions = { pace: { attemptFirst: 300 } };

it('no more batches are in hand than there are places where the destination hangs up at every APPEND', async () => {
  await using rig = old(750);
  for (let i = 0; i < 30; i++) rig.destination.plan('append', { closesBefore: true });
  const begun = new Set<string>();
  rig.source.beforeEach(({ name, uids }) => {
    if (name === 'fetch' && uids && rig.destination.planned('append') > 0) begun.add(uids.join());
  });
  await rig.sweep(ALL);
  // CONCURRENCY and three, and what begins when one of these is through.
  expect(begun.size).toBeLessThanOrEqual(10);
});

it('no more is sent than was under way when a server asks to go slower', async () => {
  await using rig = old(1000);
  let [nth, throttles] = [0, true];
  const fields = { step: 'append', scope: 'account', kind: 'throttled', retryAfter: 50 } as const;
  rig.destination.manners.refuses = () =>
    throttles && ++nth % 10 === 0 ? new Failure('Slow down.', fields) : undefined;
  for (let i = 0; i < 200; i++) rig.source.plan('fetch', { takes: 10 });
  rig.start({ pace: { gather: 1000 } });
  await rig.saw('delivery.slowed');
  throttles = false;
  expect(rig.count('delivery.appended')).toBeLessThanOrEqual(7);
});

it('a message that ends the connection each time it is fetched keeps no other', async () => {
  await using rig = old(150);
  rig.source.beforeEach(({ name, uids }) => {
    if (name === 'fetch' && uids?.includes(70)) rig.source.cut();
  });
  await rig.sweep();
  expect(rig.source.folder().messages.map(({ uid }) => uid)).toEqual([70]);
});
