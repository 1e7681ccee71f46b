/** Whether a source folder, as the server opened it, can be carried from. */
import { Failure } from '../domain/failure.ts';
import type { FolderView } from '../domain/message.ts';
import type { SourceAbilities } from '../domain/ports.ts';
import type { FolderPair, Route } from '../domain/route.ts';

/**
 * Throws a lasting Failure for a folder that opens read-only although originals are to be removed, that keeps no UIDs, or
 * whose server can't move although they are to be moved.
 */
export function admit(
  route: Route,
  pair: FolderPair,
  view: FolderView,
  abilities: SourceAbilities,
): void {
  if (route.afterDelivery.kind === 'move' && !abilities.move && !abilities.uidPlus) {
    throw new Failure(
      `${pair.source} is not carried: its server can move no message by itself (it has neither MOVE nor UIDPLUS), as AFTER_DELIVERY=move wants. Its mail stays where it is; AFTER_DELIVERY=mark, keep or expunge would do.`,
      { step: 'open', scope: 'folder', lasting: true },
    );
  }
  if (view.uidNotSticky) {
    throw new Failure(
      `${pair.source} is not carried: the server does not keep its UIDs (UIDNOTSTICKY), so that no message could be told from another. Its mail stays where it is.`,
      { step: 'open', scope: 'folder', lasting: true },
    );
  }
  if (view.readOnly && route.afterDelivery.kind !== 'keep') {
    throw new Failure(
      `${pair.source} is not carried: it opens read-only, so that carried mail could not be removed. Its mail stays where it is; AFTER_DELIVERY=keep carries it without removing anything.`,
      { step: 'open', scope: 'folder', lasting: true },
    );
  }
}
