/**
 * Whether two folders are one, asked by a flag: one of an original is turned over and back, and looked for at the other side.
 *
 * How it was is in the journal before it is first turned, so that it is put back whatever comes between: by the question
 * itself; where its line is lost, or imapferry dies, by the next look at the folder.
 */
import { Failure } from '../domain/failure.ts';
import type { Turned } from '../domain/ports.ts';
import type { Receipt } from '../domain/receipt.ts';
import { LOOKS, listHere, pause, readThere } from './both-sides.ts';
import type { Batch } from './folder-state.ts';
import type { Kinship } from './one-mailbox.ts';
import type { Works } from './works.ts';

/** Flags by which to ask. \Flagged first; \Deleted never, since some servers remove at once what bears it. */
const FLAGS = ['\\Flagged', '\\Answered'];

/** How often a flag is turned over. */
const TURNS = 4;

/** Where the folder is open. */
type Place = Pick<Batch, 'epoch' | 'lane'>;

/** Asks by one flag, and by another one where that is not kept. Rejects where a flag could not be put back. */
export function askByFlag(works: Works, batch: Batch, receipt: Receipt): Promise<Kinship> {
  return batch.epoch.flags.use(1, async () => {
    await putBackAll(works, batch, works.cut);
    for (const flag of FLAGS) {
      const kinship = await followFlag(works, batch, receipt, flag);
      if (kinship !== 'not kept') return kinship;
    }
    return 'unclear';
  });
}

/**
 * Puts back what an earlier question has left turned over, where anything may be changed at the source. What can't be put
 * back now keeps the folder from nothing, and is for the next look.
 */
export async function putBackFlags(works: Works, place: Place): Promise<void> {
  const { epoch } = place;
  const { afterDelivery, dryRun } = works.route;
  const isAsking = epoch.asking !== undefined;
  if (isAsking || dryRun || afterDelivery.kind === 'keep') return;
  try {
    if (works.journal.turned(epoch.key).length === 0) return;
    await epoch.flags.use(1, () => putBackAll(works, place, works.quit));
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
  }
}

async function putBackAll(works: Works, place: Place, signal: AbortSignal): Promise<void> {
  for (const turned of works.journal.turned(place.epoch.key))
    await putBack(works, place, turned, signal);
}

/**
 * Puts a flag back, without asking how it is: where its owner has turned it since, or the message is gone, nothing changes by
 * that, and an answer that is late, or a lie, would leave it turned over.
 */
async function putBack(
  works: Works,
  place: Place,
  turned: Turned,
  signal: AbortSignal,
): Promise<void> {
  const { epoch, lane } = place;
  const { uid, flag, was } = turned;
  await lane.use(epoch, signal, (session) => session.setFlag(uid, flag, was));
  works.journal.turnedBack(epoch.key, turned);
}

async function followFlag(
  works: Works,
  batch: Batch,
  receipt: Receipt,
  flag: string,
): Promise<Kinship | 'not kept'> {
  const { uid } = receipt.original;
  const was = await flagHere(works, batch, { uid, flag });
  if (was === undefined) return 'unclear';
  const turned = { uid, flag, was };
  works.journal.turnOver(batch.epoch.key, turned);
  let answer: Answer;
  try {
    answer = await turnAndLook(works, batch, receipt, turned);
  } catch (thrown) {
    // The error on the way is what is told, not that the flag could not be put back either.
    await putBack(works, batch, turned, works.cut).catch(() => undefined);
    throw thrown;
  }
  // Were it to stay turned, it would be taken for its owner's wish, and put on the copy.
  if (answer.isTurned) await putBack(works, batch, turned, works.cut);
  else works.journal.turnedBack(batch.epoch.key, turned);
  return answer.kinship;
}

interface Answer {
  readonly kinship: Kinship | 'not kept';
  /** The flag may be turned over, by us. */
  readonly isTurned: boolean;
}

/**
 * Turns a flag of the original over and back, and over and back again, and looks each time whether what has its number at
 * the destination follows. One: it has followed each time. Apart: it was the same throughout. All that somebody else may
 * have had a hand in is unclear: a flag that is not at the source as it was set when it was looked for at the destination,
 * one that followed now and then.
 */
async function turnAndLook(
  works: Works,
  batch: Batch,
  receipt: Receipt,
  turned: Turned,
): Promise<Answer> {
  const { uid, flag, was } = turned;
  const isSo = async (on: boolean) => (await flagHere(works, batch, turned)) === on;
  const seen = new Set<boolean>();
  let followed = 0;
  for (let nth = 0; nth < TURNS; nth++) {
    const isTurned = nth % 2 === 0;
    const on = isTurned !== was;
    await batch.lane.use(batch.epoch, works.cut, (session) => session.setFlag(uid, flag, on));
    const isKept = await isSo(on);
    const there = isKept ? await flagThere(works, receipt, flag, on) : undefined;
    // As the server, or somebody else, has it; or so it seems.
    if (!isKept || !(await isSo(on)))
      return { kinship: isKept || nth > 0 ? 'unclear' : 'not kept', isTurned };
    if (there === undefined) return { kinship: 'unclear', isTurned };
    seen.add(there);
    if (there === on) followed++;
  }
  const alwaysSame = seen.size === 1 ? 'apart' : 'unclear';
  return { kinship: followed === TURNS ? 'one' : alwaysSame, isTurned: false };
}

/** Whether the original has the flag, asked anew; `undefined`: it is gone. */
async function flagHere(
  works: Works,
  place: Place,
  { uid, flag }: Pick<Turned, 'uid' | 'flag'>,
): Promise<boolean | undefined> {
  const [original] = await listHere(works, place, [uid]);
  return original?.flags.has(flag);
}

/**
 * Whether what has the original's number at the destination has the flag; `undefined`: nothing has that number. Looked at
 * again for a while if it is not as expected: a server may be late to tell one session of what another one did.
 */
async function flagThere(
  works: Works,
  receipt: Receipt,
  flag: string,
  expected: boolean,
): Promise<boolean | undefined> {
  let isSet: boolean | undefined;
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await pause(works, look);
    isSet = undefined;
    await readThere(works, receipt, [receipt.original.uid], ({ flags }) => {
      isSet = flags.has(flag);
    });
    if (isSet === expected) return isSet;
  }
  return isSet;
}
