/** Work that costs as much for many as for one: what comes before its time, or while it is under way, is done together. */

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (why: unknown) => void;
}

export class Together<T> {
  #waiting: Waiting<T>[] = [];
  #busy = false;

  /**
   * Resolves, or rejects, as the piece of work does that the item was part of.
   * @param time what is waited for before a piece of work begins; never rejects
   */
  join(
    item: T,
    work: (items: readonly T[]) => Promise<void>,
    time: () => Promise<void>,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#busy) void this.#run(work, time);
    });
  }

  async #run(
    work: (items: readonly T[]) => Promise<void>,
    time: () => Promise<void>,
  ): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      await time();
      const party = this.#waiting;
      this.#waiting = [];
      try {
        await work(party.map(({ item }) => item));
        for (const { resolve } of party) resolve();
      } catch (thrown) {
        for (const { reject } of party) reject(thrown);
      }
    }
    this.#busy = false;
  }
}
