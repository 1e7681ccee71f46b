/**
 * Goes round the folders that no watcher holds, on one connection: opens each, looks, and waits until it is carried. On a
 * beat it notices by itself which of them have changed, and visits those.
 *
 * The connection serves one folder at a time, so that whoever has much to carry keeps it from the others. While others wait
 * it has its part of a turn of the beat; then what has not begun is taken back, what has begun is waited for, and the rest
 * has its turn when no other folder is to be looked at.
 */
import { asFailure, Failure } from '../domain/failure.ts';
import type { FolderPair, Listing } from '../domain/route.ts';
import { Again } from './again.ts';
import type { Batch, Epoch } from './folder-state.ts';
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

/** A visit that has not ended, and what is left of the batches that were found when it began. */
interface Visit {
  readonly pair: FolderPair;
  readonly ended: PromiseWithResolvers<Failure | undefined>;
  readonly rest: readonly Batch[];
}

/** Into how many parts a turn is cut to see whether others wait. */
const PARTS = 10;

export class Rounds {
  readonly #works: Works;
  readonly #lane: Lane;
  readonly #deliveries: Deliveries;
  readonly #leftOut = new Map<string, string>();
  readonly #again = new Map<string, Again>();
  /** Visits that have not begun: one of them is enough for a folder. */
  readonly #waiting = new Map<FolderPair, Visit>();
  /** Visits that have made way for others. */
  readonly #rests = new Map<FolderPair, Visit>();
  #goesRound = false;
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

  /** Since when it stands, or does not (clock ticks). */
  get since(): number {
    return this.#lane.since;
  }

  /** Why a folder could not be looked through at its last visit. */
  leftOut(folder: string): string | undefined {
    return this.#leftOut.get(folder);
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
    if (waiting !== undefined) return waiting.ended.promise;
    // A folder that is to be looked at anew shows what is left of it by itself.
    const { ended } = this.#rests.get(pair) ?? { ended: Promise.withResolvers() };
    this.#rests.delete(pair);
    this.#waiting.set(pair, { pair, ended, rest: [] });
    void this.#goRound();
    return ended.promise;
  }

  /** One visit after another. */
  async #goRound(): Promise<void> {
    if (this.#goesRound) return;
    this.#goesRound = true;
    // Visits that are asked for in one moment wait together.
    await Promise.resolve();
    for (;;) {
      const queue = this.#waiting.size > 0 ? this.#waiting : this.#rests;
      const [visit] = queue.values();
      if (visit === undefined) break;
      queue.delete(visit.pair);
      await this.#go(visit);
    }
    this.#goesRound = false;
  }

  async #go(visit: Visit): Promise<void> {
    const { pair, ended } = visit;
    // It may have a watcher by now.
    const isGone = visit.rest.length > 0 && this.#beat && !this.#isVisited(pair);
    const outcome = isGone ? undefined : await this.#visit(visit);
    if (!Array.isArray(outcome)) return ended.resolve(outcome);
    const next = this.#waiting.get(pair);
    if (next === undefined) this.#rests.set(pair, { ...visit, rest: outcome });
    else void next.ended.promise.then(ended.resolve);
  }

  #isVisited(pair: FolderPair): boolean {
    return this.#beat?.folders.get(pair.source) === pair;
  }

  /** Resolves with what is left where it has made way for others, or with why it could not be done. */
  async #visit({ pair, rest }: Visit): Promise<Batch[] | Failure | undefined> {
    const { quit } = this.#works;
    try {
      quit.throwIfAborted();
      const opened = this.#sentry?.opening(pair.source);
      const epoch = await this.#lane.reopen(quit, pair);
      if (this.#lane.open) opened?.(this.#lane.open.view);
      const left = rest.filter((batch) => batch.epoch === epoch);
      const depth = left.length > 0 ? 'new' : 'all';
      const { batches, unseen } = await look(this.#works, this.#lane, epoch, depth);
      for (const batch of [...batches, ...left]) this.#deliveries.add(batch);
      const after = await this.#carried(epoch);
      this.#leftOut.delete(pair.source);
      this.#again.delete(pair.source);
      if (unseen > 0) this.#beat?.mailed(pair);
      return after.length > 0 ? after : undefined;
    } catch (thrown) {
      this.#sentry?.forget(pair.source);
      const failure = asFailure(thrown, 'look');
      this.#failed(pair, failure);
      return failure;
    }
  }

  /** Waits until nothing of a folder is in hand. Resolves with what was taken back, since others waited. */
  async #carried(epoch: Epoch): Promise<Batch[]> {
    const over = new AbortController();
    const idle = this.#deliveries.idle(epoch.inHand).finally(() => over.abort());
    const isTime = await Promise.race([
      idle.then(() => false),
      this.#othersWait(over.signal).then(() => true),
    ]);
    if (!isTime) return [];
    const back = this.#deliveries.takeBack(epoch, this.#lane);
    await idle;
    return back;
  }

  /** Resolves once the part of the turn is over that a folder has for itself while others wait. */
  async #othersWait(over: AbortSignal): Promise<void> {
    const { clock, pace } = this.#works;
    const began = clock.ticks();
    for (;;) {
      const part = pace.notice / (this.#waiting.size + 1);
      if (this.#waiting.size > 0 && clock.ticks() - began >= part) return;
      const slept = await clock.sleep(Math.min(part, pace.notice / PARTS), over).then(
        () => true,
        () => false,
      );
      if (!slept) return;
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
