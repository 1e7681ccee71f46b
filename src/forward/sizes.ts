/** Whether the sizes that a source tells (RFC822.SIZE) are exact, as RFC 9051 §2.3.4 wants it, or estimates, as on Exchange. */

/** So many messages of another size than told, and more of them than of the right one, make estimates of them. */
const ENOUGH = 3;
/** No more messages than these are kept in mind. */
const MOST = 100;

export class Sizes {
  readonly #exact = new Set<string>();
  readonly #other = new Set<string>();

  /** Of a message, `key`, the size that was told is the size that it has; or it is not, and it came the same twice. */
  saw(key: string, isExact: boolean): void {
    const seen = isExact ? this.#exact : this.#other;
    if (seen.size < MOST) seen.add(key);
  }

  get areEstimates(): boolean {
    return this.#other.size >= ENOUGH && this.#other.size > this.#exact.size;
  }
}
