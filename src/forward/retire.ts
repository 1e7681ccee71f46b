/** Retires originals whose copies are proven: expunge, mark, keep or move. Nothing here goes without a Receipt. */
import { Failure } from '../domain/failure.ts';
import { isDeleted, travellingFlags } from '../domain/message.ts';
import type { Note, Retired } from '../domain/ports.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { Batch, Carried, Epoch, Leaving } from './folder-state.ts';
import type { Lane } from './lane.ts';
import { MoveFolder } from './move-folder.ts';
import { withoutOwn } from './one-mailbox.ts';
import { isRetired } from './triage.ts';
import { tell, type Works } from './works.ts';

/**
 * Retires what the receipts prove, as AFTER_DELIVERY says, and notes it. Resolves with the UIDs of those whose receipts are
 * taken back: they are to be carried anew. Rejects with a Failure where some are still there.
 * Nobody waits for it, so that it waits for what else is in hand of its folder; batches of one folder and connection that have
 * come to it by then go together: the round trips are the same for many. Those of another connection wait for none of them.
 */
export async function retire(
  works: Works,
  batch: Batch,
  all: readonly Receipt[],
  carried: Carried,
  how?: { readonly recalled: boolean },
): Promise<Set<number>> {
  if (all.length === 0) return new Set();
  const receipts = await withoutOwn(works, batch, all, how);
  const left = new Set(receipts);
  const back = all.filter((receipt) => !left.has(receipt));
  if (receipts.length > 0) {
    // Of what was proven before, the rest of its batch is still to travel.
    const arriving = how?.recalled ? receipts.map(({ original }) => original) : batch.messages;
    batch.epoch.inHand.arrive(arriving.map(({ uid }) => uid));
    await join(works, batch, receipts, carried);
  }
  return new Set(back.map(({ original }) => original.uid));
}

async function join(
  works: Works,
  batch: Batch,
  receipts: readonly Receipt[],
  carried: Carried,
): Promise<void> {
  const { epoch } = batch;
  try {
    await epoch.leavingOn(batch.lane).join(
      { batch, receipts, carried },
      (all) => leave(works, new Party(batch, all)),
      (enough) => gathered(works, epoch, enough),
    );
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.kind === 'circle') throw thrown;
    // What failed may have been another batch's.
    const uids = receipts.map(({ original }) => original.uid);
    const notes = [...works.journal.notes(epoch.key, uids).values()];
    const { afterDelivery } = works.route;
    const isLeft = ({ state, retired }: Note) =>
      state !== 'retired' ||
      ((retired === 'kept' || retired === 'marked') && !isRetired(retired, afterDelivery));
    if (notes.some(isLeft)) throw thrown;
  }
}

/** Resolves, never rejects, when enough, or all that is in hand of the folder, has come as far; at the latest after a while. */
async function gathered(
  { clock, pace, quit }: Works,
  { inHand }: Epoch,
  enough: Promise<void>,
): Promise<void> {
  if (inHand.haveArrived) return;
  const over = new AbortController();
  const late = clock.sleep(pace.gather, AbortSignal.any([quit, over.signal]));
  await Promise.race([inHand.allArrived(), enough, late]).catch(() => undefined);
  over.abort();
  await late.catch(() => undefined);
}

/** Batches of one folder on one connection that are retired together. */
class Party {
  readonly epoch: Epoch;
  readonly lane: Lane;
  readonly leaving: readonly Leaving[];
  readonly receipts: readonly Receipt[];
  readonly uids: readonly number[];
  readonly carried: Carried;

  constructor({ epoch, lane }: Batch, leaving: readonly Leaving[]) {
    this.epoch = epoch;
    this.lane = lane;
    this.leaving = leaving;
    this.receipts = leaving.flatMap(({ receipts }) => receipts);
    this.uids = this.receipts.map(({ original }) => original.uid);
    this.carried = new Map(leaving.flatMap(({ carried }) => [...carried]));
  }
}

