/**
 * How many batches a route has in flight. Each time that a server asks it to go slower it pauses, as long as the server says
 * or twice as long as the last time, and goes on with half as many; while that goes well it recovers one step at a time.
 */
import type { Clock } from '../domain/ports.ts';
import { doubled, type Pace } from './pace.ts';

/** Beyond this many steps nothing gets slower any more. */
const SLOWEST = 8;

export class Tempo {
  readonly #most: number;
  readonly #world: { readonly clock: Clock; readonly pace: Pace };
  readonly #apply: (inFlight: number) => void;
  #steps = 0;
  /** When the last step was taken, or the pause that came with it ended (clock ticks). */
  #since = 0;

  /** @param apply has so many batches in flight from now on */
  constructor(
    most: number,
    world: { readonly clock: Clock; readonly pace: Pace },
    apply: (inFlight: number) => void,
  ) {
    this.#most = most;
    this.#world = world;
    this.#apply = apply;
  }

  get inFlight(): number {
    return Math.max(1, Math.floor(this.#most / 2 ** this.#steps));
  }

  /** How long to pause before the next batch. */
  slower(retryAfter = 0): number {
    const { clock, pace } = this.#world;
    const pause = Math.max(retryAfter, doubled(pace.holdFirst, this.#steps, pace.holdLongest));
    this.#steps = Math.min(this.#steps + 1, SLOWEST);
    this.#since = clock.ticks() + pause;
    this.#apply(this.inFlight);
    return pause;
  }

  /** A batch came through. */
  wentWell(): void {
    const { clock, pace } = this.#world;
    if (this.#steps === 0 || clock.ticks() - this.#since < pace.recover) return;
    this.#steps--;
    this.#since = clock.ticks();
    this.#apply(this.inFlight);
  }
}
