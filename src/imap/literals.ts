/** A message as it goes out in an APPEND, and its literal (RFC 9051 §4.3, RFC 7888). */
import type { Writable } from 'node:stream';
import type { Content } from '../domain/content.ts';
import type { Client } from './client.ts';

/** A message as it goes out. `date` is a date-time of RFC 9051 §9. */
export interface Outgoing {
  readonly content: Literal;
  readonly flags: readonly string[];
  readonly date: string | undefined;
}

/** What is sent of a message. */
export type Literal = Pick<Content, 'length' | 'hasNul' | 'endsLine' | 'bytes' | 'pieces'>;

/** Written in pieces, so that progress shows while a slow line takes them. */
const PIECE = 64 * 1024;
/** The longest literal that waits for no answer under LITERAL- (RFC 7888 §5). */
const SHORT = 4096;

/** Whether the server has to ask for a message's literal before it is sent. */
export function waits(client: Client, { content: { length } }: Outgoing): boolean {
  return !client.has('LITERAL+') && !(client.has('LITERAL-') && length <= SHORT);
}

/** Flags, date and the literal's length. */
export function headOf(client: Client, message: Outgoing): string {
  const { content, flags, date } = message;
  // Only literal8 may hold NUL (RFC 3516 §4.4).
  const tilde = client.has('BINARY') && content.hasNul ? '~' : '';
  const list = `(${flags.join(' ')}) ${date ? `"${date}" ` : ''}`;
  return `${list}${tilde}{${content.length}${waits(client, message) ? '' : '+'}}`;
}

/**
 * Writes the bytes of a literal as fast as they are taken, no more than a piece of them ahead. Rejects where they can't be
 * read, or are not as many as announced; resolves early where the connection ends.
 */
export function writeLiteral(writable: Writable, literal: Literal): Promise<void> {
  return literal.bytes ? fromMemory(writable, literal.bytes) : asItIsRead(writable, literal);
}

async function fromMemory(writable: Writable, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length && !writable.destroyed; at += PIECE) {
    if (!writable.write(bytes.subarray(at, at + PIECE))) await room(writable);
  }
}

/** Resolves once more is taken, or nothing will be any more. */
function room(writable: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (writable.destroyed) resolve();
  writable.once('drain', resolve).once('close', resolve);
  return promise.finally(() => writable.off('drain', resolve).off('close', resolve));
}

async function asItIsRead(writable: Writable, literal: Literal): Promise<void> {
  let left = literal.length;
  for await (const piece of literal.pieces()) {
    left -= piece.length;
    if (left < 0) break;
    if (writable.destroyed) return;
    await written(writable, piece);
  }
  if (left !== 0 && !writable.destroyed) {
    throw new Error('The message does not have the length that was announced');
  }
}

/** Resolves once the bytes are out, so that there is room for others, or will not go any more. */
function written(writable: Writable, bytes: Buffer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  writable.once('close', resolve);
  writable.write(bytes, () => resolve());
  return promise.finally(() => writable.off('close', resolve));
}

/** The same bytes with a CRLF behind them. */
export function withLineEnd(literal: Literal): Literal {
  const lineEnd = Buffer.from('\r\n');
  return {
    length: literal.length + lineEnd.length,
    hasNul: literal.hasNul,
    endsLine: true,
    bytes: literal.bytes && Buffer.concat([literal.bytes, lineEnd]),
    async *pieces() {
      yield* literal.pieces();
      yield lineEnd;
    },
  };
}
