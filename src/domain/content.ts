/**
 * The bytes of a message: in memory, or where there is more room. What is known of them by which they are compared, its
 * fingerprint, is the same wherever they lie, and in whatever pieces they came.
 */
import { createHash, type Hash, hash } from 'node:crypto';

/** The largest message that is held in memory; of a larger one, a piece at a time. */
export const LARGEST_IN_MEMORY = 8 * 1024 * 1024;

/** What is known of a message's bytes: all that comparing takes. Who may be taken for whom, receipt.ts says. */
export interface Fingerprint {
  /** In bytes. */
  readonly length: number;
  /** All of them, where they are in memory. */
  readonly bytes?: Buffer | undefined;
  /** SHA-256 as 64 lower-case hex digits. */
  readonly sha256: string;
  /** The header, without the empty line behind it: at most the first 1 MB of the message. */
  readonly head: Buffer;
  /** Whether `head` is all of the header. */
  readonly headIsWhole: boolean;
  /** The SHA-256 of the canonical form: CRs dropped, so that every line ends in LF, and one final line end dropped. */
  readonly canonical: string;
  /**
   * The SHA-256 of each canonical form in which servers are known to store such bytes: NUL as 0x80, each 8-bit byte in the
   * header as X, or both. None where there is neither.
   */
  readonly rewritten: readonly string[];
}

/** A message's bytes, to be sent. */
export interface Content extends Fingerprint {
  /** All of them, where they are in memory. */
  readonly bytes: Buffer | undefined;
  readonly hasNul: boolean;
  /** Whether the last byte is LF. */
  readonly endsLine: boolean;
  /** All of them in their order, from the beginning, as often as asked for. A piece is good until the next one is asked for. */
  pieces(): AsyncIterable<Buffer>;
}

/** What a stream of bytes leaves behind. */
export type Tallied = Omit<Content, 'bytes' | 'pieces'>;

const LF = 0x0a;
const CR = 0x0d;
const X = 0x58;
const LINE_END = Buffer.from('\n');
/** How much of a message is made canonical at a time. */
const ROOM = 64 * 1024;
/** How much of a message is searched for the end of its header. */
const LONGEST_HEAD = 1024 * 1024;

/** Bytes that are in memory. What they amount to is worked out once, when it is first asked for. */
export class InMemory implements Content {
  readonly length: number;
  #bytes: Buffer | undefined;
  #sha256: string | undefined;
  #head: Head | undefined;
  #forms: Forms | undefined;

  constructor(bytes: Buffer) {
    this.length = bytes.length;
    this.#bytes = bytes;
  }

  get bytes(): Buffer {
    if (this.#bytes === undefined) throw new Error('The bytes of this message were let go');
    return this.#bytes;
  }

  get sha256(): string {
    this.#sha256 ??= hash('sha256', this.bytes);
    return this.#sha256;
  }

  get head(): Buffer {
    return this.#headOnce.head;
  }

  get headIsWhole(): boolean {
    return this.#headOnce.headIsWhole;
  }

  get #headOnce(): Head {
    this.#head ??= headOf(this.bytes);
    return this.#head;
  }

  get canonical(): string {
    return this.#formsOnce.canonical;
  }

  get rewritten(): readonly string[] {
    return this.#formsOnce.rewritten;
  }

  get #formsOnce(): Forms {
    this.#forms ??= formsOf(this.bytes);
    return this.#forms;
  }

  get hasNul(): boolean {
    return this.bytes.includes(0);
  }

  get endsLine(): boolean {
    return this.bytes.at(-1) === LF;
  }

  async *pieces(): AsyncGenerator<Buffer> {
    if (this.bytes.length > 0) yield this.bytes;
  }

  /** As letGo() says. */
  letGo(): void {
    if (this.#bytes === undefined || this.length === 0) return;
    release(this.#bytes);
    this.#bytes = undefined;
    // A part of them.
    this.#head = undefined;
  }
}

/**
 * Gives bytes up, where they are in memory: nobody needs them any more, nor is any part of them on its way. What would have
 * to read them throws from now on, so that nothing is ever compared with what is no longer there.
 */
export function letGo(content: Fingerprint): void {
  if (content instanceof InMemory) content.letGo();
}

/**
 * Gives the memory of bytes back at once. They lie outside of V8's heap: V8 itself finds out late that nobody needs them, and
 * goes through all of its heap for that. What shares its memory with others is left alone, as Node.js shares it among
 * what is small; as is what V8 keeps in its heap. Throws where they were given back before.
 */
export function release(bytes: Buffer): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length) buffer.transfer(0);
}

/** No bytes at all: of a message that a server tells of and does not show. */
export const NOTHING: Content = new InMemory(Buffer.alloc(0));

/** Takes the fingerprint of bytes that come piece by piece, and keeps none of them but the header. */
export class Tally {
  readonly #hash = createHash('sha256');
  readonly #canonical = new CanonicalForms();
  /** The beginning, until the header's end is in it. */
  #start: Buffer[] = [];
  #started = 0;
  #length = 0;
  #hasNul = false;
  #last: number | undefined;

