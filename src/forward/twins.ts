/** Twins: originals with the same bytes. Each of their copies proves one of them only, and must prove the right one. */
import type { Candidate, FolderView, MessageKey, Original } from '../domain/message.ts';
import { travellingFlags } from '../domain/message.ts';
import type { Claimant } from '../domain/ports.ts';
import { type Receipt, sha256 } from '../domain/receipt.ts';
import { type Epoch, looksOf } from './folder-state.ts';
import { keyOf, type Works } from './works.ts';

/** A copy that would prove an original, and how unlike they are in what is not in the bytes. */
export interface Match {
  readonly receipt: Receipt;
  readonly unlike: number;
  /** The journal says that it is this original's. */
  readonly isClaimed: boolean;
}

/** Whether the copy of a message that the journal knows nothing of may be one that a twin in hand has just been sent as. */
export function isTwinUnderWay({ sent, inHand }: Epoch, { uid, bytes }: Original): boolean {
  if (sent.size === 0) return false;
  const sum = sha256(bytes);
  return [...sent].some(([other, its]) => its.sha256 === sum && other !== uid && inHand.has(other));
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

export function isSameKey(a: Claimant, b: MessageKey): boolean {
  return a?.folder === b.folder && a.uidValidity === b.uidValidity && a.uid === b.uid;
}

/**
 * Whether an original is the one that was carried and marked before its folder was renumbered, with its mark taken off since:
 * the bytes and INTERNALDATE are the same, and none that looks so is there with its mark. A twin has come at another time.
 */
export function wasMarked(
  { journal }: Works,
  { key: { folder, uidValidity }, marked }: Epoch,
  claimant: Claimant,
  original: Original,
): boolean {
  if (claimant?.folder !== folder || claimant.uidValidity === uidValidity) return false;
  if (marked.has(looksOf(original))) return false;
  const { bytes, internalDate } = original;
  const note = journal.notes(claimant, [claimant.uid]).get(claimant.uid);
  return (
    note?.retired === 'marked' &&
    note.internalDate !== undefined &&
    note.internalDate === internalDate?.getTime() &&
    note.sha256 === sha256(bytes)
  );
}

/**
 * Leaves to other twins what is theirs: as many copies as are on their way by the journal's word, and as many as were
 * proven before the destination folder was renumbered, which no claim names any more. What is least alike is left.
 */
export function withoutOtherTwins(
  { journal }: Works,
  view: FolderView,
  epoch: Epoch,
  originals: readonly Original[],
  matches: readonly Match[],
): readonly Match[] {
  if (matches.length === 0) return matches;
  const keys = originals.map(({ uid }) => keyOf(epoch, uid));
  const isOther = (claimant: Claimant) => !keys.some((key) => isSameKey(claimant, key));
  const sums = new Map(originals.map(({ uid, bytes }) => [uid, sha256(bytes)]));
  const left = new Set<number>();
  for (const sum of new Set(matches.map(({ receipt }) => sums.get(receipt.original.uid) ?? ''))) {
    const others = [...journal.onTheWay(view.folder, sum), ...journal.claimedBefore(view, sum)];
    const copies = new Map<number, number>();
    for (const { receipt, unlike, isClaimed } of matches) {
      if (isClaimed || sums.get(receipt.original.uid) !== sum) continue;
      const { uid } = receipt.copy;
      copies.set(uid, Math.min(unlike, copies.get(uid) ?? Number.POSITIVE_INFINITY));
    }
    const leastAlike = [...copies].sort(([a, x], [b, y]) => y - x || a - b);
    const count = others.filter(isOther).length;
    for (const [uid] of leastAlike.slice(0, count)) left.add(uid);
  }
  return matches.filter(({ receipt }) => !left.has(receipt.copy.uid));
}
