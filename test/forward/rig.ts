/** A route between two memory servers, with short waits: the engine as it is, and nothing around it. */
import { setTimeout as wait } from 'node:timers/promises';
import { type EventFields, type EventName, eventStream } from '../../src/domain/events.ts';
import type { Clock, Journal, RouteJournal } from '../../src/domain/ports.ts';
import { type Account, accountId, type Route } from '../../src/domain/route.ts';
import { Budgets } from '../../src/forward/budget.ts';
import { systemClock } from '../../src/forward/clock.ts';
import { Crowd } from '../../src/forward/crowd.ts';
import { LoginGate } from '../../src/forward/login-gate.ts';
import { PACE, type Pace } from '../../src/forward/pace.ts';
import { RouteRunner, type SweepResult } from '../../src/forward/route-runner.ts';
import { Seats } from '../../src/forward/seats.ts';
import { Ways } from '../../src/forward/ways.ts';
import { spoolIn } from '../../src/spool/spool.ts';
import { memoryJournal } from '../support/memory-journal.ts';
import {
  MemoryServer,
  memoryDestination,
  memorySource,
  type Oracle,
  watchCrossing,
} from '../support/memory-mail.ts';

export const QUICK: Pace = {
  ...PACE,
  reconnectFirst: 1,
  reconnectLongest: 5,
  attemptFirst: 1,
  gather: 5,
  refusalsWithin: 10,
  settle: 20,
  ask: 5,
  refusedFirst: 20,
  refusedLongest: 50,
  holdFirst: 5,
  holdLongest: 20,
  unverified: 40,
  leaving: 20,
  stop: 200,
};

export interface Told extends EventFields {
  readonly event: EventName;
}

function account(side: Account['side']): Account {
  return {
    side,
    host: `${side}.example.org`,
    port: 993,
    security: 'implicit',
    user: 'anna',
    auth: 'password',
    secret: async () => 'secret',
  };
}

export function routeOf(changes: Partial<Route> = {}): Route {
  return {
    name: 'default',
    source: account('source'),
    destination: account('destination'),
    folders: [{ kind: 'pattern', pattern: '*' }],
    createFolders: true,
    afterDelivery: { kind: 'expunge' },
    verify: 'bytes',
    sweepInterval: 600_000,
    idleRenew: 270_000,
    concurrency: 4,
    maxWatchers: 3,
    dryRun: false,
    ...changes,
  };
}

export interface RigOptions extends Partial<Route> {
  readonly pace?: Partial<Pace>;
}

/** One life after another of imapferry on the same two servers; the journal may be carried over or lost. */
export class Rig {
  readonly source: MemoryServer;
  readonly destination = new MemoryServer();
  readonly oracle: Oracle;
  readonly told: Told[] = [];
  journal: Journal = memoryJournal();
  /** Of the lives that begin from now on. */
  clock: Clock = systemClock;
  /** All lives are at one server. */
  readonly #crowd = new Crowd();
  readonly #lives: { stop: AbortController; done: Promise<unknown> }[] = [];

  constructor(...folders: string[]) {
    this.source = new MemoryServer(...folders);
    this.oracle = watchCrossing(this.source, this.destination);
  }

  /** Both accounts are one mailbox under two names. Its oracle sees nothing. */
  static ofOneMailbox(...folders: string[]): Rig {
    const rig = new Rig(...folders);
    return Object.assign(rig, { destination: rig.source });
  }

  /** A life that has not begun. */
  runner(options: RigOptions, quit: AbortSignal): RouteRunner {
    const { pace: quicker, ...changes } = options;
    const route = routeOf(changes);
    const pace = { ...QUICK, ...quicker };
    const stream = eventStream();
    stream.subscribe((event, fields) => this.told.push({ event, ...fields }));
    const { emit } = stream;
    const { clock } = this;
    const world = { journal: this.journal, clock, emit, pace };
    return new RouteRunner(route, {
      ...world,
      source: memorySource(this.source),
      destination: memoryDestination(this.destination),
      sourceGate: new LoginGate(route.source, world),
      destinationGate: new LoginGate(route.destination, world),
      // Memory servers send nothing that is too large for memory.
      spool: () => spoolIn('/nowhere'),
      seats: new Seats(route.maxWatchers).join(),
      crowd: this.#crowd,
      ways: new Ways(),
      budget: new Budgets([route], this.journal, clock).of(route),
      quit,
      cut: AbortSignal.any([]),
    });
  }

  /** Begins a life: `imapferry run`. */
  start(options: RigOptions = {}): void {
    const stop = new AbortController();
    const done = this.runner(options, stop.signal).run();
    done.catch(() => undefined);
    this.#lives.push({ stop, done });
  }

  /** `imapferry sweep`. */
  sweep(options: RigOptions = {}): Promise<SweepResult> {
    return this.runner(options, new AbortController().signal).sweep();
  }

  /** Ends the life that runs, in order. Rejects if it had ended by a mistake of ours. */
  async stop(): Promise<void> {
    for (const { stop, done } of this.#lives.splice(0)) {
      stop.abort(new Error('the test stops it'));
      await done;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The rows of the route. */
  get rows(): RouteJournal {
    const { name, source, destination } = routeOf();
    return this.journal.route(name, accountId(source), accountId(destination));
  }

  count(event: EventName): number {
    return this.told.filter((each) => each.event === event).length;
  }

  /** Waits until something is so; says what was told last if it never is. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 5_000;
    while (!condition()) {
      if (Date.now() > deadline) {
        const last = this.told.slice(-12).map(({ event, why }) => `${event} ${why ?? ''}`);
        throw new Error(`It never came to be that ${what}. Told last:\n${last.join('\n')}`);
      }
      await wait(2);
    }
  }

  saw(event: EventName, nth = 1): Promise<void> {
    return this.until(`${event} was told ${nth} times`, () => this.count(event) >= nth);
  }

  /** Waits until no message is left in a source folder. */
  empty(folder = 'INBOX'): Promise<void> {
    return this.until(`${folder} is empty`, () => this.source.folder(folder).messages.length === 0);
  }
}

let made = 0;

/** A message of its own. */
export function letter(body = 'Hello', id: string | undefined = `<${++made}@example.org>`): string {
  const messageId = id === undefined ? '' : `Message-ID: ${id}\r\n`;
  return `${messageId}Date: Mon, 6 May 2024 07:08:09 +0000\r\nFrom: a@example.org\r\nSubject: ${body.slice(0, 20)}\r\n\r\n${body}\r\n`;
}
