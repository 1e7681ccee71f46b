/**
 * A world for the tables of faults: two real Dovecots with a wire before each, a real journal, and `imapferry run` in this
 * process, with short waits. The pair of servers is started once a file; each world has mailboxes that nobody used before.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { run } from '../../src/commands/run.ts';
import type { Config } from '../../src/config/config.ts';
import { type EventFields, type EventName, eventStream } from '../../src/domain/events.ts';
import type { Account, Route } from '../../src/domain/route.ts';
import { PACE, type Pace } from '../../src/forward/pace.ts';
import { type Dovecot, type DovecotOptions, startDovecot } from '../support/dovecot.ts';
import { ImapWire } from '../support/imap-wire.ts';
import { type Eyes, FreshEyes, Mail, type Put } from '../support/mail.ts';
import { Oracle } from '../support/oracle.ts';

/** The waits of the program, shortened so that a fault is got over in a moment. */
export const BRISK: Pace = {
  ...PACE,
  silence: 1000,
  reconnectFirst: 5,
  reconnectLongest: 50,
  attemptFirst: 5,
  gather: 50,
  refusalsWithin: 60,
  settle: 50,
  refusedLogin: 50,
  ask: 50,
  refusedFirst: 50,
  refusedLongest: 100,
  unverified: 100,
  holdFirst: 20,
  holdLongest: 100,
  rest: 100,
  leaving: 100,
  stop: 3000,
};

/** Worlds that one pair of servers has mailboxes for. */
const MOST_WORLDS = 1000;

/** The two servers of a file. */
export class Servers implements AsyncDisposable {
  readonly source: Dovecot;
  readonly destination: Dovecot;
  #worlds = 0;

  private constructor(source: Dovecot, destination: Dovecot) {
    this.source = source;
    this.destination = destination;
  }

  static async start(
    how: { source?: DovecotOptions; destination?: DovecotOptions } = {},
  ): Promise<Servers> {
    const names = Array.from({ length: MOST_WORLDS }, (_, i) => `user${i + 1}`);
    const users = Object.fromEntries(names.map((name) => [name, `secret-of-${name}`]));
    const [source, destination] = await Promise.all([
      startDovecot({ users, ...how.source }),
      startDovecot({ users, ...how.destination }),
    ]);
    return new Servers(source, destination);
  }

  /** Servers with all that imapferry can use (`able`), and servers with nothing of it (`poor`). */
  static async bothManners(): Promise<Readonly<Record<'able' | 'poor', Servers>>> {
    const bare = { capability: 'IMAP4rev1' };
    const [able, poor] = await Promise.all([
      Servers.start(),
      Servers.start({ source: bare, destination: bare }),
    ]);
    return { able, poor };
  }

  /** One server on both sides: each world's two mailboxes are one. */
  static async oneForBoth(): Promise<Servers> {
    const { source, destination } = await Servers.start();
    await destination.stop();
    return new Servers(source, source);
  }

  /** A world with mailboxes that nobody used before. */
  world(options: WorldOptions = {}): Promise<World> {
    return World.between(this, `user${++this.#worlds}`, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.source.stop(), this.destination.stop()]);
  }
}

export interface WorldOptions {
  /** What of the route is other than in a configuration that names only INBOX. */
  readonly route?: Partial<Route>;
  readonly pace?: Partial<Pace>;
  /** The destination folder of a source folder; the same name if left out. */
  readonly to?: (folder: string) => string;
  /** The oracle logs in anew for each question. */
  readonly freshEyes?: boolean;
}

export interface Told extends EventFields {
  readonly event: EventName;
  /** When (milliseconds of `performance.now()`). */
  readonly at: number;
}

export class World implements AsyncDisposable {
  /** The wire before each server: here a test interferes. */
  readonly source: ImapWire;
  readonly destination: ImapWire;
  /** The test's own connection to each server, past the wires. Not to be asked two things at once. */
  readonly old: Mail;
  readonly fresh: Mail;
  /** Has connections of its own. While imapferry runs it is asked by `put` and `look`, which take turns. */
  readonly oracle: Oracle;
  readonly stateDir: string;
  readonly user: string;
  readonly told: Told[] = [];
  readonly #eyes: readonly Mail[];
  readonly #sourceEyes: Eyes;
  readonly #servers: Servers;
  readonly #options: WorldOptions;
  readonly #violations: string[] = [];
  #looking: Promise<void> = Promise.resolve();
  #life: { stop: AbortController; ended: Promise<number> } | undefined;
  #crashed: unknown;

  private constructor(
    servers: Servers,
    user: string,
    [source, destination]: readonly [ImapWire, ImapWire],
    [old, fresh, ...eyes]: readonly [Mail, Mail, Mail, Mail],
    options: WorldOptions,
  ) {
    this.#servers = servers;
    this.user = user;
    this.source = source;
    this.destination = destination;
    this.old = old;
    this.fresh = fresh;
    this.#eyes = eyes;
    const { to, freshEyes } = options;
    const [of, at] = freshEyes
      ? [
          new FreshEyes(() => this.client('source')),
          new FreshEyes(() => this.client('destination')),
        ]
      : eyes;
    this.#sourceEyes = freshEyes ? of : old;
    this.oracle = new Oracle(of, at, to);
    this.#options = options;
    this.stateDir = mkdtempSync(join(tmpdir(), 'imapferry-world-'));
  }

