/** The epochs of a route's folders: in which one each folder is, and what has to be over before one begins. */
import type { Emit } from '../domain/events.ts';
import type { FolderView } from '../domain/message.ts';
import type { Clock, RouteJournal } from '../domain/ports.ts';
import type { FolderPair } from '../domain/route.ts';
import { Epoch } from './folder-state.ts';

export interface EpochsWorld {
  readonly route: string;
  readonly journal: RouteJournal;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Resolves once no message of that folder is in hand. */
  readonly idle: (inHand: ReadonlySet<number>) => Promise<void>;
}

export class Epochs {
  readonly #world: EpochsWorld;
  readonly #latest = new Map<string, Epoch>();

  constructor(world: EpochsWorld) {
    this.#world = world;
  }

  /**
   * The epoch of a folder as it shows itself now: the known one if UIDVALIDITY and the way of its mail are the same, else
   * a new one. It outlives the connection, and who looks after the folder, so that what is in hand is known as such.
   */
  of(pair: FolderPair, view: FolderView): Epoch {
    const known = this.#latest.get(pair.source);
    const isKnown =
      known?.uidValidity === view.uidValidity &&
      known.pair.dest === pair.dest &&
      known.pair.use === pair.use;
    if (isKnown) return known;
    const epoch = new Epoch(pair, view, known);
    this.#latest.set(pair.source, epoch);
    return epoch;
  }

  /** The folders that were last seen under a UIDVALIDITY. */
  under(uidValidity: number): string[] {
    return [...this.#latest].flatMap(([folder, epoch]) =>
      epoch.uidValidity === uidValidity ? [folder] : [],
    );
  }

  /**
   * To be awaited before an epoch is looked at. The same messages may be on their way under the folder's earlier numbers:
   * only when none is any more does the journal close these rows, and free their copies to be found again.
   */
  async begin(epoch: Epoch): Promise<void> {
    if (epoch.begun) return;
    const { journal, clock, emit, route, idle } = this.#world;
    const { folder, uidValidity } = epoch.key;
    for (let old = epoch.before; old !== undefined; old = old.before) await idle(old.inHand);
    const last = journal.lastValidity(folder);
    if (last !== undefined && last !== uidValidity) {
      const notes = [...journal.notes({ folder, uidValidity: last }).values()];
      if (notes.some(({ state }) => state === 'appending')) epoch.doubtSince = clock.ticks();
      journal.seen(epoch.key);
      emit('folder.renumbered', { route, folder });
    } else if (last === undefined) journal.seen(epoch.key);
    epoch.begun = true;
    epoch.before = undefined;
  }
}
