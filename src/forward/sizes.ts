/** Whether the sizes that a source tells (RFC822.SIZE) are exact, as RFC 9051 §2.3.4 wants it, or estimates, as on Exchange. */

import type { MessageKey } from '../domain/message.ts';

/** So many messages of another size than told, and more of them than of the right one, make estimates of them. */
const ENOUGH = 3;
/** No more messages than these are kept in mind. */
const MOST = 100;

export class Sizes {
  readonly #exact = new Set<string>();
  readonly #other = new Set<string>();

  /** The size that was told of a message is the size that it has; or it is not, and the message came the same twice. */
  saw({ folder, uidValidity, uid }: MessageKey, isExact: boolean): void {
    const seen = isExact ? this.#exact : this.#other;
    if (seen.size < MOST) seen.add(`${uidValidity} ${uid} ${folder}`);
  }

  get areEstimates(): boolean {
    return this.#other.size >= ENOUGH && this.#other.size > this.#exact.size;
  }
}
