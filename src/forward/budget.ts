/** What a route may still use of its two accounts: its rate limits, held against what all routes have used of them. */
import { Failure } from '../domain/failure.ts';
import type { Clock, Journal } from '../domain/ports.ts';
import { type Account, loginId, type RateLimit, type Route } from '../domain/route.ts';
import { ENDLESS, type Load, type Loads, Traffic } from './traffic.ts';
import { type Claim, Usage } from './usage.ts';

/** A limit leaves no room for so many ms. */
export interface Wait {
  readonly ms: number;
  readonly side: Account['side'];
}

/** What a batch has taken up of the limits. */
export interface Spent {
  /** What it really asked of the accounts. */
  readonly traffic: Traffic;
  /** It is over: what it really asked counts, in place of what was expected. */
  settle(): void;
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

  /** Takes up what a batch is expected to ask. */
  spend(expected: Loads): Spent {
    const counted: { usage: Usage; side: Account['side']; load: Load; at: number }[] = [];
    for (const { usage, side } of this.#sides) {
      counted.push({ usage, side, load: expected[side], at: usage.add(expected[side]) });
    }
    this.#note();
    const traffic = new Traffic();
    return {
      traffic,
      settle: () => {
        for (const { usage, side, load, at } of counted.splice(0)) {
          usage.takeBack(load, at);
          usage.add(traffic[side]);
        }
        this.#note();
      },
    };
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
