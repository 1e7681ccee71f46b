/**
 * Looks for copies that are there already: what an interrupted APPEND left, what an earlier life carried and forgot.
 * A copy is recognised by its bytes, and proves one original only.
 */
import type { Candidate, Copy, FolderView, MessageKey, Original } from '../domain/message.ts';
import { isDeleted } from '../domain/message.ts';
import type { Claimant, DestinationReader, Note } from '../domain/ports.ts';
import { type Proof, Receipt } from '../domain/receipt.ts';
import type { Verify } from '../domain/route.ts';
import type { Epoch } from './folder-state.ts';
import type { Listing } from './listing.ts';
import { isItself, type Match, shareWithTwins, unlikeness, withoutEarlierTwins } from './twins.ts';
import { keyOf, type Works } from './works.ts';

export interface Sought {
  readonly found: Receipt[];
  readonly missing: Original[];
  readonly listing: Listing;
}

/** What may be a copy, as the listing says, and of which originals. */
interface Sighted {
  readonly row: Candidate;
  readonly originals: readonly Original[];
}

/**
 * Looks for the originals at the destination, in a folder just opened afresh. One whose copy may be its twin's is neither
 * found nor missing: the folder is revisited.
 * @param notes what the journal knows of them; an original without a note may be anywhere in the folder
 */
export async function seek(
  works: Works,
  session: DestinationReader,
  view: FolderView,
  epoch: Epoch,
  originals: readonly Original[],
  notes: ReadonlyMap<number, Note>,
): Promise<Sought> {
  const since = new Map(originals.map(({ uid }) => [uid, lowest(notes.get(uid), view)]));
  // Whether a bad copy is still there is asked of the server, not of an older listing.
  if ([...notes.values()].some((note) => note.state === 'unverified'))
    works.listings.forget(view.folder);
  const from = Math.min(...[...since.values()].map((uid) => uid ?? 1));
  const listing = await works.listings.current(session, view, from);
  const wanted = new Map<number, Sighted>();
  for (const original of originals) {
    for (const row of listing.candidates(original, since.get(original.uid))) {
      const before = wanted.get(row.uid)?.originals ?? [];
      wanted.set(row.uid, { row, originals: [...before, original] });
    }
  }
  // A copy that proves an original already proves no other one.
  const claimed = works.journal.claimed(view, [...wanted.keys()]);
  for (const [uid, claimant] of claimed) {
    const { row, originals: maybe = [] } = wanted.get(uid) ?? {};
    const its = maybe.filter((original) => isItself(epoch, claimant, original));
    if (row !== undefined && its.length > 0) wanted.set(uid, { row, originals: its });
    else wanted.delete(uid);
  }
  const all = await matchesOf(works, session, view, epoch, wanted, notes, claimed);
  const free = withoutEarlierTwins(works, view, epoch, originals, all);
  const { matches, waiting } = shareWithTwins(works, view, epoch, originals, notes, free);
  if (waiting.size > 0) works.revisit(epoch.pair, works.pace.attemptFirst);
  const found = assign(matches.map(({ receipt }) => receipt));
  const settled = new Set([...waiting, ...found.map((receipt) => receipt.original.uid)]);
  return { found, missing: originals.filter(({ uid }) => !settled.has(uid)), listing };
}

/**
 * Reads them, and resolves with the Receipts that they would make, the most alike first, so that of twins each has its own
 * copy as far as flags and INTERNALDATE tell them apart. Copies that prove another original by now are left out.
 */
