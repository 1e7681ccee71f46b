/** Goes round the folders that no watcher holds, on one connection: opens each, looks, and waits until it is carried. */
import { asFailure, type Failure } from '../domain/failure.ts';
import type { FolderPair, Listing } from '../domain/route.ts';
import { Again } from './again.ts';
import { Lane, type LaneWorld } from './lane.ts';
import { look } from './look.ts';
import type { Deliveries } from './queue.ts';
import type { Works } from './works.ts';

export class Rounds {
  readonly #works: Works;
  readonly #lane: Lane;
  readonly #deliveries: Deliveries;
  readonly #leftOut = new Map<string, string>();
  readonly #again = new Map<string, Again>();
  /** Visits that have not begun: one of them is enough for a folder. */
  readonly #waiting = new Map<FolderPair, Promise<Failure | undefined>>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(works: Works, world: LaneWorld, deliveries: Deliveries) {
    this.#works = works;
    this.#deliveries = deliveries;
    this.#lane = new Lane(world);
  }

  /** Lives until `stop` aborts or connecting is given up. */
  run(stop: AbortSignal): Promise<void> {
    return this.#lane.run(stop);
  }

  /** Every folder of the source account. */
  listFolders(): Promise<Listing> {
    return this.#lane.listFolders(this.#works.quit);
  }

  /** Looks through one folder and waits until what it found is carried or put down. Resolves with why that could not be done. */
  visit(pair: FolderPair): Promise<Failure | undefined> {
    const waiting = this.#waiting.get(pair);
    if (waiting !== undefined) return waiting;
    const visit = this.#turn.then(() => {
      this.#waiting.delete(pair);
      return this.#visit(pair);
    });
    this.#waiting.set(pair, visit);
    this.#turn = visit;
    return visit;
  }

  async #visit(pair: FolderPair): Promise<Failure | undefined> {
    const { quit } = this.#works;
    try {
      quit.throwIfAborted();
      const epoch = await this.#lane.reopen(quit, pair);
      const { batches } = await look(this.#works, this.#lane, epoch, 'all');
      for (const batch of batches) this.#deliveries.add(batch);
      await this.#deliveries.idle(epoch.inHand);
      this.#leftOut.delete(pair.source);
      this.#again.delete(pair.source);
      return undefined;
    } catch (thrown) {
      const failure = asFailure(thrown, 'look');
      this.#failed(pair, failure);
      return failure;
    }
  }

  #failed(pair: FolderPair, failure: Failure): void {
    const { emit, quit, route } = this.#works;
    if (quit.aborted || failure.kind === 'lost') return;
    const again = this.#again.get(pair.source) ?? new Again(this.#works, pair);
    this.#again.set(pair.source, again);
    again.failed(failure);
    if (this.#leftOut.get(pair.source) === failure.message) return;
    this.#leftOut.set(pair.source, failure.message);
    emit(failure.step === 'journal' ? 'journal.failed' : 'folder.left-out', {
      route: route.name,
      folder: pair.source,
      step: failure.step,
      why: failure.message,
      err: failure,
    });
  }
}
