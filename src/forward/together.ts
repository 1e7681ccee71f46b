/** Work that costs as much for many as for one: what comes before its time, or while it is under way, is done together. */

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (why: unknown) => void;
}

export class Together<T> {
  readonly #isEnough: (items: readonly T[]) => boolean;
  readonly #waiting: Waiting<T>[] = [];
  #enough = Promise.withResolvers<void>();
  #hasEnough = false;
  #busy = false;

  /** @param isEnough for one piece of work, which then takes no more */
  constructor(isEnough: (items: readonly T[]) => boolean = () => false) {
    this.#isEnough = isEnough;
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
    let count = 1;
    while (count < this.#waiting.length && !this.#isEnough(this.#first(count))) count++;
    const party = this.#waiting.splice(0, count);
    this.#enough = Promise.withResolvers();
    this.#hasEnough = false;
    this.#tell();
    return party;
  }

  #first(count: number): T[] {
    return this.#waiting.slice(0, count).map(({ item }) => item);
  }

  #tell(): void {
    if (this.#hasEnough) return;
    this.#hasEnough = this.#isEnough(this.#first(this.#waiting.length));
    if (this.#hasEnough) this.#enough.resolve();
  }
}
