/** As a ship's hold: so much goes in at one time, and what comes first goes in first. */

interface Waiting {
  readonly amount: number;
  readonly urgent: boolean;
  readonly enter: () => void;
}

export class Hold {
  readonly #capacity: number;
  readonly #waiting: Waiting[] = [];
  #taken = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Takes so much as long as `work` lasts. What is larger than all there is goes in when nothing else is there.
   * @param urgent before others that wait and are not
   */
  async use<T>(wanted: number, work: () => Promise<T>, { urgent = false } = {}): Promise<T> {
    const amount = Math.min(wanted, this.#capacity);
    await new Promise<void>((enter) => {
      const firstOther = this.#waiting.findIndex((each) => !each.urgent);
      const at = urgent && firstOther >= 0 ? firstOther : this.#waiting.length;
      this.#waiting.splice(at, 0, { amount, urgent, enter });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#taken -= amount;
      this.#admit();
    }
  }

  #admit(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || this.#taken + first.amount > this.#capacity) return;
      this.#waiting.shift();
      this.#taken += first.amount;
      first.enter();
    }
  }
}
