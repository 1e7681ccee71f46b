/** Whether source and destination folder are one and the same, whatever their servers' names say. */
import { Failure } from '../domain/failure.ts';
import { isDeleted } from '../domain/message.ts';
import { type Receipt, sha256 } from '../domain/receipt.ts';
import type { Batch } from './folder-state.ts';
import type { Works } from './works.ts';

/**
 * Rejects, with kind `circle`, where originals are their own copies, or what was just appended turned up at the source:
 * before anything is retired on such a proof. Looked into only where both folders have one UIDVALIDITY, which those made in
 * one second may have by chance; once it was found that they are two, it is asked no more.
 */
export async function refuseOneMailbox(
  works: Works,
  batch: Batch,
  receipts: readonly Receipt[],
): Promise<void> {
  const { epoch } = batch;
  const alike = receipts.filter(({ copy }) => copy.uidValidity === epoch.uidValidity);
  if (epoch.isApart || alike.length === 0) return;
  const others = alike.filter(({ original, copy }) => copy.uid !== original.uid);
  // Nothing is marked under keep; but nothing is removed either, on whatever proof.
  const canMark = works.route.afterDelivery.kind !== 'keep';
  const [itself] = canMark ? alike.filter(({ original, copy }) => copy.uid === original.uid) : [];
  if (itself === undefined && others.length === 0) return;
  const [suspect] = itself ? [itself] : (await turnedUp(works, batch, others)) ? others : [];
  if (suspect !== undefined && (!canMark || (await bearsTheMark(works, batch, suspect))))
    throw new Failure(
      `${epoch.pair.source} at the source and ${epoch.pair.dest} at the destination are one and the same folder.`,
      { step: 'verify', scope: 'account', kind: 'circle', lasting: true },
    );
  epoch.isApart = true;
}

/** Whether each copy lies at the source under the number that it has at the destination: byte for byte, with its size and date. */
async function turnedUp(
  works: Works,
  { epoch, lane }: Batch,
  receipts: readonly Receipt[],
): Promise<boolean> {
  if (receipts.length === 0) return false;
  const notes = works.journal.notes(
    epoch.key,
    receipts.map(({ original }) => original.uid),
  );
  const originals = new Map(
    receipts.map(({ original, copy }) => [copy.uid, notes.get(original.uid)]),
  );
  const there = await lane.use(epoch, works.cut, async (session) => {
    // What was appended a moment ago comes into view with the end of a command.
    await session.noop();
    const listed = await session.list([...originals.keys()].sort((a, b) => a - b));
    const alike = listed.filter(({ uid, size, internalDate }) => {
      const note = originals.get(uid);
      return note?.size === size && note.internalDate === internalDate?.getTime();
    });
    return session.fetch(alike.map(({ uid }) => uid));
  });
  const same = there.filter(({ uid, bytes }) => sha256(bytes) === originals.get(uid)?.sha256);
  return same.length === receipts.length;
}

/**
 * Whether a mark on the original is one on what has its number at the destination. Where that is marked, the mark is taken
 * off again to see whether it goes there, too: a person may have marked what is another message.
 */
async function bearsTheMark(
  works: Works,
  { epoch, lane }: Batch,
  receipt: Receipt,
): Promise<boolean> {
  const uids = [receipt.original.uid];
  const mark = () => lane.use(epoch, works.cut, (session) => session.mark(uids));
  const unmark = () => lane.use(epoch, works.cut, (session) => session.unmark(uids));
  await mark();
  const isMarked = await isMarkedThere(works, receipt);
  const { kind } = works.route.afterDelivery;
  if (isMarked || kind === 'move') await unmark();
  if (!isMarked) return false;
  const isOne = !(await isMarkedThere(works, receipt));
  if (!isOne && kind !== 'move') await mark();
  return isOne;
}

/** Whether what has the original's number at the destination is marked there; asked afresh. */
async function isMarkedThere(works: Works, { original, copy }: Receipt): Promise<boolean> {
  return works.destinations.use(copy.folder, async (session) => {
    const view = await session.open(copy.folder, { fresh: true });
    if (view.uidValidity !== copy.uidValidity) return false;
    let isMarked = false;
    await session.read([original.uid], ({ flags }) => {
      isMarked = isDeleted(flags);
    });
    return isMarked;
  });
}
