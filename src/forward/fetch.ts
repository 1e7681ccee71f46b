/** Fetches a batch's originals, and doubts what does not have the size that the server said. */
import { isDeleted, type Listed, type Original } from '../domain/message.ts';
import type { Batch, Epoch } from './folder-state.ts';
import type { Works } from './works.ts';

export interface Fetched {
  readonly originals: Original[];
  /** Those that can't be believed, with why. */
  readonly doubtful: ReadonlyMap<Original, string>;
}

/** The originals as the source returns them now. Those that are gone or marked by now are missing. */
export async function fetchOriginals(
  works: Works,
  { epoch, lane }: Batch,
  messages: readonly Listed[],
): Promise<Fetched> {
  const listed = new Map(messages.map((message) => [message.uid, message]));
  const { fetched, estimates } = await lane.use(epoch, works.quit, async (session) => {
    works.traffic.fetching(messages);
    return {
      fetched: await session.fetch([...listed.keys()]),
      estimates: session.abilities.estimatesSizes,
    };
  });
  // Marked by someone else while its batch waited.
  const unmarked = fetched.filter(({ flags }) => !isDeleted(flags));
  const tellsTruth = ({ uid, bytes, size }: Original) =>
    bytes.length === size && size === listed.get(uid)?.size;
  const isSure = (original: Original) =>
    tellsTruth(original) && hasDate(original, listed.get(original.uid));
  const unsure = unmarked.filter((original) => !isSure(original));
  const again = await fetchedAgain(works, epoch, unsure);
  const cameTwice = ({ uid, bytes }: Original) =>
    bytes.length > 0 && again.get(uid)?.equals(bytes) === true;
  const isBelieved = (original: Original) =>
    isSure(original) || (cameTwice(original) && (tellsTruth(original) || estimates));
  const doubtful = new Map<Original, string>();
  for (const original of unsure) {
    if (isBelieved(original)) continue;
    const told = listed.get(original.uid)?.size ?? original.size;
    doubtful.set(original, why(told, original, again));
  }
  const originals = unmarked.filter(isBelieved);
  works.emit('delivery.fetched', {
    route: works.route.name,
    folder: epoch.pair.source,
    count: originals.length,
  });
  return { originals, doubtful };
}

type Again = ReadonlyMap<number, Buffer>;

async function fetchedAgain(works: Works, epoch: Epoch, unsure: Original[]): Promise<Again> {
  if (unsure.length === 0) return new Map();
  works.traffic.fetching(unsure);
  return works.fetchAgain(
    epoch,
    unsure.map(({ uid }) => uid),
  );
}

function why(told: number, { uid, bytes }: Original, again: Again): string {
  const other = again.get(uid);
  if (other?.equals(bytes) && bytes.length > 0)
    return `the source says it has ${told} bytes and returns ${bytes.length}, the same ones on another connection: it may be cut short.`;
  const then = other ? `${other.length} on another connection` : 'nothing on another connection';
  return `the source says it has ${told} bytes, returns ${bytes.length}, and ${then}: not the same ones twice.`;
}

/** INTERNALDATE never changes: with another one, this may be another message. */
function hasDate({ internalDate }: Original, listed: Listed | undefined): boolean {
  return listed?.internalDate?.getTime() === internalDate?.getTime();
}
