/** A message as it goes out in an APPEND, and its literal (RFC 9051 §4.3, RFC 7888). */
import type { Writable } from 'node:stream';
import type { Client } from './client.ts';

/** A message as it goes out. `date` is a date-time of RFC 9051 §9. */
export interface Outgoing {
  readonly bytes: Buffer;
  readonly flags: readonly string[];
  readonly date: string | undefined;
}

/** Written in pieces, so that progress shows while a slow line takes them. */
const PIECE = 64 * 1024;
/** The longest literal that waits for no answer under LITERAL- (RFC 7888 §5). */
const SHORT = 4096;

/** Flags, date and the literal's length; whether the server has to ask for the literal before it is sent. */
export function headOf(
  client: Client,
  { bytes, flags, date }: Outgoing,
): { head: string; waits: boolean } {
  const { length } = bytes;
  const waits = !client.has('LITERAL+') && !(client.has('LITERAL-') && length <= SHORT);
  // Only literal8 may hold NUL (RFC 3516 §4.4).
  const tilde = client.has('BINARY') && bytes.includes(0) ? '~' : '';
  const list = `(${flags.join(' ')}) ${date ? `"${date}" ` : ''}`;
  return { head: `${list}${tilde}{${length}${waits ? '' : '+'}}`, waits };
}

/** Writes a literal's bytes. */
export function writeLiteral(writable: Writable, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at += PIECE) writable.write(bytes.subarray(at, at + PIECE));
}
