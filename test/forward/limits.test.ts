/** Rate limits in the engine: what waits, what goes first, what goes on meanwhile, and what the next life remembers. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RateLimit } from '../../src/domain/route.ts';
import { HandClock } from '../support/hand-clock.ts';
import { closesBefore, meanwhile } from '../support/memory-mail.ts';
import { letter, Rig, type RigOptions, routeOf } from './rig.ts';

const HOUR = 3_600_000;
const perHour = (most: number): RateLimit => ({ of: 'messages', most, within: HOUR });
const bytesPerHour = (most: number): RateLimit => ({ of: 'bytes', most, within: HOUR });

function limited(side: 'source' | 'destination', ...rateLimits: RateLimit[]): RigOptions {
  return { [side]: { ...routeOf()[side], rateLimits } };
}

/** With old mail in INBOX, and a clock that goes on by hand. */
function rigWith(count: number, ...folders: string[]): { rig: Rig; clock: HandClock } {
  const rig = new Rig(...folders);
  const clock = new HandClock();
  rig.clock = clock;
  for (let i = 1; i <= count; i++) rig.source.put(letter(`old ${i}`));
  return { rig, clock };
}

const carried = (rig: Rig) => rig.destination.folder().messages.length;

/** How many messages were fetched, each as often as it was. */
const fetched = (rig: Rig) =>
  rig.source.calls.flatMap(({ name, uids }) => (name === 'fetch' ? (uids ?? []) : [])).length;

/** Until so many have arrived; then whatever could follow at once has had its time. */
async function arrived(rig: Rig, count: number): Promise<void> {
  await rig.until(`${count} have arrived`, () => rig.count('delivery.done') >= count);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(carried(rig)).toBe(count);
}

describe('a limit of messages an hour', () => {
  it('lets so many through, tells once until when the others wait, and lets them follow', async () => {
    const { rig, clock } = rigWith(40);
    await using _ = rig;
    rig.start(limited('destination', perHour(20)));
    await rig.saw('delivery.paced');
    await arrived(rig, 18);
    const [told] = rig.told.filter(({ event }) => event === 'delivery.paced');
    expect(told).toMatchObject({ side: 'destination', left: 22 });
    expect(told?.ms).toBeGreaterThan(HOUR - 1000);
    expect(Date.parse(told?.until ?? '')).toBeGreaterThan(Date.now() + HOUR - 2000);
    clock.advance(HOUR / 2);
    await arrived(rig, 18);
    expect(rig.count('delivery.paced')).toBe(1);
    clock.advance(HOUR);
    await rig.until('more have arrived', () => carried(rig) === 36);
    clock.advance(2 * HOUR);
    await rig.empty();
    rig.oracle.assert({ carried: true });
  });

  it('lets new mail overtake the old mail that waits for it', async () => {
    const { rig } = rigWith(40);
    await using _ = rig;
    rig.start(limited('destination', perHour(20)));
    await rig.saw('delivery.paced');
    await arrived(rig, 18);
    rig.source.put(letter('new'));
    await arrived(rig, 19);
    expect(rig.destination.folder().messages.at(-1)?.bytes.toString()).toContain('new');
    // It is told of new mail, too, as soon as that has to wait.
    rig.source.put(letter('new'));
    await arrived(rig, 20);
    rig.source.put(letter('new'));
    await rig.saw('delivery.paced', 2);
    expect(rig.told.findLast(({ event }) => event === 'delivery.paced')).toMatchObject({
      why: 'mail that has just come is among them',
      left: 23,
    });
    await arrived(rig, 20);
  });

  it('is shared by what is fetched for whatever reason, and holds for the source alone', async () => {
    const { rig } = rigWith(40);
    await using _ = rig;
    rig.start(limited('source', perHour(20)));
    await rig.saw('delivery.paced');
    await arrived(rig, 18);
    // One of them twice: whether both folders, with their one UIDVALIDITY, are two.
    expect(fetched(rig)).toBe(19);
    expect(rig.told.find(({ event }) => event === 'delivery.paced')?.side).toBe('source');
  });

  it('ends no stop: what waits is put down at once, and the next life remembers what was used', async () => {
    const { rig, clock } = rigWith(40);
    await using _ = rig;
    rig.start(limited('destination', perHour(20)));
    await rig.saw('delivery.paced');
    await arrived(rig, 18);
    await rig.stop();
    rig.start(limited('destination', perHour(20)));
    await rig.saw('delivery.paced', 2);
    await arrived(rig, 18);
    clock.advance(HOUR + HOUR / 50);
    await rig.until('it goes on', () => carried(rig) > 18);
    await rig.until('it is used up again', () => carried(rig) === 36);
    clock.advance(2 * HOUR);
    await rig.empty();
    rig.oracle.assert({ carried: true });
  });

  it('counts nothing of a message that is left at the source', async () => {
    const { rig } = rigWith(10);
    await using _ = rig;
    for (let i = 0; i < 10; i++) rig.source.put(letter('x'.repeat(5000)));
    rig.start({ ...limited('source', perHour(13)), maxMessageSize: 1000 });
    await rig.until('all others are carried', () => carried(rig) === 10);
    await rig.until('the large ones are told', () => rig.count('delivery.refused') === 10);
    expect(rig.count('delivery.paced')).toBe(0);
  });
});

