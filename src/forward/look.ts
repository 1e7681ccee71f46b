/** One look at one folder: what is there, what is to be done with it, cut into batches. */
import { Failure } from '../domain/failure.ts';
import { isDeleted, type Listed } from '../domain/message.ts';
import type { Note } from '../domain/ports.ts';
import { putBackFlags } from './ask-by-flag.ts';
import type { Batch, Epoch } from './folder-state.ts';
import { cut, isSuspect, looksOf } from './folder-state.ts';
import type { Lane } from './lane.ts';
import { isRetired, type Road, roadOf } from './triage.ts';
import { waitOf } from './waits.ts';
import { tell, type Works } from './works.ts';

export interface Looked {
  readonly batches: Batch[];
  /** Messages that no look had seen before, and that nobody marked \Deleted. */
  readonly unseen: number;
}

/**
 * @param depth `new`: only what came since the last look, as a push suggests; `all`: the whole folder, whatever the
 * events said
 */
export async function look(
  works: Works,
  lane: Lane,
  epoch: Epoch,
  depth: 'new' | 'all',
): Promise<Looked> {
  await works.begin(epoch);
  await putBackFlags(works, { epoch, lane });
  const seenAt = works.clock.now();
  const { highest } = epoch;
  const before = new Set(epoch.inHand);
  const { listed, notes } =
    depth === 'new'
      ? await lookAtNew(works, lane, epoch)
      : await lookAtAll(works, lane, epoch, before);
  const roads = new Map<Listed, Road>();
  const waits = [];
  let again = false;
  for (const message of listed) {
    const note = notes.get(message.uid);
    const road = roadOf(message, note, epoch, works.route.afterDelivery, seenAt, works.pace);
    // What was in hand when the server was asked may have been carried since.
    const inHand = before.has(message.uid) || epoch.inHand.has(message.uid);
    if (!inHand && road !== 'rest') roads.set(message, road);
    // Set aside, and its pause is over before the rest of its batch is through.
    if (inHand && road !== 'rest' && note?.retryAt !== undefined) again = true;
    const wait = waitOf(message, note, road, epoch, seenAt);
    if (wait) waits.push(wait);
  }
  if (again) works.revisit(epoch.pair, works.pace.refusedFirst);
  works.waits.looked(epoch, depth, waits, seenAt);
  const todo = [...roads.keys()];
  epoch.highest = listed.reduce((most, { uid }) => Math.max(most, uid), epoch.highest);
  works.emit('folder.looked', {
    route: works.route.name,
    folder: epoch.pair.source,
    count: todo.length,
    ms: works.clock.now() - seenAt,
  });
  if (depth === 'all' && todo.length === 0 && epoch.inHand.size === 0) {
    works.listings.forget(epoch.pair.dest);
  }
  return {
    batches: batchesOf(works, epoch, roads, notes).map((batch) => ({
      ...batch,
      epoch,
      lane,
      seenAt,
    })),
    unseen: todo.filter(({ uid }) => uid > highest).length,
  };
}

type Seen = { listed: Listed[]; notes: ReadonlyMap<number, Note> };

async function lookAtNew(works: Works, lane: Lane, epoch: Epoch): Promise<Seen> {
  const from = epoch.highest + 1;
  const listed = await lane.use(epoch, works.quit, (session) => session.listFrom(from));
  return {
    listed,
    notes: works.journal.notes(
      epoch.key,
      listed.map(({ uid }) => uid),
    ),
  };
}

async function lookAtAll(
  works: Works,
  lane: Lane,
  epoch: Epoch,
  before: ReadonlySet<number>,
): Promise<Seen> {
  const uids = await lane.use(epoch, works.quit, (session) => session.uids());
  const notes = works.journal.notes(epoch.key);
  forgetVanished(works, epoch, new Set(uids), notes, before);
  const wanted = uids.filter((uid) => {
    const note = notes.get(uid);
    return note?.state !== 'retired' || !isRetired(note.retired, works.route.afterDelivery);
  });
  const listed = await lane.use(epoch, works.quit, (session) => session.list(wanted));
  const marked = listed.filter(({ uid, flags }) => isDeleted(flags) && !notes.has(uid));
  epoch.marked = new Set(marked.map(looksOf));
  // The notes may have moved on while the server was listing.
  const now = works.journal.notes(epoch.key, wanted);
  const again = wanted.filter((uid) => now.get(uid)?.state === 'retired' && !notes.has(uid));
  if (again.length > 0) works.journal.presentAgain(epoch.key, again);
  return { listed, notes: now };
}

/** Closes the rows of originals that are no longer in their folder. */
function forgetVanished(
  works: Works,
  epoch: Epoch,
  there: ReadonlySet<number>,
  notes: ReadonlyMap<number, Note>,
  before: ReadonlySet<number>,
): void {
  const vanished = [...notes.values()].filter(
    ({ uid }) => !there.has(uid) && !before.has(uid) && !epoch.inHand.has(uid),
  );
  if (vanished.length === 0) return;
  try {
    works.journal.gone(
      epoch.key,
      vanished.map(({ uid }) => uid),
      works.clock.now(),
    );
  } catch (thrown) {
    // Rows that stay open do no harm and are closed by a later look; what is there is looked at all the same.
    if (!(thrown instanceof Failure) || thrown.step !== 'journal') throw thrown;
    return;
  }
  for (const note of vanished) {
    // Its copy was proven, and it is gone: an interruption came between the expunge and the note of it.
    if (note.state !== 'proven') continue;
    tell(works, 'delivery.done', epoch, note, {
      bytes: note.size,
      ...(note.proof && { proof: note.proof }),
    });
  }
}

/**
 * New mail in batches before old mail, and what is only to be retired in batches of its own: a source that can't expunge
 * just now keeps no mail from being carried. What was refused before, or may be what connections end of, holds up nothing
 * but itself.
 */
function batchesOf(
  works: Works,
  epoch: Epoch,
  roads: ReadonlyMap<Listed, Road>,
  notes: ReadonlyMap<number, Note>,
): Pick<Batch, 'messages' | 'fresh' | 'alone'>[] {
  const { batching } = works.destinations;
  const lanes = batching === 'single' ? works.route.concurrency : 1;
  const deaths = roads.size > 0 ? works.journal.deaths(epoch.key) : undefined;
  return (['fresh', 'retire', 'seek'] as const).flatMap((road) => {
    const part = [...roads].flatMap(([message, its]) => (its === road ? [message] : []));
    const [suspects, harmless] = parted(part, ({ uid }) => isSuspect(deaths?.get(uid)));
    const [single, others] = parted(
      harmless,
      ({ uid }) => notes.get(uid)?.state === 'refused' || epoch.apart.has(uid),
    );
    const fresh = road === 'fresh';
    return [
      ...cut(others, lanes).map((messages) => ({ messages, fresh, alone: false })),
      ...single.map((message) => ({ messages: [message], fresh: false, alone: false })),
      ...suspects.map((message) => ({ messages: [message], fresh: false, alone: true })),
    ];
  });
}

function parted<T>(all: readonly T[], isFirst: (each: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((each) => !isFirst(each))];
}
