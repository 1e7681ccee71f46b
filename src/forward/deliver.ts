/** One batch, straight through: fetch, append, verify, retire. */
import { letGo } from '../domain/content.ts';
import { Failure } from '../domain/failure.ts';
import type { Listed, Original } from '../domain/message.ts';
import type { Note } from '../domain/ports.ts';
import { refuse } from './aside.ts';
import { fetchOriginals } from './fetch.ts';
import { type Batch, weightOf } from './folder-state.ts';
import { deadly, tooLarge } from './hindrances.ts';
import { lookAhead } from './look-ahead.ts';
import { cautiously } from './one-mailbox.ts';
import { type Placed, place } from './place.ts';
import { retire } from './retire.ts';
import { attempt } from './retry.ts';
import { compareWithNotes, unclear } from './same.ts';
import { type Road, roadOf } from './triage.ts';
import { intentOf, type Works } from './works.ts';

/**
 * Carries a batch, trying again while what fails is this connection only. Each attempt begins with what the journal
 * says, so that no step is done twice. Resolves with what it came to; rejects with the Failure that ended the last
 * attempt; what is noted stays noted. While it lasts, the journal knows the messages as in hand: should the process die,
 * the next one knows with which.
 */
export async function deliver(works: Works, found: Batch, trip: Trip): Promise<Outcome> {
  const { key } = found.epoch;
  const batch = { ...found, messages: withoutDeadly(works, found) };
  const uids = batch.messages.map(({ uid }) => uid);
  if (uids.length === 0) return 'not sent';
  works.journal.takeUp(key, uids);
  try {
    return await attempts(works, batch, trip);
  } finally {
    works.journal.putDown(key, uids);
  }
}

/** Sets messages aside with which in hand processes died. */
function withoutDeadly(works: Works, batch: Batch): readonly Listed[] {
  const { epoch, messages } = batch;
  const reasons = deadly(works, batch);
  return messages.filter(({ uid, size }) => {
    const why = reasons.get(uid);
    if (why === undefined) return true;
    const note = works.journal.notes(epoch.key, [uid]).get(uid);
    refuse(works, epoch, note ?? { uid, size, sha256: '' }, note, why);
    works.journal.putDown(epoch.key, [uid]);
    return false;
  });
}

async function attempts(works: Works, batch: Batch, trip: Trip): Promise<Outcome> {
  const { again, allowance, clock, pace, quit } = works;
  const work = () => allowance.attempt(() => once(works, batch, trip), quit, wasRefused);
  return attempt(work, again, {
    clock,
    pace,
    signal: quit,
    onFailed: retried(works, batch),
  });
}

/** Tells that a batch is tried again. */
export function retried(works: Works, { epoch, messages }: Batch) {
  return (failure: Failure, nth: number) =>
    works.emit('delivery.retried', {
      route: works.route.name,
      folder: epoch.pair.source,
      count: messages.length,
      step: failure.step,
      attempt: nth,
      why: failure.message,
      err: failure,
    });
}

/** Refused is what an answer says. Of a lost connection nobody was asked; beginning a new one has pauses of its own. */
function wasRefused(came: { value: Outcome } | { thrown: unknown }): boolean {
  if ('value' in came) return came.value === 'some refused';
  return !(came.thrown instanceof Failure) || came.thrown.kind !== 'lost';
}

/** What the attempts at one batch share. */
export interface Trip {
  /** The flags that each original had when it was appended, by UID. */
  readonly carried: Map<number, ReadonlySet<string>>;
  /** The batch is at the destination, or on its way there: what fails now fails there. */
  atDestination: boolean;
  /** To be called when what was to be brought to the destination is proven there: its bytes are here no more. */
  readonly arrived: () => void;
}

export function setOut(arrived: () => void): Trip {
  return { carried: new Map(), atDestination: false, arrived };
}

export type Outcome =
  /** Nothing of it went to the destination: there was nothing to send. */
  'not sent' | 'through' | 'some refused';

async function once(works: Works, batch: Batch, trip: Trip): Promise<Outcome> {
  const { epoch } = batch;
  const { carried } = trip;
  trip.atDestination = false;
  const notes = works.journal.notes(
    epoch.key,
    batch.messages.map(({ uid }) => uid),
  );
  const roads = sort(works, batch, notes);
  const told = await compareWithNotes(works, batch, roads.retire, notes, carried);
  for (const { uid } of told.other) notes.delete(uid);
  const proven = works.journal.receipts(
    epoch.key,
    told.same.map(({ uid }) => uid),
  );
  // Where there is nothing else to be done with it, nothing of it is left that needs room.
  if (proven.length === batch.messages.length) trip.arrived();
  const back = await retire(works, batch, proven, carried, { recalled: true });
  for (const uid of back) notes.delete(uid);
  const takenBack = told.same.filter(({ uid }) => back.has(uid));
  const seek = [...roads.seek, ...told.other, ...takenBack];
  const travelling = withinLimits(works, batch, [...seek, ...roads.fresh], notes);
  const seeking = new Set(seek.map(({ uid }) => uid));
  const outcome = await cautiously(epoch, () =>
    send(works, batch, travelling, seeking, notes, trip),
  );
  if (told.unclear.length > 0) throw unclear(batch, told.unclear);
  return outcome;
}