describe('a limit of bytes an hour', () => {
  const size = Buffer.byteLength(letter('12345678'));

  it('counts a copy twice at the destination, as it is stored and as it is read back', async () => {
    await using rig = new Rig();
    rig.clock = new HandClock();
    for (let i = 0; i < 10; i++) rig.source.put(letter('12345678'));
    // Message-IDs grow by a digit now and then.
    rig.start(limited('destination', bytesPerHour(10 * (size + 8))));
    await rig.saw('delivery.paced');
    await arrived(rig, 4);
  });

  it('counts it once at the source', async () => {
    await using rig = new Rig();
    rig.clock = new HandClock();
    for (let i = 0; i < 20; i++) rig.source.put(letter('12345678'));
    rig.start(limited('source', bytesPerHour(10 * (size + 8))));
    await rig.saw('delivery.paced');
    await arrived(rig, 9);
  });

  it('that a large new message waits for keeps no small one waiting', async () => {
    const { rig, clock } = rigWith(0);
    await using _ = rig;
    rig.start(limited('source', bytesPerHour(100_000)));
    await rig.saw('folder.looked');
    rig.source.put(letter('first '.repeat(8000)));
    await arrived(rig, 1);
    rig.source.put(letter('large '.repeat(10_000)));
    await rig.saw('delivery.paced');
    rig.source.put(letter('Your login code is 4711'));
    await arrived(rig, 2);
    clock.advance(HOUR + HOUR / 50);
    await rig.empty();
    rig.oracle.assert({ carried: true });
  });

  it('that is smaller than a message lets it go alone', async () => {
    const { rig, clock } = rigWith(0);
    await using _ = rig;
    for (let i = 0; i < 3; i++) rig.source.put(letter('x'.repeat(5000)));
    rig.start(limited('destination', bytesPerHour(1000)));
    for (let count = 1; count <= 3; count++) {
      await arrived(rig, count);
      clock.advance(HOUR + HOUR / 50);
    }
    await rig.empty();
    rig.oracle.assert({ carried: true });
  });
});

