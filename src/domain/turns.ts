/** Who may use a thing, in the order of asking: one alone, or some beside one another. */
export class Turns {
  /** Until it resolves, somebody has it alone, or is to have it before who asks now. */
  #alone: Promise<void> = Promise.resolve();
  /** Resolves when all that have asked are through. */
  #all: Promise<void> = Promise.resolve();

  /** Resolves, or rejects, as `work` does, which begins when all that asked before are through. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#all.then(work);
    this.#all = over(mine);
    this.#alone = this.#all;
    return mine;
  }

  /** As `alone`, but `work` begins as soon as nobody else has it alone. */
  beside<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#alone.then(work);
    const [before, itself] = [this.#all, over(mine)];
    this.#all = before.then(() => itself);
    return mine;
  }
}

function over(work: Promise<unknown>): Promise<void> {
  return work.then(
    () => undefined,
    () => undefined,
  );
}
