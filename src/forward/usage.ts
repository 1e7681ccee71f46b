/**
 * What was used of one side of an account within the spans of its rate limits, whichever routes used it. Use is counted in
 * stretches of a fiftieth of a span and kept in the journal, so that a restart does not forget it. What is reserved will be
 * used at a time that nobody knows yet, and counts as used until then, however long that takes.
 */
import type { Clock, UseKey, UseNote } from '../domain/ports.ts';
import type { RateLimit } from '../domain/route.ts';
import { ENDLESS, type Load, NO_LOAD, together } from './traffic.ts';

/** Whoever waits may wait so much of a span too long, and never too short. */
const STRETCHES = 50;

/** Old mail leaves a tenth of each limit to mail that has just come. */
const FOR_NEW_MAIL = 10;

/** Whose the load is. */
export interface Claim {
  /** It has just come. */
  readonly fresh: boolean;
  /** A single message: one that is larger than a limit has to go some time. */
  readonly single: boolean;
}

export class Usage {
  readonly #who: Omit<UseKey, 'span'>;
  readonly #clock: Clock;
  /** By span, and by when a stretch began, the earliest first. */
  readonly #spans: ReadonlyMap<number, Map<number, Load>>;
  #reserved = NO_LOAD;
  /** Mail that has just come and waits for room, of whatever route. */
  #awaited = NO_LOAD;
  /** Stretches that the journal does not know as they are. */
  readonly #unnoted = new Map<number, Set<number>>();

  /** @param known what the journal knows of one of the account's spans */
  constructor(
    who: Omit<UseKey, 'span'>,
    spans: ReadonlySet<number>,
    clock: Clock,
    known: (key: UseKey) => readonly (Load & { readonly since: number })[],
  ) {
    this.#who = who;
    this.#clock = clock;
    this.#spans = new Map(
      [...spans].map((span) => {
        const stretches = known({ ...who, span }).map(
          ({ since, messages, bytes }) => [since, { messages, bytes }] as const,
        );
        return [span, new Map(stretches)];
      }),
    );
  }

  /** How many ms it takes until a load is within the limits; 0: it is now. */
  wait(limits: readonly RateLimit[], load: Load, claim: Claim): number {
    const waits = limits.map((limit) => this.#wait(limit, load[limit.of], claim));
    return Math.max(0, ...waits);
  }

  #wait(limit: RateLimit, amount: number, claim: Claim): number {
    const { of, within } = limit;
    if (amount === 0) return 0;
    const its = bearable(limit, amount, claim);
    const beside = Math.max(0, Math.min(its, limit.most - amount - this.#awaited[of]));
    const most = claim.fresh || this.#awaited[of] === 0 ? its : beside;
    const stretches = this.#stretches(within);
    let used = usedOf(of, stretches) + this.#reserved[of];
    if (used <= most) return 0;
    const now = this.#clock.now();
    for (const [since, each] of stretches) {
      used -= each[of];
      if (used <= most) return Math.max(1, endOf(since, within) - now);
    }
    // More than one message, and more than the limit: it has to be cut. Or what is reserved takes all: it may be used just now.
    return endOf(0, within);
  }

  /**
   * How much may go at once before a load that waits for so many ms, which waits no longer for that: there is room for it
   * now, and then beside that load.
   */
  before(ms: number, limits: readonly RateLimit[], load: Load, claim: Claim): Load {
    const then = this.#clock.now() + ms;
    const room = { ...ENDLESS };
    for (const limit of limits) {
      const { of, most, within } = limit;
      const stretches = this.#stretches(within);
      const remaining = stretches.filter(([since]) => endOf(since, within) > then);
      const least = load[of] > 0 ? bearable(limit, load[of], claim) : most;
      const free = Math.min(most - usedOf(of, stretches), least - usedOf(of, remaining));
      room[of] = Math.min(room[of], free - this.#reserved[of]);
    }
    return room;
  }

  /** Counts what is used now. */
  add(load: Load): void {
    const now = this.#clock.now();
    for (const span of this.#spans.keys()) this.#count(span, now, load);
  }

  reserve(load: Load): void {
    this.#reserved = together(this.#reserved, load);
  }

  release(load: Load): void {
    this.#reserved = together(this.#reserved, load, -1);
  }

  /** Old mail leaves room for that, too, until it is taken back. */
  expect(load: Load, sign: 1 | -1): void {
    this.#awaited = together(this.#awaited, load, sign);
  }

  #count(span: number, at: number, load: Load): void {
    const since = at - (at % (span / STRETCHES));
    this.#stretches(span);
    const stretches = this.#spans.get(span);
    stretches?.set(since, together(stretches.get(since) ?? NO_LOAD, load));
    this.#unnoted.set(span, (this.#unnoted.get(span) ?? new Set()).add(since));
  }

  /** The stretches that count still. A clock that was set back makes nobody wait longer than the span. */
  #stretches(span: number): [number, Load][] {
    const stretches = this.#spans.get(span) ?? new Map<number, Load>();
    const now = this.#clock.now();
    const current = now - (now % (span / STRETCHES));
    for (const [since, load] of [...stretches]) {
      if (endOf(since, span) <= now) stretches.delete(since);
      if (since <= current) continue;
      stretches.delete(since);
      stretches.set(current, together(stretches.get(current) ?? NO_LOAD, load));
    }
    return [...stretches].sort(([a], [b]) => a - b);
  }

  /** What the journal has to be told, until `noted` says that it knows. */
  notes(): UseNote[] {
    const now = this.#clock.now();
    return [...this.#unnoted].flatMap(([span, sinces]) =>
      [...sinces].flatMap((since) => {
        const load = this.#spans.get(span)?.get(since);
        if (load === undefined) return [];
        const before = now - span - span / STRETCHES;
        return [{ key: { ...this.#who, span }, use: { since, ...load }, before }];
      }),
    );
  }

  noted(): void {
    this.#unnoted.clear();
  }
}

function usedOf(of: keyof Load, stretches: readonly (readonly [number, Load])[]): number {
  return stretches.reduce((sum, [, load]) => sum + load[of], 0);
}

/** When a stretch that began then counts no more. */
function endOf(since: number, span: number): number {
  return since + span / STRETCHES + span;
}

/** How much may be used already when a load goes. */
function bearable({ most }: RateLimit, amount: number, { fresh, single }: Claim): number {
  const forNew = Math.floor(most / FOR_NEW_MAIL);
  if (single && amount > most) return forNew;
  if (fresh) return most - amount;
  const free = most - forNew - amount;
  // New mail may come all the time: what is larger than what old mail has of the limit goes beside a little of it.
  return single && free < forNew ? Math.min(forNew, most - amount) : free;
}
