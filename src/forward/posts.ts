/**
 * Who looks after each folder of the plan: a watcher of its own while there is one left, else the rounds. The plan may be
 * another at any time: folders that appear are taken up, those that vanish are let go.
 */
import { Failure } from '../domain/failure.ts';
import type { FolderPair, Listing } from '../domain/route.ts';
import type { LaneWorld } from './lane.ts';
import type { Deliveries } from './queue.ts';
import { Rounds } from './rounds.ts';
import { Watch, type Why } from './watch.ts';
import type { Works } from './works.ts';

export class Posts {
  readonly #works: Works;
  readonly #world: LaneWorld;
  readonly #deliveries: Deliveries;
  readonly #stop: AbortSignal;
  readonly #watches = new Map<string, { watch: Watch; letGo: AbortController }>();
  readonly #visited = new Map<string, FolderPair>();
  readonly #rounds: Rounds;
  readonly #lives: Promise<void>[] = [];
  #goesRound = false;

  /** @param stop ends them all */
  constructor(works: Works, world: LaneWorld, deliveries: Deliveries, stop: AbortSignal) {
    this.#works = works;
    this.#world = world;
    this.#deliveries = deliveries;
    this.#stop = stop;
    this.#rounds = new Rounds(works, world, deliveries);
  }

  /** Has these folders looked after, and no others. */
  fill(pairs: readonly FolderPair[]): void {
    const wanted = new Set(pairs.map(({ source }) => source));
    for (const [folder, { letGo }] of this.#watches) {
      if (wanted.has(folder)) continue;
      this.#watches.delete(folder);
      letGo.abort(vanished(folder));
    }
    for (const folder of this.#visited.keys()) {
      if (!wanted.has(folder)) this.#visited.delete(folder);
    }
    const fresh = pairs.filter(
      ({ source }) => !this.#watches.has(source) && !this.#visited.has(source),
    );
    for (const pair of fresh) this.#take(pair);
    // The plan is made anew by asking on one of these connections, even where there is nothing to carry yet.
    const needed = this.#visited.size > 0 || this.#watches.size === 0;
    if (needed && !this.#goesRound) {
      this.#goesRound = true;
      this.#lives.push(this.#rounds.run(this.#stop));
    }
    for (const pair of fresh) if (this.#visited.has(pair.source)) void this.#rounds.visit(pair);
  }

  #take(pair: FolderPair): void {
    if (this.#watches.size >= this.#works.route.maxWatchers) {
      this.#visited.set(pair.source, pair);
      return;
    }
    const watch = new Watch(this.#works, this.#world, pair, this.#deliveries);
    const letGo = new AbortController();
    this.#watches.set(pair.source, { watch, letGo });
    this.#lives.push(watch.run(AbortSignal.any([this.#stop, letGo.signal])));
  }

  /** Has a folder looked at. Resolves, never rejects, when that is done; one that nobody looks after is left alone. */
  async nudge({ source }: FolderPair, why: Why): Promise<void> {
    const watched = this.#watches.get(source);
    const visited = this.#visited.get(source);
    if (watched) await watched.watch.nudge(why);
    else if (visited) await this.#rounds.visit(visited);
  }

  /** Every folder of the source account, asked on one of these connections. Rejects with a Failure where it can't be had. */
  listFolders(): Promise<Listing> {
    const [first] = this.#watches.values();
    return (first?.watch ?? this.#rounds).listFolders();
  }

  /** Resolves once all of them have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#lives);
  }
}

function vanished(folder: string): Failure {
  return new Failure(`The source has no folder ${folder} any more.`, {
    step: 'open',
    scope: 'folder',
    kind: 'folder-missing',
  });
}
