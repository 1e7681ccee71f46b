/**
 * Goes round the folders that no watcher holds, on one connection: opens each, looks, and waits until it is carried. On a
 * beat it notices by itself which of them have changed, and visits those.
 */
import { asFailure, Failure } from '../domain/failure.ts';
import type { FolderPair, Listing } from '../domain/route.ts';
import { Again } from './again.ts';
import { Lane, type LaneWorld, type Refused } from './lane.ts';
import { look } from './look.ts';
import type { Deliveries } from './queue.ts';
import { Sentry } from './sentry.ts';
import type { Works } from './works.ts';

/** The folders to be noticed, at any time by their names, and what whoever has them looked after hears. */
export interface Beat {
  readonly folders: ReadonlyMap<string, FolderPair>;
  /** New mail has come, and is carried or put down. */
  readonly mailed: (pair: FolderPair) => void;
  /** The server lets the connection not in. */
  readonly refused: Refused;
}

export class Rounds {
  readonly #works: Works;
  readonly #lane: Lane;
  readonly #deliveries: Deliveries;
  readonly #leftOut = new Map<string, string>();
  readonly #again = new Map<string, Again>();
  /** Visits that have not begun: one of them is enough for a folder. */
  readonly #waiting = new Map<FolderPair, Promise<Failure | undefined>>();
  #turn: Promise<unknown> = Promise.resolve();
  readonly #beat: Beat | undefined;
  readonly #sentry: Sentry | undefined;

  constructor(works: Works, world: LaneWorld, deliveries: Deliveries, beat?: Beat) {
    this.#works = works;
    this.#deliveries = deliveries;
    this.#beat = beat;
    if (beat === undefined) {
      this.#lane = new Lane(world);
      return;
    }
    this.#lane = new Lane(world, {
      hooks: {
        onConnected: (session) => this.#sentry?.connected(session),
        onRefused: beat.refused,
        // What came while the connection was begun anew is in view now, and no STATUS is asked of an open folder.
        onOpen: ({ pair }) => this.#changed(pair),
        onBarred: () => undefined,
        onExists: () => this.#lane.open && this.#changed(this.#lane.open.pair),
      },
    });
    const folders = () =>
      [...beat.folders.values()].filter(({ source }) => !this.#leftOut.has(source));
    this.#sentry = new Sentry(works, this.#lane, folders, (pair) => this.#changed(pair));
  }

  /** Its connection stands. */
  get connected(): boolean {
    return this.#lane.session !== undefined;
  }

  /** Lives until `stop` aborts or connecting is given up. */
  async run(stop: AbortSignal): Promise<void> {
    await Promise.all([this.#lane.run(stop), this.#sentry?.run(stop)]);
  }

  /** Something is new in a folder, if it is still among those to be noticed. */
  #changed({ source }: FolderPair): void {
    const pair = this.#beat?.folders.get(source);
    if (pair !== undefined) void this.visit(pair);
  }

  /** Every folder of the source account. */
  listFolders(): Promise<Listing> {
    return this.#lane.listFolders(this.#works.quit);
  }

  /** How many messages the server says are in these folders; of one that it does not tell of, nothing. */
  async counts(pairs: readonly FolderPair[]): Promise<Map<string, number>> {
    const folders = pairs.map(({ source }) => source);
    try {
      const found = await this.#lane.ask(this.#works.quit, (session) => session.statuses(folders));
      return new Map([...found].map(([folder, { messages = 0 }]) => [folder, messages]));
    } catch (thrown) {
      if (this.#works.quit.aborted || !(thrown instanceof Failure)) throw thrown;
      return new Map();
    }
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
      const opened = this.#sentry?.opening(pair.source);
      const epoch = await this.#lane.reopen(quit, pair);
      if (this.#lane.open) opened?.(this.#lane.open.view);
      const { batches, unseen } = await look(this.#works, this.#lane, epoch, 'all');
      for (const batch of batches) this.#deliveries.add(batch);
      await this.#deliveries.idle(epoch.inHand);
      this.#leftOut.delete(pair.source);
      this.#again.delete(pair.source);
      if (unseen > 0) this.#beat?.mailed(pair);
      return undefined;
    } catch (thrown) {
      this.#sentry?.forget(pair.source);
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
