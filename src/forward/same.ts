/**
 * Whether what the journal says of a number is still said of the message that has it. A server that was restored from a
 * backup may give a number again that another message has had, under the same UIDVALIDITY.
 */
import type { Listed } from '../domain/message.ts';
import type { Note } from '../domain/ports.ts';
import { sha256 } from '../domain/receipt.ts';
import type { Batch } from './folder-state.ts';
import type { Works } from './works.ts';

/**
 * Of messages that are to be retired on a Receipt of the journal's: those that are other messages than the one that was
 * carried, by the bytes. The rows that told of these are removed.
 * @param carried what this delivery has fetched by itself, and need not be fetched again
 */
export async function others(
  works: Works,
  { epoch, lane }: Batch,
  messages: readonly Listed[],
  notes: ReadonlyMap<number, Note>,
  carried: ReadonlyMap<number, unknown>,
): Promise<Listed[]> {
  const doubtful = messages.map(({ uid }) => uid).filter((uid) => !carried.has(uid));
  if (doubtful.length === 0) return [];
  const fetched = await lane.use(epoch, works.quit, (session) => session.fetch(doubtful));
  const other = fetched.filter(({ uid, bytes }) => sha256(bytes) !== notes.get(uid)?.sha256);
  if (other.length === 0) return [];
  const uids = new Set(other.map(({ uid }) => uid));
  works.journal.forget(epoch.key, [...uids]);
  return messages.filter(({ uid }) => uids.has(uid));
}
