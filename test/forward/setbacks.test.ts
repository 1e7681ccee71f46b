/** What has gone wrong before decides how it goes on: deaths of the process, refusals in a row, refusals within a minute. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { Clock } from '../../src/domain/ports.ts';
import { Allowance } from '../../src/forward/allowance.ts';
import { systemClock } from '../../src/forward/clock.ts';
import { PACE } from '../../src/forward/pace.ts';
import { Strikes } from '../../src/forward/strikes.ts';
import { fails } from '../support/memory-mail.ts';
import { letter, Rig } from './rig.ts';

describe('a message that was in hand when imapferry died', () => {
  /** Letters, with one in hand at so many deaths; then a life. */
  async function afterDeaths(rig: Rig, deaths: number): Promise<void> {
    for (let i = 1; i <= 5; i++) rig.source.put(letter(`letter ${i}`));
    const { uidValidity } = rig.source.folder();
    for (let i = 0; i < deaths; i++) {
      rig.rows.takeUp({ folder: 'INBOX', uidValidity }, [3]);
      rig.journal.begin();
    }
    rig.start();
  }
  const fetched = (rig: Rig) =>
    rig.source.calls.flatMap(({ name, uids }) => (name === 'fetch' && uids ? [uids] : []));

  it('once travels with the others', async () => {
    await using rig = new Rig();
    await afterDeaths(rig, 1);
    await rig.empty();
    expect(fetched(rig)).toContainEqual([1, 2, 3, 4, 5]);
    rig.oracle.assert({ carried: true });
  });

  it('twice travels alone, with nothing else in hand', async () => {
    await using rig = new Rig();
    await afterDeaths(rig, 2);
    await rig.empty();
    expect(fetched(rig)).toContainEqual([1, 2, 4, 5]);
    expect(fetched(rig)).toContainEqual([3]);
    rig.oracle.assert({ carried: true });
  });

  it('three times is set aside and told, and is tried again later', async () => {
    await using rig = new Rig();
    await afterDeaths(rig, 3);
    await rig.until('the others are carried', () => rig.count('delivery.done') === 4);
    await rig.saw('delivery.refused');
    expect(rig.told.find(({ event }) => event === 'delivery.refused')).toMatchObject({
      uid: 3,
      why: 'imapferry ended 3 times without warning while it had this message in hand.',
    });
    await rig.empty();
    expect(rig.count('delivery.refused')).toBe(1);
    rig.oracle.assert({ carried: true });
  });

  it('three times goes its way where it is proven already', async () => {
    await using rig = new Rig();
    const no = new Failure('no', { step: 'retire', scope: 'account' });
    rig.source.plan('expunge', { fails: no });
    rig.source.put(letter());
    rig.start({ pace: { holdFirst: 60_000, holdLongest: 60_000 } });
    await rig.saw('delivery.postponed');
    await rig.stop();
    expect(rig.rows.count('proven')).toBe(1);
    const { uidValidity } = rig.source.folder();
    for (let i = 0; i < 3; i++) {
      rig.rows.takeUp({ folder: 'INBOX', uidValidity }, [1]);
      rig.journal.begin();
    }
    rig.start();
    await rig.empty();
    expect(rig.count('delivery.refused')).toBe(0);
    rig.oracle.assert({ carried: true });
  });
});

describe('refusals whose reason is not known', () => {
  const unknown = () =>
    new Failure('The server refused: 42.', { step: 'append', scope: 'message' });

  it('of one message are its own, and the rest goes on', async () => {
    await using rig = new Rig();
    rig.destination.manners.refuses = (bytes) => (bytes.includes('bad') ? unknown() : undefined);
    for (const body of ['bad 1', 'good 1', 'bad 2', 'bad 3', 'good 2'])
      rig.source.put(letter(body));
    rig.start();
    await rig.until('the good ones are carried', () => rig.count('delivery.done') === 2);
    await rig.until('the others are told', () => rig.count('delivery.refused') === 3);
    expect(rig.count('delivery.postponed')).toBe(0);
  });

  it('of one message are told once, whatever number or time stands in the words', async () => {
    await using rig = new Rig();
    let nth = 0;
    rig.destination.manners.refuses = () =>
      new Failure(`The server refused: queue id ${++nth}F at 10:00:0${nth}.`, {
        step: 'append',
        scope: 'message',
      });
    rig.source.put(letter());
    rig.start({ pace: { refusedFirst: 5, refusedLongest: 5 } });
    await rig.until('it is tried again', () => nth >= 4);
    expect(rig.count('delivery.refused')).toBe(1);
  });

  it("of three messages in a row are the folder's, which rests, is watched, and is taken up again", async () => {
    await using rig = new Rig();
    let strict = true;
    rig.destination.manners.refuses = () => (strict ? unknown() : undefined);
    for (let i = 1; i <= 3; i++) rig.source.put(letter(`letter ${i}`));
    rig.start();
    await rig.until('it rests', () => rig.count('delivery.postponed') >= 2);
    expect(rig.count('delivery.refused')).toBe(0);
    const told = rig.told.find(({ event }) => event === 'delivery.postponed');
    expect(told?.why).toMatch(/^The destination refuses message after message.* 42\.$/);
    rig.source.put(letter('one more'));
    await rig.until('it is noticed', () => rig.count('watcher.noticed') > 0);
    strict = false;
    await rig.empty();
    expect(rig.count('route.resumed')).toBe(1);
    rig.oracle.assert({ carried: true });
  });

  it('of messages that come one after another count together', async () => {
    await using rig = new Rig();
    rig.destination.manners.refuses = unknown;
    rig.start();
    for (let i = 1; i <= 2; i++) {
      rig.source.put(letter(`letter ${i}`));
      await rig.until('it is set aside', () => rig.count('delivery.refused') === i);
    }
    rig.source.put(letter('the third'));
    await rig.until('it rests', () => rig.count('delivery.postponed') > 0);
    expect(rig.count('delivery.refused')).toBe(2);
  });

  it("of a row are those messages' own once the folder has taken another", () => {
    const strikes = new Strikes();
    for (const original of ['a', 'b', 'c']) strikes.refused('INBOX', original);
    expect(strikes.out('INBOX', 'c')).toBe(true);
    strikes.stored('INBOX');
    for (const original of ['a', 'b', 'c', 'd']) strikes.refused('INBOX', original);
    expect(['a', 'b', 'c', 'd'].map((original) => strikes.out('INBOX', original))).toEqual(
      Array(4).fill(false),
    );
    for (const original of ['e', 'f']) strikes.refused('INBOX', original);
    expect(strikes.out('INBOX', 'f')).toBe(true);
    expect(strikes.out('INBOX', 'a')).toBe(false);
  });

  it('of one message again and again are one, and folders count for themselves', () => {
    const strikes = new Strikes();
    for (let i = 0; i < 5; i++) strikes.refused('INBOX', 'a');
    expect(strikes.out('INBOX', 'a')).toBe(false);
    strikes.refused('INBOX', 'b');
    strikes.refused('Sent', 'c');
    expect(strikes.out('Sent', 'c')).toBe(false);
    expect(strikes.out('INBOX', 'b')).toBe(false);
  });
});

