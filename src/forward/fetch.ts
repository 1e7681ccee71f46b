/** Fetches a batch's originals, and doubts what does not have the size that the server said. */
import type { Listed, Original } from '../domain/message.ts';
import type { Note } from '../domain/ports.ts';
import { refuse } from './aside.ts';
import type { Batch, Epoch } from './folder-state.ts';
import { intentOf, type Works } from './works.ts';

/** The originals as the source returns them now. Those that are gone, or can't be believed, are missing. */
export async function fetchOriginals(
  works: Works,
  { epoch, lane }: Batch,
  messages: readonly Listed[],
  notes: ReadonlyMap<number, Note>,
): Promise<Original[]> {
  const uids = messages.map(({ uid }) => uid);
  const fetched = await lane.use(epoch, works.quit, (session) => session.fetch(uids));
  const originals: Original[] = [];
  for (const original of fetched) {
    if (original.bytes.length === original.size || (await confirmed(works, epoch, original))) {
      originals.push(original);
    } else {
      const why = `the source says it has ${original.size} bytes but returns ${original.bytes.length}, and not the same ones twice.`;
      refuse(works, epoch, intentOf(original), notes.get(original.uid), why);
    }
  }
  works.emit('delivery.fetched', {
    route: works.route.name,
    folder: epoch.pair.source,
    count: originals.length,
  });
  return originals;
}

/** RFC822.SIZE is an estimate on some servers. The same bytes on another connection are believed; anything else is not. */
async function confirmed(works: Works, epoch: Epoch, original: Original): Promise<boolean> {
  const again = await works.fetchAgain(epoch, original.uid);
  return again !== undefined && original.bytes.length > 0 && again.equals(original.bytes);
}
