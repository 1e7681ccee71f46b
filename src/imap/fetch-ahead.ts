/** UID FETCH asked before what was asked on the same connection has its answer: IDLE that ends, and what others fetch. */
import { Failure } from '../domain/failure.ts';
import { askAhead } from './ahead.ts';
import type { LibraryError } from './answers.ts';
import type { Client } from './client.ts';
import { fetchCommand, fetchRows, type Query, type Row, Rows } from './fetch.ts';
import { GONE } from './tagged.ts';

/** So many sets of one query may be asked for at a time. */
const MOST = 2;

/**
 * As `fetchRows`, behind what is under way on the connection, be it DONE. No other query there wants the same messages.
 * @param left the sets to ask for anew where the server wants us to know first what went meanwhile; `has`: those that came
 */
export async function fetchAhead(
  client: Client,
  query: Omit<Query, 'piece'>,
  take: (row: Row) => void,
  left: (has: (uid: number) => boolean) => readonly string[] = () => query.sets,
): Promise<Row[]> {
  const { step, wanted } = query;
  const rows = new Rows(client, query, take);
  const sets = query.sets.values();
  const next = () => {
    const { value: set } = sets.next();
    return set === undefined ? undefined : { command: fetchCommand(set, query) };
  };
  try {
    await askAhead(client, step, { most: MOST, next, take: (row) => rows.add(row) });
    return rows.partial();
  } catch (thrown) {
    if (!areGone(thrown)) throw thrown;
  }
  await client.step(step, () => client.command('NOOP', false));
  const missing = (uid: number) => wanted(uid) && !rows.has(uid);
  const again = { ...query, sets: left((uid) => rows.has(uid)), wanted: missing };
  return fetchRows(client, again, take);
}

/** The answer that `fetchRows` knows, too. */
function areGone(thrown: unknown): boolean {
  if (!(thrown instanceof Failure)) return false;
  const { responseStatus, responseText = '' } = (thrown.cause ?? {}) as LibraryError;
  return responseStatus?.toUpperCase() === 'NO' && GONE.test(responseText);
}
