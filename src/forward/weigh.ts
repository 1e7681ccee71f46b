/** What a batch will ask of both accounts, before it is let through. */
import { Failure } from '../domain/failure.ts';
import type { Note } from '../domain/ports.ts';
import { sort } from './deliver.ts';
import type { Batch } from './folder-state.ts';
import { tooLarge } from './hindrances.ts';
import { type Loads, NO_LOAD } from './traffic.ts';
import type { Works } from './works.ts';

/**
 * Of each message, in their order. Each is fetched; what is proven already is only compared, all else is appended and read
 * back, and a dry run writes nothing. What was found at the destination instead is counted once it is known.
 */
export function weigh(works: Works, batch: Batch): Loads[] {
  const roads = sort(works, batch, notesOf(works, batch));
  const travelling = new Set([...roads.fresh, ...roads.seek].map(({ uid }) => uid));
  const resting = new Set(roads.rest.map(({ uid }) => uid));
  return batch.messages.map((message) => {
    const { uid, size } = message;
    const stays = resting.has(uid) || (travelling.has(uid) && tooLarge(works, message));
    if (stays) return { source: NO_LOAD, destination: NO_LOAD };
    const isWritten = travelling.has(uid) && !works.route.dryRun;
    return {
      source: { messages: 1, bytes: size },
      destination: isWritten ? { messages: 1, bytes: 2 * size } : NO_LOAD,
    };
  });
}

/** Where the journal can't be read, whoever carries the batch tells of it. */
function notesOf({ journal }: Works, { epoch, messages }: Batch): ReadonlyMap<number, Note> {
  try {
    return journal.notes(
      epoch.key,
      messages.map(({ uid }) => uid),
    );
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return new Map();
  }
}