/** Brings what is to travel to the destination, and retires what is proven there. */
async function send(
  works: Works,
  batch: Batch,
  travelling: readonly Listed[],
  seeking: ReadonlySet<number>,
  notes: ReadonlyMap<number, Note>,
  trip: Trip,
): Promise<Outcome> {
  if (travelling.length === 0) return 'not sent';
  trip.atDestination = true;
  await works.destinations.ready();
  trip.atDestination = false;
  const placed = await works.cargo.use(
    weightOf(travelling),
    () => bring(works, batch, travelling, seeking, notes, trip),
    { urgent: batch.fresh },
  );
  const { receipts, failure } = placed ?? { receipts: [] };
  if (failure === undefined) trip.arrived();
  const back = await retire(works, batch, receipts, trip.carried);
  if (back.size > 0) works.revisit(batch.epoch.pair, works.pace.attemptFirst);
  trip.atDestination = failure !== undefined;
  if (failure) throw failure;
  if (refusedAny(works, batch)) return 'some refused';
  return placed === undefined ? 'not sent' : 'through';
}

/** Fetches and places: as long as it lasts, the messages' bytes are here. `undefined`: there was nothing to place. */
async function bring(
  works: Works,
  batch: Batch,
  travelling: readonly Listed[],
  seeking: ReadonlySet<number>,
  notes: ReadonlyMap<number, Note>,
  trip: Trip,
): Promise<Placed | undefined> {
  const { epoch } = batch;
  const { carried } = trip;
  await using spool = works.spool();
  const mayBeThere = travelling.some(({ uid }) => seeking.has(uid) && !notes.has(uid));
  let looking: ReturnType<typeof lookAhead> | undefined;
  const { originals, doubtful } = await fetchOriginals(works, batch, travelling, (session) => {
    // Not before the source is there to be asked: what is seen by then may be long ago.
    looking = mayBeThere ? lookAhead(works, batch) : undefined;
    // Where fetching fails, too, nobody asks what became of it.
    looking?.catch(() => undefined);
    return session.fetch(travelling, spool);
  });
  for (const [original, why] of doubtful) {
    refuse(works, epoch, intentOf(original), notes.get(original.uid), why);
  }
  if (originals.length === 0) return undefined;
  refuseRoundTrip(works, batch, originals);
  for (const { uid, flags } of originals) {
    // A copy that an earlier attempt made has the flags of that time.
    if (!seeking.has(uid) || !carried.has(uid)) carried.set(uid, flags);
  }
  trip.atDestination = true;
  const sight = await looking;
  const placed = await place(works, batch, originals, seeking, notes, sight);
  trip.atDestination = false;
  const uids = placed.receipts.map(({ original }) => original.uid);
  const proven = new Set(uids);
  // An APPEND is over when all of it is out: nothing of these is on its way any more.
  for (const { uid, content } of originals) if (proven.has(uid)) letGo(content);
  const sums = () =>
    new Map([...works.journal.notes(epoch.key, uids)].map(([uid, note]) => [uid, note.sha256]));
  works.ways.brought(works.route, placed.receipts, sums);
  return placed;
}

/** Rejects, with kind `circle`, where other routes bring back what this one has carried, under another name of a server. */
function refuseRoundTrip(
  { ways, route }: Works,
  { epoch }: Batch,
  originals: readonly Original[],
): void {
  if (!ways.recognise(route, epoch.key, originals)) return;
  const [circle] = ways.circles(route.name);
  if (circle === undefined) return;
  throw new Failure(`${circle}.`, {
    step: 'fetch',
    scope: 'account',
    kind: 'circle',
    lasting: true,
  });
}

function refusedAny({ journal }: Works, { epoch, messages }: Batch): boolean {
  const uids = messages.map(({ uid }) => uid);
  return [...journal.notes(epoch.key, uids).values()].some(({ state }) => state === 'refused');
}

/** What is to be done with each message of a batch, by what the journal says of it now. */
export function sort(
  works: Works,
  batch: Batch,
  notes: ReadonlyMap<number, Note>,
): Record<Road, Listed[]> {
  const roads: Record<Road, Listed[]> = { rest: [], fresh: [], seek: [], retire: [] };
  const now = works.clock.now();
  for (const message of batch.messages) {
    const { afterDelivery } = works.route;
    const road = roadOf(
      message,
      notes.get(message.uid),
      batch.epoch,
      afterDelivery,
      now,
      works.pace,
    );
    roads[road].push(message);
  }
  return roads;
}

/** Sets aside what is larger than MAX_MESSAGE_SIZE or the destination's APPENDLIMIT, before it is fetched. */
function withinLimits(
  works: Works,
  { epoch }: Batch,
  messages: readonly Listed[],
  notes: ReadonlyMap<number, Note>,
): Listed[] {
  return messages.filter((message) => {
    const why = tooLarge(works, message);
    if (why === undefined) return true;
    const intent = { uid: message.uid, size: message.size, sha256: '' };
    refuse(works, epoch, intent, notes.get(message.uid), why);
    return false;
  });
}
