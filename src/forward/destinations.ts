/**
 * The connections to one destination account: as many as there is work for, CONCURRENCY at most, lent out one piece of
 * work at a time. One of them is kept at rest, so that a message that comes alone finds it ready.
 */
import type { Emit } from '../domain/events.ts';
import { Failure } from '../domain/failure.ts';
import type { Batching, Clock, DestinationSession } from '../domain/ports.ts';
import type { Pace } from './pace.ts';

export interface DestinationsWorld {
  readonly route: string;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly pace: Pace;
  /** Connects through the account's gate until it works; rejects only when told to stop or when it gives up. */
  readonly connect: () => Promise<DestinationSession>;
  /** Connects once, for one connection more. */
  readonly connectMore: () => Promise<DestinationSession>;
  readonly concurrency: number;
}

interface Berth {
  readonly session: DestinationSession;
  folder: string | undefined;
  busy: boolean;
  restingSince: number;
}

export class Destinations {
  readonly #world: DestinationsWorld;
  readonly #berths = new Set<Berth>();
  readonly #waiting: (() => void)[] = [];
  #most: number;
  #connecting: Promise<void> | undefined;
  #growing = false;
  #closed = false;
  /** How this server takes several messages; `undefined` before the first connection. */
  batching: Batching | undefined;
  /** The largest message it says it takes, in bytes. */
  appendLimit: number | undefined;

  constructor(world: DestinationsWorld) {
    this.#world = world;
    this.#most = world.concurrency;
  }

  /** Resolves once at least one connection stands. Rejects when connecting is given up or told to stop. */
  async ready(): Promise<void> {
    while (this.#berths.size === 0) {
      if (this.#closed) throw closing();
      this.#connecting ??= this.#connect().finally(() => {
        this.#connecting = undefined;
      });
      await this.#connecting;
    }
  }

  /**
   * Lends a connection to `work`, alone; one on which `folder` was opened last if there is one.
   * @param urgent before others that wait
   */
  async use<T>(
    folder: string,
    work: (session: DestinationSession) => Promise<T>,
    { urgent = false }: { urgent?: boolean } = {},
  ): Promise<T> {
    const berth = await this.#berth(folder, urgent);
    berth.folder = folder;
    try {
      return await work(berth.session);
    } finally {
      berth.busy = false;
      berth.restingSince = this.#world.clock.ticks();
      this.#waiting.shift()?.();
    }
  }

  /** Asks the resting connections whether they live, and ends all but one of them. To be called now and then. */
  async tend(): Promise<void> {
    const { clock, pace } = this.#world;
    const resting = [...this.#berths].filter(
      (berth) => !berth.busy && clock.ticks() - berth.restingSince >= pace.rest,
    );
    for (const [nth, berth] of resting.entries()) {
      if (berth.busy) continue;
      berth.busy = true;
      if (this.#berths.size > 1 && nth < resting.length - 1) await this.#end(berth);
      else await berth.session.noop().catch(() => berth.session.close());
      berth.busy = false;
      berth.restingSince = clock.ticks();
      this.#waiting.shift()?.();
    }
    this.#most = this.#world.concurrency;
  }

  /** Ends every connection, politely; also those that are still being begun. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#berths].map((berth) => this.#end(berth)));
  }

  async #end(berth: Berth): Promise<void> {
    this.#berths.delete(berth);
    await berth.session.logout();
  }

  async #berth(folder: string, urgent: boolean): Promise<Berth> {
    for (;;) {
      await this.ready();
      const free = [...this.#berths].filter((berth) => !berth.busy);
      const berth = free.find((each) => each.folder === folder) ?? free[0];
      if (berth) {
        berth.busy = true;
        return berth;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      if (urgent) this.#waiting.unshift(resolve);
      else this.#waiting.push(resolve);
      this.#grow();
      await promise;
    }
  }

  /** Begins one connection more, if one may be. Where the server wants no more, those that stand have to do for a while. */
  #grow(): void {
    if (this.#growing || this.#berths.size >= this.#most) return;
    this.#growing = true;
    this.#world.connectMore().then(
      (session) => {
        this.#growing = false;
        this.#moor(session);
        this.#waiting.shift()?.();
        if (this.#waiting.length > 0) this.#grow();
      },
      () => {
        this.#growing = false;
        this.#most = Math.max(1, this.#berths.size);
      },
    );
  }

  async #connect(): Promise<void> {
    this.#moor(await this.#world.connect());
  }

  #moor(session: DestinationSession): void {
    if (this.#closed) {
      void session.logout();
      return;
    }
    const berth: Berth = {
      session,
      folder: undefined,
      busy: false,
      restingSince: this.#world.clock.ticks(),
    };
    this.#berths.add(berth);
    this.batching = session.batching;
    this.appendLimit = session.appendLimit;
    void session.closed.then((why) => {
      // One that was ended on purpose has left already.
      if (!this.#berths.delete(berth)) return;
      const { emit, route } = this.#world;
      emit('account.lost', {
        route,
        side: 'destination',
        ...(why && { why: why.message, err: why }),
      });
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }
}

function closing(): Failure {
  return new Failure('The connections to the destination are being ended.', {
    step: 'connect',
    scope: 'connection',
    kind: 'lost',
  });
}
