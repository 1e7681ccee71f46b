/** Which folders hold IDLE where not all can: INBOX, and those that had mail lately. Pure. */
import { isInbox } from '../domain/folder-name.ts';

/** A folder, since when it has, or has not, a watcher, and when it had new mail last. In clock ticks. */
export interface Posted {
  readonly folder: string;
  readonly since: number;
  readonly mailedAt: number | undefined;
}

/** In the order in which they deserve a watcher: INBOX, then by their last mail, then as they come. */
export function byDesert<T extends Posted>(folders: readonly T[]): T[] {
  const rank = (one: Posted) =>
    isInbox(one.folder) ? Number.POSITIVE_INFINITY : (one.mailedAt ?? -1);
  return folders.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
}

/**
 * The folder that gives its watcher to another one, if that is worth it: the other had mail since, and this one has had its
 * watcher, and no mail, for `dwell` ms.
 */
export function swap(
  watched: readonly Posted[],
  others: readonly Posted[],
  now: number,
  dwell: number,
): { readonly from: string; readonly to: string } | undefined {
  const [to] = byDesert(others);
  const from = byDesert(watched).findLast(
    (one) => !isInbox(one.folder) && now - Math.max(one.since, one.mailedAt ?? 0) >= dwell,
  );
  if (to === undefined || from === undefined) return undefined;
  const worth = isInbox(to.folder) || (to.mailedAt ?? 0) > (from.mailedAt ?? from.since);
  return worth ? { from: from.folder, to: to.folder } : undefined;
}
