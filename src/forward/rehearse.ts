/**
 * One batch of a dry run: what `deliver` would do with it. It fetches and looks for copies as `deliver` does, says of each
 * message what would become of it, and has neither a step that writes nor a session that could. What it notes goes to
 * a journal that forgets, so that one copy is not found for two originals.
 */

import type { EventFields } from '../domain/events.ts';
import { Failure } from '../domain/failure.ts';
import type { FolderView, Listed, Original } from '../domain/message.ts';
import { messageIdOf } from '../domain/message.ts';
import type { DestinationReader, Note } from '../domain/ports.ts';
import type { Receipt } from '../domain/receipt.ts';
import { type Outcome, retried, sort } from './deliver.ts';
import { fetchOriginals } from './fetch.ts';
import { type Batch, type Epoch, weightOf } from './folder-state.ts';
import { deadly, tooLarge } from './hindrances.ts';
import { attempt } from './retry.ts';
import { compareWithNotes, unclear } from './same.ts';
import { badCopyRemains, type Sought, seek } from './seek.ts';
import { intentOf, tell, type Works } from './works.ts';

/**
 * Says of each message of a batch, once, what would become of it (`delivery.planned`). Tries again while what fails is
 * this connection only; rejects with the Failure that ended the last attempt.
 */
export async function rehearse(works: Works, batch: Batch): Promise<Outcome> {
  const { again, clock, pace, quit } = works;
  const onFailed = retried(works, batch);
  return attempt(() => once(works, batch), again, { clock, pace, signal: quit, onFailed });
}

async function once(works: Works, batch: Batch): Promise<Outcome> {
  const { epoch } = batch;
  const reasons = deadly(works, batch);
  const hindered = (message: Listed) => reasons.get(message.uid) ?? tooLarge(works, message);
  const { notes, roads } = known(works, batch);
  const told = await compareWithNotes(works, batch, roads.retire, notes, new Map());
  for (const { uid } of told.other) notes.delete(uid);
  for (const { uid } of told.same) {
    const note = notes.get(uid);
    if (note) say(works, epoch, note, { plan: 'retire', why: 'it was carried before' });
  }
  for (const message of told.unclear) {
    const { message: why } = unclear(batch, [message]);
    say(works, epoch, notes.get(message.uid) ?? message, { plan: 'leave', why });
  }
  const sought = [...roads.seek, ...told.other];
  const travelling: Listed[] = [];
  for (const message of [...sought, ...roads.fresh]) {
    const why = hindered(message);
    if (why === undefined) travelling.push(message);
    else say(works, epoch, notes.get(message.uid) ?? message, { plan: 'leave', why });
  }
  if (travelling.length === 0) return 'not sent';
  const seeking = new Set(sought.map(({ uid }) => uid));
  await works.cargo.use(weightOf(travelling), () =>
    lookFor(works, batch, travelling, seeking, notes),
  );
  return 'through';
}

/** Fetches messages and says what would become of each. */
async function lookFor(
  works: Works,
  batch: Batch,
  travelling: readonly Listed[],
  seeking: ReadonlySet<number>,
  notes: ReadonlyMap<number, Note>,
): Promise<void> {
  const { epoch } = batch;
  const { originals, doubtful } = await fetchOriginals(works, batch, travelling, (session) =>
    session.fetch(travelling),
  );
  for (const [original, why] of doubtful)
    say(works, epoch, named(original), { plan: 'leave', why });
  await works.destinations.use(epoch.pair.dest, (session: DestinationReader) =>
    lookThere(works, session, epoch, originals, seeking, notes),
  );
}

/** What the journal says of the messages that an earlier attempt has not told of. */
function known(works: Works, { messages, ...batch }: Batch) {
  const { key, rehearsed } = batch.epoch;
  const left = messages.filter(({ uid }) => !rehearsed.has(uid));
  const notes = works.journal.notes(
    key,
    left.map(({ uid }) => uid),
  );
  return { notes, roads: sort(works, { ...batch, messages: left }, notes) };
}

