/**
 * The door to one account: logins go through it one after another, and after three refusals in a row only one every
 * 15 minutes. Refusals are kept in the journal, so that a restart does not knock sooner.
 */
import type { Emit, EventFields } from '../domain/events.ts';
import { asFailure, Failure } from '../domain/failure.ts';
import type { Clock, Journal } from '../domain/ports.ts';
import type { Account } from '../domain/route.ts';
import { accountId } from '../domain/route.ts';
import { Turns } from '../domain/turns.ts';
import { Allowance } from './allowance.ts';
import type { Pace } from './pace.ts';

const PATIENCE = 3;

export class LoginGate {
  readonly #turns = new Turns();
  readonly #account: Account;
  readonly #id: string;
  /** What the journal says, or would say if it could be written. No other process knocks at this account. */
  #refusals: { readonly count: number; readonly lastAt: number } | undefined;
  /** The routes that want in, and those that were told that the login is refused. */
  readonly #asking = new Map<string, number>();
  readonly #told = new Set<string>();
  /** What is told of the pause that goes on. */
  #pausing: EventFields | undefined;
  readonly #allowance: Allowance;
  readonly #world: { journal: Journal; clock: Clock; emit: Emit; pace: Pace };

  constructor(account: Account, world: { journal: Journal; clock: Clock; emit: Emit; pace: Pace }) {
    this.#account = account;
    this.#id = accountId(account);
    this.#allowance = new Allowance(world.clock, world.pace);
    this.#world = world;
  }

  /**
   * Runs `connect` when its turn has come and the account may be knocked at. Rejects as `connect` does, or as `signal` says.
   * @param waits for the end of the pause after three refusals; else it rejects at once while that lasts
   */
  login<T>(
    connect: () => Promise<T>,
    signal: AbortSignal,
    { route, waits }: { route: string; waits: boolean },
  ): Promise<T> {
    this.#asking.set(route, (this.#asking.get(route) ?? 0) + 1);
    if (this.#pausing) this.#tellAsking(this.#pausing);
    return this.#turns.alone(async () => {
      try {
        return await this.#knock(connect, signal, route, waits);
      } finally {
        const left = (this.#asking.get(route) ?? 0) - 1;
        if (left > 0) this.#asking.set(route, left);
        else this.#asking.delete(route);
      }
    });
  }

  async #knock<T>(
    connect: () => Promise<T>,
    signal: AbortSignal,
    route: string,
    waits: boolean,
  ): Promise<T> {
    const { journal, clock, pace } = this.#world;
    signal.throwIfAborted();
    this.#refusals ??= journal.refusals(this.#id);
    const before = this.#refusals;
    if (before.count >= PATIENCE) {
      // A clock that was set back must not make this wait longer than the pause itself.
      const passed = Math.max(0, clock.now() - before.lastAt);
      const left = pace.refusedLogin - passed;
      if (left > 0 && !waits) throw this.#stillRefused(left);
      if (left > 0) await this.#wait(left, signal, route);
    }
    try {
      const session = await this.#allowance.attempt(connect, signal, wasRefused);
      if (before.count > 0) {
        this.#refusals = { count: 0, lastAt: 0 };
        this.#told.clear();
        this.#note(() => journal.clearRefusals(this.#id));
      }
      return session;
    } catch (thrown) {
      const failure = asFailure(thrown, 'login');
      if (failure.kind === 'login-refused') this.#refused(failure, before.count + 1, route);
      throw failure;
    }
  }

  #stillRefused(ms: number): Failure {
    const { side } = this.#account;
    const minutes = Math.ceil(ms / 60_000);
    return new Failure(
      `The ${side} server has refused the login three times in a row; so that it locks nobody out, it is tried again in ${minutes} min at the earliest.`,
      { step: 'login', scope: 'account', kind: 'login-refused', lasting: true },
    );
  }

  async #wait(ms: number, signal: AbortSignal, route: string): Promise<void> {
    const { clock, emit } = this.#world;
    const { side } = this.#account;
    const minutes = Math.ceil(ms / 60_000);
    const told = {
      side,
      why: 'the login was refused three times in a row',
      msg: `The ${side} server has refused the login three times in a row. So that it locks nobody out, imapferry waits ${minutes} minutes before it tries again.`,
    };
    if (this.#told.has(route)) emit('account.reconnecting', { route, ...told });
    // What an earlier process met, or another route, is news.
    this.#tellAsking(told);
    this.#pausing = told;
    try {
      await clock.sleep(ms, signal);
    } finally {
      this.#pausing = undefined;
    }
  }

  /** Tells each route that wants in, once, that the login is refused: its turn may come much later. */
  #tellAsking(told: EventFields): void {
    for (const route of this.#asking.keys()) {
      if (this.#told.has(route)) continue;
      this.#told.add(route);
      this.#world.emit('account.refused', { route, ...told });
    }
  }

  /** A journal that can't be written just now changes nothing about the login. */
  #note(write: () => void): void {
    try {
      write();
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      this.#world.emit('journal.failed', { msg: thrown.message, err: thrown });
    }
  }

  #refused(failure: Failure, count: number, route: string): void {
    const { journal, clock, emit, pace } = this.#world;
    const lastAt = clock.now();
    this.#refusals = { count, lastAt };
    this.#note(() => journal.noteRefusal(this.#id, lastAt));
    if (count < PATIENCE) return;
    const minutes = Math.round(pace.refusedLogin / 60_000);
    const prefix = this.#account.side === 'source' ? 'SOURCE' : 'DEST';
    const told = {
      side: this.#account.side,
      count,
      why: failure.message,
      err: failure,
      msg: `The ${this.#account.side} server refuses the login (${failure.message}). Nothing is lost: mail stays where it is, and imapferry tries again every ${minutes} minutes. Check ${prefix}_USER and ${prefix}_PASSWORD; many providers want an app password.`,
    };
    this.#told.add(route);
    emit('account.refused', { route, ...told });
    this.#tellAsking(told);
  }
}

/** A network that is down refuses nothing. */
function wasRefused(came: object): boolean {
  return 'thrown' in came && asFailure(came.thrown, 'login').step === 'login';
}
