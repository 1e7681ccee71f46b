/** Whether two folders are one, as far as the numbers in them tell. */
import type { Fingerprint } from '../domain/content.ts';
import { compare, type Receipt } from '../domain/receipt.ts';
import { LOOKS, listHere, pause, readThere } from './both-sides.ts';
import type { Batch } from './folder-state.ts';
import type { Kinship } from './one-mailbox.ts';
import type { Works } from './works.ts';

/** Looks, each asking both sides anew, at which they have to differ: one answer may be a lie. */
const DIFFERENCES = 2;

/**
 * What both sides show under the numbers of the original and of its copy. `alike`: the same messages, as in one folder,
 * or as two that were made so. A number that only one side shows, look after look, makes them two.
 */
export async function compareNumbers(
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
    const listed = await listHere(works, batch, [original.uid, copy.uid]);
    const sizes = new Map(listed.map(({ uid, size }) => [uid, size]));
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
