/** Fetches a batch's originals, and doubts what does not have the size that the server said. */
import { isDeleted, type Listed, type Original } from '../domain/message.ts';
import type { Note } from '../domain/ports.ts';
import { refuse } from './aside.ts';
import type { Batch, Epoch } from './folder-state.ts';
import { intentOf, type Works } from './works.ts';

/**
 * The originals as the source returns them now. Those that are gone or marked by now are missing, and so are those that
 * can't be believed: these are set aside.
 */
export async function fetchOriginals(
  works: Works,
  { epoch, lane }: Batch,
  messages: readonly Listed[],
  notes: ReadonlyMap<number, Note>,
): Promise<Original[]> {
  const listed = new Map(messages.map((message) => [message.uid, message]));
  const fetched = await lane.use(epoch, works.quit, (session) => session.fetch([...listed.keys()]));
  const originals: Original[] = [];
  for (const original of fetched) {
    // Marked by someone else while its batch waited.
    if (isDeleted(original.flags)) continue;
    const doubt = await doubted(works, epoch, listed.get(original.uid) ?? original, original);
    if (doubt === undefined) originals.push(original);
    else refuse(works, epoch, intentOf(original), notes.get(original.uid), doubt);
  }
  works.emit('delivery.fetched', {
    route: works.route.name,
    folder: epoch.pair.source,
    count: originals.length,
  });
  return originals;
}

/**
 * Why an original can't be believed; `undefined` where it can. RFC822.SIZE is an estimate on some servers: the same bytes
 * on another connection are believed, whatever their number.
 */
async function doubted(
  works: Works,
  epoch: Epoch,
  listed: Listed,
  original: Original,
): Promise<string | undefined> {
  const { bytes } = original;
  if (bytes.length === original.size && isTheSame(listed, original)) return undefined;
  const again = await works.fetchAgain(epoch, original.uid);
  if (bytes.length > 0 && again?.equals(bytes)) return undefined;
  const then = again ? `${again.length} on another connection` : 'nothing on another connection';
  return `the source says it has ${listed.size} bytes, returns ${bytes.length}, and ${then}: not the same ones twice.`;
}

/** Neither its size nor its INTERNALDATE ever changes: with others, this may be another message. */
function isTheSame(listed: Listed, original: Original): boolean {
  return (
    listed.size === original.size &&
    listed.internalDate?.getTime() === original.internalDate?.getTime()
  );
}
