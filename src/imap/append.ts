/**
 * Appends a batch the cheapest way that the server offers, and says of each message what became of it. A refusal that
 * can concern one message is split until the culprit stands alone; one that concerns folder or account is not.
 */
import { Failure } from '../domain/failure.ts';
import type { Original } from '../domain/message.ts';
import type { Batching, Placement } from '../domain/ports.ts';
import { failureOf } from './answers.ts';
import type { Client } from './client.ts';
import { dateTime } from './flags.ts';
import { multiAppend, type Outgoing } from './multi-append.ts';

type FlagsOf = (message: Original) => readonly string[];
type Send = (messages: readonly Outgoing[]) => Promise<Placement[]>;

/** One placement a message, in order. Never rejects. */
export async function appendAll(
  client: Client,
  batching: Batching,
  folder: string,
  messages: readonly Original[],
  flagsOf: FlagsOf,
): Promise<Placement[]> {
  const outgoing = messages.map((message) => ({
    bytes: message.bytes,
    flags: flagsOf(message),
    date: dateTime(message.internalDate),
  }));
  const send: Send = (some) =>
    batching === 'single' ? singleAppend(client, folder, some) : multiAppend(client, folder, some);
  if (batching === 'multi') return splitting(send, outgoing);
  const placements: Placement[] = [];
  for (const message of outgoing) {
    const before = placements.at(-1);
    const over = before?.is === 'held' || before?.is === 'unknown';
    // After such an answer the next would fare no better, and the connection may be gone.
    if (over) placements.push({ is: 'held', failure: before.failure });
    else placements.push(...(await splitting(send, [message])));
  }
  return placements;
}

async function splitting(send: Send, messages: readonly Outgoing[]): Promise<Placement[]> {
  let failure: Failure;
  try {
    return await send(messages);
  } catch (thrown) {
    failure = failureOf(thrown, 'append');
  }
  const all = (placement: Placement) => messages.map(() => placement);
  if (failure.outcomeUnknown) return all({ is: 'unknown', failure });
  if (failure.scope !== 'message') return all({ is: 'held', failure });
  const [only] = messages;
  if (messages.length === 1 && only) return [await alone(send, only, failure)];
  const half = Math.ceil(messages.length / 2);
  const first = await splitting(send, messages.slice(0, half));
  const stop = first.find((placement) => placement.is === 'held' || placement.is === 'unknown');
  if (stop && 'failure' in stop) {
    const rest = messages.slice(half).map((): Placement => ({ is: 'held', failure: stop.failure }));
    return [...first, ...rest];
  }
  return [...first, ...(await splitting(send, messages.slice(half)))];
}

/** A message that was refused on its own. Yahoo takes none without a final CRLF: it is tried once with one. */
async function alone(send: Send, message: Outgoing, failure: Failure): Promise<Placement> {
  const refused: Placement = { is: 'refused', failure };
  if (message.bytes.length === 0 || message.bytes.at(-1) === 0x0a) return refused;
  try {
    const bytes = Buffer.concat([message.bytes, Buffer.from('\r\n')]);
    return (await send([{ ...message, bytes }]))[0] ?? refused;
  } catch (thrown) {
    const second = failureOf(thrown, 'append');
    if (second.outcomeUnknown) return { is: 'unknown', failure: second };
    return second.scope === 'message' ? refused : { is: 'held', failure: second };
  }
}

/** The library's APPEND: two round trips a message above 4 KB, for servers without LITERAL+. */
async function singleAppend(
  client: Client,
  folder: string,
  messages: readonly Outgoing[],
): Promise<Placement[]> {
  const placements: Placement[] = [];
  for (const { bytes, flags, date } of messages) {
    const result = await client.step('append', () =>
      client.flow.append(folder, bytes, [...flags], date),
    );
    if (!result) {
      throw new Failure('The connection ended before the APPEND was answered.', {
        step: 'append',
        scope: 'connection',
        kind: 'lost',
        outcomeUnknown: true,
      });
    }
    // A UID without UIDVALIDITY is the library's guess, not APPENDUID.
    const { uid, uidValidity } = result;
    placements.push(
      uid !== undefined && uidValidity !== undefined
        ? { is: 'stored', copy: { uid, uidValidity: Number(uidValidity) } }
        : { is: 'stored' },
    );
  }
  return placements;
}
