/** Fetches a batch's originals, and doubts what does not have the size that the server said. */
import { isDeleted, type Listed, type Original } from '../domain/message.ts';
import type { Note } from '../domain/ports.ts';
import { refuse } from './aside.ts';
import type { Batch, Epoch } from './folder-state.ts';
import { intentOf, type Works } from './works.ts';

/**
 * The originals as the source returns them now. Those that are gone or marked by now are missing, and so are those that
 * can't be believed: these are set aside.
 */
export async function fetchOriginals(
  works: Works,
  { epoch, lane }: Batch,
  messages: readonly Listed[],
  notes: ReadonlyMap<number, Note>,
): Promise<Original[]> {
  const listed = new Map(messages.map((message) => [message.uid, message]));
  const fetched = await lane.use(epoch, works.quit, (session) => session.fetch([...listed.keys()]));
  // Marked by someone else while its batch waited.
  const unmarked = fetched.filter(({ flags }) => !isDeleted(flags));
  const isSure = (original: Original) =>
    original.bytes.length === original.size &&
    isTheSame(listed.get(original.uid) ?? original, original);
  const doubtful = unmarked.filter((original) => !isSure(original));
  const again = await fetchedAgain(works, epoch, doubtful);
  const originals = unmarked.filter((original) => isSure(original) || confirmed(original, again));
  for (const original of doubtful) {
    if (confirmed(original, again)) continue;
    const told = listed.get(original.uid)?.size ?? original.size;
    refuse(works, epoch, intentOf(original), notes.get(original.uid), why(told, original, again));
  }
  works.emit('delivery.fetched', {
    route: works.route.name,
    folder: epoch.pair.source,
    count: originals.length,
  });
  return originals;
}

type Again = ReadonlyMap<number, Buffer>;

async function fetchedAgain(works: Works, epoch: Epoch, doubtful: Original[]): Promise<Again> {
  if (doubtful.length === 0) return new Map();
  return works.fetchAgain(
    epoch,
    doubtful.map(({ uid }) => uid),
  );
}

/** RFC822.SIZE is an estimate on some servers: the same bytes on another connection are believed, whatever their number. */
function confirmed({ uid, bytes }: Original, again: Again): boolean {
  return bytes.length > 0 && again.get(uid)?.equals(bytes) === true;
}

function why(told: number, { uid, bytes }: Original, again: Again): string {
  const other = again.get(uid);
  const then = other ? `${other.length} on another connection` : 'nothing on another connection';
  return `the source says it has ${told} bytes, returns ${bytes.length}, and ${then}: not the same ones twice.`;
}

/** Neither its size nor its INTERNALDATE ever changes: with others, this may be another message. */
function isTheSame(listed: Listed, original: Original): boolean {
  return (
    listed.size === original.size &&
    listed.internalDate?.getTime() === original.internalDate?.getTime()
  );
}
