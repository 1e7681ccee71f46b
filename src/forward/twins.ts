/** Twins: originals with the same bytes. Each of their copies proves one of them only, and must prove the right one. */
import type { Candidate, FolderView, MessageKey, Original } from '../domain/message.ts';
import { travellingFlags } from '../domain/message.ts';
import type { Claimant } from '../domain/ports.ts';
import { type Receipt, sha256 } from '../domain/receipt.ts';
import type { Epoch } from './folder-state.ts';
import { keyOf, type Works } from './works.ts';

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
 * Where the destination folder was renumbered, copies of earlier twins lie there that no claim names any more: as many as
 * were proven before, the lowest UIDs, are theirs.
 */
export function withoutEarlierTwins(
  works: Works,
  view: FolderView,
  epoch: Epoch,
  originals: readonly Original[],
  matches: readonly Receipt[],
): Receipt[] {
  const matched = new Set(matches.map(({ original }) => original.uid));
  const keys = originals.map(({ uid }) => keyOf(epoch, uid));
  const sums = new Map<string, Set<number>>();
  for (const { uid, bytes } of originals) {
    if (!matched.has(uid)) continue;
    const sum = sha256(bytes);
    sums.set(sum, (sums.get(sum) ?? new Set()).add(uid));
  }
  const theirs = new Set<number>();
  for (const [sum, uids] of sums) {
    const earlier = works.journal
      .claimedBefore(view, sum)
      .filter((claimant) => !keys.some((key) => isSameKey(claimant, key)));
    const copies = matches.filter(({ original }) => uids.has(original.uid));
    const inOrder = [...new Set(copies.map(({ copy }) => copy.uid))].sort((a, b) => a - b);
    for (const uid of inOrder.slice(0, earlier.length)) theirs.add(uid);
  }
  return matches.filter(({ copy }) => !theirs.has(copy.uid));
}
