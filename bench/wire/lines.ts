/** The lines of one direction of an IMAP connection, as they come in pieces; literals are stepped over. */

/** A message's own words are enough for whoever wants to know which one it is. */
const BEGINNING = 200;
const LONGEST = 4096;
const LITERAL = /~?\{(\d+)\+?\}$/;

export interface Heard {
  /** A line without its end. `goesOn`: it follows a literal, and so is not the first of its command or answer. */
  line(text: string, goesOn: boolean): void;
  /** The first bytes of a literal. */
  literal?(beginning: string): void;
}

export class Lines {
  readonly #heard: Heard;
  #line = '';
  #goesOn = false;
  /** Bytes of a literal still to come, and what has come of its beginning. */
  #literal = 0;
  #beginning: string | undefined;

  constructor(heard: Heard) {
    this.#heard = heard;
  }

  feed(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#literal > 0) {
        const part = Math.min(this.#literal, chunk.length - at);
        this.#begin(chunk, at, part);
        this.#literal -= part;
        at += part;
        if (this.#literal === 0) this.#begun();
        continue;
      }
      const end = chunk.indexOf(0x0a, at);
      const upTo = end < 0 ? chunk.length : end;
      this.#line += chunk.toString('latin1', at, upTo);
      if (this.#line.length > LONGEST) this.#line = shortened(this.#line);
      at = upTo + 1;
      if (end >= 0) this.#whole();
    }
  }

  #whole(): void {
    const text = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
    this.#line = '';
    const goesOn = this.#goesOn;
    const literal = LITERAL.exec(text);
    this.#goesOn = literal !== null;
    this.#literal = Number(literal?.[1] ?? 0);
    this.#beginning = this.#literal > 0 ? '' : undefined;
    this.#heard.line(text, goesOn);
  }

  #begin(chunk: Buffer, at: number, length: number): void {
    if (this.#beginning === undefined) return;
    const wanted = Math.min(length, BEGINNING - this.#beginning.length);
    this.#beginning += chunk.toString('latin1', at, at + wanted);
    if (this.#beginning.length >= BEGINNING) this.#begun();
  }

  #begun(): void {
    if (this.#beginning === undefined) return;
    this.#heard.literal?.(this.#beginning);
    this.#beginning = undefined;
  }
}

/** Its beginning says what it is, its end whether a literal follows. */
function shortened(line: string): string {
  return line.slice(0, LONGEST / 2) + line.slice(-LONGEST / 4);
}
