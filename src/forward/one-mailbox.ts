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
  const [itself] = alike.filter(({ original, copy }) => copy.uid === original.uid);
  const canMark = works.route.afterDelivery.kind !== 'keep';
  const isOne =
    (await turnedUp(works, batch, others)) ||
    (itself !== undefined && canMark && (await bearsTheMark(works, batch, itself)));
  if (isOne)
    throw new Failure(
      `${epoch.pair.source} at the source and ${epoch.pair.dest} at the destination are one and the same folder.`,
      { step: 'verify', scope: 'account', kind: 'circle', lasting: true },
    );
  epoch.isApart = others.length > 0 || canMark;
}

/** Whether a copy lies at the source under the number that it has at the destination: byte for byte, with its size and date. */
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
  return there.some(({ uid, bytes }) => sha256(bytes) === originals.get(uid)?.sha256);
}

/**
 * Whether a mark on the original is one on its copy, which has the same number. Where the copy is marked, the mark is taken
 * off again to see whether that goes with it: a person may have marked the copy.
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
  const isMarked = await isCopyMarked(works, receipt);
  const { kind } = works.route.afterDelivery;
  if (isMarked || kind === 'move') await unmark();
  if (!isMarked) return false;
  const isOne = !(await isCopyMarked(works, receipt));
  if (!isOne && kind !== 'move') await mark();
  return isOne;
}

/** Asked afresh. A copy that is not there is not marked. */
async function isCopyMarked(works: Works, { copy }: Receipt): Promise<boolean> {
  return works.destinations.use(copy.folder, async (session) => {
    const view = await session.open(copy.folder, { fresh: true });
    if (view.uidValidity !== copy.uidValidity) return false;
    let isMarked = false;
    await session.read([copy.uid], ({ flags }) => {
      isMarked = isDeleted(flags);
    });
    return isMarked;
  });
}
