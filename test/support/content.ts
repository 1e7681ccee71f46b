/** Messages' bytes as tests have them: in memory. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type Fingerprint, InMemory, LARGEST_IN_MEMORY } from '../../src/domain/content.ts';
import type { Sendable, Wanted } from '../../src/domain/message.ts';

/** A message that is too large for memory, of whole lines and with any letters. */
export function large(size = LARGEST_IN_MEMORY + 1_000_000): Buffer {
  const line = `${randomBytes(56).toString('base64')}\r\n`;
  const bytes = Buffer.alloc(size, line);
  bytes.write(`Message-ID: <${randomUUID()}@example.org>\r\nSubject: large\r\n\r\n`);
  bytes.write('\r\n', size - 2);
  return bytes;
}

/** An original with these bytes. */
export function sendable(
  bytes: Buffer | string,
  more: Partial<Omit<Sendable, 'content'>> = {},
): Sendable {
  const content = new InMemory(Buffer.from(bytes));
  return { uid: 1, size: content.length, flags: new Set(), content, ...more };
}

/** What comes over a wire: bytes of its own, which may be let go. */
export function received(bytes: Buffer): InMemory {
  return new InMemory(Buffer.from(bytes));
}

/** The bytes of what was fetched or read back, which have to be in memory. */
export function bytesOf({ content }: { readonly content: Fingerprint }): Buffer {
  if (content instanceof InMemory) return content.bytes;
  throw new TypeError('These bytes are not in memory');
}

/** Messages that are asked for as small ones. */
export function small(...uids: number[]): Wanted[] {
  return uids.map((uid) => ({ uid, size: 1 }));
}
