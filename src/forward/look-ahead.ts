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

/**
 * Resolves with a listing of the destination folder that was begun after this call; with `undefined` where there is no such
 * folder yet. Rejects with a Failure where it can't be had: nothing can be brought there either.
 */
export async function lookAhead(
  { listings, destinations }: Works,
  { epoch, fresh }: Batch,
): Promise<Listing | undefined> {
  const folder = epoch.pair.dest;
  const since = listings.moment();
  const look = async (session: DestinationSession) =>
    // Other batches may have looked while this one waited for a connection.
    listings.since(folder, since) ?? (await listings.anew(session, folder));
  try {
    return await destinations.use(folder, look, { urgent: fresh });
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.kind === 'folder-missing') return undefined;
    throw thrown;
  }
}

/** Whether it is certain that an original's copy is not in the folder as it is open now. */
export function isRuledOut(
  listing: Listing | undefined,
  view: FolderView,
  epoch: Epoch,
  original: Original,
  note: Note | undefined,
): boolean {
  const wasSent = note !== undefined || epoch.doubtSince !== undefined;
  if (listing?.uidValidity !== view.uidValidity || wasSent) return false;
  return !epoch.sent.has(original.uid) && listing.candidates(original, undefined).length === 0;
}
