/** What may be used of an account: limits over any span, what is left for new mail, and what a restart remembers. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { Clock } from '../../src/domain/ports.ts';
import type { RateLimit } from '../../src/domain/route.ts';
import { Budgets } from '../../src/forward/budget.ts';
import { NO_LOAD } from '../../src/forward/traffic.ts';
import { Usage } from '../../src/forward/usage.ts';
import { memoryJournal } from '../support/memory-journal.ts';
import { routeOf } from './rig.ts';

const MINUTE = 60_000;
const OLD = { fresh: false, single: false };
const FRESH = { fresh: true, single: true };
const one = { messages: 1, bytes: 100 };

/** A clock that stands still until it is set. */
function stopped(at = 1_800_000_000_000): Clock & { at: number } {
  const clock = { at, now: () => clock.at, ticks: () => clock.at, sleep: async () => undefined };
  return clock;
}

function usageAt(clock: Clock, ...limits: RateLimit[]): Usage {
  const spans = new Set(limits.map(({ within }) => within));
  return new Usage({ account: 'a', side: 'source' }, spans, clock, () => []);
}

const messages = (most: number, within = MINUTE): RateLimit => ({ of: 'messages', most, within });
const bytes = (most: number, within = MINUTE): RateLimit => ({ of: 'bytes', most, within });

