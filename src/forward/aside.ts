/** Sets messages aside that can not be carried, or whose copy differs: they stay at the source, and are tried again later. */
import type { Original } from '../domain/message.ts';
import type { FolderStanding, Intent, Note } from '../domain/ports.ts';
import type { Epoch } from './folder-state.ts';
import { refusedPause } from './pace.ts';
import { intentOf, tell, type Works } from './works.ts';

/**
 * Sets a message aside that can't be carried for now. It is told as `delivery.refused` the first time only, and tried
 * again after 1 min, doubling to 6 h.
 */
export function refuse(
  works: Works,
  epoch: Epoch,
  intent: Intent,
  note: Note | undefined,
  why: string,
  dest: FolderStanding = { folder: epoch.pair.dest, uidValidity: 0, uidNext: 1 },
): void {
  const now = works.clock.now();
  const pause = refusedPause(works.pace, (note?.tries ?? 0) + 1);
  const retryAt = now + pause;
  works.journal.setAside(epoch.key, [intent], 'refused', { why, dest, retryAt }, now);
  works.revisit(epoch.pair, pause);
  if (note?.state === 'refused' && sameWords(note.why ?? '', why)) return;
  tell(works, 'delivery.refused', epoch, intent, {
    why,
    bytes: intent.size,
    msg: `The message with UID ${intent.uid} in ${epoch.pair.source} can not be carried: ${why} It stays at the source and is tried again later, at growing intervals; the rest goes on.`,
  });
}

/** Many servers put a time or a number of their queue into a refusal: it is the same one all the same. */
function sameWords(a: string, b: string): boolean {
  const words = (text: string) => text.replaceAll(/\S*\d\S*/g, '#');
  return words(a) === words(b);
}

/** The copy is not the original: the original stays, and is looked at again at each start and once a day. */
export function differs(
  works: Works,
  epoch: Epoch,
  original: Original,
  dest: { folder: string; uidValidity: number; uidNext: number },
  destUid: number | undefined,
): void {
  const now = works.clock.now();
  const retryAt = now + works.pace.unverified;
  const why =
    destUid === undefined
      ? 'the destination accepted it, and holds no copy that is the same message'
      : `what the destination holds under UID ${destUid} is not the same message`;
  works.journal.setAside(
    epoch.key,
    [intentOf(original)],
    'unverified',
    { why, dest, retryAt, ...(destUid !== undefined && { destUid }) },
    now,
  );
  epoch.rechecked.add(original.uid);
  works.revisit(epoch.pair, works.pace.unverified);
  const again =
    destUid === undefined
      ? `if it finds no bad copy in ${dest.folder} then, the message is sent once more`
      : `if you delete that copy in ${dest.folder}, the message is sent once more`;
  tell(works, 'delivery.unverified', epoch, intentOf(original), {
    why,
    bytes: original.content.length,
    msg: `The message with UID ${original.uid} in ${epoch.pair.source} stays at the source: ${why}. imapferry looks again once a day; ${again}.`,
  });
}
