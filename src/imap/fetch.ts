/**
 * UID FETCH, asked by ourselves: the library's own repeats a throttled command by itself for longer than a step may be
 * silent, tells no response code, and takes a row that it can't read for one that is not there.
 */
import type { FetchMessageObject, MailboxObject } from 'imapflow';
import { formatMessageResponse } from 'imapflow/lib/tools.js';
import { Failure, type Step } from '../domain/failure.ts';
import type { Client } from './client.ts';
import type { Answer, Tokens } from './internals.ts';

/** What can be asked of a message, by the library's name for it. */
const ITEMS = {
  flags: 'FLAGS',
  size: 'RFC822.SIZE',
  internalDate: 'INTERNALDATE',
  source: 'BODY.PEEK[]',
  headers: 'BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]',
} as const;

/** Of a set that is open at its end (`n:*`) a server could show messages for ever: no folder is as large as this. */
const MOST_ROWS = 2_000_000;

export type Item = keyof typeof ITEMS;
/** What the server says of a message; `origin`: where the piece begins that `source` is, as far as it says so. */
export type Row = FetchMessageObject & { readonly origin?: number };

export interface Query {
  readonly step: Step;
  /** UID sets, one a command. */
  readonly sets: readonly string[];
  readonly items: readonly Item[];
  /** In place of the whole `source` this much of it (RFC 9051 §6.4.5). */
  readonly piece?: { readonly offset: number; readonly length: number };
  readonly wanted: (uid: number) => boolean;
}

/**
 * `take` gets each message once, whole as asked for, in the order of arrival. What the server says of other messages is
 * left out. Resolves with the messages that the server told of without all that was asked for.
 */
export async function fetchRows(
  client: Client,
  { step, sets, items, piece, wanted }: Query,
  take: (row: Row) => void,
): Promise<Row[]> {
  const partial: Row[] = [];
  const names = namesOf(items, piece);
  for (const set of sets) {
    const rows = new Rows(client, { items, wanted }, take);
    await client.step(step, async () => {
      if (await ask(client, set, names, rows)) return;
      // Some went meanwhile, and the server wants us to know that first (EXPUNGEISSUED, RFC 5530).
      await client.command('NOOP', false);
      if (await ask(client, set, names, rows)) return;
      throw new Failure('The server did not show all the messages that it was asked for.', {
        step,
        scope: 'connection',
      });
    });
    partial.push(...rows.partial());
  }
  return partial;
}

/** One UID FETCH. Says whether the server showed all that it has. */
async function ask(client: Client, set: string, names: string, rows: Rows): Promise<boolean> {
  const mailbox = openMailbox(client);
  const attributes: Tokens = [
    { type: 'SEQUENCE', value: set },
    { type: 'TEXT', value: names },
  ];
  const untagged = { FETCH: (answer: Answer) => rows.read(answer, mailbox) };
  const { command } = await client.answer('UID FETCH', attributes, { untagged });
  rows.rethrow();
  return command?.toUpperCase() === 'OK';
}

/** The same of one set, as it goes out. */
export function fetchCommand(
  set: string,
  { items, piece }: Pick<Query, 'items' | 'piece'>,
): string {
  return `UID FETCH ${set} ${namesOf(items, piece)}`;
}

function namesOf(items: readonly Item[], piece: Query['piece']): string {
  const part = piece ? `<${piece.offset}.${piece.length}>` : '';
  const names = items.map((item) => ITEMS[item] + (item === 'source' ? part : ''));
  return `(${['UID', ...names].join(' ')})`;
}

/** The folder that is open. Throws a Failure where none is. */
export function openMailbox({ flow: { mailbox } }: Client): MailboxObject {
  if (mailbox !== false) return mailbox;
  throw new Failure('No folder is open on this connection.', {
    step: 'look',
    scope: 'connection',
  });
}

/** What an untagged FETCH says. */
export async function rowOf(answer: Answer, mailbox: MailboxObject): Promise<Row> {
  const row = await formatMessageResponse(answer as never, mailbox);
  const { partialOrigins } = row as { partialOrigins?: ReadonlyMap<string, number> };
  const origin = partialOrigins?.get('');
  return origin === undefined ? row : { ...row, origin };
}

/** What comes of a query. */
export class Rows {
  readonly #client: Client;
  readonly #items: readonly Item[];
  readonly #wanted: (uid: number) => boolean;
  readonly #take: (row: Row) => void;
  #count = 0;
  /** Messages by UID that are not whole yet; `undefined` for those that were taken. */
  readonly #seen = new Map<number, Row | undefined>();
  #error: unknown;

  constructor(
    client: Client,
    { items, wanted }: Pick<Query, 'items' | 'wanted'>,
    take: (row: Row) => void,
  ) {
    this.#client = client;
    this.#items = items;
    this.#wanted = wanted;
    this.#take = take;
  }

  async read(answer: Answer, mailbox: MailboxObject): Promise<void> {
    try {
      const row = await rowOf(answer, mailbox);
      if (this.#error === undefined) this.add(row);
    } catch (thrown) {
      // Thrown from here it would only be logged, and the row be missing.
      this.#error ??= thrown;
    }
  }

  rethrow(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  partial(): Row[] {
    return [...this.#seen.values()].filter((row) => row !== undefined);
  }

  /** Whether that message was taken. */
  has(uid: number): boolean {
    return this.#seen.has(uid) && this.#seen.get(uid) === undefined;
  }

  add(row: Row): void {
    const { uid } = row;
    if (typeof uid !== 'number' || !this.#wanted(uid)) return;
    const before = this.#seen.get(uid);
    if (before === undefined && this.#seen.has(uid)) return;
    // A server may spread one message's items over several answers.
    const whole = { ...before, ...defined(row) } as Row;
    const complete = this.#items.every((item) => IS_THERE[item](whole));
    this.#seen.set(uid, complete ? undefined : whole);
    if (!complete) return;
    if (++this.#count <= MOST_ROWS) this.#client.wanted();
    this.#take(whole);
  }
}

const IS_THERE: Readonly<Record<Item, (row: Row) => boolean>> = {
  flags: (row) => row.flags instanceof Set,
  size: (row) => typeof row.size === 'number',
  // One that can't be read is as good as none.
  internalDate: () => true,
  source: (row) => Buffer.isBuffer(row.source),
  headers: (row) => Buffer.isBuffer(row.headers),
};

function defined(row: Row): Partial<Row> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));
}
