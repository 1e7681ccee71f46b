/** Twins: originals with the same bytes. Each of their copies proves one of them only, and must prove the right one. */
import type { Candidate, FolderView, Original } from '../domain/message.ts';
import { travellingFlags } from '../domain/message.ts';
import type { Claimant, Note } from '../domain/ports.ts';
import type { Receipt } from '../domain/receipt.ts';
import { type Epoch, looksOf } from './folder-state.ts';
import type { Works } from './works.ts';

/** A copy that would prove an original, and how unlike they are in what is not in the bytes. */
export interface Match {
  readonly receipt: Receipt;
  readonly unlike: number;
  /** The journal says that it is this original's. */
  readonly isClaimed: boolean;
}

/** How much of what is not in the bytes differs: INTERNALDATE counts more than any flags. */
export function unlikeness(original: Original, row: Candidate): number {
  const [its, copys] = [travellingFlags(original.flags), travellingFlags(row.flags)];
  const flags = [
    ...its.filter((flag) => !copys.includes(flag)),
    ...copys.filter((flag) => !its.includes(flag)),
  ];
  const sameDate = original.internalDate?.getTime() === row.internalDate?.getTime();
  return flags.length + (sameDate ? 0 : 1000);
}

/**
 * Whether an original is the very one that a copy was proven of, under this number or under one from before its folder was
 * renumbered. A twin has come at another time; or its like is there, marked.
 */
export function isItself(
  epoch: Epoch,
  claimant: Claimant | undefined,
  original: Original,
): boolean {
  const { folder, uidValidity } = epoch.key;
  if (claimant?.folder !== folder) return false;
  const date = original.internalDate?.getTime();
  if (claimant.uidValidity === uidValidity) {
    const isOfDate = claimant.internalDate === undefined || claimant.internalDate === date;
    return claimant.uid === original.uid && isOfDate;
  }
  return (
    claimant.renumbered &&
    date !== undefined &&
    claimant.internalDate === date &&
    !epoch.marked.has(looksOf(original)) &&
    claimant.sha256 === original.content.sha256
  );
}

/**
 * Leaves to earlier twins what is theirs: where the destination folder was renumbered, no claim names their copies any more.
 * As many as were proven before, the least alike, are left.
 */
export function withoutEarlierTwins(
  { journal }: Works,
  view: FolderView,
  epoch: Epoch,
  originals: readonly Original[],
  matches: readonly Match[],
): readonly Match[] {
  if (matches.length === 0) return matches;
  const sums = new Map(originals.map(({ uid, content }) => [uid, content.sha256]));
  const left = new Set<number>();
  for (const sum of new Set(matches.map(({ receipt }) => sums.get(receipt.original.uid) ?? ''))) {
    const copies = new Map<number, number>();
    for (const { receipt, unlike, isClaimed } of matches) {
      if (isClaimed || sums.get(receipt.original.uid) !== sum) continue;
      const { uid } = receipt.copy;
      copies.set(uid, Math.min(unlike, copies.get(uid) ?? Number.POSITIVE_INFINITY));
    }
    const leastAlike = [...copies].sort(([a, x], [b, y]) => y - x || a - b);
    const earlier = journal
      .claimedBefore(view, sum)
      .filter((claimant) => !originals.some((each) => isItself(epoch, claimant, each)));
    for (const [uid] of leastAlike.slice(0, earlier.length)) left.add(uid);
  }
  return matches.filter(({ receipt }) => !left.has(receipt.copy.uid));
}

/** What is left of the matches, and who finds too few of them for that. */
export interface Shared {
  readonly matches: readonly Match[];
  /** UIDs of originals whose copy may be there, or is a twin's, which is about to find out: neither found nor missing. */
  readonly waiting: ReadonlySet<number>;
}

/**
 * Leaves to other twins a copy for each that is on its way by the journal's word: the least alike. Of twins that are on
 * their way the one with the lower UID takes first, so that they never wait for one another.
 */
export function shareWithTwins(
  { journal }: Works,
  view: FolderView,
  epoch: Epoch,
  originals: readonly Original[],
  notes: ReadonlyMap<number, Note>,
  matches: readonly Match[],
): Shared {
  const ours = new Set(originals.map(({ uid }) => uid));
  const waiting = new Set<number>();
  const kept = originals.flatMap(({ uid, content }) => {
    const its = matches.filter(({ receipt }) => receipt.original.uid === uid);
    if (its.length === 0) return [];
    const isSent = notes.get(uid)?.state === 'appending';
    const others = journal
      .onTheWay(epoch.key, content.sha256)
      .filter((other) => !ours.has(other.uid) && (!isSent || other.uid < uid));
    const free = its
      .filter(({ isClaimed }) => !isClaimed)
      .sort((a, b) => b.unlike - a.unlike || a.receipt.copy.uid - b.receipt.copy.uid);
    const left = new Set<Match>();
    const first = others.filter(({ dest }) => {
      const mayBeIts = ({ receipt }: Match) =>
        dest.uidValidity !== view.uidValidity || receipt.copy.uid >= dest.uidNext;
      const its = free.find((match) => !left.has(match) && mayBeIts(match));
      if (its) left.add(its);
      return its !== undefined;
    });
    // One that nobody has in hand is at rest, and finds out nothing.
    const finds = isSent || first.some((other) => epoch.inHand.has(other.uid));
    if (left.size === its.length && finds) waiting.add(uid);
    return its.filter((match) => !left.has(match));
  });
  return { matches: kept, waiting };
}
