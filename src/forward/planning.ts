/** A route's plan as it holds now: made anew as folders come and go, told where it has changed. */
import type { Emit } from '../domain/events.ts';
import { Failure } from '../domain/failure.ts';
import type { Clock } from '../domain/ports.ts';
import {
  type Account,
  accountId,
  type FolderPair,
  type Listing,
  type Route,
  type SpecialUse,
} from '../domain/route.ts';
import type { Hindrance } from '../domain/status.ts';
import { type LeftOut, makePlan, type Plan, type PlanInput, type PlannedFolder } from './plan.ts';
import type { Ways } from './ways.ts';

/** Throws a Failure where a side lists no folder at all: it is not believed. */
export function mustList({ folders }: Listing, side: Account['side']): void {
  if (folders.length > 0) return;
  throw new Failure(
    `The ${side} lists no folder at all, not even INBOX, which every account has. No plan is made of that; it is asked again.`,
    { step: 'look', scope: 'account' },
  );
}

/**
 * The plan of a route for the folders that both accounts show.
 * @param before what has come to be known since the first plan
 */
export function planOf(
  route: Route,
  source: Listing,
  dest: Listing,
  before: Pick<PlanInput, 'kept' | 'refusedUses'> = {},
): Plan {
  const { folders: rules, afterDelivery } = route;
  return makePlan({
    source: source.folders,
    dest: dest.folders,
    rules,
    namespaces: { source: source.namespaces, dest: dest.namespaces },
    moveTo: afterDelivery.kind === 'move' ? afterDelivery.folder : undefined,
    createsSpecialUse: dest.createsSpecialUse,
    exchange: { source: source.isExchange === true, dest: dest.isExchange === true },
    ...before,
    sameAccount: accountId(route.source) === accountId(route.destination),
    rivals: route.rivals,
  });
}

export class Planning {
  readonly #route: Route;
  readonly #ways: Ways;
  readonly #emit: Emit;
  readonly #clock: Clock;
  #pairs: readonly FolderPair[] = [];
  /** A folder's mail goes where it has gone, for as long as it is there and this process lives. */
  #kept: ReadonlyMap<string, PlannedFolder> = new Map();
  readonly #refusedUses = new Set<SpecialUse>();
  #leftOut: ReadonlyMap<string, LeftOut> = new Map();
  #mistakes: readonly string[] = [];
  #blocked: Hindrance | undefined;

  /** @param ways where the mail of all routes goes */
  constructor(route: Route, ways: Ways, emit: Emit, clock: Clock) {
    this.#route = route;
    this.#ways = ways;
    this.#emit = emit;
    this.#clock = clock;
  }

  get pairs(): readonly FolderPair[] {
    return this.#pairs;
  }

  /** Of what nothing is carried although it might be expected. */
  get disappointments(): LeftOut[] {
    return [...this.#leftOut.values()].filter(({ ofCourse }) => !ofCourse);
  }

  /** What keeps the plan from being carried out: sentences without their full stop. */
  get mistakes(): readonly string[] {
    return this.#mistakes;
  }

  /** Why nothing of the route is carried. */
  get blocked(): Hindrance | undefined {
    return this.#blocked;
  }

  /**
   * Makes the plan of the folders that there are now. With a mistake in it nothing of the route is carried.
   */
  renew(source: Listing, dest: Listing): void {
    const plan = planOf(this.#route, source, dest, {
      kept: this.#kept,
      refusedUses: this.#refusedUses,
    });
    const { leftOut } = plan;
    this.#ways.lay(this.#route, plan.pairs);
    const mistakes = [...plan.mistakes, ...this.#ways.circles(this.#route.name)];
    const [before, toldOf] = [this.#pairs, this.#leftOut];
    this.#tellMistakes(mistakes);
    const known = new Set(before.map((pair) => pair.source));
    const pairs = mistakes.length > 0 ? [] : plan.pairs;
    if (mistakes.length === 0) this.#keep(pairs);
    this.#pairs = pairs.map((pair) => this.#kept.get(pair.source) ?? pair);
    this.#leftOut = new Map(leftOut.map((each) => [each.folder, each]));
    for (const { source: folder, dest: to, said } of pairs) {
      if (known.has(folder)) continue;
      this.#tell('plan.made', { folder, dest: to, ...(said !== undefined && { why: said }) });
    }
    for (const { source: folder } of mistakes.length > 0 ? [] : before) {
      const { why = 'the source has no such folder any more' } = this.#leftOut.get(folder) ?? {};
      if (!this.#kept.has(folder)) this.#tell('folder.left-out', { folder, why });
    }
    for (const { folder, why } of this.disappointments) {
      if (toldOf.get(folder)?.why !== why && !known.has(folder))
        this.#tell('folder.left-out', { folder, why });
    }
  }

  /** The pair stays the very same one: it is known by that to those who look after the folder. */
  #keep(pairs: readonly PlannedFolder[]): void {
    this.#kept = new Map(pairs.map((pair) => [pair.source, this.#kept.get(pair.source) ?? pair]));
  }

  /** The destination makes no folder of that use: from the next plan on, none is to be made. */
  refused(use: SpecialUse): void {
    this.#refusedUses.add(use);
    this.#kept = new Map([...this.#kept].filter(([, pair]) => pair.createAs !== use));
  }

  #tellMistakes(mistakes: readonly string[]): void {
    for (const why of mistakes) {
      if (this.#mistakes.includes(why)) continue;
      this.#tell('route.blocked', {
        why,
        msg: `${why}. Until then nothing of this route is carried, and all stays where it is; imapferry makes its plan anew at each sweep.`,
      });
    }
    if (mistakes.length === 0 && this.#mistakes.length > 0) this.#tell('route.resumed', {});
    this.#mistakes = mistakes;
    const { since = this.#clock.now() } = this.#blocked ?? {};
    const [why] = mistakes;
    this.#blocked = why === undefined ? undefined : { since, why: `${why}.` };
  }

  #tell(...[event, fields]: Parameters<Emit>): void {
    this.#emit(event, { route: this.#route.name, ...fields });
  }
}
