/** What a route may still use of its two accounts: its rate limits, held against what all routes have used of them. */
import { Failure } from '../domain/failure.ts';
import type { Clock, Journal } from '../domain/ports.ts';
import { type Account, loginId, type RateLimit, type Route } from '../domain/route.ts';
import { ENDLESS, excess, type Loads, NO_LOADS, sum, Traffic } from './traffic.ts';
import { type Claim, Usage } from './usage.ts';

/** A limit leaves no room for so many ms. */
export interface Wait {
  readonly ms: number;
  readonly side: Account['side'];
}

/** What a batch takes up of the limits: what it is expected to ask is reserved, and counts as used when it is asked. */
export class Spent {
  /** What it really asks of the accounts. */
  readonly traffic = new Traffic((more) => this.#asks(more));
  readonly #budget: Budget;
  #reserved = NO_LOADS;

  constructor(budget: Budget, expected: Loads) {
    this.#budget = budget;
    this.#reserve(expected);
  }

  /** How long there is no room for what a further attempt is expected to ask; `ms` 0: that is reserved. */
  again(expected: Loads, claim: Claim): Wait {
    const lacking = excess(expected, this.#reserved);
    const wait = this.#budget.wait(lacking, claim);
    if (wait.ms === 0) this.#reserve(lacking);
    return wait;
  }

  /** It is over, and asks nothing more. */
  settle(): void {
    this.#budget.release(this.#reserved);
    this.#reserved = NO_LOADS;
  }

  #reserve(more: Loads): void {
    this.#budget.reserve(more);
    this.#reserved = sum([this.#reserved, more]);
  }

  #asks(more: Loads): void {
    const left = excess(this.#reserved, more);
    this.#budget.release(excess(this.#reserved, left));
    this.#reserved = left;
    this.#budget.count(more);
  }
}

interface Side {
  readonly side: Account['side'];
  readonly usage: Usage;
  readonly limits: readonly RateLimit[];
}

export class Budget {
  readonly #sides: readonly Side[];
  readonly #journal: Journal;

  constructor(sides: readonly Side[], journal: Journal) {
    this.#sides = sides;
    this.#journal = journal;
  }

  /** An account of the route has a limit, of this route or of another one that wants to know what was used. */
  get counts(): boolean {
    return this.#sides.length > 0;
  }

  /** How long it takes until these loads are within the route's limits; `ms` 0: they are now. */
  wait(loads: Loads, claim: Claim): Wait {
    const waits = this.#sides.map(({ side, usage, limits }) => ({
      ms: usage.wait(limits, loads[side], claim),
      side,
    }));
    return waits.reduce((longest, each) => (each.ms > longest.ms ? each : longest), {
      ms: 0,
      side: 'source',
    });
  }

  /** What may go at once before these loads, which have to wait, without their waiting any longer for that. */
  before(loads: Loads, claim: Claim, { ms }: Wait): Loads {
    const room = { source: ENDLESS, destination: ENDLESS };
    for (const { side, usage, limits } of this.#sides)
      room[side] = usage.before(ms, limits, loads[side], claim);
    return room;
  }

  /** Reserves what a batch is expected to ask. */
  spend(expected: Loads): Spent {
    return new Spent(this, expected);
  }

  reserve(loads: Loads): void {
    for (const { usage, side } of this.#sides) usage.reserve(loads[side]);
  }

  release(loads: Loads): void {
    for (const { usage, side } of this.#sides) usage.release(loads[side]);
  }

  /**
   * New mail waits for room on that side: old mail of no route takes it. What it
   * returns is to be called when it waits no more.
   */
  expect(loads: Loads, waitsOn: Account['side']): () => void {
    const usages = this.#sides.filter(({ side }) => side === waitsOn).map(({ usage }) => usage);
    for (const usage of usages) usage.expect(loads[waitsOn], 1);
    return () => {
      for (const usage of usages) usage.expect(loads[waitsOn], -1);
    };
  }

  /** Counts what is asked now, and notes it. */
  count(loads: Loads): void {
    for (const { usage, side } of this.#sides) usage.add(loads[side]);
    this.#note();
  }

  /** What can't be noted just now is noted with what comes next; whoever has to note a delivery tells of the trouble. */
  #note(): void {
    const notes = this.#sides.flatMap(({ usage }) => usage.notes());
    if (notes.length === 0) return;
    try {
      this.#journal.noteUse(notes);
      for (const { usage } of this.#sides) usage.noted();
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
    }
  }
}

/** The budgets of routes, which share what is used of an account that several of them have. */
export class Budgets {
  readonly #journal: Journal;
  readonly #usages: ReadonlyMap<string, Usage>;

  /** Throws a Failure (step `journal`) where the journal can't be read. */
  constructor(routes: readonly Route[], journal: Journal, clock: Clock) {
    this.#journal = journal;
    const accounts = routes.flatMap(({ source, destination }) => [source, destination]);
    const limited = Map.groupBy(
      accounts.filter(({ rateLimits = [] }) => rateLimits.length > 0),
      nameOf,
    );
    this.#usages = new Map(
      [...limited].flatMap(([name, [first, ...others]]) => {
        if (first === undefined) return [];
        const limits = [first, ...others].flatMap(({ rateLimits = [] }) => rateLimits);
        const spans = new Set(limits.map(({ within }) => within));
        const who = { account: loginId(first), side: first.side };
        return [[name, new Usage(who, spans, clock, (key) => journal.used(key))]];
      }),
    );
  }

  of({ source, destination }: Route): Budget {
    const sides = [source, destination].flatMap((account) => {
      const usage = this.#usages.get(nameOf(account));
      if (usage === undefined) return [];
      return [{ side: account.side, usage, limits: account.rateLimits ?? [] }];
    });
    return new Budget(sides, this.#journal);
  }
}

function nameOf(account: Account): string {
  return `${account.side} ${loginId(account)}`;
}