  add(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#hash.update(piece);
    this.#canonical.add(piece);
    this.#length += piece.length;
    this.#hasNul ||= piece.includes(0);
    this.#last = piece.at(-1);
    const left = LONGEST_HEAD + 1 - this.#started;
    if (left <= 0) return;
    // Copied: a slice would keep the whole piece in memory.
    const start = Buffer.from(piece.subarray(0, left));
    this.#start.push(start);
    this.#started += start.length;
    if (this.#started > LONGEST_HEAD) this.#start = [beginning(this.#start)];
  }

  /** To be asked for once, at the end. */
  end(): Tallied {
    const { head, headIsWhole } = headOf(Buffer.concat(this.#start), this.#length);
    return {
      length: this.#length,
      sha256: this.#hash.digest('hex'),
      head: Buffer.from(head),
      headIsWhole,
      ...this.#canonical.end(),
      hasNul: this.#hasNul,
      endsLine: this.#last === LF,
    };
  }
}

/** Of a beginning that is long enough, what is still needed of it: the header, and what shows that it is over. */
function beginning(pieces: readonly Buffer[]): Buffer {
  const start = Buffer.concat(pieces);
  const { head, headIsWhole } = headOf(start);
  return headIsWhole ? Buffer.concat([head, LINE_END]) : start;
}

interface Head {
  readonly head: Buffer;
  readonly headIsWhole: boolean;
}

/** The header of a message, by its beginning. */
function headOf(start: Buffer, length = start.length): Head {
  const searched = start.subarray(0, LONGEST_HEAD);
  const end = headerEnd(searched);
  if (end === undefined) return { head: searched, headIsWhole: length <= LONGEST_HEAD };
  return { head: searched.subarray(0, end), headIsWhole: true };
}

/** The offset at which the header's last line ends: the first empty line, whatever its line ends; `undefined` without one. */
function headerEnd(bytes: Buffer): number | undefined {
  let lineStart = 0;
  for (;;) {
    const lf = bytes.indexOf(LF, lineStart);
    if (lf < 0) return undefined;
    let at = lineStart;
    while (bytes[at] === CR) at++;
    if (at === lf) return lineStart;
    lineStart = lf + 1;
  }
}

type Forms = Pick<Fingerprint, 'canonical' | 'rewritten'>;

function formsOf(bytes: Buffer): Forms {
  const forms = new CanonicalForms();
  forms.add(bytes);
  return forms.end();
}

/**
 * The canonical form of bytes that come piece by piece, and the forms that servers make of it, each as a SHA-256. A form
 * is no other than the plain one up to the first byte that it rewrites: only then it is begun, as a copy of that one.
 */
class CanonicalForms {
  readonly #plain = createHash('sha256');
  /** NUL as 0x80. */
  #nul: Hash | undefined;
  /** 8-bit bytes of the header as X. */
  #eightBit: Hash | undefined;
  /** Both; one of the two may not have been met yet. A NUL of the header becomes 0x80, and that an X. */
  #both: Hash | undefined;
  #inHeader = true;
  #atLineStart = true;
  /** A line end that may be the final one. */
  #held = false;
  /** Where CRs are dropped, over and over: a new buffer for each piece would be garbage as large as the message. */
  #room: Buffer | undefined;

  add(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#room ??= Buffer.allocUnsafeSlow(Math.min(piece.length, ROOM));
    for (let at = 0; at < piece.length; at += this.#room.length)
      this.#add(withoutCrs(piece.subarray(at, at + this.#room.length), this.#room));
  }

  #add(canonical: Buffer): void {
    let lines = canonical;
    if (lines.length === 0) return;
    if (this.#held) this.#take(LINE_END, false);
    const end = this.#headerIn(lines);
    this.#held = lines.at(-1) === LF;
    if (this.#held) lines = lines.subarray(0, -1);
    this.#take(lines.subarray(0, end), true);
    this.#take(lines.subarray(end), false);
  }

  end(): Forms {
    const forms = [this.#nul, this.#eightBit, this.#nul && this.#eightBit && this.#both];
    return {
      canonical: this.#plain.digest('hex'),
      rewritten: forms.flatMap((form) => form?.digest('hex') ?? []),
    };
  }

  /** How much of it is header, which is over with the first empty line. */
  #headerIn(lines: Buffer): number {
    if (!this.#inHeader) return 0;
    const isEmpty = this.#atLineStart && lines[0] === LF;
    const emptyLine = isEmpty ? 0 : lines.indexOf('\n\n') + 1;
    this.#inHeader = !isEmpty && emptyLine === 0;
    this.#atLineStart = lines.at(-1) === LF;
    return this.#inHeader ? lines.length : emptyLine;
  }

  #take(bytes: Buffer, isHeader: boolean): void {
    if (bytes.length === 0) return;
    if (isHeader && bytes.some((byte) => byte >= 0x80)) this.#eightBit ??= this.#plain.copy();
    if (this.#nul === undefined && bytes.includes(0)) {
      this.#both = isHeader ? (this.#eightBit ?? this.#plain).copy() : this.#eightBit?.copy();
      this.#nul = this.#plain.copy();
    }
    this.#plain.update(bytes);
    const nul = this.#nul && replaced(bytes, (byte) => (byte === 0 ? 0x80 : byte));
    if (nul) this.#nul?.update(nul);
    const inHeader = (form: Buffer) =>
      isHeader ? replaced(form, (byte) => (byte >= 0x80 ? X : byte)) : form;
    this.#eightBit?.update(inHeader(bytes));
    if (nul) this.#both?.update(inHeader(nul));
  }
}

/** @param out where they are put, if there are CRs */
function withoutCrs(bytes: Buffer, out: Buffer): Buffer {
  const first = bytes.indexOf(CR);
  if (first < 0) return bytes;
  let length = bytes.copy(out, 0, 0, first);
  for (let i = first; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte !== CR) out[length++] = byte;
  }
  return out.subarray(0, length);
}

function replaced(bytes: Buffer, by: (byte: number) => number): Buffer {
  const out = Buffer.allocUnsafe(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = by(bytes[i] as number);
  return out;
}

/** SHA-256 of bytes as 64 lower-case hex digits. */
export function sha256(bytes: Buffer): string {
  return hash('sha256', bytes);
}
