/** UID FETCH of what others on the same connection may be fetching some more of: asked before they have their answers. */
import { Failure } from '../domain/failure.ts';
import { askAhead } from './ahead.ts';
import type { LibraryError } from './answers.ts';
import type { Client } from './client.ts';
import { fetchCommand, fetchRows, type Query, type Row, Rows } from './fetch.ts';

/** So many sets of one query may be asked for at a time. */
const MOST = 2;

/** As `fetchRows`. No other query on that connection wants the same messages. */
export async function fetchAhead(
  client: Client,
  query: Query,
  take: (row: Row) => void,
): Promise<Row[]> {
  const rows = new Rows(client, query, take);
  const sets = query.sets.values();
  const next = () => {
    const { value: set } = sets.next();
    return set === undefined ? undefined : { command: fetchCommand(set, query) };
  };
  try {
    await askAhead(client, query.step, { most: MOST, next, take: (row) => rows.add(row) });
    return rows.partial();
  } catch (thrown) {
    if (!areGone(thrown)) throw thrown;
  }
  // The server wants something else to be asked first.
  const wanted = (uid: number) => query.wanted(uid) && !rows.has(uid);
  return fetchRows(client, { ...query, wanted }, take);
}

/** Some went meanwhile, and the server shows none for it (RFC 2180 §4.1.2): the answer that `fetchRows` knows, too. */
function areGone(thrown: unknown): boolean {
  if (!(thrown instanceof Failure)) return false;
  const { responseStatus, responseText = '' } = (thrown.cause ?? {}) as LibraryError;
  return responseStatus?.toUpperCase() === 'NO' && GONE.test(responseText);
}

const GONE = /some of the requested messages no longer exist/i;
