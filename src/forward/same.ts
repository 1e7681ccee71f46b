/**
 * Whether what the journal says of a number is still said of the message that has it. A server that was restored from a
 * backup may give a number again that another message has had, under the same UIDVALIDITY.
 */

import type { Fingerprint } from '../domain/content.ts';
import { Failure } from '../domain/failure.ts';
import type { Listed, Original } from '../domain/message.ts';
import type { Note } from '../domain/ports.ts';
import type { Batch } from './folder-state.ts';
import type { Works } from './works.ts';

/** Messages that are to be retired on a Receipt of the journal's, by what came when they were asked for again. */
export interface Told {
  /** The very messages that were carried, byte for byte. */
  readonly same: Listed[];
  /** Other messages, for sure. The rows that told of their numbers are removed. */
  readonly other: Listed[];
  /** What came is not what was carried, and did not come twice: nothing is done with these now. */
  readonly unclear: Listed[];
}

/**
 * Fetches again what an earlier delivery carried, and what comes otherwise once more on another connection: one wrong
 * answer makes no other message of it, which would be sent. What does not come at all is left out; a look decides.
 * @param carried what this delivery has fetched by itself, and need not be fetched again
 */
export async function compareWithNotes(
  works: Works,
  { epoch, lane }: Batch,
  messages: readonly Listed[],
  notes: ReadonlyMap<number, Note>,
  carried: ReadonlyMap<number, unknown>,
): Promise<Told> {
  const asked = messages.filter(({ uid }) => !carried.has(uid));
  if (asked.length === 0) return { same: [...messages], other: [], unclear: [] };
  const { fetched, estimates } = await lane.use(epoch, works.quit, async (session) => {
    works.traffic.fetching(asked);
    return {
      fetched: await session.fetch(asked),
      estimates: session.abilities.estimatesSizes,
    };
  });
  const isSame: IsSame = (uid, { sha256 }) => sha256 === notes.get(uid)?.sha256;
  const hasDate = ({ uid, internalDate }: Original) => {
    const noted = notes.get(uid)?.internalDate;
    return noted === undefined || noted === internalDate?.getTime();
  };
  const first = new Map(fetched.map((original) => [original.uid, original]));
  const isIt = (original: Original) => isSame(original.uid, original.content) && hasDate(original);
  const strange = fetched.filter((original) => !isIt(original));
  works.traffic.fetching(strange);
  const again = strange.length > 0 ? await works.fetchAgain(epoch, strange) : NONE;
  const told: Told = { same: [], other: [], unclear: [] };
  for (const message of messages) {
    const { uid } = message;
    const original = first.get(uid);
    if (carried.has(uid)) told.same.push(message);
    else if (original === undefined) continue;
    else if (isIt(original)) told.same.push(message);
    else if (isSame(uid, original.content))
      told[again.has(uid) ? 'other' : 'unclear'].push(message);
    else told[doubted(original, estimates, again.get(uid), isSame)].push(message);
  }
  if (told.other.length > 0)
    works.journal.forget(
      epoch.key,
      told.other.map(({ uid }) => uid),
    );
  return told;
}

/** Whether that is what was carried under a number. */
type IsSame = (uid: number, content: Fingerprint) => boolean;

const NONE: ReadonlyMap<number, Fingerprint> = new Map();

function doubted(
  { uid, content, size }: Original,
  estimates: boolean,
  again: Fingerprint | undefined,
  isSame: IsSame,
): keyof Told {
  if (again === undefined) return 'unclear';
  if (isSame(uid, again)) return 'same';
  const cameTwice = content.length > 0 && again.sha256 === content.sha256;
  return cameTwice && (content.length === size || estimates) ? 'other' : 'unclear';
}

/** What is unclear stays, and is asked for again. */
export function unclear({ epoch }: Batch, messages: readonly Listed[]): Failure {
  const which = messages.map(({ uid }) => uid).join(', ');
  return new Failure(
    `What ${epoch.pair.source} returns for UID ${which} is not what was carried under that number, and can't be believed: it did not come the same twice, or not in the size that the server tells. It stays at the source; imapferry asks for it again.`,
    { step: 'fetch', scope: 'connection' },
  );
}
