/**
 * One connection's life: connected under the terms of its account, every step under a deadline, closed once.
 *
 * The deadline counts from the last byte in either direction, while a step is under way. At rest nothing is watched; a
 * watching connection ends IDLE every `idleRenew` and is proven alive by a NOOP, which is a step like any other.
 */
import type { Writable } from 'node:stream';
import { ImapFlow, type ImapFlowError } from 'imapflow';
import { enhanceCommandError } from 'imapflow/lib/tools.js';
import { asFailure, Failure, type Step } from '../domain/failure.ts';
import type { Account, Namespaces } from '../domain/route.ts';
import { rememberSecret } from '../domain/secrets.ts';
import { Turns } from '../domain/turns.ts';
import { failureOf, networkReason, readable } from './answers.ts';
import { connectFailure } from './connect-failure.ts';
import { type Answer, type ExecOptions, type Flow, internals, type Tokens } from './internals.ts';
import { moved, watchProgress } from './progress.ts';
import { GONE, TAGGED } from './tagged.ts';
import { type Met, transportFor } from './transport.ts';
import { Unwanted } from './unwanted.ts';

export interface ClientOptions {
  readonly signal: AbortSignal;
  /** Milliseconds without a byte in either direction after which a step fails and the connection is closed. */
  readonly silence?: number;
  /** Milliseconds after which IDLE is renewed, on a connection that idles. */
  readonly idleRenew?: number;
  /** The largest message that is wanted, in bytes. Of a server that sends much more at once the connection is ended. */
  readonly largest?: number | undefined;
  readonly met?: Met;
}

/** Silence that a step bears. */
const SILENCE = 90_000;
/** How often IDLE is renewed where nobody says so. */
const IDLE_RENEW = 270_000;
/** How long connecting and logging in may take together. */
const CONNECT = 120_000;
/** How long a polite goodbye may take. */
const GOODBYE = 2_000;
/** The largest literal that is taken: a message of that size from a server that sends none in pieces. */
const LARGEST_LITERAL = 16 * 1024 * 1024;
/** How soon after work IDLE is taken up again. */
const IDLE_DELAY = 50;
/**
 * The largest piece in which a message comes that is too large for memory: so large that some, asked ahead, fill the wire,
 * and so small that some messages at once take little.
 */
export const PIECE = 1024 * 1024;
/** Of what nobody asked for about twice as much is borne within a step. */
const BORNE = 56 * 1024 * 1024;
/** The longest line: what SEARCH answers of a million messages. */
const LONGEST_LINE = 8 * 1024 * 1024;
/** The most words of an answer, each of which takes more than half a kilobyte in memory. SEARCH's numbers do not count. */
const MOST_TOKENS = 50_000;

/** The command under which our own work runs in the library, so that IDLE is ended before it and armed again after it. */
const OURS = 'IMAPFERRY';

/**
 * Accounts whose server refused the first command right behind DONE, or never answered it until the connection ended. RFC
 * 2177 has nothing against it; a server may throw away all the same what it has read along with DONE.
 */
const WANT_IDLE_ENDED = new WeakSet<Account>();

export class Client {
  readonly flow: Flow;
  readonly closed: Promise<Failure | undefined>;
  /** How much of a message may come at once, in bytes. */
  readonly largestLiteral: number;
  readonly #account: Account;
  readonly #silence: number;
  readonly #idleRenew: number;
  /** One a step under way: rejects it. `closed` lives as long as the connection and would keep each for ever. */
  readonly #underWay = new Set<(why: Failure | undefined) => void>();
  #stopWatch: (() => void) | undefined;
  #wantsIdle = false;
  #renewal: NodeJS.Timeout | undefined;
  /** Called each time that IDLE was renewed. */
  renewed: () => void = () => undefined;
  /** What the server said first. */
  greeting: string | undefined;
  /** For commands of ours. What the library sends by itself keeps to none: a session does not do it beside others. */
  readonly turns = new Turns();
  readonly #unwanted: Unwanted;
  /** Who reads lines before the library does. */
  #reads: ((line: Buffer) => boolean) | undefined;
  /** Commands were sent behind DONE, and none is answered. */
  #behindDone = false;
  #error: unknown;
  #namespaces: Namespaces | undefined;
  #ended = false;
  #byUs = false;