describe('tries that fail after their messages were fetched', () => {
  const drops = (count: number) => Array.from({ length: count }, () => closesBefore);

  it('exceed no limit: the next one is made when there is room for it', async () => {
    const { rig, clock } = rigWith(40);
    await using _ = rig;
    rig.destination.plan('append', ...drops(4));
    rig.start({ ...limited('source', perHour(20)), pace: { settle: 0 } });
    for (let spans = 1; rig.source.folder().messages.length > 0; spans++) {
      const told = rig.told.length;
      await rig.until('something is tried', () => rig.told.length > told || told > 0);
      for (let still = 0, calls = -1; still < 20; still++) {
        if (calls !== rig.source.calls.length) still = 0;
        calls = rig.source.calls.length;
        await wait(2);
      }
      expect(fetched(rig)).toBeLessThanOrEqual(20 * spans);
      expect(spans).toBeLessThan(20);
      clock.advance(HOUR + HOUR / 50);
    }
    expect(rig.destination.planned('append')).toBe(0);
    // What waits has not failed.
    expect(rig.count('delivery.postponed')).toBe(0);
    rig.oracle.assert({ carried: true });
  });

  it('let all others through where one message is the culprit and there is room for no second try', async () => {
    const { rig, clock } = rigWith(20);
    await using _ = rig;
    rig.source.beforeEach(({ name, uids = [] }) => {
      if (name === 'fetch' && uids.includes(7)) rig.source.plan('fetch', closesBefore);
    });
    rig.start({ ...limited('source', perHour(20)), pace: { settle: 0 } });
    const others = () => carried(rig) === 19;
    for (let i = 0; i < 100 && !others(); i++) {
      await wait(20);
      clock.advance(HOUR + HOUR / 50);
    }
    expect(others()).toBe(true);
    rig.oracle.assert();
  });

  it('are made again by a sweep where there is room soon', async () => {
    const { rig } = rigWith(40);
    // So that nobody has to find out whether both folders are two.
    rig.destination.renumber();
    const clock = HandClock.leaping(10_000);
    rig.clock = clock;
    const fetches: { at: number; count: number }[] = [];
    rig.source.beforeEach(({ name, uids = [] }) => {
      if (name === 'fetch') fetches.push({ at: clock.now(), count: uids.length });
    });
    const minute: RateLimit = { of: 'messages', most: 10, within: 60_000 };
    rig.destination.plan('append', ...drops(3));
    const { failures } = await rig.sweep({ ...limited('source', minute), pace: { settle: 0 } });
    expect(failures).toEqual([]);
    expect(rig.count('delivery.retried')).toBe(3);
    for (const { at } of fetches) {
      const within = fetches.filter((each) => each.at >= at && each.at < at + 60_000);
      expect(within.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(10);
    }
    rig.oracle.assert({ carried: true });
  });

  it('end a sweep by command where that takes too long', async () => {
    const { rig } = rigWith(40);
    rig.destination.plan('append', ...drops(1));
    const { failures } = await rig.sweep(limited('source', perHour(20)));
    expect(failures.map(({ failure }) => failure.message)).toEqual([
      expect.stringMatching(
        /^40 messages stay .* SOURCE_RATE_LIMIT leaves no room for them before/,
      ),
    ]);
    expect(fetched(rig)).toBe(18);
    expect(carried(rig)).toBe(0);
  });

  it('of new mail use what is kept for it', async () => {
    const { rig } = rigWith(40);
    await using _ = rig;
    rig.start({ ...limited('source', perHour(30)), pace: { settle: 0 } });
    await arrived(rig, 27);
    rig.destination.plan('append', ...drops(1));
    rig.source.put(letter('new'));
    await arrived(rig, 28);
    // One of the first, whether both folders are two, and the new one twice.
    expect(fetched(rig)).toBe(30);
  });
});

describe('while a limit is used up', () => {
  it('folders without a watcher are looked after all the same', async () => {
    const { rig, clock } = rigWith(40, 'INBOX', 'Sent');
    await using _ = rig;
    const options = { ...limited('destination', perHour(20)), maxWatchers: 0 };
    rig.start({ ...options, pace: { notice: 5 } });
    await rig.saw('delivery.paced');
    await arrived(rig, 18);
    rig.source.put(letter('new'), { folder: 'Sent' });
    await rig.empty('Sent');
    expect(rig.destination.folder('Sent').messages).toHaveLength(1);
    expect(carried(rig)).toBe(18);
    clock.advance(HOUR + HOUR / 50);
    await rig.stop();
    rig.start({ ...options, pace: { notice: 5 } });
    await rig.until('it goes on', () => carried(rig) === 36);
  });

  it('a folder without a watcher makes way for another one, though it never has to wait for long', async () => {
    await using rig = new Rig('A', 'B');
    for (let i = 0; i < 1500; i++) rig.source.put(letter(), { folder: 'A' });
    // Each single wait is short; all of them are 15 s.
    const limit: RateLimit = { of: 'messages', most: 20, within: 200 };
    const few = { maxWatchers: 1, concurrency: 1, pace: { notice: 300 } };
    rig.start({ ...limited('source', limit), ...few });
    await rig.until('A is under way', () => rig.count('delivery.done') >= 20);
    rig.source.put(letter(), { folder: 'B' });
    await rig.empty('B');
    const left = rig.source.folder('A').messages.length;
    expect(left).toBeGreaterThan(300);
    await rig.until('A goes on', () => rig.source.folder('A').messages.length < left - 40);
    rig.oracle.assert();
  });

  it('a folder that is renumbered is begun anew, and what waited is not in its way', async () => {
    const { rig, clock } = rigWith(40);
    await using _ = rig;
    rig.start({ ...limited('destination', perHour(20)), sweepInterval: 20 });
    await rig.saw('delivery.paced');
    await arrived(rig, 18);
    rig.source.renumber('INBOX');
    clock.advance(1000);
    await rig.saw('folder.renumbered');
    clock.advance(3 * HOUR);
    await rig.until('it goes on', () => carried(rig) > 18);
    clock.advance(3 * HOUR);
    await rig.empty();
    rig.oracle.assert({ carried: true });
  });
});

describe('sweep by command', () => {
  it('waits for a limit that leaves room soon', async () => {
    const { rig } = rigWith(40);
    rig.clock = HandClock.leaping(500);
    const minute: RateLimit = { of: 'messages', most: 10, within: 60_000 };
    const { failures } = await rig.sweep(limited('destination', minute));
    expect(failures).toEqual([]);
    expect(carried(rig)).toBe(40);
    rig.oracle.assert({ carried: true });
  });

  it('says how many are left, and until when, where that takes too long', async () => {
    const { rig } = rigWith(40, 'INBOX', 'Sent');
    rig.source.put(letter('sent'), { folder: 'Sent' });
    const { failures } = await rig.sweep(limited('destination', perHour(20)));
    expect(failures).toHaveLength(1);
    expect(failures[0]?.failure.message).toMatch(
      /^23 messages stay at the source for now: DEST_RATE_LIMIT leaves no room for them before 2\d{3}-.*Z\. Run it again then\.$/,
    );
    expect(carried(rig)).toBe(18);
    rig.clock = HandClock.leaping(500);
    expect((await rig.sweep()).failures).toEqual([]);
    rig.oracle.assert({ carried: true });
  });

  it('ends at once when it is told to stop while it waits', async () => {
    const { rig } = rigWith(40);
    const stop = new AbortController();
    const minute: RateLimit = { of: 'messages', most: 10, within: 60_000 };
    const swept = rig.runner(limited('destination', minute), stop.signal).sweep();
    await rig.saw('delivery.paced');
    await arrived(rig, 9);
    const began = performance.now();
    stop.abort(new Error('the test stops it'));
    await swept;
    expect(performance.now() - began).toBeLessThan(1000);
    expect(carried(rig)).toBe(9);
  });

  it('counts what a dry run reads', async () => {
    const { rig } = rigWith(40);
    const { failures } = await rig.sweep({ ...limited('source', perHour(20)), dryRun: true });
    expect(rig.count('delivery.planned')).toBe(18);
    expect(failures[0]?.failure.message).toMatch(/^22 messages stay .* SOURCE_RATE_LIMIT/);
    expect(carried(rig)).toBe(0);
  });
});

it('mail that comes during a drain overtakes what waits, without a limit, too', async () => {
  await using rig = new Rig();
  for (let i = 1; i <= 1600; i++) rig.source.put(letter(`old ${i}`));
  let put = false;
  rig.destination.plan(
    'append',
    meanwhile(() => {
      rig.source.put(letter('brand new'));
      put = true;
    }),
  );
  rig.start({ concurrency: 1 });
  await rig.empty();
  expect(put).toBe(true);
  const at = rig.destination
    .folder()
    .messages.findIndex(({ bytes }) => bytes.includes('brand new'));
  // The four batches that were in flight, and one that may have begun before the news was there.
  expect(at).toBeLessThanOrEqual(1000);
  rig.oracle.assert({ carried: true });
});