async function leave(works: Works, party: Party): Promise<void> {
  const { uids, carried } = party;
  const after = works.route.afterDelivery;
  switch (after.kind) {
    case 'keep':
      // Only what was appended just now: what was carried long ago goes its own way.
      if (uids.some((uid) => carried.has(uid)))
        await followFlags(works, party, await flagsNow(works, party));
      return done(works, party, new Set(uids), 'kept');
    case 'mark':
      return confirm(works, party, await mark(works, party), 'marked');
    case 'expunge':
      await mark(works, party);
      return expunge(works, party);
    case 'move': {
      const moveFolder = works.moveFolder ?? new MoveFolder(after.folder);
      if (!(await moveFolder.isClear(works))) throw moveFolder.doubt;
      await followFlags(works, party, await flagsNow(works, party));
      confirm(works, party, await move(works, party, moveFolder), 'moved');
      // What is not clear now is asked again before the next move.
      await moveFolder.isClear(works);
      return;
    }
  }
}

/**
 * Marks \Deleted. What another client changed since the fetch is put on the copies before anything is expunged. Resolves
 * with those that are marked, or gone.
 */
async function mark(works: Works, party: Party): Promise<Set<number>> {
  const { epoch, lane, uids } = party;
  const now = await lane.use(epoch, works.cut, (session) => {
    const marks = epoch.marksOn(session);
    for (const uid of uids) marks.add(uid);
    return session.mark(uids);
  });
  await followFlags(works, party, now);
  return new Set(uids.filter((uid) => isDeleted(now.get(uid) ?? DELETED)));
}

const DELETED: ReadonlySet<string> = new Set(['\\Deleted']);

async function flagsNow(works: Works, { epoch, lane, uids }: Party): Promise<Carried> {
  const listed = await lane.use(epoch, works.cut, async (session) => {
    // What others changed comes into view with the end of a command.
    await session.noop();
    return session.list(uids);
  });
  return new Map(listed.map(({ uid, flags }) => [uid, flags]));
}

/** Puts on the copies what changed at the originals while they were on their way. */
async function followFlags(
  works: Works,
  { receipts, carried }: Party,
  now: Carried,
): Promise<void> {
  const changes = receipts.flatMap((receipt) => {
    const before = carried.get(receipt.original.uid);
    const after = now.get(receipt.original.uid);
    if (before === undefined || after === undefined) return [];
    const was = travellingFlags(before);
    const is = travellingFlags(after);
    const add = is.filter((flag) => !was.includes(flag));
    const remove = was.filter((flag) => !is.includes(flag));
    return add.length + remove.length > 0 ? [{ receipt, add, remove }] : [];
  });
  if (changes.length === 0) return;
  // A copy that was found again may be in another folder, to which the mail went before.
  for (const [folder, theirs] of Map.groupBy(changes, ({ receipt }) => receipt.copy.folder)) {
    await works.destinations.use(folder, async (session) => {
      const view = await session.open(folder, { fresh: false });
      for (const { receipt, add, remove } of theirs) {
        if (receipt.copy.uidValidity !== view.uidValidity) continue;
        await session.reflag(receipt.copy.uid, add, remove);
      }
    });
  }
}

/** Moves within the source; the folder is made where it is missing. */
async function move(
  works: Works,
  { epoch, lane, uids }: Party,
  moveFolder: MoveFolder,
): Promise<Set<number>> {
  const { folder, uidValidity } = epoch.key;
  const go = () =>
    lane.use(epoch, works.cut, (session) => {
      const open = { folder, uidValidity, highest: epoch.highest };
      return moveFolder.move(session, uids, open, works.sourcesUnder);
    });
  try {
    return await go();
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.kind !== 'folder-missing') throw thrown;
    // It is gone since it was listed last.
    moveFolder.isGone();
    return go();
  }
}

