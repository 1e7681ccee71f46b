/** Brings originals to the destination and comes back with Receipts: look where needed, append, read back, compare. */
import { Failure, folders } from '../domain/failure.ts';
import type { FolderView, Original, Sendable } from '../domain/message.ts';
import type { DestinationSession, Note, Placement } from '../domain/ports.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { FolderPair, SpecialUse } from '../domain/route.ts';
import { differs, refuse } from './aside.ts';
import type { Batch, Epoch } from './folder-state.ts';
import { notRuledOut, type Sight } from './look-ahead.ts';
import { badCopyRemains, isOf, seek } from './seek.ts';
import { verify } from './verify.ts';
import { intentOf, noteProven, tell, type Works } from './works.ts';

export interface Placed {
  readonly receipts: Receipt[];
  /** Why some were not appended, or may or may not have been. They are still noted, and are tried again. */
  readonly failure?: Failure;
}

/**
 * @param seeking UIDs of the originals that may be at the destination already
 * @param notes what the journal knows of the originals
 * @param seen of the destination folder, while the originals were on their way; a Failure: that it is missing
 */
export async function place(
  works: Works,
  batch: Batch,
  all: readonly Sendable[],
  seeking: ReadonlySet<number>,
  notes: ReadonlyMap<number, Note>,
  seen?: Sight | Failure,
): Promise<Placed> {
  const elsewhere = await recoverElsewhere(works, batch, all, notes);
  const originals = all.filter(({ uid }) => !elsewhere.settled.has(uid));
  if (originals.length === 0) return { receipts: elsewhere.receipts };
  const placed = await placeHere(works, batch, originals, seeking, notes, seen);
  return { ...placed, receipts: [...elsewhere.receipts, ...placed.receipts] };
}

function placeHere(
  works: Works,
  { epoch, fresh }: Batch,
  originals: readonly Sendable[],
  seeking: ReadonlySet<number>,
  notes: ReadonlyMap<number, Note>,
  seen: Sight | Failure | undefined,
): Promise<Placed> {
  const [sight, missing] = seen instanceof Failure ? [undefined, seen] : [seen, undefined];
  const bring = async (session: DestinationSession): Promise<Placed> => {
    const maybeThere = originals.filter(({ uid }) => seeking.has(uid));
    const blindly = sight === undefined && maybeThere.length > 0;
    let view = await openDestination(works, session, epoch.pair, { fresh: blindly, missing });
    const sought = notRuledOut(works, sight, view, epoch, maybeThere, notes);
    if (!blindly && sought.length > 0) view = await session.open(view.folder, { fresh: true });
    if (view.uidValidity !== epoch.uidValidity) epoch.setApart();
    const recovered = await recover(works, session, view, epoch, sought, notes);
    const settled = new Set(sought.map(({ uid }) => uid));
    for (const { uid } of recovered.absent) settled.delete(uid);
    const toAppend = originals.filter(({ uid }) => !settled.has(uid));
    if (toAppend.length === 0) return { receipts: recovered.receipts };
    works.quit.throwIfAborted();
    const appended = await append(works, session, view, epoch, toAppend, notes);
    return { ...appended, receipts: [...recovered.receipts, ...appended.receipts] };
  };
  return works.destinations.use(epoch.pair.dest, bring, { urgent: fresh });
}

/**
 * Looks for what may have been stored in another folder while this one's mail went there. `settled` are those that are
 * found, or of which it is not known yet: all others are certainly not there.
 */
async function recoverElsewhere(
  works: Works,
  { epoch, fresh }: Batch,
  originals: readonly Original[],
  notes: ReadonlyMap<number, Note>,
): Promise<{ receipts: Receipt[]; settled: Set<number> }> {
  const folderOf = ({ uid }: Original) => {
    const note = notes.get(uid);
    const wasSent = note?.state === 'appending' || note?.state === 'unverified';
    return wasSent ? note.dest.folder : epoch.pair.dest;
  };
  const receipts: Receipt[] = [];
  const settled = new Set<number>();
  for (const [folder, theirs] of Map.groupBy(originals, folderOf)) {
    if (folder === epoch.pair.dest) continue;
    const look = async (session: DestinationSession) => {
      const view = await session.open(folder, { fresh: true }).catch(unlessMissing);
      return view && recover(works, session, view, epoch, theirs, notes);
    };
    const there = await works.destinations.use(folder, look, { urgent: fresh });
    const absent = new Set((there?.absent ?? theirs).map(({ uid }) => uid));
    for (const { uid } of theirs) if (!absent.has(uid)) settled.add(uid);
    receipts.push(...(there?.receipts ?? []));
  }
  return { receipts, settled };
}

function unlessMissing(thrown: unknown): undefined {
  if (!(thrown instanceof Failure) || thrown.kind !== 'folder-missing') throw thrown;
}

