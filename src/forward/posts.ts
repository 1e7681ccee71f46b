/**
 * Who looks after each folder of the plan: a watcher of its own while there is one left, else the rounds. INBOX and the
 * folders that had mail lately have the watchers. The plan may be another at any time: folders that appear are taken up,
 * those that vanish are let go. A server that lets fewer connections in has fewer watchers, until much later.
 */
import { Failure } from '../domain/failure.ts';
import type { FolderPair, Listing } from '../domain/route.ts';
import type { Watched } from '../domain/status.ts';
import { byDesert, type Posted, swap } from './assignment.ts';
import { type Crowd, type Guest, isCrowded } from './crowd.ts';
import type { LaneWorld } from './lane.ts';
import { doubled } from './pace.ts';
import type { Deliveries } from './queue.ts';
import { Rounds } from './rounds.ts';
import type { Share } from './seats.ts';
import { Watch, type Why } from './watch.ts';
import type { Works } from './works.ts';

interface Post {
  readonly pair: FolderPair;
  readonly watch: Watch;
  readonly letGo: AbortController;
  readonly life: Promise<void>;
}

export class Posts implements Guest {
  readonly #works: Works;
  readonly #world: LaneWorld;
  readonly #deliveries: Deliveries;
  readonly #stop: AbortSignal;
  readonly #seats: Share;
  readonly #crowd: Crowd;
  readonly #watches = new Map<string, Post>();
  readonly #visited = new Map<string, FolderPair>();
  /** Since when a folder is looked after as it is now, and when it had new mail last (clock ticks). */
  readonly #since = new Map<string, number>();
  readonly #mailedAt = new Map<string, number>();
  readonly #rounds: Rounds;
  readonly #lives = new Set<Promise<void>>();
  #goesRound = false;
  /** So many may watch now. */
  #most: number;
  #lowered = 0;
  #raiseAt = Number.POSITIVE_INFINITY;
  #swapping = false;
  /** When a connection of ours was ended last (clock ticks). */
  #leftAt = Number.NEGATIVE_INFINITY;

