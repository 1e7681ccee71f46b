/** Which folders of the old mailbox hold mail that no route carries: with them, it is not empty when all is carried. Pure. */
import { nameOf } from '../domain/folder-name.ts';
import type { FolderPair, Listing, Route } from '../domain/route.ts';
import { folded } from './folder-names.ts';
import { choose } from './plan.ts';
import { Side } from './side.ts';

/**
 * The paths of the source's own folders that neither this route nor a rival one carries. Views, other people's folders, what
 * was carried and moved, junk and trash are none of them.
 */
export function uncarried(route: Route, listing: Listing, pairs: readonly FolderPair[]): string[] {
  const { afterDelivery, rivals = [] } = route;
  const source = new Side(listing.folders, listing.namespaces, listing.isExchange);
  const theirs = rivals.flatMap(({ folders }) => choose(source, folders).folders);
  const carried = new Set([
    ...pairs.map((pair) => nameOf(pair.source)),
    ...theirs.map(({ folder }) => nameOf(folder.path)),
  ]);
  const own = afterDelivery.kind === 'move' ? afterDelivery.folder : undefined;
  const moved = new Set(
    [own, ...rivals.map(({ moveTo }) => moveTo)].flatMap((path) => (path ? [folded(path)] : [])),
  );
  return source.folders
    .filter(
      (folder) =>
        !carried.has(nameOf(folder.path)) &&
        !moved.has(folded(folder.path)) &&
        source.barred(folder) === undefined &&
        !isThrownAway(source, folder.path),
    )
    .map(({ path }) => path);
}

/** It is, or lies below, a folder for junk or trash. */
function isThrownAway(source: Side, path: string): boolean {
  const use = source.useOf(path);
  if (use === '\\Junk' || use === '\\Trash') return true;
  const above = source.above(path);
  return above !== undefined && isThrownAway(source, above);
}
