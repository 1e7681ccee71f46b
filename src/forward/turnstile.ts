/**
 * Lets batches through to the queue as a route's rate limits allow: mail that has just come before old mail, each batch cut
 * to what is left of a limit. Nothing is let through before the queue has room, so that new mail never waits behind more
 * than one batch of old mail. Where a limit leaves nothing, batches wait here, and it is told until when. New mail for which
 * there is room goes before new mail that is too large for now, as long as that waits no longer for it.
 */
import type { Clock } from '../domain/ports.ts';
import type { Budget, Spent, Wait } from './budget.ts';
import type { Batch } from './folder-state.ts';
import { fits, type Loads, sum } from './traffic.ts';

/** The queue, as far as the turnstile knows it. */
export interface Beyond {
  /** Resolves when the queue could begin one batch more. */
  readonly room: () => Promise<void>;
  readonly pass: (batch: Batch) => void;
  /** The batch is in hand no more; a look finds it again. */
  readonly putDown: (batch: Batch) => void;
}

export interface TurnstileWorld {
  readonly budget: Budget;
  readonly clock: Clock;
  readonly quit: AbortSignal;
  /** What each message of a batch will ask of both accounts. */
  readonly weigh: (batch: Batch) => readonly Loads[];
  /**
   * Nothing goes on for so long, and so many messages wait. Says how long a connection may be kept from other folders
   * for that; longer, and its batches are put down.
   */
  readonly paced: (wait: Wait, waiting: { messages: number; fresh: boolean }) => number;
  /** Batches of a folder were put down because of that. */
  readonly postponed: (batch: Batch, wait: Wait) => void;
}

interface Waiting {
  readonly batch: Batch;
  readonly loads: readonly Loads[];
}

const NOTHING = () => {};

export class Turnstile {
  readonly #world: TurnstileWorld;
  readonly #beyond: Beyond;
  /** The next one first. */
  #waiting: Waiting[] = [];
  #going = false;
  #changed = new AbortController();

  constructor(world: TurnstileWorld, beyond: Beyond) {
    this.#world = world;
    this.#beyond = beyond;
  }

  enter(batch: Batch): void {
    const entry = { batch, loads: this.#world.weigh(batch) };
    const firstOld = this.#waiting.findIndex((each) => each.batch.fresh !== true);
    const at = batch.fresh && firstOld >= 0 ? firstOld : this.#waiting.length;
    this.#waiting.splice(at, 0, entry);
    this.#changed.abort();
    if (!this.#going) void this.#go();
  }

  /** Puts down what waits, or that of it which is meant. Says which batches these were. */
  putDown(isMeant: (batch: Batch) => boolean = () => true): Batch[] {
    const waiting = this.#waiting.map(({ batch }) => batch);
    const meant = new Set(waiting.filter(isMeant));
    this.#waiting = this.#waiting.filter(({ batch }) => !meant.has(batch));
    for (const batch of meant) this.#beyond.putDown(batch);
    this.#changed.abort();
    return [...meant];
  }

  /** A batch is over, and may have asked less than was expected. */
  again(): void {
    this.#changed.abort();
  }

  async #go(): Promise<void> {
    const { budget, quit } = this.#world;
    this.#going = true;
    // Ends that old mail of other routes leaves room for the new mail that waits here.
    let unexpect = NOTHING;
    while (this.#waiting.length > 0 && !quit.aborted) {
      await this.#beyond.room();
      const [first] = this.#waiting;
      if (first === undefined) break;
      const wait = this.#wait(first, 1);
      unexpect();
      const isAwaited = wait.ms > 0 && first.batch.fresh;
      unexpect = isAwaited ? budget.expect(sum(first.loads.slice(0, 1)), wait.side) : NOTHING;
      if (wait.ms === 0) this.#letThrough(first, 0, this.#mostOf(first));
      else if (!this.#overtakes(first, wait)) await this.#pause(wait);
    }
    unexpect();
    this.#going = false;
  }

  /** How many messages of it are within the limits, one at least. */
  #mostOf(first: Waiting): number {
    let count = 1;
    while (count < first.loads.length && this.#wait(first, count + 1).ms === 0) count++;
    return count;
  }

  /** Lets new mail pass by new mail that has to wait, where there is some that may. */
  #overtakes(first: Waiting, wait: Wait): boolean {
    const [large] = first.loads;
    if (!first.batch.fresh || large === undefined) return false;
    const room = this.#world.budget.before(large, { fresh: true, single: true }, wait);
    for (const each of this.#waiting) {
      const { batch, loads } = each;
      if (!batch.fresh) return false;
      const at = loads.findIndex((load) => fits(load, room));
      if (at < 0) continue;
      let count = 1;
      while (at + count < loads.length && fits(sum(loads.slice(at, at + count + 1)), room)) count++;
      this.#letThrough(each, at, count);
      return true;
    }
    return false;
  }

  /** So many messages of one that waits, from that place on. The others keep its place. */
  #letThrough(entry: Waiting, at: number, count: number): void {
    const { batch, loads } = entry;
    const part = (from: number, to?: number): Waiting => ({
      batch: { ...batch, messages: batch.messages.slice(from, to) },
      loads: loads.slice(from, to),
    });
    const others = [part(0, at), part(at + count)].filter((each) => each.loads.length > 0);
    this.#waiting.splice(this.#waiting.indexOf(entry), 1, ...others);
    const passing = part(at, at + count);
    const spent: Spent = this.#world.budget.spend(sum(passing.loads));
    this.#beyond.pass({ ...passing.batch, spent });
  }

  #wait({ batch, loads }: Waiting, count: number): Wait {
    const claim = { fresh: batch.fresh, single: count === 1 };
    return this.#world.budget.wait(sum(loads.slice(0, count)), claim);
  }

  /** Until there is room, or something else may go first. */
  async #pause(wait: Wait): Promise<void> {
    const { clock, quit, paced, postponed } = this.#world;
    const messages = this.#waiting.reduce((count, { loads }) => count + loads.length, 0);
    const bearable = paced(wait, { messages, fresh: this.#waiting[0]?.batch.fresh === true });
    if (wait.ms > bearable) {
      const kept = ({ lane }: Batch) => !lane.watches;
      for (const { batch } of this.#waiting) if (kept(batch)) postponed(batch, wait);
      this.putDown(kept);
    }
    if (this.#waiting.length === 0) return;
    this.#changed = new AbortController();
    const enough = AbortSignal.any([quit, this.#changed.signal]);
    await clock.sleep(wait.ms, enough).catch(() => undefined);
  }
}
