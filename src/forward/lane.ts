/**
 * One source connection for ever: connects, opens its folder, lends itself to one piece of work at a time, or to several
 * that only fetch, and begins anew when the connection ends.
 *
 * A lane is closed (no connection), open (a folder under one epoch), or barred (its folder can't be opened). Work waits
 * while it is closed and is turned away while it is barred; it names the epoch it belongs to and is turned away from
 * any other. A lane that was told to stop, or that gave up connecting, turns everything away.
 */
import type { Emit } from '../domain/events.ts';
import { asFailure, Failure } from '../domain/failure.ts';
import type { FolderView } from '../domain/message.ts';
import type { Clock, SourceAbilities, SourceSession } from '../domain/ports.ts';
import type { FolderPair, Listing } from '../domain/route.ts';
import { Turns } from '../domain/turns.ts';
import type { Epoch } from './folder-state.ts';
import { doubled, type Pace } from './pace.ts';

export interface LaneWorld {
  readonly route: string;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly pace: Pace;
  /** Connects through the account's gate until it works; rejects only when told to stop or when it gives up. */
  readonly connect: (stop: AbortSignal, refused: Refused) => Promise<SourceSession>;
  /** Throws a Failure where a folder as opened can't be carried from. */
  readonly admit: (pair: FolderPair, view: FolderView, abilities: SourceAbilities) => void;
  /** The epoch of a folder as it was opened just now. */
  readonly epochOf: (pair: FolderPair, view: FolderView) => Epoch;
  /** EXAMINE, not SELECT: nothing is to change at the source. */
  readonly readOnly: boolean;
}

/** Told before each pause between two tries to connect, with the number of the try that failed. */
export type Refused = (failure: Failure, attempt: number) => void;

export interface LaneHooks {
  /** A new connection is there; no folder is open on it yet. */
  readonly onConnected?: (session: SourceSession) => void;
  readonly onRefused: Refused;
  /** The folder was opened on a new connection. */
  readonly onOpen: (epoch: Epoch) => void;
  /** The folder could not be opened on a new connection. */
  readonly onBarred: (failure: Failure) => void;
  /** The server said EXISTS. */
  readonly onExists: () => void;
  /** IDLE was renewed. */
  readonly onRenewed?: () => void;
}

/** A connection that lived so many times as long as the first pause was not in vain: of those there are six a minute at most. */
const WORTHWHILE = 10;

export class Lane {
  readonly #world: LaneWorld;
  readonly #hooks: LaneHooks | undefined;
  readonly #idles: boolean;
  #pair: FolderPair | undefined;
  #session: SourceSession | undefined;
  /** Folders that this connection has opened. */
  readonly #opened = new Set<string>();
  #epoch: Epoch | undefined;
  #view: FolderView | undefined;
  #barred: Failure | undefined;
  #ended = false;
  #since: number;
  readonly #turns = new Turns();
  #changed = Promise.withResolvers<void>();

  /**
   * @param pair the folder to begin with; without one the lane is barred until `reopen` names one
   * @param idles it watches: it holds IDLE while it has nothing to do
   */
  constructor(
    world: LaneWorld,
    { pair, hooks, idles = false }: { pair?: FolderPair; hooks?: LaneHooks; idles?: boolean } = {},
  ) {
    this.#world = world;
    this.#pair = pair;
    this.#hooks = hooks;
    this.#idles = idles;
    this.#since = world.clock.ticks();
  }

  /** It holds IDLE on one folder; else it has many to look after, and no folder may keep it for long. */
  get watches(): boolean {
    return this.#idles;
  }

  /** The connection as it is now, if there is one. */
  get session(): SourceSession | undefined {
    return this.#session;
  }

  /** Since when there is one, or none (clock ticks). */
  get since(): number {
    return this.#since;
  }

