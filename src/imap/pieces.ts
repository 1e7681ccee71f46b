/**
 * A message that is too large for memory, read piece by piece (RFC 9051 §6.4.5, `BODY.PEEK[]<offset.length>`), so that
 * there is never more of it here than some pieces. The next ones are asked for while one is on its way.
 */
import { Failure, type Step } from '../domain/failure.ts';
import { askAhead } from './ahead.ts';
import type { LibraryError } from './answers.ts';
import { type Client, PIECE } from './client.ts';
import { fetchCommand, fetchRows, type Query, type Row } from './fetch.ts';
import { discard } from './garbage.ts';
import { LISTED } from './session.ts';

export interface Read {
  /** What the server says of the message, without its bytes; absent where it is not there. */
  readonly row?: Row;
  /** `whole`: up to where the server lets it end, all pieces as asked for; else what came of it is not to be used. */
  readonly is: 'whole' | 'odd';
}

/** So many pieces are asked for before the first of them has come. */
const AHEAD = 8;

type Take = (piece: Buffer) => void | Promise<void>;

/**
 * Reads a message to where the server lets it end, which need not be where its size says. A server that answers without
 * regard to pieces is asked for all of it at once, if that is not too much for memory.
 * Rejects, scope `message` and lasting, where it is.
 * @param take is waited for before the next piece is read
 */
export async function readPieces(
  client: Client,
  step: Step,
  uid: number,
  take: Take,
): Promise<Read> {
  const first = await firstPiece(client, step, uid);
  if (first === undefined) return { is: 'odd' };
  const { source, origin, size = 0 } = first;
  const row: Row = { ...first, source: undefined };
  // All of it at once, from a server that knows no pieces.
  if (origin === undefined && source?.length === size) {
    await take(source);
    discard(source);
    return { row, is: 'whole' };
  }
  const pieces = new Pieces(size, take);
  pieces.next();
  await pieces.came(first);
  await askAhead(client, step, {
    most: AHEAD,
    next: () => {
      const piece = pieces.next();
      return (
        piece && {
          command: fetchCommand(`${uid}`, { items: ['source'], piece }),
          answered: () => pieces.answered(piece),
        }
      );
    },
    take: async (told) => {
      if (told.uid !== uid || told.source === undefined) return;
      client.wanted();
      await pieces.came(told);
    },
  });
  return { row, is: pieces.is };
}

interface Piece {
  readonly offset: number;
  readonly length: number;
}

/** The pieces of one message: which are to be asked for, and what came of them, handed on in their order. */
class Pieces {
  readonly #size: number;
  readonly #take: Take;
  /** Asked for, and not handed on, in their order; with what has come of it, one that has come before its turn. */
  readonly #underWay = new Map<Piece, Buffer | undefined>();
  #offset = 0;
  #end: Read['is'] | undefined;

  constructor(size: number, take: Take) {
    this.#size = size;
    this.#take = take;
  }

  get is(): Read['is'] {
    return this.#end ?? 'odd';
  }

  /** The next one, if it is to be asked for now: what would lie behind the told size, only once all before it has come. */
  next(): Piece | undefined {
    const left = this.#size - this.#offset;
    if (this.#end !== undefined || (left <= 0 && this.#underWay.size > 0)) return undefined;
    if (this.#offset > 2 * this.#size + PIECE) return undefined;
    // Of the last piece one byte more than there is, so that it comes shorter than asked for: nothing follows.
    const length = this.#offset > 0 && left > 0 && left <= PIECE ? left + 1 : PIECE;
    const piece = { offset: this.#offset, length };
    this.#offset += length;
    this.#underWay.set(piece, undefined);
    return piece;
  }

  /** A piece has come. Servers may answer what was asked ahead in another order (RFC 9051 §5.5). */
  async came({ source, origin }: Row): Promise<void> {
    if (this.#end !== undefined) return;
    const piece = [...this.#underWay.keys()].find(({ offset }) => offset === origin);
    if (!Buffer.isBuffer(source) || piece === undefined || source.length > piece.length) {
      this.#end = 'odd';
      return;
    }
    this.#underWay.set(piece, source);
    for (const [first, bytes] of this.#underWay) {
      if (bytes === undefined || this.#end !== undefined) return;
      this.#underWay.delete(first);
      await this.#take(bytes);
      if (bytes.length < first.length) this.#end = 'whole';
      discard(bytes);
    }
  }

  /** All that the server says to the question for that piece has come. */
  answered(piece: Piece): void {
    if (this.#underWay.has(piece) && this.#underWay.get(piece) === undefined) this.#end ??= 'odd';
  }
}

/** The beginning with what is to be known of the message, or all of it; `undefined` where it is not there. */
async function firstPiece(client: Client, step: Step, uid: number): Promise<Row | undefined> {
  const items = [...LISTED, 'source'] as const;
  try {
    return await fetchOne(client, step, uid, items, { offset: 0, length: PIECE });
  } catch (thrown) {
    if (endedBy(thrown) === 'LiteralTooLarge') throw notInPieces(step, thrown);
    if (!isRefused(thrown)) throw thrown;
    const told = await fetchOne(client, step, uid, ['size']);
    if (told === undefined) return undefined;
    const { size = Number.POSITIVE_INFINITY } = told;
    if (size > client.largestLiteral) throw notInPieces(step, thrown);
    return fetchOne(client, step, uid, items);
  }
}

function notInPieces(step: Step, cause: unknown): Failure {
  return new Failure(
    'The server does not show a message in pieces (RFC 9051 §6.4.5), and this one is too large to be taken at once.',
    { step, scope: 'message', lasting: true, cause },
  );
}

/** Refused by an answer that says nothing of folder or account. */
function isRefused(thrown: unknown): boolean {
  if (!(thrown instanceof Failure) || thrown.scope !== 'connection') return false;
  return (thrown.cause as LibraryError | undefined)?.responseStatus !== undefined;
}

/** The library's code for why the connection ended. */
function endedBy(thrown: unknown): string | undefined {
  let cause = thrown;
  while (cause instanceof Failure) cause = cause.cause;
  return (cause as LibraryError | undefined)?.code;
}

async function fetchOne(
  client: Client,
  step: Step,
  uid: number,
  items: Query['items'],
  piece?: Query['piece'],
): Promise<Row | undefined> {
  const query: Query = {
    step,
    sets: [`${uid}`],
    items,
    wanted: (one) => one === uid,
    ...(piece && { piece }),
  };
  let row: Row | undefined;
  const [partial] = await fetchRows(client, query, (whole) => {
    row = whole;
  });
  return row ?? partial;
}
