/** A route as a whole: its connections, watchers, sweeps and deliveries, started and stopped together. */

import type { Emit } from '../domain/events.ts';
import { asFailure, Failure } from '../domain/failure.ts';
import { Hold } from '../domain/hold.ts';
import type { SourceSession } from '../domain/ports.ts';
import { accountId, type FolderPair, type Listing, type Route } from '../domain/route.ts';
import { admit } from './admit.ts';
import { Allowance } from './allowance.ts';
import { Blockade } from './blockade.ts';
import { Connections } from './connections.ts';
import { deliver, setOut } from './deliver.ts';
import { Drain, type Progress } from './drain.ts';
import { Epochs } from './epochs.ts';
import type { Batch } from './folder-state.ts';
import type { LaneWorld } from './lane.ts';
import { putLetter } from './letter.ts';
import { Listings } from './listing.ts';
import { MoveFolder } from './move-folder.ts';
import { Pacing } from './pacing.ts';
import { mustList, Planning } from './planning.ts';
import { Posts } from './posts.ts';
import { Deliveries, type Surroundings } from './queue.ts';
import { rehearse } from './rehearse.ts';
import { Rounds } from './rounds.ts';
import type { RouteWorld } from './route-world.ts';
import { type Standing, standingOf } from './standing.ts';
import { Strikes } from './strikes.ts';
import { sweepForEver } from './sweeper.ts';
import { Tempo } from './tempo.ts';
import { type Load, sum, Traffic } from './traffic.ts';
import { Turnstile, type TurnstileWorld } from './turnstile.ts';
import { uncarried } from './uncarried.ts';
import { Waits } from './waits.ts';
import type { Why } from './watch.ts';
import { weigh } from './weigh.ts';
import type { Works } from './works.ts';

/** What a sweep by command came to. */
export interface SweepResult {
  /** Why folders, or the whole route, could not be looked through. */
  readonly failures: { readonly folder?: string; readonly failure: Failure }[];
}

/** Batches that are fetched while the destination's connections are busy with others. */
const AHEAD = 3;

/**
 * Bytes of originals that may be in memory at one time. A message is held twice for moments, as it comes in and as its
 * copy is compared, and what was let go lingers until it is collected. Many small messages do not come near it: of them no
 * more is in hand than the batches that are in flight.
 */
const MOST_BYTES_IN_HAND = 48 * 1024 * 1024;

const LONGEST_TIMER = 2 ** 31 - 1;

/** How often `sweep` tries to connect before it gives up. */
const SWEEP_CONNECTS = 3;

export class RouteRunner {
  readonly #route: Route;
  readonly #world: RouteWorld;
  readonly #connections: Connections;
  readonly #works: Works;
  readonly #deliveries: Deliveries;
  readonly #blockade: Blockade;
  readonly #tempo: Tempo;
  readonly #pacing: Pacing;
  readonly #drain: Drain;
  readonly #epochs: Epochs;
  readonly #planning: Planning;
  #posts: Posts | undefined;
  /** Folders of the source that no route carries. */
  #uncarried: readonly string[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  /** When folders were first due for another look; `sweep` keeps to it by itself. */
  readonly #due = new Map<FolderPair, number>();
  /** Folders in which a batch was put down because a server asked to go slower. */
  readonly #slowed = new Set<FolderPair>();
  /** Folders in which one was put down because a rate limit left no room to try it again. */
  readonly #paced = new Set<FolderPair>();
  #nudge: (pair: FolderPair, why: Why) => Promise<unknown> = async () => undefined;
  #asking = false;