  /**
   * @param seats of the account, for connections that hold IDLE
   * @param crowd at the server
   * @param stop ends them all
   */
  constructor(
    works: Works,
    world: LaneWorld,
    deliveries: Deliveries,
    seats: Share,
    crowd: Crowd,
    stop: AbortSignal,
  ) {
    this.#works = works;
    this.#seats = seats;
    this.#crowd = crowd;
    crowd.join(this);
    seats.onAsked(() => this.#yield());
    this.#world = world;
    this.#deliveries = deliveries;
    this.#stop = stop;
    this.#most = works.route.maxWatchers;
    this.#rounds = new Rounds(works, world, deliveries, {
      folders: this.#visited,
      mailed: ({ source }) => this.#mailed(source),
      refused: (failure, attempt) => this.#refused(failure, attempt),
    });
  }

  /** Has these folders looked after, and no others. */
  fill(pairs: readonly FolderPair[]): void {
    const wanted = new Set(pairs.map(({ source }) => source));
    this.#seats.want(wanted.size);
    for (const folder of this.#watches.keys()) {
      if (!wanted.has(folder)) void this.#letGo(folder, vanished(folder));
    }
    for (const folder of this.#visited.keys()) {
      if (!wanted.has(folder)) this.#visited.delete(folder);
    }
    const fresh = pairs.filter(
      ({ source }) => !this.#watches.has(source) && !this.#visited.has(source),
    );
    for (const pair of fresh) this.#post(pair);
    this.#raise();
    this.#fillVacancies();
    this.#goRound();
    for (const pair of fresh) this.#visit(pair);
    void this.#swap();
  }

  /** Leaves a folder to the rounds. */
  #post(pair: FolderPair): void {
    this.#visited.set(pair.source, pair);
    this.#since.set(pair.source, this.#works.clock.ticks());
  }

  #visit(pair: FolderPair): void {
    if (this.#visited.get(pair.source) === pair) void this.#rounds.visit(pair);
  }

  /** Gives the watchers that are left to the folders that deserve them most. */
  #fillVacancies(): void {
    for (const { folder } of byDesert(this.#posted(this.#visited.keys()))) {
      const pair = this.#visited.get(folder);
      if (pair && !this.#watch(pair)) return;
    }
  }

  /** Gives a folder a watcher. Says whether there was one left. */
  #watch(pair: FolderPair): boolean {
    if (this.#watches.size >= this.#most || !this.#seats.take()) return false;
    const { source } = pair;
    const watch = new Watch(this.#works, this.#world, pair, this.#deliveries, {
      mailed: () => this.#mailed(source),
      refused: (failure, attempt) => this.#refused(failure, attempt),
    });
    const letGo = new AbortController();
    const life = watch
      .run(AbortSignal.any([this.#stop, letGo.signal]))
      .finally(() => this.#seats.give());
    this.#lives.add(life);
    this.#visited.delete(source);
    this.#watches.set(source, { pair, watch, letGo, life });
    this.#since.set(source, this.#works.clock.ticks());
    // One that ends by a mistake of ours stays, for `ended` to tell.
    life.then(
      () => this.#lives.delete(life),
      () => undefined,
    );
    return true;
  }

  /** Resolves once the folder's connection has ended. */
  async #letGo(folder: string, why: Failure): Promise<void> {
    const post = this.#watches.get(folder);
    this.#watches.delete(folder);
    post?.letGo.abort(why);
    this.#leftAt = Number.POSITIVE_INFINITY;
    await post?.life;
    this.#leftAt = this.#works.clock.ticks();
  }

  /** The plan is made anew by asking on one of these connections, even where there is nothing to carry yet. */
  #goRound(): void {
    const needed = this.#visited.size > 0 || this.#watches.size === 0;
    if (!needed || this.#goesRound) return;
    this.#goesRound = true;
    this.#lives.add(this.#rounds.run(this.#stop));
  }

  #posted(folders: Iterable<string>): Posted[] {
    return [...folders].map((folder) => ({
      folder,
      since: this.#since.get(folder) ?? 0,
      mailedAt: this.#mailedAt.get(folder),
    }));
  }

  #mailed(folder: string): void {
    this.#mailedAt.set(folder, this.#works.clock.ticks());
    if (this.#visited.has(folder)) void this.#swap();
  }

  /** Gives a quiet folder's watcher to one that had mail, where nothing is in hand that needs the connection. */
  async #swap(): Promise<void> {
    if (this.#swapping || this.#stop.aborted) return;
    const { clock, pace } = this.#works;
    const resting = [...this.#watches].flatMap(([folder, { watch }]) =>
      watch.resting ? [folder] : [],
    );
    const others = this.#posted(this.#visited.keys());
    const change = swap(this.#posted(resting), others, clock.ticks(), pace.dwell);
    const post = change && this.#watches.get(change.from);
    if (!change || !post) return;
    this.#swapping = true;
    this.#post(post.pair);
    await this.#letGo(change.from, relieved(change.from));
    this.#swapping = false;
    this.#visit(post.pair);
    const to = this.#visited.get(change.to);
    if (to && !this.#stop.aborted) this.#watch(to);
  }

  /** How a folder's new mail is noticed, since when (clock ticks), and what keeps it from being looked through. */
  watching(folder: string): { watched: Watched; since: number; leftOut?: string } {
    const watch = this.#watches.get(folder)?.watch;
    const watched = watch ? 'idle' : 'rounds';
    const { connected, since } = watch ?? this.#rounds;
    const leftOut = watch ? watch.leftOut : this.#rounds.leftOut(folder);
    return {
      watched: connected ? watched : 'not',
      since: Math.max(since, this.#since.get(folder) ?? since),
      ...(leftOut !== undefined && { leftOut }),
    };
  }

  get standing(): number {
    const watching = [...this.#watches.values()].filter(({ watch }) => watch.connected).length;
    return watching + Number(this.#rounds.connected);
  }

  /** A connection was not let in. Where others of ours stand and the server minds their number, it gets one fewer. */
  #refused(failure: Failure, attempt: number): void {
    const { standing } = this;
    if (standing === 0) this.#crowd.refused(failure, attempt);
    // One of those that stand goes round the folders that lose their watcher.
    else if (isCrowded(failure, attempt)) this.#lower(standing - 1, standing, failure);
  }

  giveWay(failure: Failure): void {
    const stay = this.standing - 1;
    this.#lower(Math.max(0, stay - 1), stay, failure);
  }

  /** Makes do with so many watchers, of so many connections in all. */
  #lower(most: number, all: number, failure: Failure): void {
    // It may still count one that makes room.
    if (this.#works.clock.ticks() < this.#leftAt + this.#works.pace.leaving) return;
    if (most >= this.#most) return;
    const { clock, pace, emit, route } = this.#works;
    this.#most = most;
    const again = doubled(pace.crowdedFirst, this.#lowered++, pace.crowdedLongest);
    this.#raiseAt = clock.ticks() + again;
    emit('watchers.lowered', {
      route: route.name,
      side: 'source',
      count: most,
      why: failure.message,
      msg: `The source server lets no more than ${all} connections of this route in just now (${failure.message}) So that all folders are looked after, ${most} of them hold IDLE from now on; the others are noticed on one connection. MAX_WATCHERS=${most} spares the server the knocking.`,
      err: failure,
    });
    this.#shed(failure);
  }

  /** Gives a seat up for another route, at once or when that connection has ended. */
  #yield(): boolean {
    const [least] = byDesert(this.#posted(this.#watches.keys())).reverse();
    const pair = least && this.#watches.get(least.folder)?.pair;
    if (pair === undefined) return false;
    this.#post(pair);
    void this.#letGo(pair.source, relieved(pair.source));
    this.#goRound();
    this.#visit(pair);
    return true;
  }

  /** Leaves to the rounds what has a watcher too many: first those without a connection, then those that deserve it least. */
  #shed(why: Failure): void {
    const connected = (folder: string) => this.#watches.get(folder)?.watch.connected === true;
    const least = byDesert(this.#posted(this.#watches.keys())).reverse();
    const order = [
      ...least.filter(({ folder }) => !connected(folder)),
      ...least.filter(({ folder }) => connected(folder)),
    ];
    const tooMany = order
      .slice(0, Math.max(0, this.#watches.size - this.#most))
      .flatMap(({ folder }) => this.#watches.get(folder)?.pair ?? []);
    for (const pair of tooMany) {
      this.#post(pair);
      void this.#letGo(pair.source, relieved(pair.source, why));
    }
    this.#goRound();
    for (const pair of tooMany) this.#visit(pair);
  }

  /** Much later one watcher more is tried. */
  #raise(): void {
    const { clock, pace, emit, route } = this.#works;
    if (this.#most >= route.maxWatchers || clock.ticks() < this.#raiseAt) return;
    this.#most++;
    this.#raiseAt = clock.ticks() + doubled(pace.crowdedFirst, this.#lowered, pace.crowdedLongest);
    emit('watchers.raised', { route: route.name, side: 'source', count: this.#most });
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
    this.#crowd.leave(this);
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

function relieved(folder: string, cause?: Failure): Failure {
  return new Failure(
    `The folder ${folder} is not watched on a connection of its own any more; it is looked through on another one.`,
    { step: 'open', scope: 'folder', kind: 'relieved', cause },
  );
}
