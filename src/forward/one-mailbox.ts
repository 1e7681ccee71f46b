/** Whether source and destination folder are one and the same, whatever their servers' names say. */
import { Failure } from '../domain/failure.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { Batch } from './folder-state.ts';
import type { Works } from './works.ts';

/**
 * Rejects, with kind `circle`, where originals are their own copies, or what was just appended turned up at the source:
 * before anything is retired on such a proof, which is taken back. Looked into only where both folders have one UIDVALIDITY,
 * which those made in one second may have by chance; once it was found that they are two, it is asked no more.
 */
export async function refuseOneMailbox(
  works: Works,
  batch: Batch,
  receipts: readonly Receipt[],
): Promise<void> {
  const { epoch } = batch;
  const [first, ...others] = receipts.filter(({ copy }) => copy.uidValidity === epoch.uidValidity);
  if (epoch.isApart || first === undefined) return;
  const keeps = works.route.afterDelivery.kind === 'keep';
  // Under keep no flag can be set at the source, and nothing is removed.
  const isOne = keeps
    ? await turnedUp(works, batch, [first, ...others])
    : await areOne(works, batch, first);
  if (!isOne) {
    epoch.isApart = !keeps;
    return;
  }
  works.journal.disprove(
    epoch.key,
    receipts.map(({ original }) => original.uid),
  );
  throw new Failure(
    `${epoch.pair.source} at the source and ${first.copy.folder} at the destination are one and the same folder.`,
    { step: 'verify', scope: 'account', kind: 'circle', lasting: true },
  );
}

const FLAG = '\\Flagged';

/**
 * Turns a flag of the original over and back: where that shows at the destination, in what has the original's number there,
 * both are one. \Flagged, since some servers remove at once what is marked \Deleted.
 */
async function areOne(works: Works, { epoch, lane }: Batch, receipt: Receipt): Promise<boolean> {
  const { uid } = receipt.original;
  const before = await flagThere(works, receipt);
  const isSet = await lane.use(epoch, works.cut, async (session) => {
    const [original] = await session.list([uid]);
    return original?.flags.has(FLAG);
  });
  // Nothing has its number there, or it is gone: two folders, or nothing to be retired.
  if (before === undefined || isSet === undefined || before !== isSet) return false;
  const turn = (on: boolean) =>
    lane.use(epoch, works.cut, (session) => session.setFlag(uid, FLAG, on));
  await turn(!isSet);
  let turned = await flagThere(works, receipt);
  // A server may be a little late to tell one session of what another one did.
  for (let looks = 0; looks < LOOKS && turned === before; looks++) {
    await works.clock.sleep(works.pace.attemptFirst, works.cut);
    turned = await flagThere(works, receipt);
  }
  await turn(isSet);
  if (turned === before) return false;
  for (let looks = 0; looks < LOOKS && turned !== before; looks++) {
    turned = await flagThere(works, receipt);
    if (turned !== before) await works.clock.sleep(works.pace.attemptFirst, works.cut);
  }
  return turned === before;
}

const LOOKS = 2;

/** Whether what has the original's number at the destination has the flag there, asked afresh; `undefined`: nothing has it. */
function flagThere(works: Works, { original, copy }: Receipt): Promise<boolean | undefined> {
  return works.destinations.use(copy.folder, async (session) => {
    const view = await session.open(copy.folder, { fresh: true });
    if (view.uidValidity !== copy.uidValidity)
      throw new Failure(`${copy.folder} was renumbered meanwhile; imapferry looks again.`, {
        step: 'verify',
        scope: 'connection',
      });
    let isSet: boolean | undefined;
    await session.read([{ uid: original.uid }], ({ flags }) => {
      isSet = flags.has(FLAG);
    });
    return isSet;
  });
}

/** Whether each copy lies at the source, too, under the number that it has at the destination, and is another message there. */
async function turnedUp(
  works: Works,
  { epoch, lane }: Batch,
  receipts: readonly Receipt[],
): Promise<boolean> {
  const copies = receipts.flatMap(({ original, copy: { uid } }) =>
    uid === original.uid ? [] : [{ uid }],
  );
  if (copies.length === 0 || copies.length < receipts.length) return false;
  const there = await lane.use(epoch, works.cut, async (session) => {
    // What was appended a moment ago comes into view with the end of a command.
    await session.noop();
    return session.fetch(copies);
  });
  if (there.length < copies.length) return false;
  const sums = new Map(there.map(({ uid, content }) => [uid, content.sha256]));
  let same = 0;
  await works.destinations.use(epoch.pair.dest, async (session) => {
    await session.open(epoch.pair.dest, { fresh: true });
    await session.read(copies, ({ uid, content }) => {
      if (sums.get(uid) === content.sha256) same++;
    });
  });
  return same === copies.length;
}
