/**
 * Looks into the destination folder while originals are still on their way from the source. Of a message that no earlier
 * life knew, and nothing there is like, it is known by then that it need not be sought: two round trips fewer, in which its
 * bytes would wait in memory.
 */
import { Failure } from '../domain/failure.ts';
import type { FolderView, Original } from '../domain/message.ts';
import type { DestinationSession, Note } from '../domain/ports.ts';
import type { Batch, Epoch } from './folder-state.ts';
import type { Listing } from './listing.ts';
import type { Works } from './works.ts';

/** What was seen of the destination folder, and when (clock ticks). */
export interface Sight {
  readonly listing: Listing;
  readonly at: number;
}

/**
 * Resolves with a listing of the destination folder that was begun after this call; with the Failure that says so where there
 * is no such folder yet. Rejects with a Failure where it can't be had: nothing can be brought there either.
 */
export async function lookAhead(
  { listings, destinations, clock }: Works,
  { epoch, fresh }: Batch,
): Promise<Sight | Failure> {
  const folder = epoch.pair.dest;
  const [since, at] = [listings.moment(), clock.ticks()];
  const look = async (session: DestinationSession) =>
    // Other batches may have looked while this one waited for a connection.
    listings.since(folder, since) ?? (await listings.anew(session, folder));
  try {
    return { listing: await destinations.use(folder, look, { urgent: fresh }), at };
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.kind === 'folder-missing') return thrown;
    throw thrown;
  }
}

/** Those of the originals of which it is not certain that their copies are not in the folder as it is open now. */
export function notRuledOut<O extends Original>(
  { clock, pace }: Works,
  sight: Sight | undefined,
  view: FolderView,
  epoch: Epoch,
  originals: readonly O[],
  notes: ReadonlyMap<number, Note>,
): readonly O[] {
  // What took long to come is looked for anew.
  const isFresh = sight !== undefined && clock.ticks() - sight.at <= pace.settle;
  if (!isFresh || sight.listing.uidValidity !== view.uidValidity) return originals;
  if (epoch.doubtSince !== undefined) return originals;
  const mayBeThere = (original: O) =>
    notes.has(original.uid) ||
    epoch.sent.has(original.uid) ||
    sight.listing.candidates(original, undefined).length > 0;
  return originals.filter(mayBeThere);
}