/**
 * Opens the destination folder; one that is missing is made and subscribed where CREATE_FOLDERS allows.
 * @param missing it was seen to be, and is not asked for once more before it is made
 */
async function openDestination(
  works: Works,
  session: DestinationSession,
  { source, dest: folder, createAs }: FolderPair,
  { fresh, missing }: { fresh: boolean; missing: Failure | undefined },
): Promise<FolderView> {
  let view: FolderView;
  try {
    if (missing) throw missing;
    view = await session.open(folder, { fresh });
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.kind !== 'folder-missing') throw thrown;
    if (!works.route.createFolders) {
      throw new Failure(
        `The destination has no folder ${folder}, and CREATE_FOLDERS=false. Its mail stays at the source: make the folder, or let imapferry make it.`,
        { step: 'open', scope: 'folder', kind: 'folder-missing', lasting: true, cause: thrown },
      );
    }
    const created = await session.create(folder, createAs).catch((refused: unknown) => {
      throw refused instanceof Failure && refused.kind === 'use-refused'
        ? useRefused(source, folder, createAs, refused)
        : refused;
    });
    if (created) works.emit('folder.created', { route: works.route.name, dest: folder });
    view = await session.open(folder, { fresh: true });
  }
  if (view.readOnly || view.uidNotSticky) {
    const what = view.readOnly ? 'opens read-only' : 'does not keep its UIDs (UIDNOTSTICKY)';
    throw new Failure(
      `The destination folder ${folder} ${what}. Mail for it stays at the source.`,
      {
        step: 'open',
        scope: 'folder',
        lasting: true,
      },
    );
  }
  return view;
}

function useRefused(
  source: string,
  dest: string,
  use: SpecialUse | undefined,
  cause: Failure,
): Failure {
  return new Failure(
    `The destination makes no folder ${dest} of the use ${use}. The mail of ${source} stays at the source; write "${source}=…" in FOLDERS to say where it goes.`,
    { step: 'open', scope: 'folder', kind: 'use-refused', lasting: true, cause },
  );
}

/** Looks for originals at the destination. `absent` are those that certainly are not there. */
async function recover(
  works: Works,
  session: DestinationSession,
  view: FolderView,
  epoch: Epoch,
  originals: readonly Original[],
  notes: ReadonlyMap<number, Note>,
): Promise<{ receipts: Receipt[]; absent: Original[] }> {
  if (originals.length === 0) return { receipts: [], absent: [] };
  const first = await seek(works, session, view, epoch, originals, notes);
  // Noted before the second look: a copy that is a twin's by now must not be found for the other one, too.
  noteFound(works, epoch, view, originals, first.found, notes);
  const receipts = [...first.found];
  const absent: Original[] = [];
  const doubtful: Original[] = [];
  for (const original of first.missing) {
    const note = notes.get(original.uid);
    const forgotten =
      note === undefined && (epoch.doubtSince !== undefined || epoch.sent.has(original.uid));
    if (note?.state === 'appending' || forgotten) {
      if (misses(works, epoch, original)) doubtful.push(original);
    } else if (
      note?.state === 'unverified' &&
      badCopyRemains(works, first.listing, original, note, view)
    ) {
      differs(works, epoch, original, note.dest, note.destUid);
    } else absent.push(original);
  }
  if (doubtful.length > 0) {
    // The second look, on a fresh SELECT and a fresh listing, long enough after the interruption.
    works.listings.forget(view.folder);
    const again = await session.open(view.folder, { fresh: true });
    const second = await seek(works, session, again, epoch, doubtful, notes);
    noteFound(works, epoch, view, doubtful, second.found, notes);
    receipts.push(...second.found);
    for (const original of second.missing) {
      // Where no note says since when, its bad copy may be anywhere.
      const dest = notes.get(original.uid)?.dest ?? { ...again, uidNext: 1 };
      // Where the folder was made anew since, the copy went with the old one.
      if (!epoch.sent.get(original.uid)?.accepted || !isOf({ dest }, again)) {
        absent.push(original);
        continue;
      }
      // Not interrupted: sent again, it would fare no better, and the destination fill with bad copies.
      differs(works, epoch, original, dest, undefined);
      works.differed(epoch);
    }
  }
  return { receipts, absent };
}

/**
 * An APPEND was interrupted and its copy is not there. A dying connection may still store it: only a second miss, 10 s
 * after the connection ended, counts. Says whether that second look may be taken now; else the folder is revisited.
 */
function misses(works: Works, epoch: Epoch, { uid }: Original): boolean {
  const ended = epoch.sent.get(uid)?.endedAt ?? epoch.doubtSince ?? works.startedAt;
  const settled = ended + works.pace.settle;
  const left = settled - works.clock.ticks();
  if (left <= 0) return true;
  works.revisit(epoch.pair, left);
  return false;
}

