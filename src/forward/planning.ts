/** A route's plan as it holds now: made anew as folders come and go, told where it has changed. */
import type { Emit } from '../domain/events.ts';
import type { FolderPair, ListedFolder, Route } from '../domain/route.ts';
import { type LeftOut, makePlan } from './plan.ts';

export class Planning {
  readonly #route: Route;
  readonly #emit: Emit;
  #pairs: readonly FolderPair[] = [];
  #leftOut: ReadonlyMap<string, LeftOut> = new Map();

  constructor(route: Route, emit: Emit) {
    this.#route = route;
    this.#emit = emit;
  }

  get pairs(): readonly FolderPair[] {
    return this.#pairs;
  }

  /** Of what nothing is carried although it might be expected. */
  get disappointments(): LeftOut[] {
    return [...this.#leftOut.values()].filter(({ ofCourse }) => !ofCourse);
  }

  /** Makes the plan of the folders that there are now. */
  renew(source: readonly ListedFolder[], dest: readonly ListedFolder[]): void {
    const { folders: rules, afterDelivery } = this.#route;
    const moveTo = afterDelivery.kind === 'move' ? { moveTo: afterDelivery.folder } : {};
    const { pairs, leftOut } = makePlan({ source, dest, rules, ...moveTo });
    const [before, toldOf] = [this.#pairs, this.#leftOut];
    // A folder's mail goes where it has gone, as long as this process lives.
    this.#pairs = pairs.map((pair) => before.find((one) => one.source === pair.source) ?? pair);
    this.#leftOut = new Map(leftOut.map((each) => [each.folder, each]));
    for (const pair of this.#pairs) {
      if (!before.includes(pair)) this.#tell('plan.made', { folder: pair.source, dest: pair.dest });
    }
    for (const pair of before) {
      const { why = 'the source has no such folder any more' } =
        this.#leftOut.get(pair.source) ?? {};
      if (!this.#pairs.includes(pair)) this.#tell('folder.left-out', { folder: pair.source, why });
    }
    for (const { folder, why } of this.disappointments) {
      const known =
        toldOf.get(folder)?.why === why || before.some(({ source: one }) => one === folder);
      if (!known) this.#tell('folder.left-out', { folder, why });
    }
  }

  #tell(...[event, fields]: Parameters<Emit>): void {
    this.#emit(event, { route: this.#route.name, ...fields });
  }
}
