/** UID FETCH of what others on the same connection may be fetching some more of: asked before they have their answers. */
import { Failure } from '../domain/failure.ts';
import { askAhead } from './ahead.ts';
import type { LibraryError } from './answers.ts';
import type { Client } from './client.ts';
import { fetchCommand, fetchRows, type Query, type Row, Rows } from './fetch.ts';
import { uidSets } from './sets.ts';

const GONE = /some of the requested messages no longer exist/i;

/** So many sets of one query may be asked for at a time. */
const MOST = 2;

/** As `fetchRows`, of messages by their UIDs. No other query on that connection wants the same ones. */
export async function fetchAhead(
  client: Client,
  { step, items, uids }: Pick<Query, 'step' | 'items'> & { readonly uids: readonly number[] },
  take: (row: Row) => void,
): Promise<Row[]> {
  const wanted = new Set(uids);
  const query = { step, items, wanted: (uid: number) => wanted.has(uid) };
  const rows = new Rows(client, query, take);
  const sets = uidSets(uids).values();
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
  // The server wants us to know that first.
  await client.step(step, () => client.command('NOOP', false));
  const left = uidSets(uids.filter((uid) => !rows.has(uid)));
  return fetchRows(client, { ...query, sets: left }, take);
}

/** Some went meanwhile, and the server shows none for it (RFC 2180 §4.1.2): the answer that `fetchRows` knows, too. */
function areGone(thrown: unknown): boolean {
  if (!(thrown instanceof Failure)) return false;
  const { responseStatus, responseText = '' } = (thrown.cause ?? {}) as LibraryError;
  return responseStatus?.toUpperCase() === 'NO' && GONE.test(responseText);
}
