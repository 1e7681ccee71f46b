/**
 * Whether source and destination folder are one and the same, whatever their servers' names say.
 *
 * Within one UIDVALIDITY a UID stands for one message for ever. Where both sides show different messages under one UID,
 * they are two. Where they show equal ones, or one side shows none, only what changes on one side and is looked for on the
 * other one can tell: a flag of an original is turned over and back. Neither one answer nor one silence counts for proof.
 */
import { Failure } from '../domain/failure.ts';
import { isDeleted } from '../domain/message.ts';
import type { Receipt } from '../domain/receipt.ts';
import { askByFlag } from './ask-by-flag.ts';
import { listHere, readThere } from './both-sides.ts';
import type { Batch, Epoch } from './folder-state.ts';
import { compareNumbers } from './numbers.ts';
import type { Works } from './works.ts';

/** Both folders are one; they are two; or it was not to be found out this time. */
export type Kinship = 'one' | 'apart' | 'unclear';

/**
 * The receipts that stand: on which originals may be retired. Looked into is each whose copy has the UIDVALIDITY of the source
 * folder, which folders made in one second may share by chance, by the folder and the numbers of that very copy, wherever the
 * mail goes now. Rejects, with kind `circle`, where it lies where the mail goes, and that folder is the source folder; its
 * receipt is taken back. Where that is unclear, nothing is retired either, and it is asked again. Receipts of another folder,
 * to which the mail went before, are taken back unless it is known to be another one: their messages are carried anew.
 * @param recalled the receipts come from the journal, and the folders may have been one when they were noted
 */
export async function withoutOwn(
  works: Works,
  batch: Batch,
  receipts: readonly Receipt[],
  { recalled = false } = {},
): Promise<readonly Receipt[]> {
  const { epoch } = batch;
  const isDoubtful = (receipt: Receipt) =>
    receipt.copy.uidValidity === epoch.uidValidity && !epoch.cleared.has(nameOf(receipt));
  const doubtful = receipts.filter(isDoubtful);
  const back = new Set<Receipt>();
  for (const [folder, its] of Map.groupBy(doubtful, ({ copy }) => copy.folder)) {
    const own = recalled ? mayBeOriginals(works, batch, its) : new Set();
    const others = its.filter((receipt) => !own.has(receipt));
    const areApart =
      others.length > 0 && (await isApartFrom(works, batch, folder, others, recalled));
    for (const receipt of its) {
      if (own.has(receipt) || !areApart) back.add(receipt);
      else if (epoch.apartFrom.has(folder)) epoch.cleared.add(nameOf(receipt));
    }
  }
  if (back.size === 0) return receipts;
  takeBack(works, epoch, [...back]);
  return receipts.filter((receipt) => !back.has(receipt));
}

function nameOf({ original, copy }: Receipt): string {
  return `${original.uid} ${copy.uid} ${copy.folder}`;
}

function takeBack(works: Works, { key }: Epoch, receipts: readonly Receipt[]): void {
  works.journal.disprove(
    key,
    receipts.map(({ original }) => original.uid),
  );
}

/**
 * Those whose copy has the numbers of an original with the same bytes: of itself, or of its twin. That both folders are two
 * now does not make them copies: the name of the destination may have led to the source when they were noted. Not so of what
 * is marked \Deleted: imapferry marks only what was asked of, and anyone else wants it gone.
 */
function mayBeOriginals(
  works: Works,
  { epoch, messages }: Batch,
  receipts: readonly Receipt[],
): Set<Receipt> {
  const marked = new Set(messages.filter(({ flags }) => isDeleted(flags)).map(({ uid }) => uid));
  const uids = receipts.flatMap(({ original, copy }) => [original.uid, copy.uid]);
  const notes = works.journal.notes(epoch.key, uids);
  const isOne = ({ original, copy }: Receipt) =>
    !marked.has(original.uid) &&
    (original.uid === copy.uid || notes.get(original.uid)?.sha256 === notes.get(copy.uid)?.sha256);
  return new Set(receipts.filter(isOne));
}

/** Whether the folder of these copies is known to be another one than the source folder; not: the receipts are to be taken back. */
async function isApartFrom(
  works: Works,
  batch: Batch,
  folder: string,
  receipts: readonly Receipt[],
  recalled: boolean,
): Promise<boolean> {
  const { epoch } = batch;
  let kinship: Kinship;
  try {
    kinship = await kinshipOf(works, batch, folder, receipts);
  } catch (thrown) {
    // Nothing is there any more of which it could be asked.
    if (recalled && thrown instanceof Failure && GONE.has(thrown.kind)) return false;
    throw thrown;
  }
  if (kinship === 'apart') return true;
  if (folder !== epoch.pair.dest) return false;
  if (kinship === 'unclear') {
    throw new Failure(
      `Whether ${epoch.pair.source} at the source and ${folder} at the destination are one and the same folder is not clear yet: both have one UIDVALIDITY, and a flag that was turned over at the source told neither. Until it is clear nothing is removed; imapferry asks again.`,
      { step: 'verify', scope: 'connection' },
    );
  }
  takeBack(works, epoch, receipts);
  epoch.circle = new Failure(
    `${epoch.pair.source} at the source and ${folder} at the destination are one and the same folder. Both accounts are one: check SOURCE_HOST, DEST_HOST and the users, or name another folder in FOLDERS.`,
    { step: 'verify', scope: 'account', kind: 'circle', lasting: true },
  );
  throw epoch.circle;
}

/** The destination has no such folder, or has given it other numbers. */
const GONE: ReadonlySet<Failure['kind']> = new Set(['folder-missing', 'renumbered'] as const);

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
  folder: string,
  receipts: readonly Receipt[],
): Promise<Kinship> {
  const { epoch } = batch;
  if (epoch.apartFrom.has(folder)) return 'apart';
  // Under keep no flag can be set at the source, and nothing is removed.
  if (works.route.afterDelivery.kind === 'keep') {
    if (await turnedUp(works, batch, receipts)) return 'one';
    const probe = await probeOf(works, batch, receipts);
    if (probe && (await askByNumbers(works, batch, probe)) === 'apart') epoch.setApart(folder);
    return 'apart';
  }
  while (epoch.asking !== undefined) {
    const { asking } = epoch;
    const isMine = asking.folder === folder;
    const kinship = await asking.answer.catch((thrown: unknown) => {
      if (isMine) throw thrown;
      return undefined;
    });
    if (isMine && kinship !== undefined) return kinship;
  }
  const answer = ask(works, batch, receipts).finally(() => {
    epoch.asking = undefined;
  });
  epoch.asking = { folder, answer };
  const kinship = await answer;
  if (kinship === 'apart') epoch.setApart(folder);
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
  if (left.length === 0) return undefined;
  const [{ receipt }] = left as [Probe];
  const largest = Math.max(...left.map(({ size }) => size));
  const copies = left.map(({ receipt: { copy } }) => copy.uid);
  const there = new Set<number>();
  await works.cargo.use(2 * largest, () =>
    readThere(works, receipt, copies, ({ uid }) => there.add(uid)),
  );
  return left.find(({ receipt: { copy } }) => there.has(copy.uid));
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
  const [first] = receipts as [Receipt];
  const uids = copies.map(({ uid }) => uid);
  await readThere(works, first, uids, ({ uid, content }) => {
    if (sums.get(uid) === content.sha256) same++;
  });
  return same === copies.length;
}
