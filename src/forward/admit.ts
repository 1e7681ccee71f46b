/** Whether a source folder, as the server opened it, can be carried from. */
import { Failure } from '../domain/failure.ts';
import type { FolderView } from '../domain/message.ts';
import type { FolderPair, Route } from '../domain/route.ts';

/** Throws a lasting Failure for a folder that opens read-only although originals are to be removed, or that keeps no UIDs. */
export function admit(route: Route, pair: FolderPair, view: FolderView): void {
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