describe('a limit', () => {
  it('leaves a tenth to new mail, and all of it to nobody', () => {
    const limit = messages(20);
    const usage = usageAt(stopped(), limit);
    for (let i = 0; i < 18; i++) {
      expect(usage.wait([limit], one, OLD)).toBe(0);
      usage.add(one);
    }
    expect(usage.wait([limit], one, OLD)).toBeGreaterThan(0);
    for (let i = 0; i < 2; i++) {
      expect(usage.wait([limit], one, FRESH)).toBe(0);
      usage.add(one);
    }
    expect(usage.wait([limit], one, FRESH)).toBeGreaterThan(0);
  });

  it('of a single message is that message', () => {
    const limit = messages(1);
    const usage = usageAt(stopped(), limit);
    expect(usage.wait([limit], one, OLD)).toBe(0);
    usage.add(one);
    expect(usage.wait([limit], one, OLD)).toBeGreaterThan(0);
  });

  it('is one for bytes as for messages, and the strictest counts', () => {
    const limits = [messages(100), bytes(1000), bytes(2000, 10 * MINUTE)];
    const clock = stopped();
    const usage = usageAt(clock, ...limits);
    const load = { messages: 1, bytes: 800 };
    expect(usage.wait(limits, load, OLD)).toBe(0);
    usage.add(load);
    const wait = usage.wait(limits, load, OLD);
    expect(wait).toBeGreaterThanOrEqual(MINUTE);
    clock.at += wait;
    usage.add(load);
    expect(usage.wait(limits, load, OLD)).toBeGreaterThan(7 * MINUTE);
  });

  it('lets nobody wait who asks nothing of it', () => {
    const usage = usageAt(stopped(), messages(1));
    usage.add(one);
    expect(usage.wait([messages(1)], NO_LOAD, OLD)).toBe(0);
  });

  it('says how long to wait: never too short, and at most a fiftieth of its span too long', () => {
    const limit = messages(1);
    for (const since of [0, 1, 599, 1199]) {
      const clock = stopped(1_800_000_000_000 + since);
      const usage = usageAt(clock, limit);
      usage.add(one);
      const wait = usage.wait([limit], one, OLD);
      expect(wait).toBeGreaterThanOrEqual(MINUTE);
      expect(wait).toBeLessThanOrEqual(MINUTE + MINUTE / 50);
      clock.at += wait - 1;
      expect(usage.wait([limit], one, OLD)).toBe(1);
      clock.at += 1;
      expect(usage.wait([limit], one, OLD)).toBe(0);
    }
  });

  it('lets a message that is larger go alone, beside no more than what new mail has of it', () => {
    const limit = bytes(1000);
    const huge = { messages: 1, bytes: 5000 };
    const clock = stopped();
    const usage = usageAt(clock, limit);
    const alone = { fresh: false, single: true };
    usage.add({ messages: 1, bytes: 101 });
    expect(usage.wait([limit], huge, alone)).toBeGreaterThan(0);
    clock.at += 2 * MINUTE;
    usage.add({ messages: 1, bytes: 100 });
    expect(usage.wait([limit], huge, alone)).toBe(0);
    // Two that are larger together are no reason to let them both go.
    expect(usage.wait([limit], huge, OLD)).toBeGreaterThan(0);
  });

  it('is kept to within any span, however mail comes', () => {
    const limits = [messages(10, MINUTE), bytes(5000, 3 * MINUTE)];
    const clock = stopped();
    const usage = usageAt(clock, ...limits);
    const used: { at: number; messages: number; bytes: number }[] = [];
    let state = 7;
    const below = (n: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state % n;
    };
    for (let i = 0; i < 3000; i++) {
      clock.at += below(9000);
      const load = { messages: 1 + below(4), bytes: 50 + below(700) };
      const claim = { fresh: below(3) === 0, single: false };
      if (usage.wait(limits, load, claim) > 0) continue;
      usage.add(load);
      used.push({ at: clock.at, ...load });
    }
    for (const { of, most, within } of limits) {
      const sums = used.map(({ at }) =>
        used
          .filter((each) => each.at >= at && each.at < at + within)
          .reduce((sum, each) => sum + each[of], 0),
      );
      expect(Math.max(...sums)).toBeLessThanOrEqual(most);
      expect(Math.max(...sums)).toBeGreaterThan(most * 0.8);
    }
  });

  it('has room for small mail before a large one that waits, which waits no longer for it', () => {
    const limits = [messages(10, MINUTE), bytes(5000, 3 * MINUTE)];
    for (let round = 1; round <= 50; round++) {
      const clock = stopped();
      const usage = usageAt(clock, ...limits);
      for (let i = 0; i < 6; i++) {
        usage.add({ messages: 1, bytes: 50 * round });
        clock.at += 997 * round;
      }
      const large = { messages: 1, bytes: 4900 };
      const until = clock.at + usage.wait(limits, large, FRESH);
      for (let i = 1; ; i++) {
        const ms = usage.wait(limits, large, FRESH);
        expect(clock.at + ms).toBeLessThanOrEqual(until);
        if (ms === 0) break;
        const room = usage.before(ms, limits, large, FRESH);
        const small = { messages: 1, bytes: (i * 37 * round) % 60 };
        if (small.messages <= room.messages && small.bytes <= room.bytes) usage.add(small);
        clock.at += Math.min(ms, 3001);
      }
    }
  });

  it('smaller than a new message leaves a tenth to what is new and small meanwhile', () => {
    const limit = bytes(1000);
    const huge = { messages: 1, bytes: 5000 };
    const clock = stopped();
    const usage = usageAt(clock, limit);
    usage.add({ messages: 1, bytes: 400 });
    clock.at += MINUTE / 50;
    const ms = usage.wait([limit], huge, FRESH);
    expect(usage.before(ms, [limit], huge, FRESH).bytes).toBe(100);
    usage.add({ messages: 1, bytes: 60 });
    expect(usage.before(ms, [limit], huge, FRESH).bytes).toBe(40);
  });

  it('lets nobody wait longer than its span where the clock was set back', () => {
    const limit = messages(1);
    const clock = stopped();
    const usage = usageAt(clock, limit);
    usage.add(one);
    clock.at -= 1000 * MINUTE;
    const wait = usage.wait([limit], one, OLD);
    expect(wait).toBeGreaterThan(0);
    clock.at += wait;
    expect(usage.wait([limit], one, OLD)).toBe(0);
  });
});

