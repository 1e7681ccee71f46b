/** Decides what is to be done with each message that a look has found. Pure. */
import type { Listed } from '../domain/message.ts';
import { isDeleted } from '../domain/message.ts';
import type { Note, Retired } from '../domain/ports.ts';
import type { AfterDelivery } from '../domain/route.ts';
import type { Epoch } from './folder-state.ts';
import { type Pace, refusedPause } from './pace.ts';

/** What is to be done with a message. */
export type Road =
  /** Nothing, or not now. */
  | 'rest'
  /** Append: it can't be at the destination yet. */
  | 'fresh'
  /** Look for it at the destination first; append if it is not there. */
  | 'seek'
  /** Its copy is proven: retire it. */
  | 'retire';

/** A draft goes once nobody has touched it for so long (ms): a mail program stores each stage of it as a message of its own. */
const DRAFT_RESTS = 3_600_000;

/**
 * The road of one message.
 * @param note what the journal knows of it
 * @param now epoch ms
 * @param pace the longest pauses that a message set aside may have
 */
export function roadOf(
  message: Listed,
  note: Note | undefined,
  epoch: Epoch,
  afterDelivery: AfterDelivery,
  now: number,
  pace: Pick<Pace, 'refusedFirst' | 'refusedLongest' | 'unverified'>,
): Road {
  if (epoch.rehearsed.has(message.uid)) return 'rest';
  if (note?.state === 'proven') return 'retire';
  if (note?.state === 'retired') return isRetired(note.retired, afterDelivery) ? 'rest' : 'retire';
  // Whoever marked it, it was not us: we mark what is proven only.
  if (isDeleted(message.flags)) return 'rest';
  if (epoch.pair.use === '\\Drafts' && isBeingWritten(message, now)) return 'rest';
  if (note === undefined)
    return message.uid < epoch.fence || epoch.sent.has(message.uid) ? 'seek' : 'fresh';
  if (note.state === 'appending') return 'seek';
  if (note.state === 'unverified' && !epoch.rechecked.has(message.uid)) return 'seek';
  return isDue(note, now, pace) ? 'seek' : 'rest';
}

/** By INTERNALDATE: clocks differ, and one that is far ahead says nothing. */
function isBeingWritten({ internalDate }: Listed, now: number): boolean {
  return internalDate !== undefined && Math.abs(now - internalDate.getTime()) < DRAFT_RESTS;
}

/**
 * Whether the pause of a message that was set aside is over. One that would last longer than it ever was to last was
 * noted before the clock was set back: it is over, too.
 */
function isDue(
  { state, tries, retryAt = 0 }: Note,
  now: number,
  pace: Parameters<typeof roadOf>[5],
): boolean {
  const pause = state === 'refused' ? refusedPause(pace, tries) : pace.unverified;
  return retryAt <= now || retryAt > now + pause;
}

/**
 * Whether an original that was retired so, and is still in its folder, needs nothing more under this AFTER_DELIVERY.
 * One that is still there was not expunged or moved, whatever was noted.
 */
export function isRetired(how: Retired | undefined, { kind }: AfterDelivery): boolean {
  switch (kind) {
    case 'keep':
      return how !== undefined;
    case 'mark':
      return how === 'marked';
    case 'expunge':
    case 'move':
      return false;
  }
}