  private constructor(account: Account, flow: Flow, options: ClientOptions) {
    this.#account = account;
    this.flow = flow;
    this.#silence = options.silence ?? SILENCE;
    this.#idleRenew = options.idleRenew ?? IDLE_RENEW;
    this.largestLiteral = largestLiteral(options);
    this.#unwanted = new Unwanted(Math.min(options.largest ?? BORNE, BORNE) + LONGEST_LINE);
    const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
    this.closed = promise;
    flow.on('error', (error) => {
      this.#error ??= error;
    });
    flow.on('close', () => {
      this.#ended = true;
      clearTimeout(this.#renewal);
      this.#stopWatch?.();
      if (this.#behindDone && !this.#byUs && !flow.byeReason) WANT_IDLE_ENDED.add(account);
      const why = this.#byUs ? undefined : this.#reason();
      resolve(why);
      for (const end of this.#underWay) end(why);
    });
    const read = flow.handleResponse.bind(flow);
    flow.handleResponse = async (answer) => {
      this.greeting ??= answer.payload.toString('latin1');
      if (!this.#unwanted.bears(answer)) {
        this.#giveUp('FLOOD');
        return false;
      }
      return this.#reads?.(answer.payload) === true || read(answer);
    };
    flow.commands.set(OURS, (_connection, work: () => Promise<unknown>) => work());
  }

  /**
   * Connects and logs in. Rejects with a Failure that names the server and what can be done; nothing secret is sent on
   * a connection that is not what the account asks for.
   */
  static async connect(account: Account, options: ClientOptions): Promise<Client> {
    const { signal, silence = SILENCE } = options;
    const secret = await unlessAborted(signal, account.secret).catch((thrown: unknown) => {
      throw asFailure(thrown, 'login');
    });
    rememberSecret(secret);
    const flow = new ImapFlow({
      host: account.host,
      port: account.port,
      secure: account.security === 'implicit',
      doSTARTTLS: account.security === 'starttls',
      auth:
        account.auth === 'oauth2'
          ? { user: account.user, accessToken: secret }
          : { user: account.user, pass: secret },
      transport: transportFor(account, options.met),
      // Sooner than the silence that is borne: each has its own likely cause, and is told so.
      connectionTimeout: Math.min(silence / 2, 30_000),
      greetingTimeout: Math.min(silence / 2, 30_000),
      socketTimeout: silence,
      autoIdleDelay: IDLE_DELAY,
      disableAutoIdle: true,
      disableAutoEnable: true,
      disableCompression: true,
      maxLineLength: LONGEST_LINE,
      maxResponseTokens: MOST_TOKENS,
      maxLiteralSize: largestLiteral(options),
      maxResponseSize: largestAnswer(options),
      clientInfo: { name: 'imapferry' },
      logger: false,
    });
    const client = new Client(account, internals(flow), options);
    const abort = () => client.close();
    signal.addEventListener('abort', abort, { once: true });
    const deadline = setTimeout(() => client.#giveUp('ETIMEOUT'), CONNECT);
    // The library's own timer takes up to twice its time.
    client.#stopWatch = client.#watch();
    try {
      await flow.connect();
      if (signal.aborted) throw stopped();
      if (client.flow.socket) client.flow.socket.setTimeout(0);
      // Folders are named by the paths that LIST shows; the library would put the personal prefix in front of some.
      client.#namespaces = client.has('NAMESPACE') ? namespacesOf(client.flow) : undefined;
      if (client.flow.namespace) client.flow.namespace.prefix = '';
      client.#rest();
      return client;
    } catch (thrown) {
      client.close();
      if (signal.aborted) throw stopped();
      throw connectFailure(client.#error ?? thrown, account, secret);
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener('abort', abort);
    }
  }

  /** Known by its greeting. */
  get isExchange(): boolean {
    return /Microsoft Exchange/i.test(this.greeting ?? '');
  }

  /** What the server said of its namespaces at the login (RFC 2342). */
  get namespaces(): Namespaces | undefined {
    return this.#namespaces;
  }

  /** Whether the server offers a capability, in any letter case. Asked after the login, where the list is longer. */
  has(capability: string): boolean {
    return this.flow.capabilities.has(capability);
  }

  /**
   * Runs one step under the deadline. Rejects with a Failure of that step; promptly where the connection ends. `work`
   * uses the library's methods, or `exec` for what they do not show.
   */
  async step<T>(step: Step, work: () => Promise<T>): Promise<T> {
    if (this.#ended) throw this.#lost(step, this.#byUs ? undefined : this.#reason(), false);
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = (why: Failure | undefined) => reject(this.#lost(step, why, true));
    this.#underWay.add(end);
    this.#unwanted.begin();
    clearTimeout(this.#renewal);
    this.#stopWatch ??= this.#watch();
    try {
      return await Promise.race([work(), ended]);
    } catch (thrown) {
      // The library says of a lost connection only that it is lost; why is known a moment later.
      const failure = failureOf(thrown, step);
      if (failure.outcomeUnknown && !this.flow.usable)
        throw this.#lost(step, await this.closed, true);
      throw failure;
    } finally {
      this.#underWay.delete(end);
      this.#rest();
    }
  }

  /**
   * One command past the library's methods, with IDLE ended before and armed again after it. Resolves with the tagged
   * answer. To be used within `step`.
   */
  async command(name: string, attributes: Tokens | false, options?: ExecOptions): Promise<Answer> {
    const answer = await this.answer(name, attributes, options);
    if (answer.command?.toUpperCase() === 'OK') return answer;
    throw new Failure(`The server did not carry out all of ${name}.`, {
      step: 'look',
      scope: 'connection',
      outcomeUnknown: true,
    });
  }

  /**
   * As `command`, but resolves with one NO, too, as the library does: "Some of the requested messages no longer exist".
   */
  answer(name: string, attributes: Tokens | false, options?: ExecOptions): Promise<Answer> {
    return this.turns.alone(async () => {
      const answer = await this.flow.run(OURS, async () => {
        try {
          const { response, next } = await this.flow.exec(name, attributes, options);
          next();
          return response;
        } catch (thrown) {
          // Only the library's own commands read the response code by themselves.
          throw await enhanceCommandError(thrown as ImapFlowError);
        }
      });
      return answer as Answer;
    });
  }

  /**
   * Commands past the library's own sending, right behind DONE where IDLE is held; it is armed again after them. To be
   * used within `step`.
   * @param reads sees each line of the server first; what it says it has read, the library does not see
   */
  async reading<T>(reads: (line: Buffer) => boolean, work: () => Promise<T>): Promise<T> {
    // The library sees nothing under way, and would take up IDLE in the middle.
    this.flow.options.disableAutoIdle = true;
    const idled = this.has('IDLE') && !this.flow.skipIdle && this.flow.idling;
    const done = await this.flow.run(OURS, async () => {
      try {
        if (idled && this.wantsIdleEnded) await this.#noop();
        else this.#behindDone = idled;
        this.#reads = (line) => {
          const isRead = reads(line);
          if (isRead) this.#answered(line);
          return isRead;
        };
        return await work();
      } finally {
        this.#reads = undefined;
        this.#behindDone = false;
        this.idling(this.#wantsIdle);
      }
    });
    return done as T;
  }

  /** Whether nothing is to be sent to this account's server before it has answered IDLE. */
  get wantsIdleEnded(): boolean {
    return WANT_IDLE_ENDED.has(this.#account);
  }

  /** A line that was read answers a command of ours. What the first one behind DONE says of its place is kept. */
  #answered(line: Buffer): void {
    if (!this.#behindDone) return;
    this.#behindDone = false;
    const [, , status = '', words = ''] = TAGGED.exec(line.toString('utf8')) ?? [];
    const isRefused = status.toUpperCase() !== 'OK' && !GONE.test(words);
    if (isRefused) WANT_IDLE_ENDED.add(this.#account);
  }

  /** Goes out when IDLE is answered. */
  async #noop(): Promise<void> {
    const { next } = await this.flow.exec('NOOP', false);
    next();
  }

  /** What goes out to the server. Throws where the connection is gone. */
  get writable(): Writable {
    const { writeSocket } = this.flow;
    if (!writeSocket) throw new Error('The connection is gone');
    return writeSocket;
  }

  /** Says that the answer which is being read was asked for. Of all others only so many are borne. */
  wanted(): void {
    this.#unwanted.wanted();
  }

  /** Whether IDLE is taken up by itself from now on, and renewed. */
  idling(wanted: boolean): void {
    this.#wantsIdle = wanted;
    this.flow.options.disableAutoIdle = !wanted;
  }

  /** Ends the connection at once. Expunges nothing. */
  close(): void {
    this.#byUs = true;
    this.flow.close();
  }

  /** Ends the connection for a mistake of ours, in the middle of what can't be said to its end. */
  fail(why: unknown): void {
    this.#error ??= why;
    this.flow.close();
  }

  /** Ends the connection by LOGOUT, which expunges nothing; after 2 s, at once. */
  async logout(): Promise<void> {
    this.#byUs = true;
    const late = setTimeout(() => this.flow.close(), GOODBYE);
    // Not in the middle of a message, where it would become a part of that.
    const said = this.turns.beside(() => this.flow.logout()).catch(() => undefined);
    await Promise.race([said, this.closed]);
    clearTimeout(late);
    this.flow.close();
    await this.closed;
  }

  /** No step is under way: no timer runs but the one that renews IDLE. */
  #rest(): void {
    if (this.#underWay.size > 0 || this.#ended) return;
    this.#stopWatch?.();
    this.#stopWatch = undefined;
    if (!this.#wantsIdle) return;
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => {
      // What goes wrong ends the connection, and is told by `closed`.
      this.step('idle', () => this.command('NOOP', false)).then(
        () => this.renewed(),
        () => undefined,
      );
    }, this.#idleRenew);
  }

  #watch(): () => void {
    const { flow } = this;
    return watchProgress(
      () => moved(flow.socket),
      this.#silence,
      () => this.#giveUp('ETIMEOUT'),
    );
  }

  /** Ends the connection because the server keeps us waiting, or busy. */
  #giveUp(code: string): void {
    this.fail(Object.assign(new Error('Given up'), { code }));
  }

  #reason(): Failure {
    const { byeReason } = this.flow;
    const words = byeReason && `it said goodbye (${readable(byeReason)})`;
    const error = this.#error instanceof Error ? this.#error : undefined;
    const why =
      words || networkReason(error) || readable(error?.message ?? 'it closed the connection');
    const { side, host } = this.#account;
    return new Failure(`The connection to the ${side} server ${host} ended: ${why}.`, {
      step: 'connect',
      scope: 'connection',
      kind: 'lost',
      cause: this.#error,
    });
  }

  #lost(step: Step, why: Failure | undefined, underWay: boolean): Failure {
    return new Failure(why?.message ?? 'The connection was closed.', {
      step,
      scope: 'connection',
      kind: 'lost',
      outcomeUnknown: underWay,
      cause: why,
    });
  }
}

/** However large a message is, no more of it comes at once. The size that servers tell beforehand is an estimate on some. */
function largestLiteral({ largest = LARGEST_LITERAL }: ClientOptions): number {
  return Math.ceil(Math.max(PIECE, Math.min(largest, LARGEST_LITERAL)) * 1.125);
}

function largestAnswer(options: ClientOptions): number {
  return largestLiteral(options) + LONGEST_LINE;
}

function stopped(): Failure {
  return new Failure('Connecting was stopped.', {
    step: 'connect',
    scope: 'connection',
    kind: 'lost',
  });
}

/** What `work` resolves with; rejects at once where the signal aborts before. */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (signal.aborted) throw stopped();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(stopped());
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work(), promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Read before the library's own prefix is taken away. */
function namespacesOf({ namespaces }: Flow): Namespaces | undefined {
  if (namespaces === undefined) return undefined;
  const { personal, other, shared } = namespaces;
  const prefixes = (of: typeof other) => (of || []).map(({ prefix }) => prefix);
  return {
    personal: prefixes(personal)[0] ?? '',
    foreign: [...prefixes(other), ...prefixes(shared)],
  };
}