  constructor(route: Route, world: RouteWorld) {
    this.#route = route;
    const { journal, spool, clock, pace, quit, cut } = world;
    const { afterDelivery: after } = route;
    this.#drain = new Drain(clock);
    const waits = new Waits();
    const emit: Emit = (event, fields) => {
      this.#drain.hear(event, fields);
      waits.hear(event, fields ?? {}, clock.now());
      world.emit(event, fields);
    };
    this.#world = { ...world, emit };
    this.#connections = new Connections(route, this.#world);
    const revisit = (pair: FolderPair, after: number) => this.#revisit(pair, after);
    this.#pacing = new Pacing({ route: route.name, clock, pace, emit, revisit });
    const inFlight = route.concurrency + AHEAD;
    this.#deliveries = new Deliveries(
      inFlight,
      (batch, arrived) => this.#carry(batch, arrived),
      this.#surroundings(),
    );
    this.#tempo = new Tempo(route.concurrency, { clock, pace }, (atOnce) => {
      this.#deliveries.concurrency = atOnce < route.concurrency ? atOnce : inFlight;
    });
    const holding = { clock, pace, emit, tempo: this.#tempo };
    this.#blockade = new Blockade(route.name, this.#deliveries, holding, () => this.retry());
    this.#works = {
      route,
      journal: journal.route(route.name, accountId(route.source), accountId(route.destination)),
      destinations: this.#connections.destinations,
      listings: new Listings(),
      strikes: new Strikes(),
      allowance: new Allowance(clock, pace),
      cargo: new Hold(MOST_BYTES_IN_HAND),
      spool,
      clock,
      pace,
      emit,
      quit,
      cut,
      startedAt: clock.ticks(),
      waits,
      ways: world.ways,
      moveFolder: after.kind === 'move' ? new MoveFolder(after.folder) : undefined,
      sourcesUnder: (uidValidity) => this.#epochs.under(uidValidity),
      begin: (epoch) => this.#epochs.begin(epoch),
      beside: (work) => this.#connections.beside(work),
      fetchAgain: (epoch, messages) => this.#connections.fetchAgain(epoch, messages),
      traffic: new Traffic(),
      again: async () => undefined,
      revisit,
      proven: () => this.#blockade.proven(),
      differed: () => this.#blockade.differed(),
    };
    this.#planning = new Planning(route, world.ways, emit, clock);
    this.#epochs = new Epochs({
      route: route.name,
      journal: this.#works.journal,
      clock,
      emit,
      idle: (inHand) => {
        // What waits for a rate limit may do so for hours, and would find its folder renumbered.
        this.#deliveries.putDown(inHand);
        return this.#deliveries.idle(inHand);
      },
    });
  }

  get #pairs(): readonly FolderPair[] {
    return this.#planning.pairs;
  }

  /** Watches and sweeps until `quit`, then finishes what is in flight. Rejects only for a mistake of ours. */
  async run(): Promise<void> {
    const { quit } = this.#world;
    const lanes = new AbortController();
    try {
      const first = await this.#begin();
      const world = this.#laneWorld(first);
      const { seats, crowd } = this.#world;
      const posts = new Posts(this.#works, world, this.#deliveries, seats, crowd, lanes.signal);
      this.#posts = posts;
      this.#nudge = (pair, why) => posts.nudge(pair, why);
      this.#emit('route.ready', { count: this.#pairs.length });
      posts.fill(this.#pairs);
      await Promise.all([
        sweepForEver(this.#works, () => {
          const nudged = this.#pairs.map((pair) => this.#nudge(pair, 'sweep'));
          return Promise.all([...nudged, this.#planAnew(posts)]);
        }),
        this.#drain.tell(this.#route.name, this.#world),
      ]);
      await this.#finish();
      lanes.abort(quit.reason);
      await posts.ended();
    } catch (thrown) {
      if (!quit.aborted) throw thrown;
    } finally {
      lanes.abort();
      await this.#end();
    }
  }

  /** Has every folder looked at again, now: what is due is tried. */
  retry(): void {
    for (const pair of this.#pairs) void this.#nudge(pair, 'retry');
  }

  /** How the route stands now. */
  get standing(): Standing {
    const [first] = this.#uncarried;
    const standing = standingOf(this.#route, {
      planning: this.#planning,
      posts: this.#posts,
      waits: this.#works.waits,
      blockade: this.#blockade,
      pacing: this.#pacing,
      drain: this.#drain,
      clock: this.#world.clock,
    });
    if (first === undefined) return standing;
    return { ...standing, uncarried: { folders: this.#uncarried.length, first } };
  }

  /**
   * Puts a message of imapferry's own into the destination's INBOX. Rejects with a Failure: with `outcomeUnknown` it may be
   * there all the same, and is not to be sent again.
   * @param inTime once it aborts, nothing is begun any more
   */
  putLetter(message: Buffer, inTime: AbortSignal): Promise<void> {
    const { clock } = this.#world;
    return putLetter(this.#connections.destinations, message, new Date(clock.now()), inTime);
  }

  /** How far it has come with what waits. */
  get progress(): Progress {
    return this.#drain.progress;
  }

  /**
   * Looks through every folder once and carries what is there. Gives up connecting after a few tries.
   * @param counts asks the source first how much mail there is, for whoever wants to see the progress
   */
  async sweep({ counts = false } = {}): Promise<SweepResult> {
    this.#connections.attempts = SWEEP_CONNECTS;
    this.#drain.last();
    // A visit waits until its folder is carried, which a pause may keep from being begun.
    const { quit } = this.#world;
    const clear = () => this.#deliveries.clear();
    quit.addEventListener('abort', clear, { once: true });
    const failures: SweepResult['failures'] = [];
    const lanes = new AbortController();
    try {
      const first = await this.#begin();
      const rounds = new Rounds(this.#works, this.#laneWorld(first), this.#deliveries);
      const life = rounds.run(lanes.signal);
      this.#blockade.patience = 'none';
      this.#pacing.patience = 'none';
      const leavesNothing = !['keep', 'mark'].includes(this.#route.afterDelivery.kind);
      if (counts && leavesNothing) this.#drain.expect(await rounds.counts(this.#pairs));
      for (const why of this.#planning.mistakes) {
        const failure = new Failure(`${why}.`, { step: 'open', scope: 'account', lasting: true });
        failures.push({ failure });
      }
      for (const { folder, why } of this.#planning.disappointments) {
        const failure = new Failure(`${why}.`, { step: 'open', scope: 'folder', lasting: true });
        failures.push({ folder, failure });
      }
      for (const pair of this.#pairs) {
        let failure = await rounds.visit(pair);
        // An interrupted APPEND of an earlier process is settled within seconds.
        const due = this.#due.get(pair);
        if (due !== undefined && due - this.#works.clock.ticks() <= this.#works.pace.settle) {
          await this.#works.clock.sleep(
            Math.max(0, due - this.#works.clock.ticks()),
            this.#world.quit,
          );
          failure = await rounds.visit(pair);
        }
        failure = await this.#visitSlowly(rounds, pair, failure);
        if (failure) failures.push({ folder: pair.source, failure });
      }
      await this.#finish();
      lanes.abort();
      await life;
    } catch (thrown) {
      failures.push({ failure: asFailure(thrown, 'connect') });
    } finally {
      quit.removeEventListener('abort', clear);
      lanes.abort();
      await this.#end();
    }
    failures.push(...this.#blockade.failures.map((failure) => ({ failure })));
    if (this.#pacing.failure) failures.push({ failure: this.#pacing.failure });
    return { failures };
  }

  /**
   * Visits a folder again after a pause, as often as a server asks to go slower, unless it asks for too long a pause; and as
   * often as a batch is tried where a rate limit left no room to try it again at once.
   */
  async #visitSlowly(rounds: Rounds, pair: FolderPair, failure: Failure | undefined) {
    const { clock, pace, quit } = this.#world;
    let tries = 1;
    for (let last = failure; ; last = await rounds.visit(pair)) {
      const paced = this.#paced.delete(pair) && tries++ < pace.attempts;
      const slowed = this.#slowed.delete(pair) || paced;
      let pause = slowed && !this.#deliveries.blocked ? this.#blockade.pause : undefined;
      if (last?.kind === 'throttled') {
        const asked = this.#tempo.slower(last.retryAfter);
        pause = asked > pace.sweepWaits ? undefined : asked;
      }
      if (pause === undefined) return last;
      this.#pacing.visiting(pair);
      await clock.sleep(pause, quit);
    }
  }

  /** What stands before the queue, where there are rate limits, and who counts what is in hand. */
  #surroundings(): Surroundings {
    const { budget, clock, quit } = this.#world;
    const counting = {
      took: (load: Load) => this.#drain.took(load),
      letGo: (load: Load) => this.#drain.letGo(load),
    };
    if (!budget.counts) return counting;
    const world: TurnstileWorld = {
      budget,
      clock,
      quit,
      weigh: (batch) => weigh(this.#works, batch),
      paced: (...what) => this.#pacing.paced(...what),
      postponed: (...what) => this.#pacing.postponed(...what),
    };
    return { ...counting, turnstile: (beyond) => new Turnstile(world, beyond) };
  }

  /** Connects both sides and makes the plan. Resolves with the source connection, for the first lane to take over. */
  async #begin(): Promise<SourceSession[]> {
    const { session, source, dest } = await this.#connections.first();
    this.#plan(source, dest);
    return [session];
  }

  #plan(source: Listing, dest: Listing): void {
    this.#works.moveFolder?.listed(source);
    this.#planning.renew(source, dest);
    this.#uncarried = uncarried(this.#route, source, this.#pairs);
  }

  /** Folders come and go: makes the plan anew, and has it looked after. Until that can be done, all stays as it is. */
  async #planAnew(posts: Posts): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const source = await posts.listFolders();
      mustList(source, 'source');
      const dest = await this.#connections.listDestination();
      if (this.#world.quit.aborted) return;
      this.#plan(source, dest);
      posts.fill(this.#pairs);
    } catch (thrown) {
      const failure = asFailure(thrown, 'look');
      // A lost connection is begun anew, and the next sweep asks again.
      if (this.#world.quit.aborted || failure.kind === 'lost') return;
      this.#emit('plan.kept', { why: failure.message, err: failure });
    } finally {
      this.#asking = false;
    }
  }

  #laneWorld(first: SourceSession[]): LaneWorld {
    const { emit, clock, pace } = this.#world;
    return {
      route: this.#route.name,
      emit,
      clock,
      pace,
      connect: async (stop, refused) => first.pop() ?? this.#connections.source(stop, refused),
      admit: (pair, view, abilities) => admit(this.#route, pair, view, abilities),
      epochOf: (pair, view) => this.#epochs.of(pair, view),
      readOnly: this.#route.dryRun || this.#route.afterDelivery.kind === 'keep',
    };
  }

  async #carry(batch: Batch, arrived: () => void): Promise<void> {
    const { quit } = this.#world;
    if (quit.aborted || this.#deliveries.blocked) return;
    const trip = setOut(arrived);
    try {
      const carry = this.#route.dryRun ? rehearse : deliver;
      this.#blockade.delivered(await carry(this.#worksFor(batch), batch, trip));
    } catch (thrown) {
      if (quit.aborted) return;
      const why = asFailure(thrown, 'fetch');
      if (why.kind === 'paced') return this.#putOff(batch);
      const failure = this.#blockade.failed(batch, trip, why);
      const { epoch, messages } = batch;
      const { createAs } = epoch.pair;
      if (failure.kind === 'use-refused' && createAs) this.#planning.refused(createAs);
      if (failure.kind === 'throttled') this.#slowed.add(epoch.pair);
      const parts = failure.kind === 'lost' && messages.length > 1;
      if (parts) for (const { uid } of messages) epoch.apart.add(uid);
      if (parts || failure.kind === 'renumbered' || failure.kind === 'relieved')
        this.#revisit(epoch.pair, 0);
    }
  }

  /**
   * A batch that did not get through waits for a rate limit, which is no failure. There may never be room for so many tries
   * that it becomes clear which message is the culprit: each travels by itself from now on.
   */
  #putOff({ epoch, messages }: Batch): void {
    this.#paced.add(epoch.pair);
    for (const { uid } of messages) epoch.apart.add(uid);
  }

  /** With what a batch asks of both accounts counted as its own. */
  #worksFor(batch: Batch): Works {
    if (batch.spent === undefined) return this.#works;
    const { traffic } = batch.spent;
    const again = () => this.#pacing.again(batch, sum(weigh(this.#works, batch)));
    return { ...this.#works, traffic, again };
  }

  #revisit(pair: FolderPair, after: number): void {
    const at = this.#works.clock.ticks() + after;
    this.#due.set(pair, Math.min(at, this.#due.get(pair) ?? Number.POSITIVE_INFINITY));
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        // Timers come early by a millisecond, and at most after 24 days.
        const left = at - this.#works.clock.ticks();
        if (left > 0) return this.#revisit(pair, left);
        void this.#nudge(pair, 'retry');
      },
      Math.min(Math.max(1, after), LONGEST_TIMER),
    );
    this.#timers.add(timer);
  }

  /** Finishes what is in flight; the caller's `cut` bounds how long. */
  async #finish(): Promise<void> {
    if (this.#world.quit.aborted) this.#deliveries.clear();
    await this.#deliveries.drained();
  }

  async #end(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#blockade.end();
    await this.#works.destinations.close();
  }

  #emit(...[event, fields]: Parameters<Emit>): void {
    this.#world.emit(event, { route: this.#route.name, ...fields });
  }
}
