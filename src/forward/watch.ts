/**
 * Watches one source folder on a connection of its own. The connection holds IDLE; whatever makes the folder worth a
 * look is a nudge, and nudges that come while a look is under way become one more look.
 */
import { asFailure } from '../domain/failure.ts';
import type { FolderPair, Listing } from '../domain/route.ts';
import { Again } from './again.ts';
import type { Epoch } from './folder-state.ts';
import { Lane, type LaneHooks, type LaneWorld, type Refused } from './lane.ts';
import { look } from './look.ts';
import type { Deliveries } from './queue.ts';
import type { Works } from './works.ts';

/** Why a folder is to be looked at again. */
export type Why = 'start' | 'reconnect' | 'push' | 'asked' | 'sweep' | 'retry';

/** What whoever posts a watcher hears of it. */
export interface Heard {
  /** New mail has come. */
  readonly mailed: () => void;
  /** The server lets the connection not in. */
  readonly refused: Refused;
}

/** Sweeps that catch unannounced mail before a folder is asked by NOOP. */
const DEAF_AFTER = 2;

export class Watch {
  readonly #works: Works;
  readonly #pair: FolderPair;
  readonly #lane: Lane;
  readonly #deliveries: Deliveries;
  #epoch: Epoch | undefined;
  readonly #nudges = new Set<Why>();
  #looking: Promise<void> | undefined;
  #asking = false;
  #caught = 0;
  #stop: AbortSignal | undefined;
  #leftOut = '';
  readonly #again: Again;

  readonly #mailed: () => void;

  constructor(
    works: Works,
    world: LaneWorld,
    pair: FolderPair,
    deliveries: Deliveries,
    { mailed, refused }: Heard,
  ) {
    this.#works = works;
    this.#pair = pair;
    this.#deliveries = deliveries;
    this.#again = new Again(works, pair);
    this.#mailed = mailed;
    const hooks: LaneHooks = {
      onOpen: (epoch) => {
        const why = this.#epoch === undefined ? 'start' : 'reconnect';
        this.#epoch = epoch;
        this.#emit('watcher.idling');
        void this.nudge(why);
      },
      onBarred: (failure) => this.#failed(failure),
      onExists: () => this.#heard(),
      onRenewed: () => this.#emit('watcher.renewed'),
      onRefused: refused,
    };
    this.#lane = new Lane(world, { pair, hooks, idles: true });
  }

  /** Lives until `stop` aborts. */
  async run(stop: AbortSignal): Promise<void> {
    this.#stop = stop;
    await Promise.all([this.#lane.run(stop), this.#ask(stop)]);
  }

  /** Its connection stands. */
  get connected(): boolean {
    return this.#lane.session !== undefined;
  }

  /** Since when its connection stands, or does not (clock ticks). */
  get since(): number {
    return this.#lane.since;
  }

  /** Why the folder could not be looked through. */
  get leftOut(): string | undefined {
    return this.#leftOut || undefined;
  }

  /** It is idling, and nothing of its folder is in hand. */
  get resting(): boolean {
    return this.connected && this.#looking === undefined && this.#epoch?.inHand.size === 0;
  }

  /** Every folder of the source account. */
  listFolders(): Promise<Listing> {
    return this.#lane.listFolders(this.#works.quit);
  }

  /** Has the folder looked at. Resolves, never rejects, when no look is wanted any more. */
  nudge(why: Why): Promise<void> {
    this.#nudges.add(why);
    this.#looking ??= this.#looks();
    return this.#looking;
  }

  /** EXISTS while the server is being asked is an answer; at any other time it is a push. */
  #heard(): void {
    if (!this.#asking) this.#caught = 0;
    const why = this.#asking ? 'asked' : 'push';
    // Said again before the look has begun, it says nothing new.
    if (this.#nudges.has(why)) return;
    this.#emit('watcher.noticed');
    void this.nudge(why);
  }

  async #looks(): Promise<void> {
    // Nudges of one moment are one look.
    await Promise.resolve();
    while (this.#nudges.size > 0 && !this.#works.quit.aborted) {
      const whys = new Set(this.#nudges);
      this.#nudges.clear();
      try {
        await this.#look(whys);
      } catch (thrown) {
        this.#failed(thrown);
      }
    }
    // In the same moment as the last question for nudges: one that came in between would wait for the next.
    this.#looking = undefined;
  }

  async #look(whys: ReadonlySet<Why>): Promise<void> {
    const { quit } = this.#works;
    const again = whys.has('retry') && this.#leftOut !== '';
    if (whys.has('sweep') || again) this.#epoch = await this.#lane.reopen(quit);
    if (this.#epoch === undefined) return;
    const onlyPush = [...whys].every((why) => why === 'push' || why === 'asked');
    const looked = await look(this.#works, this.#lane, this.#epoch, onlyPush ? 'new' : 'all');
    this.#leftOut = '';
    this.#again.looked();
    if (looked.unseen > 0) this.#mailed();
    if (whys.size === 1 && whys.has('sweep') && looked.unseen > 0) this.#caughtMail(looked.unseen);
    for (const batch of looked.batches) this.#deliveries.add(batch);
  }

  #caughtMail(count: number): void {
    this.#caught++;
    this.#emit('sweep.caught', {
      count,
      msg: `The sweep found ${count} messages in ${this.#pair.source} that no push had announced`,
    });
    if (this.#caught === DEAF_AFTER) this.#emit('watcher.deaf');
  }

  /** Asks by NOOP where the server does not announce mail by itself. */
  async #ask(stop: AbortSignal): Promise<void> {
    const { clock, pace } = this.#works;
    while (!stop.aborted) {
      await clock.sleep(pace.ask, stop).catch(() => undefined);
      const session = this.#lane.session;
      const deaf = session !== undefined && !session.abilities.idle;
      if (stop.aborted || this.#epoch === undefined) continue;
      if (!deaf && this.#caught < DEAF_AFTER) continue;
      this.#asking = true;
      await this.#lane
        .use(this.#epoch, stop, (open) => open.noop())
        // A lost connection is the lane's to mend.
        .catch(() => undefined);
      this.#asking = false;
    }
  }

  #failed(thrown: unknown): void {
    const failure = asFailure(thrown, 'look');
    // A lost connection is begun anew, and the folder is looked at then.
    if (this.#works.quit.aborted || this.#stop?.aborted || failure.kind === 'lost') return;
    this.#again.failed(failure);
    if (failure.message === this.#leftOut) return;
    this.#leftOut = failure.message;
    const told = { step: failure.step, why: failure.message, err: failure };
    this.#emit(failure.step === 'journal' ? 'journal.failed' : 'folder.left-out', told);
  }

  #emit(...[event, fields]: Parameters<Works['emit']>): void {
    const { route, emit } = this.#works;
    emit(event, { route: route.name, folder: this.#pair.source, ...fields });
  }
}
