/**
 * Appends a batch the cheapest way that the server offers, and says of each message what became of it. A refusal that
 * can concern one message is split until the culprit stands alone; one that concerns folder or account is not.
 */
import { Failure, folders } from '../domain/failure.ts';
import type { Sendable } from '../domain/message.ts';
import type { Batching, Placement } from '../domain/ports.ts';
import { failureOf } from './answers.ts';
import type { Client } from './client.ts';
import { dateTime } from './flags.ts';
import { type Outgoing, withLineEnd } from './literals.ts';
import { multiAppend, pipelined } from './pipeline.ts';
import type { Window } from './window.ts';

/** Hears of the sizes of messages. */
type SentAgain = (messages: readonly { readonly size: number }[]) => void;
type FlagsOf = (message: Sendable) => readonly string[];
/** Placements of the first of the messages, at least of one. Throws where they were refused together. */
type Send = (messages: readonly Outgoing[]) => Promise<Placement[]>;
type Group = readonly { readonly message: Outgoing; readonly at: number }[];

/** Messages refused in a row, each alone and for a reason that is not known, after which the folder is put to a test. */
const IN_A_ROW = 3;

/**
 * One placement a message, in order. Never rejects.
 * @param limit the largest message that the server says it takes: a larger one is refused, and not sent
 * @param again told of what is sent once more, before it is
 * @param window how many APPENDs may be under way where each message is a command of its own
 */
export async function appendAll(
  client: Client,
  batching: Batching,
  folder: string,
  messages: readonly Sendable[],
  flagsOf: FlagsOf,
  {
    limit = Number.POSITIVE_INFINITY,
    window,
    again = () => undefined,
  }: { limit: number | undefined; window: Window; again?: SentAgain | undefined },
): Promise<Placement[]> {
  const outgoing = messages.map((message, at) => ({
    message: {
      content: message.content,
      flags: flagsOf(message),
      date: dateTime(message.internalDate),
    },
    at,
  }));
  // What is not in memory is sent as it is read, each message by a command of its own.
  const isHere = ({ content }: Outgoing) => content.bytes !== undefined;
  const isMulti = (some: readonly Outgoing[]) => batching === 'multi' && some.every(isHere);
  // What was in a group that was refused was sent with it. One by one, no more is sent than is answered.
  const wasSent = new Set<Outgoing>();
  const send: Send = (some) => {
    if (!isMulti(some)) return pipelined(client, folder, some, window);
    const more = some.filter((message) => wasSent.has(message));
    if (more.length > 0) again(more.map(({ content }) => ({ size: content.length })));
    for (const message of some) wasSent.add(message);
    return multiAppend(client, folder, some, window);
  };
  const fits = ({ message: { content } }: Group[number]) => content.length <= limit;
  const placements = await placeAll(send, outgoing.filter(fits));
  for (const each of outgoing) {
    if (!fits(each)) placements[each.at] = { is: 'refused', failure: tooLong(limit) };
  }
  return placements;
}

function tooLong(limit: number): Failure {
  return new Failure(`The server takes messages of ${limit} bytes at most (APPENDLIMIT).`, {
    step: 'append',
    scope: 'message',
    lasting: true,
  });
}

/**
 * Sends messages until each has its placement. A group that is refused together, for what may be one message, is halved.
 * Where the last ones that were answered are a row of refusals, the very last message is tried before the others: only if
 * that is refused too, it is not the messages.
 */
async function placeAll(send: Send, all: Group): Promise<Placement[]> {
  const placements: Placement[] = [];
  const waiting: Group[] = all.length > 0 ? [all] : [];
  let row = 0;
  for (;;) {
    const isTest = row >= IN_A_ROW;
    const group = isTest ? takeLast(waiting) : waiting.shift();
    if (group === undefined) return placements;
    const answered = await sent(send, group);
    if (answered === 'one of them') {
      const half = Math.ceil(group.length / 2);
      waiting.unshift(group.slice(0, half), group.slice(half));
      continue;
    }
    if (answered.length < group.length) waiting.unshift(group.slice(answered.length));
    let over: Failed | undefined;
    for (const [i, first] of answered.entries()) {
      const { message, at } = group[i] as Group[number];
      const isWorthIt = isTest || row <= IN_A_ROW;
      const tried = isWorthIt ? await secondTry(send, message, first) : first;
      const placement = isTest ? refusesAll(tried) : tried;
      placements[at] = placement;
      if (placement.is === 'stored') row = 0;
      if (placement.is === 'refused' && !placement.failure.lasting) row++;
      over ??= endsIt(placement);
    }
    if (over === undefined) continue;
    // After such an answer the next would fare no better, and the connection may be gone.
    for (const { at } of waiting.flat()) placements[at] = { is: 'held', failure: over.failure };
    return placements;
  }
}

type Failed = Exclude<Placement, { is: 'stored' }>;

/** The very last message that waits, as a group of its own. */
function takeLast(waiting: Group[]): Group | undefined {
  const group = waiting.pop();
  if (group === undefined || group.length === 1) return group;
  waiting.push(group.slice(0, -1));
  return group.slice(-1);
}

/** What a refusal means after so many others: not that message, unless its reason is known. */
function refusesAll(last: Placement): Placement {
  const isKnown = last.is !== 'refused' || last.failure.lasting;
  return isKnown ? last : { is: 'held', failure: folders(last.failure) };
}

/** Whether nothing more is to be sent after it. */
function endsIt(placement: Placement): Failed | undefined {
  return placement.is === 'held' || placement.is === 'unknown' ? placement : undefined;
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
    return messages.length === 1 ? [{ is: 'refused', failure }] : 'one of them';
  }
}

/** A message that was refused on its own. Yahoo takes none without a final CRLF: it is tried once with one. */
async function secondTry(send: Send, message: Outgoing, first: Placement): Promise<Placement> {
  const { length, endsLine } = message.content;
  if (first.is !== 'refused' || length === 0 || endsLine) return first;
  const content = withLineEnd(message.content);
  const answered = await sent(send, [{ message: { ...message, content }, at: 0 }]);
  const [second = first] = answered === 'one of them' ? [] : answered;
  return second.is === 'refused' ? first : second;
}
