/**
 * A message that is too large for memory, read piece by piece (RFC 9051 §6.4.5, `BODY.PEEK[]<offset.length>`), so that
 * there is never more of it here than one piece.
 */
import { Failure, type Step } from '../domain/failure.ts';
import type { LibraryError } from './answers.ts';
import { type Client, PIECE } from './client.ts';
import { fetchRows, type Query, type Row } from './fetch.ts';
import { discarded } from './garbage.ts';
import { LISTED } from './session.ts';

export interface Read {
  /** What the server says of the message, without its bytes; absent where it is not there. */
  readonly row?: Row;
  /** `whole`: up to where the server lets it end, all pieces as asked for; else what came of it is not to be used. */
  readonly is: 'whole' | 'odd';
}

/**
 * Reads a message to where the server lets it end, which need not be where its size says. A server that answers without
 * regard to pieces is asked for all of it at once, if that is not too much for memory.
 * Rejects, scope `message` and lasting, where it is.
 * @param take is waited for before the next piece is asked for
 */
export async function readPieces(
  client: Client,
  step: Step,
  uid: number,
  take: (piece: Buffer) => void | Promise<void>,
): Promise<Read> {
  let piece = await firstPiece(client, step, uid);
  if (piece === undefined) return { is: 'odd' };
  const row: Row = { ...piece, source: undefined };
  const { size = 0 } = row;
  for (let offset = 0, length = PIECE; ; ) {
    const { source: bytes, origin } = piece ?? {};
    if (!Buffer.isBuffer(bytes)) return { row, is: 'odd' };
    // All of it at once, from a server that knows no pieces.
    const isAll = offset === 0 && origin === undefined && bytes.length === size;
    if (!isAll && (origin !== offset || bytes.length > length)) return { row, is: 'odd' };
    await take(bytes);
    discarded(bytes.length);
    if (isAll || bytes.length < length) return { row, is: 'whole' };
    offset += length;
    if (offset > 2 * size + PIECE) return { row, is: 'odd' };
    const left = size - offset;
    // Of the last piece one byte more than there is, so that it comes shorter than asked for: nothing follows.
    length = left > 0 && left <= PIECE ? left + 1 : PIECE;
    piece = await fetchOne(client, step, uid, ['source'], { offset, length });
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
