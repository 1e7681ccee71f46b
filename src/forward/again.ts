/** When a folder that could not be looked through is looked through again, besides the sweeps: at growing intervals. */
import type { Failure } from '../domain/failure.ts';
import type { FolderPair } from '../domain/route.ts';
import { doubled } from './pace.ts';
import type { Works } from './works.ts';

export class Again {
  readonly #works: Works;
  readonly #pair: FolderPair;
  #times = 0;
  /** When the next look comes by itself (clock ticks). */
  #due = 0;

  constructor(works: Works, pair: FolderPair) {
    this.#works = works;
    this.#pair = pair;
  }

  /** It did not work. What is lasting waits for a sweep, or for a person. */
  failed({ lasting, retryAfter = 0 }: Failure): void {
    const { clock, pace, revisit } = this.#works;
    if (lasting || clock.ticks() < this.#due) return;
    const pause = Math.max(doubled(pace.holdFirst, this.#times++, pace.holdLongest), retryAfter);
    this.#due = clock.ticks() + pause;
    revisit(this.#pair, pause);
  }

  /** It worked. */
  looked(): void {
    this.#times = 0;
    this.#due = 0;
  }
}
