/** A route's connections to both accounts: begun through the accounts' gates, again and again until they stand. */
import type { Fingerprint } from '../domain/content.ts';
import { Failure } from '../domain/failure.ts';
import type { Wanted } from '../domain/message.ts';
import type { DestinationSession, SourceSession } from '../domain/ports.ts';
import type { Account, Listing, Route } from '../domain/route.ts';
import { Destinations } from './destinations.ts';
import type { Epoch } from './folder-state.ts';
import type { Refused } from './lane.ts';
import { mustList } from './planning.ts';
import { reconnect, type Tries } from './retry.ts';
import type { RouteWorld } from './route-world.ts';

/** Both accounts as they were found first. */
export interface First {
  readonly session: SourceSession;
  readonly source: Listing;
  readonly dest: Listing;
}

export class Connections {
  readonly destinations: Destinations;
  /** How often connecting is tried before it is given up. */
  attempts = Number.POSITIVE_INFINITY;
  readonly #route: Route;
  readonly #world: RouteWorld;
  /** Both accounts were connected, and have listed their folders. */
  #stood = false;

  constructor(route: Route, world: RouteWorld) {
    this.#route = route;
    this.#world = world;
    const { destination, destinationGate, quit, cut, clock, pace, emit } = world;
    const login = (): Promise<DestinationSession> =>
      destinationGate.login(() => destination.connect(cut), quit, this.#visit);
    this.destinations = new Destinations({
      route: route.name,
      emit,
      clock,
      pace,
      concurrency: route.concurrency,
      connect: () => this.#connect('destination', login),
      connectMore: login,
    });
  }

  /** Connects both sides and lists their folders. Rejects where connecting is given up or told to stop. */
  async first(): Promise<First> {
    const { crowd } = this.#world;
    const login = async () => {
      const session = await this.#loginSource();
      return { session, source: await listed(session, 'source') };
    };
    const [connected, listing] = await Promise.allSettled([
      this.#connect('source', login, { refused: (...how) => crowd.refused(...how) }),
      reconnect(() => this.listDestination(), this.#tries('destination'), this.attempts),
    ]);
    if (connected.status === 'rejected') throw connected.reason;
    if (listing.status === 'rejected') {
      connected.value.session.close();
      throw listing.reason;
    }
    this.#stood = true;
    return { ...connected.value, dest: listing.value };
  }

  /** The folders of the destination. Rejects with a Failure where they can't be had. */
  listDestination(): Promise<Listing> {
    return this.destinations.use('', (session) => listed(session, 'destination'));
  }

  /** A connection to the source, tried for until it stands, or `stop` aborts. */
  source(stop: AbortSignal, refused: Refused): Promise<SourceSession> {
    const given = AbortSignal.any([this.#world.quit, stop]);
    return this.#connect('source', () => this.#loginSource(given), { signal: given, refused });
  }

  /** Fingerprints by UID, on a connection more, if the server lets one in: without it nothing comes, and nobody waits. */
  async fetchAgain(epoch: Epoch, messages: readonly Wanted[]): Promise<Map<number, Fingerprint>> {
    const again = await this.beside(async (session) => {
      const view = await session.open(epoch.pair.source, { readOnly: true, idle: false });
      return view.uidValidity === epoch.uidValidity ? session.fetch(messages) : [];
    });
    return new Map(again?.map(({ uid, content }) => [uid, content]));
  }

  /** Lends a connection more to the source, if the server lets one in. `undefined` where it does not, or where the work fails. */
  async beside<T>(work: (session: SourceSession) => Promise<T>): Promise<T | undefined> {
    let session: SourceSession | undefined;
    try {
      session = await this.#loginSource();
      return await work(session);
    } catch (thrown) {
      if (this.#world.quit.aborted || !(thrown instanceof Failure)) throw thrown;
      return undefined;
    } finally {
      await session?.logout();
    }
  }

  /** For whom a login is, and whether it may take its time: a sweep by command does not wait for minutes. */
  get #visit(): { route: string; waits: boolean } {
    return { route: this.#route.name, waits: this.attempts === Number.POSITIVE_INFINITY };
  }

  #loginSource(stop = this.#world.quit): Promise<SourceSession> {
    const { source, sourceGate, quit, cut } = this.#world;
    return sourceGate.login(
      () => source.connect(AbortSignal.any([quit, stop, cut])),
      stop,
      this.#visit,
    );
  }

  /** Tries until it works, and tells it. */
  async #connect<T>(
    side: Account['side'],
    login: () => Promise<T>,
    { signal, refused }: { signal?: AbortSignal; refused?: Refused } = {},
  ): Promise<T> {
    const tries = this.#tries(side);
    const onFailed: Refused = (failure, attempt) => {
      tries.onFailed(failure, attempt);
      refused?.(failure, attempt);
    };
    const watched = { ...tries, ...(signal && { signal }), onFailed };
    const connected = await reconnect(login, watched, this.attempts);
    this.#world.emit('account.connected', { route: this.#route.name, side });
    return connected;
  }

  #tries(side: Account['side']): Tries {
    const { clock, pace, quit, seats, emit } = this.#world;
    const onFailed = (failure: Failure, attempt: number) => {
      // Without a plan it has nothing to watch: until it has one, its watchers are free for other routes.
      if (!this.#stood) seats.want(0);
      const told = { side, attempt, why: failure.message, err: failure };
      emit('account.reconnecting', { route: this.#route.name, ...told });
    };
    return { clock, pace, signal: quit, onFailed };
  }
}

/** The folders of an account. A connection that can't tell them is no use, and is ended. */
async function listed(
  session: SourceSession | DestinationSession,
  side: Account['side'],
): Promise<Listing> {
  try {
    const listing = await session.listFolders();
    mustList(listing, side);
    return listing;
  } catch (thrown) {
    session.close();
    throw thrown;
  }
}
