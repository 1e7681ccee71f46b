/**
 * Compares an original with a copy and issues the Receipt: the only proof on which an original may be retired.
 *
 * Servers rewrite a little on storing. Only this is forgiven: CR/LF differences at line ends, lone CRs dropped, one
 * final line end added or dropped, NUL stored as 0x80, each 8-bit byte in the header stored as `X`. The last two are
 * forgiven in one direction only, from original to copy, and only throughout: an original with other 8-bit bytes, or
 * a copy that was rewritten in some places and not in others, is a different message.
 */
import { createHash } from 'node:crypto';
import type { Copy, MessageKey, Original } from './message.ts';
import { headerEnd, headerField } from './message.ts';
import type { Verify } from './route.ts';

/** How much alike: byte for byte, but for the rewrites above, or only in the main header fields (VERIFY=headers). */
export type Proof = 'identical' | 'equivalent' | 'headers';

/** Proof that one original has one copy. Nothing outside this file can make one. */
export class Receipt {
  readonly original: MessageKey;
  readonly copy: MessageKey;
  readonly proof: Proof;

  private constructor(original: MessageKey, copy: MessageKey, proof: Proof) {
    this.original = original;
    this.copy = copy;
    this.proof = proof;
  }

  /**
   * Issues a Receipt where the copy is the original's, else `undefined`.
   * @param original the message as fetched from the source, under `originalKey`
   * @param copy what was read back from the destination, under `copyKey`
   * @param verify `headers` lets the main header fields prove the copy where the bytes do not
   */
  static of(
    originalKey: MessageKey,
    original: Original,
    copyKey: MessageKey,
    copy: Copy,
    verify: Verify,
  ): Receipt | undefined {
    if (originalKey.uid !== original.uid || copyKey.uid !== copy.uid) return undefined;
    const proof = compare(original.bytes, copy.bytes, verify);
    return proof && new Receipt(originalKey, copyKey, proof);
  }

  /** The Receipt that the journal noted when it was issued. Only the journal calls this, for a row in state `proven`. */
  static recall(original: MessageKey, copy: MessageKey, proof: Proof): Receipt {
    return new Receipt(original, copy, proof);
  }
}

/**
 * How alike a copy is to its original, or `undefined` where it is another message.
 * Both are bytes as the servers returned them.
 */
export function compare(original: Buffer, copy: Buffer, verify: Verify): Proof | undefined {
  if (original.equals(copy)) return 'identical';
  const stored = lineEnds(copy);
  if (rewritings(original).some((form) => form.equals(stored))) return 'equivalent';
  return verify === 'headers' && sameHeaders(original, copy) ? 'headers' : undefined;
}

/** The canonical form: CRs dropped, so that every line ends in LF, and one final line end dropped. */
function lineEnds(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (const byte of bytes) if (byte !== 0x0d) out[length++] = byte;
  if (length > 0 && out[length - 1] === 0x0a) length--;
  return out.subarray(0, length);
}

/** The canonical forms in which servers are known to store an original: as it is, NUL as 0x80, 8-bit header bytes as X. */
function rewritings(original: Buffer): Buffer[] {
  const plain = lineEnds(original);
  const forms = [plain];
  if (plain.includes(0))
    forms.push(replaced(plain, plain.length, (byte) => (byte === 0 ? 0x80 : byte)));
  const header = headerEnd(plain);
  const with8bit = (byte: number) => (byte >= 0x80 ? 0x58 : byte);
  if (plain.subarray(0, header).some((byte) => byte >= 0x80)) {
    forms.push(...forms.map((form) => replaced(form, header, with8bit)));
  }
  return forms;
}

function replaced(bytes: Buffer, end: number, by: (byte: number) => number): Buffer {
  const out = Buffer.from(bytes);
  for (let i = 0; i < end; i++) out[i] = by(out[i] as number);
  return out;
}

const MAIN_FIELDS = ['message-id', 'date', 'from', 'to', 'cc', 'subject'] as const;

/** The main header fields are equal, and at least three of them are there to be compared. */
function sameHeaders(original: Buffer, copy: Buffer): boolean {
  let present = 0;
  for (const name of MAIN_FIELDS) {
    const value = headerField(original, name);
    if (value !== headerField(copy, name)) return false;
    if (value !== undefined) present++;
  }
  return present >= 3;
}

/** SHA-256 of a message's bytes as 64 lower-case hex digits: what the journal notes before an APPEND. */
export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
