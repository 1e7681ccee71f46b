/**
 * How often what a server refuses may be tried again: so many attempts within any minute, whoever makes them. While
 * nothing was refused, there is no bound.
 */
import type { Clock } from '../domain/ports.ts';
import type { Pace } from './pace.ts';

export class Allowance {
  readonly #clock: Clock;
  readonly #pace: Pick<Pace, 'refusals' | 'refusalsWithin'>;
  /** When the refused attempts of the last minute were (clock ticks), the earliest first. */
  #refused: number[] = [];
  #underWay = 0;
  #ended = Promise.withResolvers<void>();

  constructor(clock: Clock, pace: Pick<Pace, 'refusals' | 'refusalsWithin'>) {
    this.#clock = clock;
    this.#pace = pace;
  }

  /**
   * Runs an attempt as soon as there may be another. Rejects with the signal's reason where that aborts before.
   * @param wasRefused whether what it came to, or threw, counts
   */
  async attempt<T>(
    work: () => Promise<T>,
    signal: AbortSignal,
    wasRefused: (came: { value: T } | { thrown: unknown }) => boolean,
  ): Promise<T> {
    await this.#begin(signal);
    let counts = false;
    try {
      const value = await work();
      counts = wasRefused({ value });
      return value;
    } catch (thrown) {
      counts = wasRefused({ thrown });
      throw thrown;
    } finally {
      this.#underWay--;
      if (counts) this.#refused.push(this.#clock.ticks());
      this.#ended.resolve();
      this.#ended = Promise.withResolvers<void>();
    }
  }

  /** Waits while those that were refused, and those that may be, make up the allowance; then one more is under way. */
  async #begin(signal: AbortSignal): Promise<void> {
    const { refusals, refusalsWithin } = this.#pace;
    for (;;) {
      signal.throwIfAborted();
      const since = this.#clock.ticks() - refusalsWithin;
      this.#refused = this.#refused.filter((at) => at > since);
      const [earliest] = this.#refused;
      if (earliest === undefined || this.#refused.length + this.#underWay < refusals) break;
      await this.#until(earliest - since, signal);
    }
    // At once, before anybody else asks.
    this.#underWay++;
  }

  /** Waits so long, or until an attempt has ended. */
  async #until(ms: number, signal: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const slept = this.#clock.sleep(ms, AbortSignal.any([signal, enough.signal]));
    slept.catch(() => undefined);
    await Promise.race([slept, this.#ended.promise]).finally(() => enough.abort());
  }
}
