/** Reads copies back from the destination and proves them against their originals. */

import { LARGEST_IN_MEMORY, letGo } from '../domain/content.ts';
import { Failure } from '../domain/failure.ts';
import type { FolderView, Original, Wanted } from '../domain/message.ts';
import type { DestinationSession } from '../domain/ports.ts';
import type { Receipt } from '../domain/receipt.ts';
import { differs } from './aside.ts';
import type { Epoch } from './folder-state.ts';
import { match, seek } from './seek.ts';
import { noteProven, type Works } from './works.ts';

/** A message whose APPEND was answered OK, with the UID that APPENDUID gave its copy. */
export interface Stored {
  readonly original: Original;
  readonly copy: { readonly uidValidity: number; readonly uid: number } | undefined;
}

/**
 * Reads each stored message back on the connection that appended it and notes the Receipts. What is not the same under
 * the UID that APPENDUID gave is looked for by its bytes before it is set aside. Rejects with a Failure where reading
 * back did not work, or copies can't be found: these messages stay noted as appending.
 */
export async function verify(
  works: Works,
  session: DestinationSession,
  view: FolderView,
  epoch: Epoch,
  stored: readonly Stored[],
): Promise<Receipt[]> {
  const named = new Map<number, Original>();
  const unnamed: Original[] = [];
  for (const { original, copy } of stored) {
    const credible = copy?.uidValidity === view.uidValidity && !named.has(copy.uid);
    if (credible) named.set(copy.uid, original);
    else unnamed.push(original);
  }
  const receipts: Receipt[] = [];
  const bad = new Map<Original, number>();
  if (named.size > 0) {
    works.traffic.readingBack([...named.values()]);
    const copies = [...named].map(([uid, original]) => copyOf(original, uid));
    await session.read(copies, (copy) => {
      const original = named.get(copy.uid);
      if (original === undefined) return;
      const receipt = match(epoch, original, view, copy, works.route.verify);
      letGo(copy.content);
      if (receipt) receipts.push(receipt);
      else bad.set(original, copy.uid);
    });
  }
  const proven = prove(works, epoch, receipts, [...named.values()]);
  for (const { copy } of proven) named.delete(copy.uid);
  giveWay(
    works,
    epoch,
    receipts.filter((receipt) => !proven.includes(receipt)),
  );
  const rest = [...unnamed, ...named.values()];
  return [...proven, ...(await findCopies(works, session, view, epoch, rest, bad))];
}

/** A copy as it is to be read. Servers may store a message larger than it is, by its line ends up to twice as large. */
function copyOf({ content: { length } }: Original, uid: number): Wanted {
  return 2 * length > LARGEST_IN_MEMORY && length <= LARGEST_IN_MEMORY
    ? { uid }
    : { uid, size: length };
}

/** Notes Receipts. A copy that proves another original already proves no second one. */
function prove(
  works: Works,
  epoch: Epoch,
  receipts: readonly Receipt[],
  originals: readonly Original[],
): Receipt[] {
  if (receipts.length === 0) return [];
  const at = works.clock.now();
  let proven = [...receipts];
  try {
    noteProven(works, epoch, receipts, originals, at);
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.step !== 'verify') throw thrown;
    proven = receipts.filter((receipt) => claims(works, epoch, receipt, originals, at));
  }
  if (proven.length > 0) works.proven();
  return proven;
}

function claims(
  works: Works,
  epoch: Epoch,
  receipt: Receipt,
  originals: readonly Original[],
  at: number,
): boolean {
  try {
    noteProven(works, epoch, [receipt], originals, at);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.step !== 'verify') throw thrown;
    return false;
  }
}

/**
 * Twins whose APPENDs were interrupted have found these copies first, as they may: it is as if the interrupted ones had been
 * these. That is so once; where it comes again, the destination keeps one copy for both, and nothing is sent any more.
 */
function giveWay({ clock }: Works, epoch: Epoch, taken: readonly Receipt[]): void {
  for (const { original } of taken) {
    if (epoch.gaveWay.has(original.uid)) continue;
    epoch.gaveWay.add(original.uid);
    epoch.sent.set(original.uid, { accepted: false, endedAt: clock.ticks() });
  }
}

/**
 * Copies without a credible UID are found among what has come to the folder, by their bytes.
 * @param bad what APPENDUID named and is another message, by UID
 */
async function findCopies(
  works: Works,
  session: DestinationSession,
  view: FolderView,
  epoch: Epoch,
  originals: readonly Original[],
  bad: ReadonlyMap<Original, number>,
): Promise<Receipt[]> {
  if (originals.length === 0) return [];
  const fresh = await session.open(view.folder, { fresh: true });
  const notes = works.journal.notes(
    epoch.key,
    originals.map(({ uid }) => uid),
  );
  const { found, missing } = await seek(works, session, fresh, epoch, originals, notes);
  if (found.length > 0) {
    noteProven(works, epoch, found, originals, works.clock.now());
    works.proven();
  }
  const { folder, uidValidity, uidNext } = view;
  const claimed = works.journal.claimed(view, [...bad.values()]);
  let lost = 0;
  for (const original of missing) {
    const uid = bad.get(original);
    // What was there before the APPEND, or is another original's copy, is nobody's bad copy.
    if (uid === undefined || uid < uidNext || claimed.has(uid)) {
      lost++;
    } else {
      differs(works, epoch, original, { folder, uidValidity, uidNext }, uid);
      works.differed(epoch);
    }
  }
  if (lost > 0) {
    throw new Failure(
      `${lost} copies can not be found in ${folder} after the server accepted them; imapferry looks for them again.`,
      { step: 'verify', scope: 'connection', outcomeUnknown: true },
    );
  }
  return found;
}
