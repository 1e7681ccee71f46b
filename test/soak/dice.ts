/**
 * Chance that can be had again. A seed and a key make a sequence of numbers: a counter that steps by the golden ratio,
 * each value stirred by multiplying and shifting until no bit of it tells of the others. Whoever asks with the same seed
 * and the same key, at whatever time, is told the same.
 */
export class Dice {
  readonly #seed: number;
  readonly #key: string;
  #state: number;

  constructor(seed: number, key = '') {
    this.#seed = seed;
    this.#key = key;
    let state = Math.imul(seed, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32);
    for (const char of key) state = stirred(Math.imul(state, 31) + char.charCodeAt(0));
    this.#state = state;
  }

  /** A sequence of its own: what is drawn from it does not depend on what was drawn from others. */
  of(key: string): Dice {
    return new Dice(this.#seed, `${this.#key} ${key}`);
  }

  /** A number from 0 to just below 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return (stirred(this.#state) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to below `n`. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(all: readonly T[]): T {
    const one = all[this.below(all.length)];
    if (all.length === 0) throw new RangeError('There is nothing to pick from');
    return one as T;
  }

  /** One of the names, each as often as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const all = Object.entries<number>(weights) as [T, number][];
    let left = this.next() * all.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of all) {
      left -= weight;
      if (left < 0) return name;
    }
    return (all.at(-1) as [T, number])[0];
  }
}

function stirred(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x3c6ef35f);
  return bits ^ (bits >>> 16);
}
