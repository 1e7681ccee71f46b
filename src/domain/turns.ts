/** Who may use a thing, in the order of asking: one alone, or some beside one another. */
import { Hold } from './hold.ts';

/** More than ever want it at a time. */
const ALL = 2 ** 31;

export class Turns {
  readonly #hold = new Hold(ALL);

  /** Resolves, or rejects, as `work` does, which begins when all that asked before are through. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#hold.use(ALL, work);
  }

  /** As `alone`, but `work` begins as soon as nobody else has it alone. */
  beside<T>(work: () => Promise<T>): Promise<T> {
    return this.#hold.use(1, work);
  }
}
