/** One or many messages in one APPEND (RFC 3502) with literals that wait for no answer (RFC 7888): one round trip. */
import { encodePath, normalizePath } from 'imapflow/lib/tools.js';
import type { Placement } from '../domain/ports.ts';
import type { Client } from './client.ts';
import { headOf, type Outgoing, writeLiteral } from './literals.ts';
import { uidsOf } from './sets.ts';
import { codeOf } from './untagged.ts';

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
  const answer = await client.step('append', () =>
    client.command(
      'APPEND',
      [
        { type: 'ATOM', value: encodePath(flow, normalizePath(flow, folder)) },
        { type: 'TEXT', value: headOf(client, first) },
      ],
      { send: () => send(client, messages) },
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

/** Writes the literals behind the command's first line; the last piece goes through the library, which ends the command. */
async function send(client: Client, messages: readonly Outgoing[]): Promise<void> {
  const { writable } = client;
  for (const [i, message] of messages.entries()) {
    if (writable.destroyed) return;
    if (i > 0) writable.write(` ${headOf(client, message)}\r\n`);
    await writeLiteral(writable, message.content);
  }
  if (!writable.destroyed) client.flow.write('');
}
