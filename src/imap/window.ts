/** How many APPENDs may be under way on a connection, and how far ahead their literals may be announced. */

/** The most commands that are under way. */
const WIDEST = 100;

/** What is known of how a destination's server asks for literals. All connections to it share it. */
export interface Asking {
  /**
   * It asks for one literal at a time, and never but when it waits for one: the next may be announced before the answer to
   * the one before. Of a server that asks otherwise nobody knows which literal it means.
   */
  orderly: boolean;
}

/** It lives as long as its connection. */
export class Window {
  readonly asking: Asking;
  #size = 1;
  #tags = 0;

  constructor(asking: Asking) {
    this.asking = asking;
  }

  get size(): number {
    return this.#size;
  }

  /** A tag that nobody else has on this connection: the library's are hexadecimal. */
  nextTag(): string {
    return `P${++this.#tags}`;
  }

  stored(): void {
    this.#size = Math.min(WIDEST, this.#size + 1);
  }

  refused(): void {
    this.#size = 1;
  }
}
