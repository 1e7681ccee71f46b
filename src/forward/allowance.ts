/** How often what a server refuses may be tried again: so many times within any minute, whoever asks. */
import type { Clock } from '../domain/ports.ts';
import type { Pace } from './pace.ts';

export class Allowance {
  readonly #clock: Clock;
  readonly #pace: Pace;
  /** When the latest refused attempts were (clock ticks), the earliest first. */
  #refused: number[] = [];

  constructor(clock: Clock, pace: Pace) {
    this.#clock = clock;
    this.#pace = pace;
  }

  /** An attempt was refused. */
  refused(): void {
    this.#refused = [...this.#refused, this.#clock.ticks()].slice(-this.#pace.refusals);
  }

  /** Resolves once another attempt may be made; rejects with the signal's reason as soon as it aborts. */
  async another(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const { refusals, refusalsWithin } = this.#pace;
      const [earliest] = this.#refused;
      if (earliest === undefined || this.#refused.length < refusals) return;
      const left = earliest + refusalsWithin - this.#clock.ticks();
      if (left <= 0) return;
      await this.#clock.sleep(left, signal);
    }
  }
}