describe('an allowance of six refused attempts a minute', () => {
  /** A clock that goes on only where somebody sleeps. */
  function clock(): Clock {
    let ticks = 5;
    return {
      now: () => 0,
      ticks: () => ticks,
      async sleep(ms, signal) {
        signal.throwIfAborted();
        ticks += ms;
      },
    };
  }

  const refused = () => true;
  const never = new AbortController().signal;

  it('lets the seventh wait until the first is a minute old, whatever goes well meanwhile', async () => {
    const time = clock();
    const allowance = new Allowance(time, PACE);
    const at: number[] = [];
    for (let i = 0; i < 40; i++) {
      const bad = i % 2 === 0;
      await allowance.attempt(
        async () => {
          if (bad) at.push(time.ticks());
          await time.sleep(1000, never);
        },
        never,
        () => bad,
      );
    }
    for (const start of at) {
      const within = at.filter((other) => other >= start && other < start + 60_000);
      expect(within.length).toBeLessThanOrEqual(6);
    }
    expect(at[6]).toBeGreaterThanOrEqual((at[0] ?? 0) + 60_000);
  });

  it('counts those under way once one was refused', async () => {
    const time = { ...clock(), sleep: () => new Promise<void>(() => undefined) };
    const allowance = new Allowance(time, PACE);
    await allowance.attempt(async () => undefined, never, refused);
    let begun = 0;
    const ends: (() => void)[] = [];
    const attempt = () =>
      allowance.attempt(
        () => {
          begun++;
          return new Promise<void>((resolve) => ends.push(resolve));
        },
        never,
        () => false,
      );
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    const six = Array.from({ length: 6 }, attempt);
    await settle();
    expect(begun).toBe(5);
    ends[0]?.();
    await settle();
    expect(begun).toBe(6);
    for (const end of ends) end();
    await Promise.all(six);
  });

  it('bounds nothing that is not refused, and nothing that waits side by side', async () => {
    const time = clock();
    const allowance = new Allowance(time, PACE);
    const some = Array.from({ length: 1000 }, () =>
      allowance.attempt(
        async () => undefined,
        never,
        () => false,
      ),
    );
    await Promise.all(some);
    expect(time.ticks()).toBe(5);
  });

  it('ends its wait when imapferry stops', async () => {
    const allowance = new Allowance({ ...clock(), sleep: systemClock.sleep }, PACE);
    for (let i = 0; i < 6; i++) await allowance.attempt(async () => undefined, never, refused);
    const stop = new AbortController();
    const waits = allowance.attempt(async () => undefined, stop.signal, refused);
    stop.abort(new Error('stop'));
    await expect(waits).rejects.toThrow('stop');
  });
});

describe('a message that can not be had for itself', () => {
  const toItself = (lasting: boolean) =>
    fails(new Failure('It can not be had.', { step: 'fetch', scope: 'message', lasting }));

  it('is set aside, and why is told, where that lasts', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    rig.source.plan('fetch', toItself(true));
    rig.start();
    await rig.saw('delivery.refused');
    expect(rig.told.find(({ event }) => event === 'delivery.refused')?.why).toBe(
      'It can not be had.',
    );
    await rig.empty();
    rig.oracle.assert({ carried: true });
  });

  it('is postponed without further tries, where that may be otherwise next time', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    rig.source.plan('fetch', toItself(false));
    const { failures } = await rig.sweep();
    expect(failures).toMatchObject([{ failure: { message: 'It can not be had.' } }]);
    expect(rig.count('delivery.postponed')).toBe(1);
    expect(rig.count('delivery.retried')).toBe(0);
    expect(rig.source.folder().messages).toHaveLength(1);
    await rig.sweep();
    rig.oracle.assert({ carried: true });
  });
});