async function expunge(works: Works, party: Party): Promise<void> {
  const { epoch, lane, uids } = party;
  const { gone, strangers, marks } = await lane.use(epoch, works.cut, async (session) => {
    const marks = epoch.marksOn(session);
    if (session.abilities.uidPlus)
      return { gone: await session.expunge(uids), strangers: false, marks };
    return { ...(await session.expungeAlone(ours(works, epoch, marks))), marks };
  });
  if (!strangers) return confirm(works, party, gone, 'expunged');
  done(works, party, new Set(uids), 'marked');
  // What was marked on an earlier connection may be ours, and has to be looked at again first.
  if (someMarkedBefore(works, epoch, marks))
    return works.revisit(epoch.pair, works.pace.refusedFirst);
  if (epoch.heldTold) return;
  epoch.heldTold = true;
  works.emit('retire.held', {
    route: works.route.name,
    folder: epoch.pair.source,
    count: uids.length,
    why: 'other messages there are marked \\Deleted',
    msg: `${uids.length} carried messages in ${epoch.pair.source} stay marked \\Deleted: this server can only expunge all such messages at once (no UIDPLUS), and others have been marked by someone else. imapferry tries again at the next sweep; expunge or unmark the others, or set AFTER_DELIVERY=mark.`,
  });
}

/**
 * Which of these are proven and not known to be gone. What was expunged or moved, and is there all the same, may be another
 * message by now.
 */
function ours({ journal }: Works, { key }: Epoch, marks: ReadonlySet<number>): number[] {
  const isThere = ({ state, retired }: Note) =>
    state === 'proven' || retired === 'marked' || retired === 'kept';
  return [...journal.notes(key, [...marks]).values()].filter(isThere).map(({ uid }) => uid);
}

/** Whether the journal knows of messages that may bear a mark of ours from another connection. */
function someMarkedBefore({ journal }: Works, { key }: Epoch, marks: ReadonlySet<number>): boolean {
  return [...journal.notes(key).values()].some(
    ({ uid, state, retired }) => (state === 'proven' || retired === 'marked') && !marks.has(uid),
  );
}

/** Notes those with which it is so; those with which it is not are a failure, and stay proven. */
function confirm(
  works: Works,
  party: Party,
  retired: ReadonlySet<number>,
  how: 'expunged' | 'moved' | 'marked',
): void {
  done(works, party, retired, how);
  const left = party.uids.filter((uid) => !retired.has(uid));
  if (left.length > 0) {
    const still = how === 'marked' ? 'not marked \\Deleted' : 'still there';
    throw new Failure(
      `${left.length} carried messages in ${party.epoch.pair.source} are ${still} although the server said that it is done; imapferry tries again.`,
      { step: 'retire', scope: 'connection' },
    );
  }
}

/** Notes those of the originals that are retired, and tells it, one line a message. */
function done(works: Works, party: Party, retired: ReadonlySet<number>, how: Retired): void {
  for (const { batch, receipts } of party.leaving) {
    const went = receipts.filter(({ original }) => retired.has(original.uid));
    if (went.length > 0) doneOf(works, batch, went, how);
  }
}

function doneOf(works: Works, batch: Batch, receipts: readonly Receipt[], how: Retired): void {
  const { epoch } = batch;
  const uids = receipts.map(({ original }) => original.uid);
  const now = works.clock.now();
  const ms = Math.max(0, now - batch.seenAt);
  const notes = works.journal.notes(epoch.key, uids);
  works.journal.retire(epoch.key, uids, how, now, batch.fresh ? ms : undefined);
  const listed = new Map(batch.messages.map((message) => [message.uid, message]));
  for (const { original, copy, proof } of receipts) {
    const { uid } = original;
    const note = notes.get(uid);
    // One line a message: not again when a message that was kept or held is expunged later.
    if (note?.state === 'retired') continue;
    const { size, internalDate } = listed.get(uid) ?? {};
    const bytes = note?.size ?? size;
    const age = batch.fresh && internalDate ? Math.max(0, now - internalDate.getTime()) : undefined;
    const messageId = note?.messageId;
    const named = { uid, ...(messageId !== undefined && { messageId }) };
    tell(works, 'delivery.done', epoch, named, {
      ms,
      proof,
      dest: copy.folder,
      ...(bytes !== undefined && { bytes }),
      ...(age !== undefined && { age }),
    });
  }
}
