/**
 * Whether source and destination folder are one and the same, whatever their servers' names say.
 *
 * Within one UIDVALIDITY a UID stands for one message for ever. Where both sides show different messages under one UID,
 * they are two. Where they show equal ones, or one side shows none, only what changes on one side and is looked for on the
 * other one can tell: a flag of an original is turned over and back. Neither one answer nor one silence counts for proof.
 */
import type { Fingerprint } from '../domain/content.ts';
import { Failure } from '../domain/failure.ts';
import type { Copy } from '../domain/message.ts';
import { compare, type Receipt } from '../domain/receipt.ts';
import type { Batch, Epoch } from './folder-state.ts';
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

/** Batches of one folder that ask at one time get one answer. */
async function kinshipOf(
  works: Works,
  batch: Batch,
  receipts: readonly Receipt[],
): Promise<Kinship> {
  // Under keep no flag can be set at the source, and nothing is removed.
  const { epoch } = batch;
  if (works.route.afterDelivery.kind === 'keep') {
    if (await turnedUp(works, batch, receipts)) return 'one';
    const { receipt, size } = probeOf(works, batch, receipts);
    const byNumbers = await works.cargo.use(4 * size, () => compareNumbers(works, batch, receipt));
    if (byNumbers === 'apart') epoch.setApart();
    return 'apart';
  }
  epoch.asking ??= ask(works, batch, receipts).finally(() => {
    epoch.asking = undefined;
  });
  const kinship = await epoch.asking;
  if (kinship === 'apart') epoch.setApart();
  return kinship;
}

async function ask(works: Works, batch: Batch, receipts: readonly Receipt[]): Promise<Kinship> {
  const { receipt, size } = probeOf(works, batch, receipts);
  // Both messages are held from both sides.
  const byNumbers = await works.cargo.use(4 * size, () => compareNumbers(works, batch, receipt));
  if (byNumbers !== 'alike') return byNumbers;
  for (const flag of FLAGS) {
    const kinship = await followFlag(works, batch, receipt, flag);
    if (kinship !== 'not kept') return kinship;
  }
  return 'unclear';
}

/** Of which to ask: one whose copy has another number, which may tell by itself; the smallest, since it is read several times. */
function probeOf(works: Works, { epoch }: Batch, receipts: readonly Receipt[]) {
  const uids = receipts.map(({ original }) => original.uid);
  const notes = works.journal.notes(epoch.key, uids);
  const probes = receipts.map((receipt) => ({
    receipt,
    size: notes.get(receipt.original.uid)?.size ?? 0,
    isRenumbered: Number(receipt.original.uid !== receipt.copy.uid),
  }));
  return probes.reduce((best, each) => {
    const better = each.isRenumbered - best.isRenumbered || best.size - each.size;
    return better > 0 ? each : best;
  });
}

/** Looks at the other side before what does not show counts as not there, with a pause between them that doubles. */
const LOOKS = 4;

/** Looks, each asking both sides anew, at which they have to differ: one answer may be a lie. */
const DIFFERENCES = 2;

/**
 * What both sides show under the numbers of the original and of its copy. `alike`: the same messages, as in one folder,
 * or as two that were made so. A number that only one side shows, look after look, makes them two.
 */
async function compareNumbers(
  works: Works,
  batch: Batch,
  receipt: Receipt,
): Promise<Kinship | 'alike'> {
  const { original, copy } = receipt;
  const { verify } = works.route;
  let differed = 0;
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await pause(works, look);
    const there = await messagesThere(works, receipt);
    const sizes = await sizesHere(works, batch, receipt);
    const size = sizes.get(copy.uid) ?? 0;
    const read = there.get(copy.uid);
    // So far from the copy that nobody has to fetch it.
    if (read !== undefined && size > 2 * read.length) {
      if (++differed === DIFFERENCES) return 'apart';
      continue;
    }
    works.traffic.fetching([...sizes.values()].map((size) => ({ size })));
    const here = await messagesHere(works, batch, sizes);
    // One of the two that have to be there is not.
    if (!here.has(original.uid) || !there.has(copy.uid)) return 'unclear';
    const shared = [original.uid, copy.uid].filter((uid) => here.has(uid) && there.has(uid));
    const isOther = (uid: number) => {
      const [its, copys] = [here.get(uid), there.get(uid)];
      return its && copys && compare(its, copys, verify) === undefined;
    };
    if (shared.some(isOther)) {
      if (++differed === DIFFERENCES) return 'apart';
      continue;
    }
    if (shared.length === 2) return 'alike';
  }
  return differed > 0 ? 'unclear' : 'apart';
}

