/**
 * Looks into the destination folder while originals are still on their way from the source. Of a message that no earlier
 * life knew, and nothing there is like, it is known by then that it need not be sought: two round trips fewer, in which its
 * bytes would wait in memory.
 */
import type { FolderView, Original } from '../domain/message.ts';
import type { Note } from '../domain/ports.ts';
import type { Batch, Epoch } from './folder-state.ts';
import type { Listing } from './listing.ts';
import type { Works } from './works.ts';

/**
 * Resolves, never rejects, with a listing of the destination folder that was begun after this call; with `undefined` where
 * it can't be had: what is wrong there is told by who brings mail there.
 */
export async function lookAhead(
  { listings, destinations }: Works,
  { epoch, fresh }: Batch,
): Promise<Listing | undefined> {
  const folder = epoch.pair.dest;
  const since = listings.moment();
  try {
    return await destinations.use(
      folder,
      // Other batches may have looked while this one waited for a connection.
      async (session) => listings.since(folder, since) ?? (await listings.anew(session, folder)),
      { urgent: fresh },
    );
  } catch {
    return undefined;
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
