/** Why a message is set aside before anything of it travels. */
import type { Listed } from '../domain/message.ts';
import { type Batch, DEADLY } from './folder-state.ts';
import type { Works } from './works.ts';

/** Why a message is too large: it exceeds MAX_MESSAGE_SIZE or the destination's APPENDLIMIT. `undefined` if it does not. */
export function tooLarge({ route, destinations }: Works, { size }: Listed): string | undefined {
  const most = Math.min(
    route.maxMessageSize ?? Number.POSITIVE_INFINITY,
    destinations.appendLimit ?? Number.POSITIVE_INFINITY,
  );
  if (size <= most) return undefined;
  const whose =
    most === route.maxMessageSize ? 'MAX_MESSAGE_SIZE allows' : 'the destination server takes';
  return `it has ${size} bytes, and ${whose} ${most}.`;
}

/**
 * Of a batch, with why: the messages with which in hand processes died, the last one among them. It may be the message's
 * doing. Of those that are proven no more than the end is left to do.
 */
export function deadly({ journal }: Works, { epoch, messages }: Batch): Map<number, string> {
  const deaths = journal.deaths(epoch.key);
  const found = new Map<number, string>();
  for (const { uid } of messages) {
    const { count = 0, last = false } = deaths.get(uid) ?? {};
    if (count < DEADLY || !last) continue;
    const note = journal.notes(epoch.key, [uid]).get(uid);
    if (note?.state === 'proven' || note?.state === 'retired') continue;
    found.set(
      uid,
      `imapferry ended ${count} times without warning while it had this message in hand.`,
    );
  }
  return found;
}
