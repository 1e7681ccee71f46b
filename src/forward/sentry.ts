/**
 * Notices changes in folders that hold no IDLE, on one connection: by NOTIFY where it proves to work, else by asking for
 * each folder's STATUS in turn. The folder that is open is asked by NOOP.
 *
 * NOTIFY is on trial at first: STATUS goes on as if it were not there. What STATUS finds and NOTIFY has not told is the end
 * of the trial, and after three changes that NOTIFY told first STATUS is asked for less often, but goes on.
 */
import { asFailure, type Failure } from '../domain/failure.ts';
import type { FolderStatus, SourceSession } from '../domain/ports.ts';
import type { FolderPair } from '../domain/route.ts';
import type { Lane } from './lane.ts';
import { Standings } from './standings.ts';
import type { Works } from './works.ts';

/** How many changes NOTIFY has to tell before STATUS is asked for less often. */
const PROOFS = 3;
/** How many times less often. */
const RELIED_ON = 8;
/** Into how many parts a turn is cut where each folder is asked by a command of its own. */
const PARTS = 30;
/** Turns without a complaint after which one that was slowed down is made faster again. */
const CALM = 10;

export class Sentry {
  readonly #standings = new Standings();
  readonly #works: Works;
  readonly #lane: Lane;
  readonly #folders: () => readonly FolderPair[];
  readonly #changed: (pair: FolderPair) => void;
  /** NOTIFY was taken on this connection. */
  #notified = false;
  #proofs = 0;
  #doubted = false;
  /** Folders of which NOTIFY has told something new since they were opened last. */
  readonly #announced = new Set<string>();
  #slowness = 1;
  #calm = 0;
  /** Turns since STATUS was last asked for. */
  #skipped = 0;

  /**
   * @param folders those that are to be noticed, at any time
   * @param changed has a folder visited
   */
  constructor(
    works: Works,
    lane: Lane,
    folders: () => readonly FolderPair[],
    changed: (pair: FolderPair) => void,
  ) {
    this.#works = works;
    this.#lane = lane;
    this.#folders = folders;
    this.#changed = changed;
  }

  /** The connection is a new one: what was told on the one before may be missing. */
  connected(session: SourceSession): void {
    this.#notified = false;
    this.#skipped = RELIED_ON;
    if (!session.abilities.notify || this.#doubted) return;
    const told = (folder?: string, status: FolderStatus = {}) => {
      if (folder === undefined) this.#notified = false;
      else this.#heard(folder, status);
    };
    session.notify(told).then(
      () => {
        this.#notified = true;
      },
      // Then there is STATUS.
      () => undefined,
    );
  }

  /** To be called before a folder is opened for a visit; what it returns, with the view that came of it. */
  opening(folder: string): (view: FolderStatus) => void {
    this.#announced.delete(folder);
    return this.#standings.opening(folder);
  }

  /** A visit came to nothing: whatever is said of the folder is new. */
  forget(folder: string): void {
    this.#standings.forget(folder);
  }

  /** Goes on until `stop`. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock } = this.#works;
    // The visits at the start come first.
    await clock.sleep(this.#turn, stop).catch(() => undefined);
    while (!stop.aborted) {
      const began = clock.ticks();
      const turn = this.#turn;
      let pause = 0;
      try {
        await this.#round(began, turn, stop);
        this.#calm++;
        if (this.#calm % CALM === 0) this.#slowness = Math.max(1, this.#slowness / 2);
      } catch (thrown) {
        pause = this.#complained(asFailure(thrown, 'look'));
      }
      const left = Math.max(pause, began + turn - clock.ticks());
      await clock.sleep(left, stop).catch(() => undefined);
    }
  }

  /** How long a turn takes in which every folder is asked for once, in ms. */
  get #turn(): number {
    const { pace, route } = this.#works;
    return Math.min(pace.notice * this.#slowness, route.sweepInterval);
  }

  get #reliedOn(): boolean {
    return this.#notified && !this.#doubted && this.#proofs >= PROOFS;
  }

  async #round(began: number, turn: number, stop: AbortSignal): Promise<void> {
    await this.#lane.ask(stop, (session) => session.noop());
    if (this.#reliedOn && ++this.#skipped < RELIED_ON) return;
    this.#skipped = 0;
    const pairs = this.#folders();
    const { listStatus } = this.#lane.session?.abilities ?? {};
    if (listStatus) return this.#ask(pairs, stop);
    for (const [nth, pair] of pairs.entries()) {
      const early = began + (nth * turn) / pairs.length - this.#works.clock.ticks();
      if (early >= turn / PARTS) await this.#works.clock.sleep(early, stop);
      await this.#ask([pair], stop);
    }
  }

  async #ask(pairs: readonly FolderPair[], stop: AbortSignal): Promise<void> {
    const names = pairs.map(({ source }) => source);
    const statuses = await this.#lane.ask(stop, (session) => session.statuses(names));
    for (const pair of pairs) {
      const status = statuses.get(pair.source);
      if (status) this.#found(pair, status);
    }
  }

  #found(pair: FolderPair, status: FolderStatus): void {
    const settled = this.#standings.settled(pair.source);
    if (!this.#standings.isNews(pair.source, status)) return;
    const silent = this.#notified && settled && !this.#announced.has(pair.source);
    if (silent) void this.#doubt(pair);
    else this.#noticed(pair);
  }

  /** STATUS shows news that NOTIFY has not told: it gets a moment to do so. A visit would be in its way. */
  async #doubt(pair: FolderPair): Promise<void> {
    const { clock, pace, quit } = this.#works;
    await clock.sleep(pace.notifyWithin, quit).catch(() => undefined);
    if (quit.aborted || this.#announced.has(pair.source)) return;
    if (this.#notified && !this.#doubted && this.#standings.settled(pair.source)) {
      this.#doubted = true;
      this.#emit('watcher.deaf', pair, {
        msg: `The server took NOTIFY and does not tell of new mail in ${pair.source}; its folders are asked by STATUS`,
      });
    }
    this.#noticed(pair);
  }

  #heard(folder: string, status: FolderStatus): void {
    const pair = this.#folders().find(({ source }) => source === folder);
    if (pair === undefined || !this.#standings.isNews(folder, status)) return;
    this.#announced.add(folder);
    this.#proofs++;
    this.#noticed(pair);
  }

  #noticed(pair: FolderPair): void {
    this.#emit('watcher.noticed', pair);
    this.#changed(pair);
  }

  /** Says how long a server that wants to be asked less often is left alone. */
  #complained({ kind, retryAfter = 0 }: Failure): number {
    if (kind !== 'throttled') return 0;
    this.#calm = 0;
    if (this.#turn < this.#works.route.sweepInterval) this.#slowness *= 2;
    return Math.max(this.#turn, retryAfter);
  }

  #emit(...[event, pair, fields]: [Parameters<Works['emit']>[0], FolderPair, object?]): void {
    const { route, emit } = this.#works;
    emit(event, { route: route.name, folder: pair.source, ...fields });
  }
}
