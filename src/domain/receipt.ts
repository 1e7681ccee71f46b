/**
 * Compares an original with a copy and issues the Receipt: the only proof on which an original may be retired.
 *
 * Servers rewrite a little on storing. Only this is forgiven: CR/LF differences at line ends, lone CRs dropped, one
 * final line end added or dropped, NUL stored as 0x80, each 8-bit byte in the header stored as `X`. The last two are
 * forgiven in one direction only, from original to copy, and only throughout: an original with other 8-bit bytes, or
 * a copy that was rewritten in some places and not in others, is a different message.
 */
import type { Fingerprint } from './content.ts';
import type { Copy, MessageKey, Original } from './message.ts';
import { headerField } from './message.ts';
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
    const proof = compare(original.content, copy.content, verify);
    return proof && new Receipt(originalKey, copyKey, proof);
  }

  /** The Receipt that the journal noted when it was issued. Only the journal calls this, for a row in state `proven`. */
  static recall(original: MessageKey, copy: MessageKey, proof: Proof): Receipt {
    return new Receipt(original, copy, proof);
  }
}

/** How alike a copy is to its original, or `undefined` where it is another message. */
export function compare(
  original: Fingerprint,
  copy: Fingerprint,
  verify: Verify,
): Proof | undefined {
  if (isIdentical(original, copy)) return 'identical';
  const forms = [original.canonical, ...original.rewritten];
  if (forms.includes(copy.canonical)) return 'equivalent';
  return verify === 'headers' && sameHeaders(original, copy) ? 'headers' : undefined;
}

/** Byte for byte, where they are in memory: no sum of the copy is needed then. */
function isIdentical(original: Fingerprint, copy: Fingerprint): boolean {
  if (original.bytes && copy.bytes) return original.bytes.equals(copy.bytes);
  return original.sha256 === copy.sha256;
}

const MAIN_FIELDS = ['message-id', 'date', 'from', 'to', 'cc', 'subject'] as const;

/** The main header fields are equal, and at least three of them are there to be compared. */
function sameHeaders(original: Fingerprint, copy: Fingerprint): boolean {
  // Of a header that is not known as a whole, what is missing may differ.
  if (!original.headIsWhole || !copy.headIsWhole) return false;
  let present = 0;
  for (const name of MAIN_FIELDS) {
    const value = headerField(original.head, name);
    if (value !== headerField(copy.head, name)) return false;
    if (value !== undefined) present++;
  }
  return present >= 3;
}
