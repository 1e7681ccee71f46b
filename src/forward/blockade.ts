/**
 * Stops a route's deliveries while they would be in vain: for a growing while after the destination, or the journal,
 * refused for everybody's sake; for good after three copies in a row that differ from their originals.
 */
import type { Emit, EventFields } from '../domain/events.ts';
import type { Failure } from '../domain/failure.ts';
import type { Clock } from '../domain/ports.ts';
import type { Hindrance } from '../domain/status.ts';
import type { Outcome, Trip } from './deliver.ts';
import type { Batch } from './folder-state.ts';
import { doubled, type Pace } from './pace.ts';
import type { Deliveries } from './queue.ts';
import type { Tempo } from './tempo.ts';

const MOST_DIFFERING = 3;

interface BlockadeWorld {
  readonly clock: Clock;
  readonly pace: Pace;
  readonly emit: Emit;
  readonly tempo: Tempo;
}

export class Blockade {
  readonly #route: string;
  readonly #deliveries: Deliveries;
  readonly #world: BlockadeWorld;
  readonly #resumed: () => void;
  #differing = 0;
  #holds = 0;
  /** What holds the deliveries happened on the way to the destination. */
  #atDestination = false;
  #timer: NodeJS.Timeout | undefined;
  #heldUntil = 0;
  /** What holds the deliveries, and what has stopped them for good. */
  #held: Hindrance | undefined;
  #blocked: Hindrance | undefined;
  /** With `none`, what would be waited for ends all deliveries: for a sweep by command. */
  patience: 'endless' | 'none' = 'endless';
  /** What ended batches, with patience `none`. */
  readonly failures: Failure[] = [];

  /** @param resumed is called when deliveries begin again after a hold */
  constructor(route: string, deliveries: Deliveries, world: BlockadeWorld, resumed: () => void) {
    this.#route = route;
    this.#deliveries = deliveries;
    this.#world = world;
    this.#resumed = resumed;
  }

  proven(): void {
    this.#differing = 0;
  }

  /** A fresh copy differs from its original. */
  differed(): void {
    this.#differing++;
    if (this.#differing < MOST_DIFFERING) return;
    this.#block({
      count: this.#differing,
      why: 'copies differ from their originals',
      msg: `${this.#differing} copies in a row differ from their originals. The route ${this.#route} delivers nothing more until imapferry is started again; every original stays. If the destination is a server that rebuilds messages (Microsoft 365, Proton), set VERIFY=headers and start again: the copies that are there are then compared, not sent again.`,
    });
  }

  /** For good: until imapferry is started again. */
  #block(fields: EventFields): void {
    if (this.#deliveries.blocked) return;
    this.#deliveries.block();
    this.#blocked = { since: this.#world.clock.now(), why: fields.msg ?? fields.why ?? '' };
    this.#world.emit('route.blocked', { route: this.#route, ...fields });
  }

  /** What has stopped the deliveries until imapferry is started again. */
  get blocked(): Hindrance | undefined {
    return this.#blocked;
  }

  /** What has held the deliveries, until one of them comes through. */
  get held(): Hindrance | undefined {
    const { pause } = this;
    return this.#held && { ...this.#held, until: this.#world.clock.now() + pause };
  }

  /** A batch came through: whatever was wrong is over, unless it was at the destination, where the batch had not to go. */
  delivered(outcome: Outcome): void {
    if (outcome !== 'not sent') this.#world.tempo.wentWell();
    if (this.#holds === 0 || (this.#atDestination && outcome === 'not sent')) return;
    this.#holds = 0;
    this.#held = undefined;
    this.#atDestination = false;
    this.#world.emit('route.resumed', { route: this.#route });
  }

  /** A batch was put down. Says what it failed of; holds the deliveries where that concerns more than the batch. */
  failed(batch: Batch, { atDestination }: Trip, failure: Failure): Failure {
    const { emit } = this.#world;
    if (failure.kind === 'throttled') return this.#slow(batch, atDestination, failure);
    const everybody =
      failure.scope === 'account' ||
      failure.step === 'journal' ||
      (failure.scope === 'folder' && failure.step === 'append');
    emit(failure.step === 'journal' ? 'journal.failed' : 'delivery.postponed', {
      route: this.#route,
      folder: batch.epoch.pair.source,
      dest: batch.epoch.pair.dest,
      count: batch.messages.length,
      step: failure.step,
      why: failure.message,
      err: failure,
    });
    if (failure.kind === 'circle') {
      const { source, dest } = batch.epoch.pair;
      this.#block({
        folder: source,
        dest,
        why: failure.message,
        msg: `${failure.message} The route ${this.#route} carries nothing more until imapferry is started again; every original that is there stays.`,
      });
    }
    if (this.patience === 'none') {
      this.failures.push(failure);
      if (everybody) this.#deliveries.block();
    } else if (everybody) this.#hold(failure, atDestination);
    return failure;
  }

  /** A server asks to go slower: nothing is refused. What was in flight then is told once, and looked for after the pause. */
  #slow({ epoch, messages }: Batch, atDestination: boolean, failure: Failure): Failure {
    if (this.#timer !== undefined || this.#deliveries.blocked) return failure;
    const { emit, tempo, pace } = this.#world;
    const pause = tempo.slower(failure.retryAfter);
    emit('delivery.slowed', {
      route: this.#route,
      folder: epoch.pair.source,
      dest: epoch.pair.dest,
      count: messages.length,
      step: failure.step,
      ms: Math.round(pause),
      why: failure.message,
      err: failure,
    });
    if (this.patience === 'none' && pause > pace.sweepWaits) {
      this.failures.push(failure);
      this.#deliveries.block();
    } else {
      this.#atDestination ||= atDestination;
      this.#holds++;
      this.#holding(failure);
      this.#pause(pause);
    }
    return failure;
  }

  /** How many ms a pause goes on; 0: there is none. */
  get pause(): number {
    if (this.#timer === undefined) return 0;
    return Math.max(0, this.#heldUntil - this.#world.clock.ticks());
  }

  #hold(failure: Failure, atDestination: boolean): void {
    this.#atDestination ||= atDestination && failure.step !== 'journal';
    if (this.#timer !== undefined) return;
    this.#holding(failure);
    const { pace } = this.#world;
    const pause = doubled(pace.holdFirst, this.#holds++, pace.holdLongest);
    this.#pause(Math.max(pause, failure.retryAfter ?? 0));
  }

  #holding({ message: why, kind }: Failure): void {
    const since = this.#held?.since ?? this.#world.clock.now();
    this.#held = { since, why, ...(kind === 'full' && { full: true }) };
  }

  #pause(ms: number): void {
    this.#heldUntil = this.#world.clock.ticks() + ms;
    this.#deliveries.hold();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#deliveries.resume();
      this.#resumed();
    }, ms);
  }

  /** Ends every pause. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
