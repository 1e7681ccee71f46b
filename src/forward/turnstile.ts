/**
 * Lets batches through to the queue as a route's rate limits allow: mail that has just come before old mail, each batch cut
 * to what is left of a limit. Nothing is let through before the queue has room, so that new mail never waits behind more
 * than one batch of old mail. Where a limit leaves nothing, batches wait here, and it is told until when.
 */
import type { Clock } from '../domain/ports.ts';
import type { Budget, Spent, Wait } from './budget.ts';
import type { Batch } from './folder-state.ts';
import { type Load, type Loads, NO_LOAD, together } from './traffic.ts';

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
    const { quit } = this.#world;
    this.#going = true;
    while (this.#waiting.length > 0 && !quit.aborted) {
      await this.#beyond.room();
      const [first] = this.#waiting;
      if (first === undefined) break;
      const wait = this.#wait(first, 1);
      if (wait.ms > 0) await this.#pause(wait);
      else this.#letThrough(first);
    }
    this.#going = false;
  }

  /** As much of the first one as is within the limits. */
  #letThrough(first: Waiting): void {
    const { batch, loads } = first;
    let count = 1;
    while (count < loads.length && this.#wait(first, count + 1).ms === 0) count++;
    this.#waiting.shift();
    if (count < loads.length) {
      const rest = { ...batch, messages: batch.messages.slice(count) };
      this.#waiting.unshift({ batch: rest, loads: loads.slice(count) });
    }
    const spent: Spent = this.#world.budget.spend(sum(loads.slice(0, count)));
    this.#beyond.pass({ ...batch, messages: batch.messages.slice(0, count), spent });
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

function sum(loads: readonly Loads[]): Loads {
  const add = (side: keyof Loads) =>
    loads.reduce((all: Load, each) => together(all, each[side]), NO_LOAD);
  return { source: add('source'), destination: add('destination') };
}