  static async between(servers: Servers, user: string, options: WorldOptions): Promise<World> {
    const { source, destination } = servers;
    const secret = source.users[user] ?? '';
    const login = ({ port }: Dovecot) => Mail.login(port, user, secret);
    const mails = Promise.all([
      login(source),
      login(destination),
      login(source),
      login(destination),
    ] as const);
    const wires = Promise.all([
      ImapWire.between({ to: source.port }),
      ImapWire.between({ to: destination.port }),
    ] as const);
    return new World(servers, user, await wires, await mails, options);
  }

  /** Another client, past the wire. */
  client(side: Account['side']): Promise<Mail> {
    return Mail.login(this.#servers[side].port, this.user, `secret-of-${this.user}`);
  }

  /** The configuration that `start` runs. */
  get config(): Config {
    const account = (side: Account['side'], { port }: ImapWire): Account => ({
      side,
      host: '127.0.0.1',
      port,
      security: 'none',
      user: this.user,
      auth: 'password',
      secret: async () => `secret-of-${this.user}`,
    });
    const route: Route = {
      name: 'default',
      source: account('source', this.source),
      destination: account('destination', this.destination),
      folders: [{ kind: 'folder', name: 'INBOX' }],
      createFolders: true,
      afterDelivery: { kind: 'expunge' },
      verify: 'bytes',
      sweepInterval: 600_000,
      idleRenew: 270_000,
      concurrency: 1,
      maxWatchers: 1,
      dryRun: false,
      ...this.#options.route,
    };
    return {
      routes: [route],
      stateDir: this.stateDir,
      historyDays: 90,
      keepSenders: false,
      logLevel: 'info',
      logFormat: 'json',
      doubts: [],
      remarks: [],
    };
  }

  /** Begins `imapferry run`. */
  start(): void {
    if (this.#life) throw new Error('imapferry runs already');
    const stop = new AbortController();
    const stream = eventStream();
    stream.subscribe((event, fields) =>
      this.told.push({ event, at: performance.now(), ...fields }),
    );
    const pace = { ...BRISK, ...this.#options.pace };
    const ended = run(this.config, { signal: stop.signal, stream, pace });
    ended.catch((thrown) => {
      this.#crashed = thrown;
    });
    this.#life = { stop, ended };
  }

  /** Stops it in order; resolves with its exit code. Rejects where it had ended by a mistake of ours. */
  async stop(): Promise<number | undefined> {
    const life = this.#life;
    this.#life = undefined;
    if (life === undefined) return undefined;
    life.stop.abort(new Error('the test stops it'));
    let code: number | undefined;
    const ended = life.ended.then((its) => {
      code = its;
    });
    await this.until('imapferry ends', () => code !== undefined);
    await ended;
    return code;
  }

  count(event: EventName): number {
    return this.events(event).length;
  }

  events(event: EventName): Told[] {
    return this.told.filter((each) => each.event === event);
  }

  /** Waits until something is so; says what was told last if it never is, or if imapferry has ended. */
  async until(
    what: string,
    condition: () => boolean | Promise<boolean>,
    ms = 45_000,
  ): Promise<void> {
    const deadline = Date.now() + ms;
    for (;;) {
      const answer = condition();
      if (await answer) return;
      if (this.#crashed !== undefined) throw this.#crashed;
      if (Date.now() > deadline) {
        const last = this.told
          .slice(-15)
          .map(({ event, why, msg }) => `${event} ${why ?? msg ?? ''}`);
        throw new Error(`It never came to be that ${what}. Told last:\n${last.join('\n')}`);
      }
      // A question to a server is work for it, too.
      await wait(answer instanceof Promise ? 40 : 10);
    }
  }

  /** Waits for the `nth` telling of an event. */
  saw(event: EventName, nth = 1): Promise<void> {
    return this.until(`${event} was told ${nth} times`, () => this.count(event) >= nth);
  }

  /** Waits until a source folder holds so many messages: none, or those that have to stay. */
  left(count = 0, folder = 'INBOX'): Promise<void> {
    const so = async () => (await this.#sourceEyes.count(folder)) === count;
    return this.until(`${folder} holds ${count} messages at the source`, this.#onNews(so));
  }

  /** Waits until every message of a source folder is marked \\Deleted. */
  marked(folder = 'INBOX'): Promise<void> {
    const so = async () =>
      (await this.#sourceEyes.dump(folder)).every(({ flags }) => flags.includes('\\Deleted'));
    return this.until(
      `nothing is left in ${folder} at the source that is not marked`,
      this.#onNews(so),
    );
  }

  /** With fresh eyes a question is dear: it is asked again only when something was told since. */
  #onNews(question: () => Promise<boolean>): () => boolean | Promise<boolean> {
    let heard = -1;
    return () => {
      if (this.#options.freshEyes && heard === this.told.length) return false;
      heard = this.told.length;
      return question();
    };
  }

  /** Puts an original into the source, between two looks of the oracle. Resolves with its UID. */
  put(folder: string, bytes: Buffer, how: Put = {}): Promise<number | undefined> {
    const putting = this.#looking.then(() => this.oracle.put(folder, bytes, how));
    this.#looking = putting.then(
      () => undefined,
      () => undefined,
    );
    return putting;
  }

  /** Has the oracle look now, without waiting for it; what it finds is among `violations`. */
  look(): void {
    this.#looking = this.#looking.then(async () => {
      this.#violations.push(...(await this.oracle.now()));
    });
    this.#looking.catch(() => undefined);
  }

  /** What the oracle found at each `look`. */
  async violations(): Promise<readonly string[]> {
    await this.#looking;
    return this.#violations;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => undefined);
    await this.#looking.catch(() => undefined);
    await Promise.all(
      [this.source, this.destination, this.old, this.fresh, ...this.#eyes].map((each) =>
        each[Symbol.asyncDispose](),
      ),
    );
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}