async function matchesOf(
  works: Works,
  session: DestinationReader,
  view: FolderView,
  epoch: Epoch,
  wanted: ReadonlyMap<number, Sighted>,
  notes: ReadonlyMap<number, Note>,
  claimed: ReadonlyMap<number, Claimant | undefined>,
): Promise<Match[]> {
  const matches: Match[] = [];
  const read = async (uids: readonly number[]): Promise<number[]> => {
    const odd: number[] = [];
    if (uids.length === 0) return odd;
    const rows = uids.flatMap((uid) => wanted.get(uid)?.row ?? []);
    works.traffic.reading(rows);
    await session.read(rows, (copy) => {
      const before = matches.length;
      const { row, originals: maybe = [] } = wanted.get(copy.uid) ?? {};
      if (row === undefined) return;
      for (const original of maybe) {
        // Only what was noted before it was sent may be recognised by its header alone.
        const verify = notes.has(original.uid) ? works.route.verify : 'bytes';
        const receipt = match(epoch, original, view, copy, verify);
        if (!receipt) continue;
        matches.push({ receipt, unlike: unlikeness(original, row), isClaimed: false });
      }
      if (matches.length === before && copy.content.length !== row.size) odd.push(copy.uid);
    });
    return odd;
  };
  // A body that has not the length that the server says is read again: taken for another message, it would come twice.
  await read(await read([...wanted.keys()]));
  // Other batches have gone on meanwhile.
  const taken = works.journal.claimed(
    view,
    matches.map(({ receipt }) => receipt.copy.uid),
  );
  return matches
    .filter(({ receipt: { copy } }) => {
      const claimant = taken.get(copy.uid);
      return !taken.has(copy.uid) || (claimant && isSame(claimant, claimed.get(copy.uid)));
    })
    .map((match) => ({ ...match, isClaimed: taken.has(match.receipt.copy.uid) }))
    .sort((a, b) => a.unlike - b.unlike);
}

function isSame(one: Claimant, other: Claimant | undefined): boolean {
  return (
    one.folder === other?.folder && one.uidValidity === other.uidValidity && one.uid === other.uid
  );
}

/** Whether the numbers that were noted are of that folder as it is now. */
export function isOf({ dest }: Pick<Note, 'dest'>, view: FolderView): boolean {
  return dest.folder === view.folder && dest.uidValidity === view.uidValidity;
}

/** The lowest UID that a copy may have, where the journal tells. */
function lowest(note: Note | undefined, view: FolderView): number | undefined {
  if (note === undefined || !isOf(note, view)) return undefined;
  return Math.min(note.dest.uidNext, note.destUid ?? note.dest.uidNext);
}

/** A Receipt where the copy is this original's. One marked \Deleted proves nothing: it may be gone any moment. */
export function match(
  epoch: Epoch,
  original: Original,
  view: FolderView,
  copy: Copy,
  verify: Verify,
): Receipt | undefined {
  if (isDeleted(copy.flags)) return undefined;
  const copyKey: MessageKey = {
    folder: view.folder,
    uidValidity: view.uidValidity,
    uid: copy.uid,
  };
  return Receipt.of(keyOf(epoch, original.uid), original, copyKey, copy, verify);
}

const STRENGTH: readonly Proof[] = ['identical', 'equivalent', 'headers'];

/**
 * Gives each copy to one original at most, and each original one copy: the strongest proofs first. A header proves only
 * where it leaves no choice, since two messages may share one.
 */
export function assign(matches: readonly Receipt[]): Receipt[] {
  const originals = new Set<number>();
  const copies = new Set<number>();
  const assigned: Receipt[] = [];
  for (const proof of STRENGTH) {
    const open = matches.filter(
      (match) =>
        match.proof === proof && !originals.has(match.original.uid) && !copies.has(match.copy.uid),
    );
    for (const receipt of open) {
      const { original, copy } = receipt;
      if (proof === 'headers' && rivals(open, receipt) > 1) continue;
      if (originals.has(original.uid) || copies.has(copy.uid)) continue;
      originals.add(original.uid);
      copies.add(copy.uid);
      assigned.push(receipt);
    }
  }
  return assigned;
}

function rivals(matches: readonly Receipt[], { original, copy }: Receipt): number {
  return matches.filter(
    (other) => other.original.uid === original.uid || other.copy.uid === copy.uid,
  ).length;
}

/** Whether an unverified message's bad copy, or what may be it, is still there. */
export function badCopyRemains(
  works: Works,
  listing: Listing,
  original: Original,
  note: Note,
  view: FolderView,
): boolean {
  if (note.destUid !== undefined && isOf(note, view)) {
    return listing.has(note.destUid);
  }
  const alike = listing.alike(original, lowest(note, view) ?? 1);
  const claimed = works.journal.claimed(view, alike);
  return alike.some((uid) => !claimed.has(uid));
}
