/**
 * Appends a batch the cheapest way that the server offers, and says of each message what became of it. A refusal that
 * can concern one message is split until the culprit stands alone; one that concerns folder or account is not.
 */
import { Failure, folders } from '../domain/failure.ts';
import type { Original } from '../domain/message.ts';
import type { Batching, Placement } from '../domain/ports.ts';
import { failureOf } from './answers.ts';
import type { Client } from './client.ts';
import { dateTime } from './flags.ts';
import { multiAppend, type Outgoing } from './multi-append.ts';

type FlagsOf = (message: Original) => readonly string[];
type Send = (messages: readonly Outgoing[]) => Promise<Placement[]>;
type Group = readonly { readonly message: Outgoing; readonly at: number }[];

/** Messages refused in a row, each alone and for a reason that is not known, after which the folder is put to a last test. */
const IN_A_ROW = 3;

/** One placement a message, in order. Never rejects. */
export async function appendAll(
  client: Client,
  batching: Batching,
  folder: string,
  messages: readonly Original[],
  flagsOf: FlagsOf,
): Promise<Placement[]> {
  const outgoing = messages.map((message, at) => ({
    message: {
      bytes: message.bytes,
      flags: flagsOf(message),
      date: dateTime(message.internalDate),
    },
    at,
  }));
  const send: Send = (some) =>
    batching === 'single' ? singleAppend(client, folder, some) : multiAppend(client, folder, some);
  return placeAll(send, batching === 'multi' ? [outgoing] : outgoing.map((each) => [each]));
}

/**
 * Sends groups of messages until each message has its placement. A group that is refused for what may be one message is
 * halved. Where message after message is refused, the last one is tried before the others: if that is refused too, it is
 * not the messages.
 */
async function placeAll(send: Send, groups: Group[]): Promise<Placement[]> {
  const placements: Placement[] = [];
  const waiting = groups.filter(({ length }) => length > 0);
  let row = 0;
  for (;;) {
    const group = row === IN_A_ROW ? takeLast(waiting) : waiting.shift();
    if (group === undefined) return placements;
    const answered = await sent(send, group);
    if (answered === 'one of them') {
      const half = Math.ceil(group.length / 2);
      waiting.unshift(group.slice(0, half), group.slice(half));
      continue;
    }
    for (const [i, { at }] of group.entries()) placements[at] = answered[i] as Placement;
    const [first] = answered;
    if (first?.is === 'stored') row = 0;
    if (first?.is === 'refused' && !first.failure.lasting) row++;
    const over = row > IN_A_ROW ? refusesAll(first) : first;
    if (over?.is !== 'held' && over?.is !== 'unknown') continue;
    // After such an answer the next would fare no better, and the connection may be gone.
    for (const { at } of waiting.flat()) placements[at] = { is: 'held', failure: over.failure };
    return placements;
  }
}

/** The very last message that waits, as a group of its own. */
function takeLast(waiting: Group[]): Group | undefined {
  const group = waiting.pop();
  if (group === undefined || group.length === 1) return group;
  waiting.push(group.slice(0, -1));
  return group.slice(-1);
}

/** What becomes of those that wait when message after message was refused. */
function refusesAll(last: Placement | undefined): Placement | undefined {
  if (last?.is !== 'refused') return last;
  return { is: 'held', failure: folders(last.failure) };
}

/** The placements of a group, or that one of its several messages may be the culprit. */
async function sent(send: Send, group: Group): Promise<Placement[] | 'one of them'> {
  const messages = group.map(({ message }) => message);
  try {
    return await send(messages);
  } catch (thrown) {
    const failure = failureOf(thrown, 'append');
    if (failure.outcomeUnknown) return messages.map(() => ({ is: 'unknown', failure }));
    if (failure.scope !== 'message') return messages.map(() => ({ is: 'held', failure }));
    const [only] = messages;
    return only && messages.length === 1 ? [await alone(send, only, failure)] : 'one of them';
  }
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
