/** One or many messages in one APPEND (RFC 3502) with literals that wait for no answer (RFC 7888): one round trip. */
import { encodePath, normalizePath } from 'imapflow/lib/tools.js';
import type { Placement } from '../domain/ports.ts';
import type { Client } from './client.ts';
import { uidsOf } from './sets.ts';
import { codeOf } from './untagged.ts';

/** A message as it goes out. `date` is a date-time of RFC 9051 §9. */
export interface Outgoing {
  readonly bytes: Buffer;
  readonly flags: readonly string[];
  readonly date: string | undefined;
}

/** Written in pieces, so that progress shows while a slow line takes them. */
const PIECE = 64 * 1024;

/**
 * Appends all of them, or none (RFC 3502 §6.3.11). Rejects with a Failure where the server refuses, or the outcome is not
 * known. APPENDUID must name as many distinct UIDs as there are messages, which then are theirs in order; otherwise they
 * are stored under UIDs not known.
 */
export async function multiAppend(
  client: Client,
  folder: string,
  messages: readonly Outgoing[],
): Promise<Placement[]> {
  const { flow } = client;
  const [first] = messages;
  if (first === undefined) return [];
  const head = (message: Outgoing) => literalHead(message, client.has('BINARY'));
  const answer = await client.step('append', () =>
    client.command(
      'APPEND',
      [
        { type: 'ATOM', value: encodePath(flow, normalizePath(flow, folder)) },
        { type: 'TEXT', value: head(first) },
      ],
      { onSend: () => send(client, messages, head) },
    ),
  );
  const [code, validity = '', set = ''] = codeOf(answer);
  const uids = code === 'APPENDUID' ? uidsOf(set, messages.length) : undefined;
  const uidValidity = /^\d{1,10}$/.test(validity) ? Number(validity) : undefined;
  if (uids?.length !== messages.length || uidValidity === undefined) {
    return messages.map(() => ({ is: 'stored' }));
  }
  return uids.map((uid) => ({ is: 'stored', copy: { uid, uidValidity } }));
}

/** Flags, date and the literal's length. Only literal8 may hold NUL (RFC 3516 §4.4). */
function literalHead({ bytes, flags, date }: Outgoing, binary: boolean): string {
  const tilde = binary && bytes.includes(0) ? '~' : '';
  return `(${flags.join(' ')}) ${date ? `"${date}" ` : ''}${tilde}{${bytes.length}+}`;
}

/** Writes the literals behind the command's first line; the last piece goes through the library, which ends the command. */
function send(
  client: Client,
  messages: readonly Outgoing[],
  head: (message: Outgoing) => string,
): void {
  const { writeSocket } = client.flow;
  if (!writeSocket) throw new Error('The connection is gone');
  for (const [i, message] of messages.entries()) {
    if (i > 0) writeSocket.write(` ${head(message)}\r\n`);
    for (let at = 0; at < message.bytes.length; at += PIECE) {
      writeSocket.write(message.bytes.subarray(at, at + PIECE));
    }
  }
  client.flow.write('');
}
