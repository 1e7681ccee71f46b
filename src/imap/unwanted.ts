/**
 * Counts what a server sends that nobody asked for. None of it is kept, but a server that sends without end would keep us
 * busy with it, and with nothing else.
 */
import type { Unparsed } from './internals.ts';

/** What an answer costs, besides its bytes. */
const ANSWER = 1000;
/** How many small answers are borne between the beginnings of two steps, besides twice the largest one. */
const MOST = 20_000;

export class Unwanted {
  readonly #bearable: number;
  #cost = 0;
  #last = 0;

  /** @param largest the size of the largest answer that may be wanted, in bytes */
  constructor(largest: number) {
    this.#bearable = MOST * ANSWER + 2 * largest;
  }

  /** A step begins: what came before it counts no more. */
  begin(): void {
    this.#cost = 0;
  }

  /** Counts an answer that is about to be read. Says whether that is still borne. */
  bears({ payload, literals }: Unparsed): boolean {
    this.#last = literals.reduce((sum, { length }) => sum + length, ANSWER + payload.length);
    this.#cost += this.#last;
    return this.#cost <= this.#bearable;
  }

  /** The answer that is being read was asked for, and does not count. */
  wanted(): void {
    this.#cost -= this.#last;
    this.#last = 0;
  }
}
