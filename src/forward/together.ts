/** Work that costs as much for many as for one: what comes while it is under way is done together next. */

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (why: unknown) => void;
}

export class Together<T> {
  #waiting: Waiting<T>[] = [];
  #busy = false;

  /** Resolves, or rejects, as the piece of work does that the item was part of. */
  join(item: T, work: (items: readonly T[]) => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#busy) void this.#run(work);
    });
  }

  async #run(work: (items: readonly T[]) => Promise<void>): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
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
