/** What source and destination show of single messages, each asked anew. */
import { Failure } from '../domain/failure.ts';
import type { Copy, Listed } from '../domain/message.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { Batch } from './folder-state.ts';
import type { Works } from './works.ts';

/** Looks at the other side before what does not show counts as not there, with a pause between them that doubles. */
export const LOOKS = 4;

/** The messages of the source that have one of these numbers, with the flags that they have now. */
export function listHere(
  works: Works,
  { epoch, lane }: Pick<Batch, 'epoch' | 'lane'>,
  uids: readonly number[],
): Promise<Listed[]> {
  const wanted = [...new Set(uids)].sort((a, b) => a - b);
  return lane.use(epoch, works.cut, async (session) => {
    // What was appended or changed a moment ago comes into view with the end of a command.
    await session.noop();
    return session.list(wanted);
  });
}

/** Reads messages of the destination folder, opened afresh. */
export function readThere(
  works: Works,
  { copy }: Receipt,
  uids: readonly number[],
  take: (copy: Copy) => void,
): Promise<void> {
  return works.destinations.use(copy.folder, async (session) => {
    const view = await session.open(copy.folder, { fresh: true });
    if (view.uidValidity !== copy.uidValidity)
      throw new Failure(`${copy.folder} was renumbered meanwhile; imapferry looks again.`, {
        step: 'verify',
        scope: 'connection',
        kind: 'renumbered',
      });
    const wanted = [...new Set(uids)].map((uid) => ({ uid }));
    await session.read(wanted, take);
  });
}

export function pause({ clock, pace, cut }: Works, look: number): Promise<void> {
  return clock.sleep(pace.attemptFirst * 2 ** (look - 1), cut);
}
