/** How far a route has come with the mail that waits: counted as it is taken in hand and carried, told now and then. */
import type { Emit, EventFields, EventName } from '../domain/events.ts';
import type { Clock } from '../domain/ports.ts';
import type { Pace } from './pace.ts';
import { type Load, NO_LOAD, together } from './traffic.ts';

export interface Progress {
  /** Messages that were carried since the drain began, and their bytes. */
  readonly count: number;
  readonly bytes: number;
  /** Messages that are still to be carried, as far as they are known. */
  readonly left: number;
  /** Bytes a second. */
  readonly rate: number;
  /** How many ms the rest will take; absent before anything was carried. */
  readonly eta?: number;
}

/** More than a few batches: who has less to do tells nothing of it. */
const MANY: Load = { messages: 300, bytes: 24 * 1024 * 1024 };

/** What a message costs besides its bytes, in bytes. */
const MESSAGE = 8 * 1024;

export class Drain {
  readonly #clock: Clock;
  #hand = NO_LOAD;
  #done = NO_LOAD;
  #began: number;
  /** It is told of, or watched by somebody: it goes on where for a moment nothing is in hand. */
  #lasting = false;
  /** Messages of folders that no look has seen yet. */
  #ahead: ReadonlyMap<string, number> = new Map();
  readonly #looked = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.ticks();
  }

  /** It lasts until the end of the process. */
  last(): void {
    this.#lasting = true;
    this.#begin();
  }

  /** So many messages are in folders that are going to be looked at. */
  expect(counts: ReadonlyMap<string, number>): void {
    this.#ahead = counts;
  }

  took(load: Load): void {
    if (this.#hand.messages === 0 && !this.#lasting) this.#begin();
    this.#hand = together(this.#hand, load);
  }

  letGo(load: Load): void {
    this.#hand = together(this.#hand, load, -1);
  }

  /** What is told of the route: messages are carried, or a dry run has said what would become of them. */
  hear(event: EventName, { bytes = 0, folder }: EventFields = {}): void {
    if (event === 'delivery.done' || event === 'delivery.planned')
      this.#done = together(this.#done, { messages: 1, bytes });
    if (event === 'folder.looked' && folder !== undefined) this.#looked.add(folder);
  }

  #begin(): void {
    this.#began = this.#clock.ticks();
    this.#done = NO_LOAD;
  }

  get progress(): Progress {
    const { messages: count, bytes } = this.#done;
    const ahead = [...this.#ahead].filter(([folder]) => !this.#looked.has(folder));
    const unseen = ahead.reduce((sum, [, messages]) => sum + messages, 0);
    const took = Math.max(1, this.#clock.ticks() - this.#began);
    const known = { count, bytes, left: this.#hand.messages + unseen, rate: (bytes / took) * 1000 };
    if (count === 0) return known;
    // What nobody has seen yet is taken to be as large as what was carried.
    const weight = bytes + count * MESSAGE;
    const rest = this.#hand.bytes + this.#hand.messages * MESSAGE + (unseen * weight) / count;
    return { ...known, eta: (took * rest) / weight };
  }

  /** Tells it every `pace.progress` while many messages wait and some of them go, and at its end. Lives until `quit`. */
  async tell(
    route: string,
    { clock, pace, emit, quit }: { clock: Clock; pace: Pace; emit: Emit; quit: AbortSignal },
  ): Promise<void> {
    let told = 0;
    while (!quit.aborted) {
      await clock.sleep(pace.progress, quit).catch(() => undefined);
      const { progress } = this;
      const isOver = progress.left === 0;
      const isMany =
        this.#hand.messages + progress.count > MANY.messages ||
        this.#hand.bytes + progress.bytes > MANY.bytes;
      if (quit.aborted || !(this.#lasting || (isMany && !isOver))) continue;
      if (!this.#lasting) told = 0;
      this.#lasting = !isOver;
      if (progress.count > told) emit('drain.progress', { route, ...rounded(progress) });
      told = progress.count;
    }
  }
}

function rounded({ rate, eta, ...counts }: Progress): Progress {
  return {
    ...counts,
    rate: Math.round(rate),
    ...(eta !== undefined && { eta: Math.round(eta) }),
  };
}
