/** A server that asks to go slower: the route pauses as told, goes on with fewer batches in flight, and recovers. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { PACE } from '../../src/forward/pace.ts';
import { Tempo } from '../../src/forward/tempo.ts';
import { verdictOf } from '../../src/imap/answers.ts';
import { HandClock } from '../support/hand-clock.ts';
import { fails, fine } from '../support/memory-mail.ts';
import { letter, Rig } from './rig.ts';

const MINUTE = 60_000;

/** What Gmail says (no time), and what Microsoft says. */
const SAID = '[OVERQUOTA] Account exceeded command or bandwidth limits.';
const throttled = (retryAfter?: number, step: 'append' | 'fetch' | 'verify' | 'look' = 'append') =>
  new Failure(`The server refused: ${SAID}`, {
    step,
    scope: 'account',
    kind: 'throttled',
    ...(retryAfter !== undefined && { retryAfter }),
  });

it('the words of Gmail and Microsoft are known as such', () => {
  expect(verdictOf('OVERQUOTA', SAID, 'append').kind).toBe('throttled');
  const microsoft = 'Request is throttled. Suggested Backoff Time: 92415 milliseconds';
  expect(verdictOf(undefined, microsoft, 'append').kind).toBe('throttled');
});

describe('the tempo', () => {
  function begun(most: number) {
    const clock = new HandClock();
    const applied: number[] = [];
    const tempo = new Tempo(most, { clock, pace: PACE }, (inFlight) => applied.push(inFlight));
    return { clock, applied, tempo };
  }

  it('halves what is in flight each time, to one, and pauses twice as long, as told at least', () => {
    const { tempo, applied } = begun(8);
    const pauses = [0, 0, 90 * MINUTE, 0, 0, 0, 0, 0, 0, 0].map((told) => tempo.slower(told));
    expect(applied.slice(0, 5)).toEqual([4, 2, 1, 1, 1]);
    expect(pauses.slice(0, 5)).toEqual([1, 2, 90, 8, 16].map((minutes) => minutes * MINUTE));
    expect(pauses.at(-1)).toBe(60 * MINUTE);
  });

  it('recovers one step at a time while it goes well, counted from the end of the pause', () => {
    const { tempo, applied, clock } = begun(4);
    tempo.slower();
    tempo.slower();
    tempo.wentWell();
    clock.advance(PACE.recover);
    tempo.wentWell();
    expect(tempo.inFlight).toBe(1);
    clock.advance(2 * MINUTE);
    tempo.wentWell();
    tempo.wentWell();
    expect(tempo.inFlight).toBe(2);
    clock.advance(PACE.recover);
    tempo.wentWell();
    clock.advance(PACE.recover);
    tempo.wentWell();
    expect(applied).toEqual([2, 1, 2, 4]);
  });
});

describe('run', () => {
  it.each(['append', 'fetch', 'read'] as const)(
    'goes on by itself after a throttled %s, and counts no message as refused',
    async (call) => {
      await using rig = new Rig();
      const side = call === 'fetch' ? rig.source : rig.destination;
      const steps = { append: 'append', fetch: 'fetch', read: 'verify' } as const;
      side.plan(call, fails(throttled(30, steps[call])));
      for (let i = 0; i < 20; i++) rig.source.put(letter(`old ${i}`));
      const began = performance.now();
      rig.start();
      await rig.saw('delivery.slowed');
      expect(rig.told.find(({ event }) => event === 'delivery.slowed')).toMatchObject({
        count: 20,
        ms: 30,
      });
      await rig.empty();
      expect(performance.now() - began).toBeGreaterThan(28);
      expect(rig.count('delivery.slowed')).toBe(1);
      expect(rig.count('delivery.refused') + rig.count('delivery.postponed')).toBe(0);
      await rig.saw('route.resumed');
      expect(rig.rows.aside()).toEqual([]);
      rig.oracle.assert({ carried: true });
    },
  );

  it('has fewer batches in flight afterwards', async () => {
    await using rig = new Rig();
    rig.destination.manners.batching = 'single';
    rig.destination.plan('append', fine, fails(throttled()));
    for (let i = 0; i < 400; i++) rig.source.put(letter(`old ${i}`));
    rig.start({ concurrency: 4, pace: { recover: 60_000 } });
    await rig.saw('delivery.slowed');
    await rig.saw('route.resumed');
    const before = rig.destination.calls.length;
    await rig.empty();
    const used = rig.destination.calls.slice(before).filter(({ name }) => name === 'append');
    expect(new Set(used.map(({ session }) => session)).size).toBeLessThanOrEqual(2);
    rig.oracle.assert({ carried: true });
  });
});

describe('sweep by command', () => {
  it.each([
    ['append', 'destination', 'append'],
    ['fetch', 'source', 'fetch'],
    ['uids', 'source', 'look'],
  ] as const)('waits after a throttled %s, and carries all', async (call, side, step) => {
    const rig = new Rig('INBOX', 'Sent');
    rig[side].plan(call, fails(throttled(30, step)), fails(throttled(30, step)));
    for (let i = 0; i < 20; i++) rig.source.put(letter(`old ${i}`));
    rig.source.put(letter(), { folder: 'Sent' });
    expect((await rig.sweep()).failures).toEqual([]);
    expect(rig.count('delivery.refused')).toBe(0);
    rig.oracle.assert({ carried: true });
  });

  it('ends at once when it is told to stop during the pause', async () => {
    const rig = new Rig();
    rig.destination.manners.batching = 'single';
    rig.destination.plan('append', fails(throttled(5 * MINUTE)));
    for (let i = 0; i < 250; i++) rig.source.put(letter(`old ${i}`));
    const stop = new AbortController();
    const swept = rig.runner({ concurrency: 1 }, stop.signal).sweep();
    await rig.saw('delivery.slowed');
    stop.abort(new Error('the test stops it'));
    await swept;
    rig.oracle.assert();
  });

  it('says so where the server wants too long a pause, and tries nothing more', async () => {
    const rig = new Rig();
    rig.destination.plan('append', fails(throttled(60 * MINUTE)));
    for (let i = 0; i < 20; i++) rig.source.put(letter(`old ${i}`));
    const { failures } = await rig.sweep();
    expect(failures.map(({ failure }) => failure.message)).toEqual([
      expect.stringContaining('bandwidth limits'),
    ]);
    expect(rig.destination.folder().messages).toHaveLength(0);
    expect((await rig.sweep()).failures).toEqual([]);
    rig.oracle.assert({ carried: true });
  });
});
