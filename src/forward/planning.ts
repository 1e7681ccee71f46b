/** A route's plan as it holds now: made anew as folders come and go, told where it has changed. */
import type { Emit } from '../domain/events.ts';
import { accountId, type FolderPair, type Listing, type Route } from '../domain/route.ts';
import { type LeftOut, makePlan, type Plan } from './plan.ts';
import type { Ways } from './ways.ts';

/** The plan of a route for the folders that both accounts show. */
export function planOf(route: Route, source: Listing, dest: Listing): Plan {
  const { folders: rules, afterDelivery } = route;
  return makePlan({
    source: source.folders,
    dest: dest.folders,
    rules,
    namespaces: { source: source.namespaces, dest: dest.namespaces },
    moveTo: afterDelivery.kind === 'move' ? afterDelivery.folder : undefined,
    createsSpecialUse: dest.createsSpecialUse,
    sameAccount: accountId(route.source) === accountId(route.destination),
    rivals: route.rivals,
  });
}

export class Planning {
  readonly #route: Route;
  readonly #ways: Ways;
  readonly #emit: Emit;
  #pairs: readonly FolderPair[] = [];
  #leftOut: ReadonlyMap<string, LeftOut> = new Map();
  #mistakes: readonly string[] = [];

  /** @param ways where the mail of all routes goes */
  constructor(route: Route, ways: Ways, emit: Emit) {
    this.#route = route;
    this.#ways = ways;
    this.#emit = emit;
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

  /**
   * Makes the plan of the folders that there are now. With a mistake in it nothing of the route is carried.
   */
  renew(source: Listing, dest: Listing): void {
    const plan = planOf(this.#route, source, dest);
    const { leftOut } = plan;
    this.#ways.lay(this.#route, plan.pairs);
    const mistakes = [...plan.mistakes, ...this.#ways.circles(this.#route.name)];
    const [before, toldOf] = [this.#pairs, this.#leftOut];
    this.#tellMistakes(mistakes);
    const known = new Map(before.map((pair) => [pair.source, pair]));
    const pairs = mistakes.length > 0 ? [] : plan.pairs;
    // A folder's mail goes where it has gone, as long as this process lives.
    this.#pairs = pairs.map((pair) => known.get(pair.source) ?? pair);
    this.#leftOut = new Map(leftOut.map((each) => [each.folder, each]));
    for (const pair of pairs) {
      if (known.has(pair.source)) continue;
      const { source: folder, dest: to, said } = pair;
      this.#tell('plan.made', { folder, dest: to, ...(said !== undefined && { why: said }) });
    }
    for (const pair of mistakes.length > 0 ? [] : before) {
      const { why = 'the source has no such folder any more' } =
        this.#leftOut.get(pair.source) ?? {};
      if (!this.#pairs.includes(pair)) this.#tell('folder.left-out', { folder: pair.source, why });
    }
    for (const { folder, why } of this.disappointments) {
      if (toldOf.get(folder)?.why !== why && !known.has(folder))
        this.#tell('folder.left-out', { folder, why });
    }
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
  }

  #tell(...[event, fields]: Parameters<Emit>): void {
    this.#emit(event, { route: this.#route.name, ...fields });
  }
}
