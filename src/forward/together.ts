/** Work that costs as much for many as for one: what comes before its time, or while it is under way, is done together. */

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (why: unknown) => void;
}

export class Together<T> {
  readonly #weigh: (item: T) => number;
  readonly #most: number;
  readonly #waiting: Waiting<T>[] = [];
  /** Of all that waits. */
  #weight = 0;
  #enough = Promise.withResolvers<void>();
  #busy = false;

  /** @param most what is enough for one piece of work, which then takes no more */
  constructor(weigh: (item: T) => number = () => 1, most = Number.POSITIVE_INFINITY) {
    this.#weigh = weigh;
    this.#most = most;
  }

  /**
   * Resolves, or rejects, as the piece of work does that the item was part of.
   * @param time what is waited for before a piece of work begins; never rejects. `enough` resolves when it has enough
   */
  join(
    item: T,
    work: (items: readonly T[]) => Promise<void>,
    time: (enough: Promise<void>) => Promise<void>,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#weight += this.#weigh(item);
      this.#tell();
      if (!this.#busy) void this.#run(work, time);
    });
  }

  async #run(
    work: (items: readonly T[]) => Promise<void>,
    time: (enough: Promise<void>) => Promise<void>,
  ): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      await time(this.#enough.promise);
      const party = this.#take();
      try {
        await work(party.map(({ item }) => item));
        for (const { resolve } of party) resolve();
      } catch (thrown) {
        for (const { reject } of party) reject(thrown);
      }
    }
    this.#busy = false;
  }

  /** Those that came first. */
  #take(): Waiting<T>[] {
    let count = 0;
    let weight = 0;
    for (const { item } of this.#waiting) {
      if (weight >= this.#most) break;
      count++;
      weight += this.#weigh(item);
    }
    this.#weight -= weight;
    this.#enough = Promise.withResolvers();
    this.#tell();
    return this.#waiting.splice(0, count);
  }

  #tell(): void {
    if (this.#weight >= this.#most) this.#enough.resolve();
  }
}