/** Looks at the destination whether copies are there already, and says what would become of the originals. */
async function lookThere(
  works: Works,
  session: DestinationReader,
  epoch: Epoch,
  originals: readonly Original[],
  seeking: ReadonlySet<number>,
  notes: ReadonlyMap<number, Note>,
): Promise<void> {
  const sought = originals.filter(({ uid }) => seeking.has(uid));
  const view = await opened(session, epoch.pair.dest, sought.length > 0);
  if (view === undefined) {
    const missing = `the destination has no folder ${epoch.pair.dest}`;
    const fields = works.route.createFolders
      ? ({ plan: 'carry', why: `${missing}, it would be made` } as const)
      : ({ plan: 'leave', why: `${missing}, and CREATE_FOLDERS=false` } as const);
    for (const original of originals) say(works, epoch, named(original), fields);
    return;
  }
  const there =
    sought.length > 0 ? await seek(works, session, view, epoch, sought, notes) : undefined;
  noteFound(works, epoch, view, sought, there, notes);
  const copies = new Map(there?.found.map(({ original, copy }) => [original.uid, copy]));
  for (const original of originals) {
    const copy = copies.get(original.uid);
    if (copy) say(works, epoch, named(original), found(epoch, view, copy, original.uid));
    else if (there && differed(works, there, original, notes.get(original.uid), view)) {
      const why = 'what may be its copy is there, and is not the same message';
      say(works, epoch, named(original), { plan: 'leave', why });
    } else say(works, epoch, named(original), { plan: 'carry' });
  }
}

/**
 * What a copy means that is there already. It may be the original itself, in one folder under two names: then all their
 * numbers are the same. `run` finds that out by a flag.
 */
function found(epoch: Epoch, view: FolderView, copy: Receipt['copy'], uid: number) {
  const isOne =
    view.uidValidity === epoch.uidValidity &&
    view.uidNext === epoch.highest + 1 &&
    copy.uid === uid;
  if (!isOne) return { plan: 'retire' } as const;
  const why =
    'source and destination may be one and the same folder, in which all numbers are the same; before anything is removed that is looked into';
  return { plan: 'leave', why } as const;
}

/** The destination folder as it is; `undefined` where there is none. */
async function opened(
  session: DestinationReader,
  folder: string,
  fresh: boolean,
): Promise<FolderView | undefined> {
  try {
    return await session.open(folder, { fresh });
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.kind === 'folder-missing') return undefined;
    throw thrown;
  }
}

/** Notes which copies are spoken for. */
function noteFound(
  works: Works,
  epoch: Epoch,
  { folder, uidValidity }: FolderView,
  originals: readonly Original[],
  there: Sought | undefined,
  notes: ReadonlyMap<number, Note>,
): void {
  if (there === undefined || there.found.length === 0) return;
  const found = new Set(there.found.map(({ original }) => original.uid));
  const unnoted = originals.filter(({ uid }) => found.has(uid) && !notes.has(uid));
  const standing = { folder, uidValidity, uidNext: 1 };
  works.journal.intend(epoch.key, standing, unnoted.map(intentOf));
  works.journal.prove(there.found, works.clock.now());
}

function differed(
  works: Works,
  { listing }: Sought,
  original: Original,
  note: Note | undefined,
  view: FolderView,
): boolean {
  return note?.state === 'unverified' && badCopyRemains(works, listing, original, note, view);
}

interface Named {
  readonly uid: number;
  readonly size: number;
  readonly messageId?: string;
}

function named({ uid, size, content }: Original): Named {
  const messageId = messageIdOf(content);
  return { uid, size, ...(messageId !== undefined && { messageId }) };
}

/** Says it, and not again: the message rests from now on. */
function say(
  works: Works,
  epoch: Epoch,
  { uid, size, messageId }: Named,
  fields: Pick<EventFields, 'plan' | 'why'>,
): void {
  epoch.rehearsed.add(uid);
  const message = { uid, ...(messageId !== undefined && { messageId }) };
  tell(works, 'delivery.planned', epoch, message, { bytes: size, ...fields });
}
