/** Where everything that imapferry says of itself comes together: for `health`, the status page, metrics and alerts. */
import type { EventFields, EventName } from '../domain/events.ts';
import type { Clock, Tallies } from '../domain/ports.ts';
import type { Findings, Hindrance, RouteHistory, RouteStatus, Status } from '../domain/status.ts';
import { Accounts } from './accounts.ts';
import { statusOf } from './health.ts';
import { firstDay, historiesOf } from './history.ts';
import { withoutAddresses } from './sentences.ts';

/** What two clocks may differ by between two looks, and how far these may be apart, in ms. */
const LEAP = 2 * 60_000;

export interface BoardWorld {
  readonly version: string;
  readonly clock: Pick<Clock, 'now' | 'ticks'>;
  /** How the routes stand now. */
  readonly standings: () => readonly Omit<RouteStatus, 'accounts'>[];
  readonly tallies: (since: string) => Tallies;
}

export class Board {
  readonly #world: BoardWorld;
  readonly #startedAt: number;
  /** When (epoch ms, and clock ticks) it was looked at last. */
  #seen: { readonly now: number; readonly ticks: number };
  #evenSince: number;
  readonly #accounts: Accounts;
  #journalFailed: Hindrance | undefined;

  constructor(world: BoardWorld) {
    this.#world = world;
    this.#startedAt = this.#evenSince = world.clock.now();
    this.#seen = { now: this.#startedAt, ticks: world.clock.ticks() };
    this.#accounts = new Accounts(this.#startedAt);
  }

  /** To be called for every event. */
  hear(event: EventName, fields: EventFields): void {
    const now = this.#world.clock.now();
    this.#accounts.hear(event, fields, now);
    if (event !== 'journal.failed') return;
    const why = fields.msg ?? fields.why ?? '';
    this.#journalFailed = { since: this.#journalFailed?.since ?? now, why };
  }

  /** The journal was written. */
  journalWorks(): void {
    this.#journalFailed = undefined;
  }

  /** What there is to be known. */
  findings(): Findings {
    const { version, standings } = this.#world;
    const evenSince = this.#passed();
    const routes = standings().map((standing) => {
      const noticed = standing.folders.some(({ watched }) => watched !== 'not');
      return { ...standing, accounts: this.#accounts.of(standing.route, noticed) };
    });
    return discreet({
      version,
      startedAt: this.#startedAt,
      ...(evenSince > this.#startedAt && { evenSince }),
      routes,
      ...(this.#journalFailed && { journalFailed: this.#journalFailed }),
    });
  }

  /** Time passes: says since when it has done so evenly. To be asked for every few seconds. */
  #passed(): number {
    const { clock } = this.#world;
    const seen = { now: clock.now(), ticks: clock.ticks() };
    const [passed, ticked] = [seen.now - this.#seen.now, seen.ticks - this.#seen.ticks];
    // Whichever clock goes on in a machine that sleeps: nobody has asked for long.
    if (Math.abs(passed - ticked) > LEAP || passed > LEAP) this.#evenSince = seen.now;
    this.#seen = seen;
    return this.#evenSince;
  }

  /** That, and what is to be thought of it. */
  status(): Status {
    return statusOf(this.findings(), this.#world.clock.now());
  }

  /** What was carried in the last thirty days. Throws a Failure (step `journal`). */
  histories(): RouteHistory[] {
    const now = this.#world.clock.now();
    const routes = this.#world.standings().map(({ route }) => route);
    return historiesOf(routes, this.#world.tallies(firstDay(now)), now);
  }
}

/** What a status has in the words of servers. */
const REASONS: ReadonlySet<string> = new Set(['why', 'leftOut', 'asideWhy']);

/** Servers like to quote addresses in what they say; a status is shown to whoever sees the page. */
function discreet(findings: Findings): Findings {
  const text = JSON.stringify(findings, (key, value: unknown) =>
    typeof value === 'string' && REASONS.has(key) ? withoutAddresses(value) : value,
  );
  return JSON.parse(text) as Findings;
}