/** Notes what was found, so that it is proven in the journal before anything is retired. */
function noteFound(
  works: Works,
  epoch: Epoch,
  view: FolderView,
  originals: readonly Original[],
  receipts: readonly Receipt[],
  notes: ReadonlyMap<number, Note>,
): void {
  if (receipts.length === 0) return;
  const found = new Set(receipts.map(({ original }) => original.uid));
  const unnoted = originals.filter(({ uid }) => found.has(uid) && !notes.has(uid));
  if (unnoted.length > 0) {
    // Noted as appended before their copies came to be: that is where a later look has to begin.
    const uidNext = Math.min(...receipts.map(({ copy }) => copy.uid));
    const standing = { folder: view.folder, uidValidity: view.uidValidity, uidNext };
    works.journal.intend(epoch.key, standing, unnoted.map(intentOf));
  }
  noteProven(works, epoch, receipts, originals, works.clock.now());
  works.proven();
  for (const { original: key, proof } of receipts) {
    epoch.sent.delete(key.uid);
    const original = originals.find(({ uid }) => uid === key.uid);
    if (original === undefined) continue;
    const why = notes.has(key.uid) ? undefined : 'the journal knew nothing of it';
    const fields = { proof, dest: view.folder, ...(why && { why }) };
    tell(works, 'delivery.recovered', epoch, intentOf(original), fields);
  }
}

/** Notes what is about to travel, sends it, and reads it back. */
async function append(
  works: Works,
  session: DestinationSession,
  view: FolderView,
  epoch: Epoch,
  originals: readonly Sendable[],
  notes: ReadonlyMap<number, Note>,
): Promise<Placed> {
  const { folder, uidValidity, uidNext } = view;
  const intents = originals.map(intentOf);
  works.journal.intend(epoch.key, { folder, uidValidity, uidNext }, intents);
  for (const { uid } of intents) epoch.sent.set(uid, { accepted: false });
  works.traffic.appending(originals);
  const placements = await session.append(originals, (more) => works.traffic.appending(more));
  const endedAt = works.clock.ticks();
  for (const [i, { uid }] of intents.entries()) {
    const { is } = placements[i] ?? { is: 'unknown' };
    if (is === 'refused' || is === 'held') epoch.sent.delete(uid);
    else epoch.sent.set(uid, { accepted: is === 'stored', endedAt });
  }
  const fields = { route: works.route.name, folder: epoch.pair.source, dest: folder };
  works.emit('delivery.appended', { ...fields, count: originals.length });
  const failure = account(works, epoch, originals, placements, notes);
  const stored = originals.flatMap((original, i) => {
    const placement = placements[i];
    return placement?.is === 'stored' ? [{ original, copy: placement.copy }] : [];
  });
  const receipts = await verify(works, session, view, epoch, stored);
  for (const { original } of receipts) epoch.sent.delete(original.uid);
  works.emit('delivery.verified', { ...fields, count: receipts.length });
  return failure ? { receipts, failure } : { receipts };
}

/** Keeps the books of what was not stored, or may not be. Returns the failure that concerns more than one message. */
function account(
  works: Works,
  epoch: Epoch,
  originals: readonly Original[],
  placements: readonly Placement[],
  notes: ReadonlyMap<number, Note>,
): Failure | undefined {
  const { strikes } = works;
  const { source, dest } = epoch.pair;
  const nameOf = ({ uid }: Original) => `${source} ${epoch.uidValidity} ${uid}`;
  let failure: Failure | undefined;
  const held: number[] = [];
  const refused: { original: Original; refusal: Failure }[] = [];
  for (const [i, original] of originals.entries()) {
    const placement = placements[i];
    if (placement?.is === 'stored') strikes.stored(dest);
    else if (placement?.is === 'refused') {
      if (!placement.failure.lasting) strikes.refused(dest, nameOf(original));
      refused.push({ original, refusal: placement.failure });
    } else if (placement?.is === 'held') {
      held.push(original.uid);
      failure ??= placement.failure;
    } else failure = placement?.failure ?? failure;
  }
  for (const { original, refusal } of refused) {
    if (strikes.out(dest, nameOf(original))) {
      held.push(original.uid);
      failure ??= folders(refusal);
    } else refuse(works, epoch, intentOf(original), notes.get(original.uid), refusal.message);
  }
  withdraw(works, epoch, originals, new Set(held), notes);
  return failure;
}

/** Takes back what certainly was not stored. What was set aside before stays so, and is due as soon as others go, too. */
function withdraw(
  works: Works,
  { key }: Epoch,
  originals: readonly Original[],
  held: ReadonlySet<number>,
  notes: ReadonlyMap<number, Note>,
): void {
  const now = works.clock.now();
  for (const original of originals) {
    const note = notes.get(original.uid);
    if (!held.has(original.uid) || note?.state !== 'refused') continue;
    const reason = { why: note.why ?? '', dest: note.dest, retryAt: now };
    works.journal.setAside(key, [intentOf(original)], 'refused', reason, now);
  }
  if (held.size > 0) works.journal.withdraw(key, [...held]);
}
