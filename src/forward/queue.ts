/**
 * The only p-queue. Batches wait here as UIDs and are carried a few at a time. It hands out no promises: a batch's end is
 * told to its folder, and a stop waits for `drained`.
 */
import PQueue from 'p-queue';
import { Turns } from '../domain/turns.ts';
import type { Batch, Epoch } from './folder-state.ts';
import { bytesOf } from './folder-state.ts';
import type { Lane } from './lane.ts';
import type { Load } from './traffic.ts';
import type { Beyond, Turnstile } from './turnstile.ts';

/** What stands before the queue, and who counts what is in hand. */
export interface Surroundings {
  /** Rate limits hold: batches go through this first. */
  readonly turnstile?: (beyond: Beyond) => Turnstile;
  readonly took?: (load: Load) => void;
  readonly letGo?: (load: Load) => void;
}

/**
 * Carries one batch; never rejects.
 * @param arrived to be called when its copies are proven: what is left to be done keeps no other batch from being begun
 */
export type Carry = (batch: Batch, arrived: () => void) => Promise<void>;

export class Deliveries {
  readonly #queue: PQueue;
  readonly #carry: Carry;
  /** A batch that travels alone has it alone. */
  readonly #turns = new Turns();
  readonly #turnstile: Turnstile | undefined;
  readonly #surroundings: Surroundings;
  #blocked = false;
  /** Batches that have not begun. */
  readonly #waiting = new Set<Batch>();
  /** Those that have. */
  readonly #underWay = new Set<Promise<void>>();

  constructor(concurrency: number, carry: Carry, surroundings: Surroundings = {}) {
    this.#queue = new PQueue({ concurrency });
    this.#carry = carry;
    this.#surroundings = surroundings;
    this.#turnstile = surroundings.turnstile?.({
      room: () => this.#queue.onSizeLessThan(1),
      pass: (batch) => this.#enqueue(batch),
      putDown: (batch) => this.#letGo(batch),
    });
  }

  /** Has so many batches under way from now on; what is under way goes on. */
  set concurrency(most: number) {
    this.#queue.concurrency = most;
  }

  /**
   * Takes a batch in hand, without what another one holds by now: a folder may be looked at on two connections while it
   * passes from one to the other. Mail that has just come overtakes old mail.
   */
  add(found: Batch): void {
    // It would never be begun, and whoever waits for its folder would wait for ever.
    if (this.#blocked) return;
    const messages = found.messages.filter(({ uid }) => !found.epoch.inHand.has(uid));
    if (messages.length === 0) return;
    const batch = messages.length === found.messages.length ? found : { ...found, messages };
    for (const { uid } of batch.messages) batch.epoch.inHand.add(uid);
    this.#surroundings.took?.({ messages: messages.length, bytes: bytesOf(messages) });
    if (this.#turnstile) this.#turnstile.enter(batch);
    else this.#enqueue(batch);
  }

  #enqueue(batch: Batch): void {
    this.#waiting.add(batch);
    void this.#queue
      .add(() => this.#begin(batch), { priority: batch.fresh ? 1 : 0 })
      // Only `clear` rejects it; the folder hears of that by the batch being put down.
      .catch(() => this.#waiting.delete(batch) && this.#letGo(batch));
  }

  /** Resolves when another batch may be begun in its place. */
  async #begin(batch: Batch): Promise<void> {
    const arrived = Promise.withResolvers<void>();
    const carry = () => this.#through(batch, arrived.resolve);
    const whole = batch.alone ? this.#turns.alone(carry) : this.#turns.beside(carry);
    this.#underWay.add(whole);
    const over = whole.finally(() => this.#underWay.delete(whole));
    await (batch.alone ? over : Promise.race([over, arrived.promise]));
  }

  async #through(batch: Batch, arrived: () => void): Promise<void> {
    if (!this.#waiting.delete(batch)) return;
    try {
      await this.#carry(batch, arrived);
    } finally {
      this.#letGo(batch);
    }
  }

  /**
   * What has not begun of a folder's batches on that connection is in hand no more. Says which; each keeps its place, should
   * it be added again before that is reached.
   */
  takeBack(epoch: Epoch, lane: Lane): Batch[] {
    const isMeant = (batch: Batch) => batch.epoch === epoch && batch.lane === lane;
    const back = [...this.#waiting].filter(isMeant);
    for (const batch of back) {
      this.#waiting.delete(batch);
      this.#letGo(batch);
    }
    return [...back, ...(this.#turnstile?.putDown(isMeant) ?? [])];
  }

  #letGo({ epoch, messages, spent }: Batch): void {
    for (const { uid } of messages) epoch.inHand.delete(uid);
    this.#surroundings.letGo?.({ messages: messages.length, bytes: bytesOf(messages) });
    spent?.settle();
    this.#turnstile?.again();
    this.#told();
  }

  /** Puts down what waits for a rate limit of one folder, or of all: a look finds it again. */
  putDown(inHand?: ReadonlySet<number>): void {
    this.#turnstile?.putDown(({ epoch }) => inHand === undefined || epoch.inHand === inHand);
  }

  /** Resolves once no message of that folder is in hand. */
  async idle(inHand: ReadonlySet<number>): Promise<void> {
    while (inHand.size > 0) await this.#next();
  }

  /** Begins no batch until `resume`. What is under way goes on. */
  hold(): void {
    this.#queue.pause();
  }

  resume(): void {
    if (!this.#blocked) this.#queue.start();
  }

  /** Begins no batch any more, in this process. */
  block(): void {
    this.#blocked = true;
    this.#queue.pause();
    this.clear();
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  /** Puts down what waits. */
  clear(): void {
    this.putDown();
    this.#queue.clear();
  }

  /** Resolves once nothing is under way. */
  async drained(): Promise<void> {
    await this.#queue.onPendingZero();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #listeners: (() => void)[] = [];

  #next(): Promise<void> {
    return new Promise((resolve) => this.#listeners.push(resolve));
  }

  #told(): void {
    for (const listener of this.#listeners.splice(0)) listener();
  }
}