  /** The open folder, and how it showed itself when it was opened last. */
  get open(): { readonly pair: FolderPair; readonly view: FolderView } | undefined {
    const [pair, view] = [this.#pair, this.#view];
    return pair && view && this.#epoch && { pair, view };
  }

  /** Lives until `stop` aborts or connecting is given up; then its connection is ended. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, pace } = this.#world;
    try {
      let inVain = 0;
      while (!stop.aborted) {
        const session = await this.#world.connect(stop, (failure, attempt) =>
          this.#hooks?.onRefused(failure, attempt),
        );
        const began = clock.ticks();
        await this.#live(session, stop);
        // A server that lets one in and soon throws one out again is not knocked at without a pause.
        const lived = clock.ticks() - began;
        if (lived >= WORTHWHILE * pace.reconnectFirst) inVain = 0;
        else await clock.sleep(doubled(pace.reconnectFirst, inVain++, pace.reconnectLongest), stop);
      }
    } catch (thrown) {
      this.#barred = asFailure(thrown, 'connect');
    } finally {
      // A folder that was let go turns its work away for that.
      if (stop.reason instanceof Failure) this.#barred = stop.reason;
      this.#ended = true;
      this.#tell();
    }
  }

  /** One connection, from its first command to its end. */
  async #live(session: SourceSession, stop: AbortSignal): Promise<void> {
    const end = () => void session.logout();
    stop.addEventListener('abort', end, { once: true });
    if (stop.aborted) end();
    if (this.#hooks) {
      session.onExists(this.#hooks.onExists);
      if (this.#hooks.onRenewed) session.onRenewed(this.#hooks.onRenewed);
      this.#hooks.onConnected?.(session);
    }
    this.#session = session;
    this.#since = this.#world.clock.ticks();
    this.#opened.clear();
    this.#turns
      .alone(() => this.#enter(session))
      .then(
        () => this.#epoch && this.#hooks?.onOpen(this.#epoch),
        (thrown) => this.#hooks?.onBarred(asFailure(thrown, 'open')),
      );
    const why = await session.closed;
    stop.removeEventListener('abort', end);
    this.#session = this.#epoch = this.#barred = undefined;
    this.#since = this.#world.clock.ticks();
    this.#tell();
    if (stop.aborted) return;
    this.#world.emit(this.#idles ? 'watcher.lost' : 'account.lost', {
      route: this.#world.route,
      side: 'source',
      ...(this.#pair && { folder: this.#pair.source }),
      ...(why && { why: why.message, err: why }),
    });
  }

  /** Opens the wanted folder. One that can't be opened bars the lane, and the connection lives on. */
  async #enter(session: SourceSession): Promise<void> {
    this.#epoch = this.#barred = undefined;
    const pair = this.#pair;
    try {
      if (pair === undefined) return;
      const how = { readOnly: this.#world.readOnly, idle: this.#idles };
      const view = await session.open(pair.source, how);
      this.#opened.add(pair.source);
      this.#view = view;
      this.#world.admit(pair, view, session.abilities);
      if (this.#session === session) this.#epoch = this.#world.epochOf(pair, view);
    } catch (thrown) {
      const failure = asFailure(thrown, 'open');
      if (pair && this.#stale(pair, failure)) await session.logout();
      // Of a connection that has ended nothing is barred: work waits for the next one.
      if (this.#session === session) this.#barred = failure;
      throw failure;
    } finally {
      this.#tell();
    }
  }

  /**
   * Whether the connection may be what is wrong: it had the folder open before, and the server refuses it now and gives no
   * reason that a client knows. To a session that holds a folder as it was before somebody made it anew, Dovecot says so
   * for as long as the session lasts ("Mailbox was deleted under us").
   */
  #stale({ source }: FolderPair, { kind, code, lasting }: Failure): boolean {
    return kind === 'other' && code === undefined && !lasting && this.#opened.has(source);
  }

  /** Opens the folder afresh, or another one from now on, and resolves with its epoch. Rejects with a Failure where it can't. */
  async reopen(signal: AbortSignal, pair = this.#pair): Promise<Epoch> {
    await this.#until(() => this.#session !== undefined, signal);
    return this.#turns.alone(async () => {
      signal.throwIfAborted();
      this.#pair = pair;
      if (this.#session === undefined) throw lost();
      await this.#enter(this.#session);
      if (this.#epoch === undefined) throw lost();
      return this.#epoch;
    });
  }

  /** Every folder of the account. Waits while the connection is begun anew. */
  listFolders(signal: AbortSignal): Promise<Listing> {
    return this.ask(signal, (session) => session.listFolders());
  }

  /** Lends the connection to what has to do with no folder in particular. Waits while the connection is begun anew. */
  async ask<T>(signal: AbortSignal, work: (session: SourceSession) => Promise<T>): Promise<T> {
    await this.#until(() => this.#session !== undefined, signal);
    return this.#turns.alone(async () => {
      signal.throwIfAborted();
      if (this.#session === undefined) throw lost();
      return work(this.#session);
    });
  }

  /**
   * Lends the connection to `work` under `epoch`. Waits while the connection is begun anew; rejects with a
   * Failure if the folder can't be opened or is another than the epoch's by now.
   * @param beside others that only fetch may have it at the same time; else nobody
   */
  async use<T>(
    epoch: Epoch,
    signal: AbortSignal,
    work: (session: SourceSession) => Promise<T>,
    { beside = false }: { beside?: boolean } = {},
  ): Promise<T> {
    const entered = () => this.#epoch !== undefined || this.#barred !== undefined;
    await this.#until(entered, signal);
    const lent = async () => {
      signal.throwIfAborted();
      if (this.#barred) throw this.#barred;
      if (this.#session === undefined || this.#epoch === undefined) throw lost();
      if (this.#epoch !== epoch) {
        throw new Failure(
          `The folder ${epoch.pair.source} was renumbered, or its mail is to go to another folder, while some of it was on its way. Nothing is done on old numbers; the folder is looked through anew.`,
          { step: 'open', scope: 'folder', kind: 'renumbered' },
        );
      }
      return work(this.#session);
    };
    return beside ? this.#turns.beside(lent) : this.#turns.alone(lent);
  }

  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    aborted.promise.catch(() => undefined);
    signal.addEventListener('abort', abort, { once: true });
    try {
      while (!condition()) {
        signal.throwIfAborted();
        if (this.#ended) throw this.#barred ?? lost();
        await Promise.race([this.#changed.promise, aborted.promise]);
      }
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #tell(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}

function lost(): Failure {
  return new Failure('The connection to the source ended; it is begun anew.', {
    step: 'connect',
    scope: 'connection',
    kind: 'lost',
  });
}
