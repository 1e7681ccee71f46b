/**
 * Looks for copies that are there already: what an interrupted APPEND left, what an earlier life carried and forgot.
 * A copy is recognised by its bytes, and proves one original only.
 */
import type { Copy, FolderView, MessageKey, Original } from '../domain/message.ts';
import { isDeleted } from '../domain/message.ts';
import type { DestinationReader, Note } from '../domain/ports.ts';
import { type Proof, Receipt, sha256 } from '../domain/receipt.ts';
import type { Verify } from '../domain/route.ts';
import type { Epoch } from './folder-state.ts';
import type { Listing } from './listing.ts';
import { keyOf, type Works } from './works.ts';

export interface Sought {
  readonly found: Receipt[];
  readonly missing: Original[];
  readonly listing: Listing;
}

/** What may be a copy, with the size that the listing says, and of which originals. */
interface Sighted {
  readonly size: number;
  readonly originals: Original[];
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
  const from = new Map(
    originals.map((original) => [original.uid, lowest(notes.get(original.uid), view)]),
  );
  // Whether a bad copy is still there is asked of the server, not of an older listing.
  if ([...notes.values()].some((note) => note.state === 'unverified'))
    works.listings.forget(view.folder);
  const listing = await works.listings.current(session, view, Math.min(...from.values()));
  const wanted = new Map<number, Sighted>();
  for (const original of originals) {
    for (const { uid, size } of listing.candidates(original, from.get(original.uid) ?? 1)) {
      const sighted = wanted.get(uid) ?? { size, originals: [] };
      sighted.originals.push(original);
      wanted.set(uid, sighted);
    }
  }
  for (const uid of works.journal.claimed(view, [...wanted.keys()])) wanted.delete(uid);
  const free = await matchesOf(works, session, view, epoch, wanted, notes);
  const seen = new Set(free.map((receipt) => receipt.original.uid));
  const waiting = new Set(
    originals
      .filter((original) => seen.has(original.uid) && !notes.has(original.uid))
      .filter((original) => isTwinUnderWay(epoch, original))
      .map(({ uid }) => uid),
  );
  if (waiting.size > 0) works.revisit(epoch.pair, works.pace.attemptFirst);
  const found = assign(free.filter(({ original }) => !waiting.has(original.uid)));
  const settled = new Set([...waiting, ...found.map((receipt) => receipt.original.uid)]);
  return { found, missing: originals.filter(({ uid }) => !settled.has(uid)), listing };
}

/** Reads them, and resolves with the Receipts that they would make, those of copies that prove an original by now left out. */
async function matchesOf(
  works: Works,
  session: DestinationReader,
  view: FolderView,
  epoch: Epoch,
  wanted: ReadonlyMap<number, Sighted>,
  notes: ReadonlyMap<number, Note>,
): Promise<Receipt[]> {
  const matches: Receipt[] = [];
  const read = async (uids: readonly number[]): Promise<number[]> => {
    const odd: number[] = [];
    if (uids.length === 0) return odd;
    await session.read(uids, (copy) => {
      const before = matches.length;
      const { size, originals: maybe } = wanted.get(copy.uid) ?? { size: 0, originals: [] };
      for (const original of maybe) {
        // Only what was noted before it was sent may be recognised by its header alone.
        const verify = notes.has(original.uid) ? works.route.verify : 'bytes';
        const receipt = match(epoch, original, view, copy, verify);
        if (receipt) matches.push(receipt);
      }
      if (matches.length === before && copy.bytes.length !== size) odd.push(copy.uid);
    });
    return odd;
  };
  // A body that has not the length that the server says is read again: taken for another message, it would come twice.
  await read(await read([...wanted.keys()]));
  // Other batches have gone on meanwhile.
  const taken = works.journal.claimed(view, [...new Set(matches.map(({ copy }) => copy.uid))]);
  return matches.filter(({ copy }) => !taken.has(copy.uid));
}

/** Whether the copy of a message that the journal knows nothing of may be one that a twin in hand has just been sent as. */
function isTwinUnderWay({ sent, inHand }: Epoch, { uid, bytes }: Original): boolean {
  if (sent.size === 0) return false;
  const sum = sha256(bytes);
  return [...sent].some(([other, its]) => its === sum && other !== uid && inHand.has(other));
}

/** The lowest UID that a copy may have. */
function lowest(note: Note | undefined, view: FolderView): number {
  if (note === undefined || note.dest.uidValidity !== view.uidValidity) return 1;
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
  if (note.destUid !== undefined && note.dest.uidValidity === view.uidValidity) {
    return listing.has(note.destUid);
  }
  const alike = listing.alike(original, lowest(note, view));
  const claimed = works.journal.claimed(view, alike);
  return alike.some((uid) => !claimed.has(uid));
}