describe('a budget', () => {
  const limited = (most: number, changes = {}) => {
    const route = routeOf(changes);
    return { ...route, destination: { ...route.destination, rateLimits: [messages(most)] } };
  };
  const loads = (count: number) => ({
    source: NO_LOAD,
    destination: { messages: count, bytes: 0 },
  });

  it('is remembered by the next life', () => {
    const [clock, journal] = [stopped(), memoryJournal()];
    const route = limited(10);
    const spent = new Budgets([route], journal, clock).of(route).spend(loads(9));
    spent.traffic.appending(Array(9).fill({ size: 0 }));
    const budget = new Budgets([route], journal, clock).of(route);
    expect(budget.wait(loads(1), OLD)).toEqual({ ms: expect.any(Number), side: 'destination' });
    expect(budget.wait(loads(1), OLD).ms).toBeGreaterThan(0);
    clock.at += 2 * MINUTE;
    const later = new Budgets([route], journal, clock).of(route);
    expect(later.wait(loads(9), OLD).ms).toBe(0);
  });

  it('counts what was really asked once that is known', () => {
    const [clock, journal] = [stopped(), memoryJournal()];
    const route = limited(10);
    const budget = new Budgets([route], journal, clock).of(route);
    const spent = budget.spend(loads(9));
    spent.traffic.appending([{ size: 1 }, { size: 1 }]);
    spent.settle();
    spent.settle();
    const after = new Budgets([route], journal, clock).of(route);
    for (const each of [budget, after]) {
      expect(each.wait(loads(7), OLD).ms).toBe(0);
      expect(each.wait(loads(8), OLD).ms).toBeGreaterThan(0);
    }
  });

  it('is reserved until it is asked, and counts from then on; what is asked beyond counts as well', () => {
    const [clock, journal] = [stopped(), memoryJournal()];
    const route = limited(10);
    const budget = new Budgets([route], journal, clock).of(route);
    const left = (of = budget) =>
      [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].find((count) => of.wait(loads(count), OLD).ms === 0);
    const spent = budget.spend(loads(3));
    clock.at += 5 * MINUTE;
    expect(left()).toBe(6);
    spent.traffic.appending(Array(2).fill({ size: 0 }));
    expect(left()).toBe(6);
    clock.at += 2 * MINUTE;
    expect(left()).toBe(8);
    spent.traffic.appending(Array(4).fill({ size: 0 }));
    expect(left()).toBe(5);
    expect(left(new Budgets([route], journal, clock).of(route))).toBe(5);
    spent.settle();
    expect(left()).toBe(5);
  });

  it('has room for a further attempt, or says how long there is none and reserves nothing', () => {
    const [clock, journal] = [stopped(), memoryJournal()];
    const route = limited(10);
    const budget = new Budgets([route], journal, clock).of(route);
    const spent = budget.spend(loads(4));
    const append = () => spent.traffic.appending(Array(4).fill({ size: 0 }));
    // Nothing was asked yet: what is reserved is enough.
    expect(spent.again(loads(4), OLD).ms).toBe(0);
    append();
    expect(spent.again(loads(4), OLD).ms).toBe(0);
    expect(budget.wait(loads(2), OLD).ms).toBeGreaterThan(0);
    append();
    const wait = spent.again(loads(4), OLD);
    expect(wait).toEqual({ ms: expect.any(Number), side: 'destination' });
    expect(budget.wait(loads(1), OLD).ms).toBe(0);
    clock.at += wait.ms;
    expect(spent.again(loads(4), OLD).ms).toBe(0);
  });

  it('is shared by the routes of an account, each of which holds to its own limit', () => {
    const [clock, journal] = [stopped(), memoryJournal()];
    const mum = limited(10, { name: 'mum' });
    const dad = limited(20, { name: 'dad' });
    const son = routeOf({ name: 'son' });
    const other = {
      ...limited(10, { name: 'other' }),
      destination: { ...mum.destination, user: 'b' },
    };
    const budgets = new Budgets([mum, dad, son, other], journal, clock);
    budgets.of(son).spend(loads(9));
    expect(budgets.of(mum).wait(loads(1), OLD).ms).toBeGreaterThan(0);
    expect(budgets.of(dad).wait(loads(9), OLD).ms).toBe(0);
    expect(budgets.of(dad).wait(loads(10), OLD).ms).toBeGreaterThan(0);
    expect(budgets.of(son).wait(loads(1000), OLD).ms).toBe(0);
    expect(budgets.of(other).wait(loads(1), OLD).ms).toBe(0);
  });

  it('counts nothing where no route of the account has a limit', () => {
    const route = routeOf();
    expect(new Budgets([route], memoryJournal(), stopped()).of(route).counts).toBe(false);
  });

  it('goes on, and is noted later, where the journal can not be written', () => {
    const [clock, journal] = [stopped(), memoryJournal()];
    const route = limited(10);
    let full = true;
    const stubborn = {
      ...journal,
      noteUse: (...notes: Parameters<typeof journal.noteUse>) => {
        if (full) throw new Failure('full', { step: 'journal', scope: 'account' });
        journal.noteUse(...notes);
      },
    };
    const budget = new Budgets([route], stubborn, clock).of(route);
    const { traffic } = budget.spend(loads(6));
    traffic.appending(Array(5).fill({ size: 0 }));
    expect(budget.wait(loads(4), OLD).ms).toBeGreaterThan(0);
    full = false;
    traffic.appending([{ size: 0 }]);
    const after = new Budgets([route], journal, clock).of(route);
    expect(after.wait(loads(3), OLD).ms).toBe(0);
    expect(after.wait(loads(4), OLD).ms).toBeGreaterThan(0);
  });
});
