/** Fetches a batch's originals, and doubts what does not have the size that the server said. */
import { type Fingerprint, NOTHING } from '../domain/content.ts';
import { Failure } from '../domain/failure.ts';
import { isDeleted, type Listed, type Original } from '../domain/message.ts';
import type { SourceSession } from '../domain/ports.ts';
import type { Batch, Epoch } from './folder-state.ts';
import type { Works } from './works.ts';

export interface Fetched<O extends Original> {
  readonly originals: O[];
  /** Those that can't be believed, or can't be had, with why. */
  readonly doubtful: ReadonlyMap<Original, string>;
}

/**
 * The originals as the source returns them now. Those that are gone or marked by now are missing.
 * @param fetch fetches `messages`, in whatever way they are wanted
 */
export async function fetchOriginals<O extends Original>(
  works: Works,
  batch: Batch,
  messages: readonly Listed[],
  fetch: (session: SourceSession) => Promise<O[]>,
): Promise<Fetched<O>> {
  const { epoch, lane } = batch;
  const listed = new Map(messages.map((message) => [message.uid, message]));
  const came = await lane.use(
    epoch,
    works.quit,
    async (session) => {
      works.traffic.fetching(messages);
      return {
        fetched: await orRefused(messages, () => fetch(session)),
        estimates: session.abilities.estimatesSizes,
      };
    },
    { beside: true },
  );
  const { fetched, estimates } = came;
  if (fetched instanceof Map) return { originals: [], doubtful: fetched };
  // Marked by someone else while its batch waited.
  const unmarked = fetched.filter(({ flags }) => !isDeleted(flags));
  const tellsTruth = ({ uid, content, size }: Original) =>
    content.length === size && size === listed.get(uid)?.size;
  const isSure = (original: Original) =>
    tellsTruth(original) && hasDate(original, listed.get(original.uid));
  const unsure = unmarked.filter((original) => !isSure(original));
  const again = await fetchedAgain(works, epoch, unsure);
  const cameTwice = ({ uid, content }: Original) =>
    content.length > 0 && again.get(uid)?.sha256 === content.sha256;
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

/** What was fetched; the one message, with why, where the source can't give it in any way that is of use. */
async function orRefused<O>(
  messages: readonly Listed[],
  fetch: () => Promise<O[]>,
): Promise<O[] | Map<Original, string>> {
  try {
    return await fetch();
  } catch (thrown) {
    const [only, ...others] = messages;
    const concernsIt = thrown instanceof Failure && thrown.scope === 'message' && thrown.lasting;
    if (!concernsIt || only === undefined || others.length > 0) throw thrown;
    return new Map([[{ ...only, content: NOTHING }, thrown.message]]);
  }
}

type Again = ReadonlyMap<number, Fingerprint>;

async function fetchedAgain(works: Works, epoch: Epoch, unsure: Original[]): Promise<Again> {
  if (unsure.length === 0) return new Map();
  works.traffic.fetching(unsure);
  return works.fetchAgain(epoch, unsure);
}

function why(told: number, { uid, content }: Original, again: Again): string {
  const { length, sha256 } = content;
  const other = again.get(uid);
  if (other?.sha256 === sha256 && length > 0)
    return `the source says it has ${told} bytes and returns ${length}, the same ones on another connection: it may be cut short.`;
  const then = other ? `${other.length} on another connection` : 'nothing on another connection';
  return `the source says it has ${told} bytes, returns ${length}, and ${then}: not the same ones twice.`;
}

/** INTERNALDATE never changes: with another one, this may be another message. */
function hasDate({ internalDate }: Original, listed: Listed | undefined): boolean {
  return listed?.internalDate?.getTime() === internalDate?.getTime();
}
