/** A clock that goes as time does, and further by hand: whoever sleeps wakes when his time has come by either. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/domain/ports.ts';
import { systemClock } from '../../src/forward/clock.ts';

export class HandClock implements Clock {
  #ahead = 0;
  readonly #sleepers = new Set<{ until: number; wake: () => void }>();
  /** Whoever would sleep longer than this (ms) has the clock go on for him. */
  #leap = Number.POSITIVE_INFINITY;

  /** A clock on which nobody sleeps for longer than so many ms. */
  static leaping(longest: number): HandClock {
    const clock = new HandClock();
    clock.#leap = longest;
    return clock;
  }

  now(): number {
    return systemClock.now() + this.#ahead;
  }

  ticks(): number {
    return systemClock.ticks() + this.#ahead;
  }

  /** So many ms have passed. */
  advance(ms: number): void {
    this.#ahead += ms;
    for (const sleeper of this.#sleepers) if (sleeper.until <= this.ticks()) sleeper.wake();
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (ms > this.#leap) {
      this.advance(ms);
      // Others have their turn, too.
      await setImmediate();
      return;
    }
    const woken = new AbortController();
    const sleeper = { until: this.ticks() + ms, wake: () => woken.abort() };
    this.#sleepers.add(sleeper);
    try {
      await systemClock.sleep(ms, AbortSignal.any([signal, woken.signal]));
    } catch (thrown) {
      if (!woken.signal.aborted || signal.aborted) throw thrown;
    } finally {
      this.#sleepers.delete(sleeper);
    }
  }
}
