/** One batch, straight through: fetch, append, verify, retire. */
import type { Failure } from '../domain/failure.ts';
import type { Listed } from '../domain/message.ts';
import type { Note } from '../domain/ports.ts';
import { refuse } from './aside.ts';
import { fetchOriginals } from './fetch.ts';
import type { Batch } from './folder-state.ts';
import { place } from './place.ts';
import { retire } from './retire.ts';
import { attempt } from './retry.ts';
import { type Road, roadOf } from './triage.ts';
import type { Works } from './works.ts';

/**
 * Carries a batch, trying again while what fails is this connection only. Each attempt begins with what the journal
 * says, so that no step is done twice. Rejects with the Failure that ended the last attempt; what is noted stays noted.
 */
export async function deliver(works: Works, batch: Batch): Promise<void> {
  const { clock, pace, quit } = works;
  const carried = new Map<number, ReadonlySet<string>>();
  const retried = (failure: Failure, nth: number) =>
    works.emit('delivery.retried', {
      route: works.route.name,
      folder: batch.epoch.pair.source,
      count: batch.messages.length,
      step: failure.step,
      attempt: nth,
      why: failure.message,
      err: failure,
    });
  await attempt(() => once(works, batch, carried), {
    clock,
    pace,
    signal: quit,
    onFailed: retried,
  });
}

async function once(
  works: Works,
  batch: Batch,
  carried: Map<number, ReadonlySet<string>>,
): Promise<void> {
  const { epoch } = batch;
  const notes = works.journal.notes(
    epoch.key,
    batch.messages.map(({ uid }) => uid),
  );
  const roads = sort(works, batch, notes);
  const proven = works.journal.receipts(
    epoch.key,
    roads.retire.map(({ uid }) => uid),
  );
  await retire(works, batch, proven, carried);
  const travelling = withinLimits(works, batch, [...roads.seek, ...roads.fresh], notes);
  if (travelling.length === 0) return;
  await works.destinations.ready();
  const originals = await fetchOriginals(works, batch, travelling, notes);
  for (const { uid, flags } of originals) carried.set(uid, flags);
  const seeking = new Set(roads.seek.map(({ uid }) => uid));
  const { receipts, failure } = await place(works, epoch, originals, seeking, notes);
  await retire(works, batch, receipts, carried);
  if (failure) throw failure;
}

function sort(
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
  const { route, destinations } = works;
  const most = Math.min(
    route.maxMessageSize ?? Number.POSITIVE_INFINITY,
    destinations.appendLimit ?? Number.POSITIVE_INFINITY,
  );
  return messages.filter((message) => {
    if (message.size <= most) return true;
    const whose =
      most === route.maxMessageSize ? 'MAX_MESSAGE_SIZE allows' : 'the destination server takes';
    const why = `it has ${message.size} bytes, and ${whose} ${most}.`;
    const intent = { uid: message.uid, size: message.size, sha256: '' };
    refuse(works, epoch, intent, notes.get(message.uid), why);
    return false;
  });
}