/** The sizes, as the source tells them, of what has the original's and the copy's numbers there. */
async function sizesHere(
  works: Works,
  { epoch, lane }: Batch,
  { original, copy }: Receipt,
): Promise<Map<number, number>> {
  const uids = [...new Set([original.uid, copy.uid])].sort((a, b) => a - b);
  const listed = await lane.use(epoch, works.cut, async (session) => {
    // What was appended a moment ago comes into view with the end of a command.
    await session.noop();
    return session.list(uids);
  });
  return new Map(listed.map(({ uid, size }) => [uid, size]));
}

async function messagesHere(
  works: Works,
  { epoch, lane }: Batch,
  sizes: ReadonlyMap<number, number>,
): Promise<Map<number, Fingerprint>> {
  const wanted = [...sizes].map(([uid, size]) => ({ uid, size }));
  if (wanted.length === 0) return new Map();
  const fetched = await lane.use(epoch, works.cut, (session) => session.fetch(wanted));
  return new Map(fetched.map(({ uid, content }) => [uid, content]));
}

async function messagesThere(works: Works, receipt: Receipt): Promise<Map<number, Fingerprint>> {
  const { original, copy } = receipt;
  const found = new Map<number, Fingerprint>();
  await readThere(works, receipt, [original.uid, copy.uid], ({ uid, content }) =>
    found.set(uid, content),
  );
  return found;
}

/** Flags by which to ask. \Flagged first; \Deleted never, since some servers remove at once what bears it. */
const FLAGS = ['\\Flagged', '\\Answered'];

/** How often a flag is turned over. */
const TURNS = 4;

/**
 * Turns a flag of the original over and back, and over and back again, and looks each time whether what has its number at
 * the destination follows. One: it has followed each time. Apart: it was the same throughout. All that somebody else may
 * have had a hand in is unclear: a flag that is not at the source as it was set when it was looked for at the destination,
 * one that followed now and then.
 */
async function followFlag(
  works: Works,
  batch: Batch,
  receipt: Receipt,
  flag: string,
): Promise<Kinship | 'not kept'> {
  const { uid } = receipt.original;
  const before = await flagHere(works, batch, uid, flag);
  if (before === undefined) return 'unclear';
  const turn = (on: boolean) =>
    batch.lane.use(batch.epoch, works.cut, (session) => session.setFlag(uid, flag, on));
  const isSo = async (on: boolean) => (await flagHere(works, batch, uid, flag)) === on;
  const seen = new Set<boolean>();
  let followed = 0;
  let left = before;
  try {
    for (let nth = 0; nth < TURNS; nth++) {
      left = !left;
      await turn(left);
      const isKept = await isSo(left);
      const there = isKept ? await flagThere(works, receipt, flag, left) : undefined;
      if (!isKept || !(await isSo(left))) {
        // As the server, or somebody else, has it.
        left = before;
        return isKept || nth > 0 ? 'unclear' : 'not kept';
      }
      if (there === undefined) return 'unclear';
      seen.add(there);
      if (there === left) followed++;
    }
  } finally {
    // An error on the way is what is told, not that the flag could not be put back either.
    if (left !== before) await turn(before).catch(() => undefined);
  }
  if (followed === TURNS) return 'one';
  return seen.size === 1 ? 'apart' : 'unclear';
}

/** Whether the original has the flag, asked anew; `undefined`: it is gone. */
function flagHere(
  works: Works,
  { epoch, lane }: Batch,
  uid: number,
  flag: string,
): Promise<boolean | undefined> {
  return lane.use(epoch, works.cut, async (session) => {
    await session.noop();
    const [original] = await session.list([uid]);
    return original?.flags.has(flag);
  });
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

/** Reads messages of the destination folder, opened afresh. */
function readThere(
  works: Works,
  { copy }: Receipt,
  uids: readonly number[],
  take: (copy: Copy) => void,
): Promise<void> {
  return works.destinations.use(copy.folder, async (session) => {
    const view = await session.open(copy.folder, { fresh: true });
    if (view.uidValidity !== copy.uidValidity)
      throw new Failure(`${copy.folder} was renumbered meanwhile; imapferry looks again.`, {
        step: 'verify',
        scope: 'connection',
      });
    const wanted = [...new Set(uids)].map((uid) => ({ uid }));
    await session.read(wanted, take);
  });
}

function pause({ clock, pace, cut }: Works, look: number): Promise<void> {
  return clock.sleep(pace.attemptFirst * 2 ** (look - 1), cut);
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
