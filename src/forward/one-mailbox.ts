/**
 * Whether source and destination folder are one and the same, whatever their servers' names say.
 *
 * Within one UIDVALIDITY a UID stands for one message for ever. Where both sides show different messages under one UID,
 * they are two. Where they show equal ones, or one side shows none, only what changes on one side and is looked for on the
 * other one can tell: a flag of an original is turned over and back. Neither one answer nor one silence counts for proof.
 */
import { Failure } from '../domain/failure.ts';
import type { Receipt } from '../domain/receipt.ts';
import { askByFlag } from './ask-by-flag.ts';
import { listHere, readThere } from './both-sides.ts';
import type { Batch, Epoch } from './folder-state.ts';
import { compareNumbers } from './numbers.ts';
import type { Works } from './works.ts';

/** Both folders are one; they are two; or it was not to be found out this time. */
export type Kinship = 'one' | 'apart' | 'unclear';

/**
 * Rejects, with kind `circle`, where originals are their own copies, or what was just appended turned up at the source:
 * before anything is retired on such a proof, which is taken back. Looked into only where both folders have one UIDVALIDITY,
 * which those made in one second may have by chance; once it was found that they are two, it is asked no more. Where it is
 * unclear, nothing is retired either, and it is asked again.
 */
export async function refuseOneMailbox(
  works: Works,
  batch: Batch,
  receipts: readonly Receipt[],
): Promise<void> {
  const { epoch } = batch;
  const doubtful = receipts.filter(({ copy }) => copy.uidValidity === epoch.uidValidity);
  const [first] = doubtful;
  if (epoch.isApart || first === undefined) return;
  const kinship = await kinshipOf(works, batch, doubtful);
  if (epoch.isApart || kinship === 'apart') return;
  if (kinship === 'unclear') {
    throw new Failure(
      `Whether ${epoch.pair.source} at the source and ${first.copy.folder} at the destination are one and the same folder is not clear yet: both have one UIDVALIDITY, and a flag that was turned over at the source told neither. Until it is clear nothing is removed; imapferry asks again.`,
      { step: 'verify', scope: 'connection' },
    );
  }
  works.journal.disprove(
    epoch.key,
    receipts.map(({ original }) => original.uid),
  );
  epoch.circle = new Failure(
    `${epoch.pair.source} at the source and ${first.copy.folder} at the destination are one and the same folder. Both accounts are one: check SOURCE_HOST, DEST_HOST and the users, or name another folder in FOLDERS.`,
    { step: 'verify', scope: 'account', kind: 'circle', lasting: true },
  );
  throw epoch.circle;
}

/**
 * Brings and retires a batch, alone of its folder until it is known that both folders are two: else what it appends comes in
 * at the source as new mail, and is appended in its turn before it is known that they are one.
 */
export function cautiously<T>(epoch: Epoch, work: () => Promise<T>): Promise<T> {
  if (epoch.isApart) return work();
  return new Promise((resolve, reject) => {
    void epoch.turn.use(1, async () => {
      const result = epoch.circle ? Promise.reject(epoch.circle) : work();
      const ended = result.then(resolve, reject);
      await Promise.race([ended, epoch.parted.promise]);
    });
  });
}

/** Batches of one folder that ask at one time get one answer, unless there was nothing by which it could be asked. */
async function kinshipOf(
  works: Works,
  batch: Batch,
  receipts: readonly Receipt[],
): Promise<Kinship> {
  // Under keep no flag can be set at the source, and nothing is removed.
  const { epoch } = batch;
  if (works.route.afterDelivery.kind === 'keep') {
    if (await turnedUp(works, batch, receipts)) return 'one';
    const probe = await probeOf(works, batch, receipts);
    if (probe && (await askByNumbers(works, batch, probe)) === 'apart') epoch.setApart();
    return 'apart';
  }
  while (epoch.asking !== undefined) {
    const kinship = await epoch.asking;
    if (kinship !== undefined) return kinship;
  }
  epoch.asking = ask(works, batch, receipts).finally(() => {
    epoch.asking = undefined;
  });
  const kinship = await epoch.asking;
  if (kinship === 'apart') epoch.setApart();
  return kinship ?? 'unclear';
}

/** `undefined`: there was nothing by which to ask. */
async function ask(
  works: Works,
  batch: Batch,
  receipts: readonly Receipt[],
): Promise<Kinship | undefined> {
  const probe = await probeOf(works, batch, receipts);
  if (probe === undefined) return undefined;
  const byNumbers = await askByNumbers(works, batch, probe);
  return byNumbers === 'alike' ? askByFlag(works, batch, probe.receipt) : byNumbers;
}

function askByNumbers(works: Works, batch: Batch, { receipt, size }: Probe) {
  // Both messages are held from both sides.
  return works.cargo.use(4 * size, () => compareNumbers(works, batch, receipt));
}

/** Of which to ask. */
interface Probe {
  readonly receipt: Receipt;
  readonly size: number;
}

/**
 * One whose copy has another number, which may tell by itself; the smallest, since it is read several times. Its owner may
 * have deleted the original or the copy: then it is another one. `undefined`: of none are both there.
 */
async function probeOf(
  works: Works,
  batch: Batch,
  receipts: readonly Receipt[],
): Promise<Probe | undefined> {
  const { key } = batch.epoch;
  const uids = receipts.map(({ original }) => original.uid);
  const notes = works.journal.notes(key, uids);
  const isRenumbered = ({ receipt: { original, copy } }: Probe) =>
    Number(original.uid !== copy.uid);
  const probes = receipts
    .map((receipt) => ({ receipt, size: notes.get(receipt.original.uid)?.size ?? 0 }))
    .sort((a, b) => isRenumbered(b) - isRenumbered(a) || a.size - b.size);
  // More of them each time: mostly the first one is there, and where whole folders were emptied, few round trips tell it.
  for (let count = 1; probes.length > 0; count *= 2) {
    const next = probes.splice(0, count);
    // The one that is asked of is read a few times more, of which nothing is counted.
    if (count > 1) works.traffic.reading(next);
    const probe = await firstThere(works, batch, next);
    if (probe !== undefined) return probe;
  }
  return undefined;
}

async function firstThere(
  works: Works,
  batch: Batch,
  probes: readonly Probe[],
): Promise<Probe | undefined> {
  const originals = probes.map(({ receipt }) => receipt.original.uid);
  const here = new Set((await listHere(works, batch, originals)).map(({ uid }) => uid));
  const left = probes.filter(({ receipt }) => here.has(receipt.original.uid));
  // A copy that was found again may be in another folder, to which the mail went before.
  for (const [, its] of Map.groupBy(left, ({ receipt }) => receipt.copy.folder)) {
    const [{ receipt }] = its as [Probe];
    const largest = Math.max(...its.map(({ size }) => size));
    const copies = its.map(({ receipt: { copy } }) => copy.uid);
    const there = new Set<number>();
    await works.cargo.use(2 * largest, () =>
      readThere(works, receipt, copies, ({ uid }) => there.add(uid)),
    );
    const probe = its.find(({ receipt: { copy } }) => there.has(copy.uid));
    if (probe !== undefined) return probe;
  }
  return undefined;
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
