/** What becomes known of a rate limit that leaves no room: it is told, seldom, and what waited is looked for later. */
import type { Emit } from '../domain/events.ts';
import { Failure } from '../domain/failure.ts';
import type { Clock } from '../domain/ports.ts';
import type { FolderPair } from '../domain/route.ts';
import type { Hindrance } from '../domain/status.ts';
import type { Wait } from './budget.ts';
import type { Batch } from './folder-state.ts';
import type { Pace } from './pace.ts';

/** Shorter waits are not worth a word. */
const WORTH_TELLING = 1000;

export interface PacingWorld {
  readonly route: string;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly emit: Emit;
  /** Has a folder looked through again after so many ms. */
  readonly revisit: (pair: FolderPair, after: number) => void;
}

export class Pacing {
  readonly #world: PacingWorld;
  /** When it was told last of old mail, and of mail that had just come (clock ticks). */
  readonly #toldAt = { old: Number.NEGATIVE_INFINITY, fresh: Number.NEGATIVE_INFINITY };
  /** A sweep by command waits longer, and looks for nothing later. */
  patience: 'endless' | 'none' = 'endless';
  #left = 0;
  #wait: Wait | undefined;
  /** Deliveries paused for a limit last. */
  #pausing: Hindrance | undefined;

  constructor(world: PacingWorld) {
    this.#world = world;
  }

  /** Deliveries pause, and so many messages wait. Says how long a connection may be kept from other folders for that. */
  paced(wait: Wait, { messages, fresh }: { messages: number; fresh: boolean }): number {
    const { route, clock, pace, emit } = this.#world;
    const whose = fresh ? 'fresh' : 'old';
    this.#pauses(wait);
    if (wait.ms >= WORTH_TELLING && clock.ticks() - this.#toldAt[whose] >= pace.paced) {
      this.#toldAt[whose] = clock.ticks();
      emit('delivery.paced', {
        route,
        side: wait.side,
        left: messages,
        ms: Math.round(wait.ms),
        until: this.#until(wait),
        ...(fresh && { why: 'mail that has just come is among them' }),
      });
    }
    return this.patience === 'none' ? pace.sweepWaits : pace.notice;
  }

  /** The limit for which deliveries pause. */
  get held(): Hindrance | undefined {
    const { until = 0 } = this.#pausing ?? {};
    return until > this.#world.clock.now() ? this.#pausing : undefined;
  }

  #pauses({ side, ms }: Wait): void {
    const now = this.#world.clock.now();
    const since = this.held?.since ?? now;
    const why = `${limitOf(side)} leaves no room for more just now.`;
    this.#pausing = { since, why, paced: true, until: now + ms };
  }

  /** A batch was put down because its folder's connection is wanted elsewhere meanwhile. */
  postponed({ epoch, messages }: Batch, wait: Wait): void {
    this.#left += messages.length;
    this.#wait = wait;
    if (this.patience === 'endless') this.#world.revisit(epoch.pair, wait.ms);
  }

  /** What a sweep by command has left at the source because of a limit. */
  get failure(): Failure | undefined {
    if (this.#wait === undefined) return undefined;
    const limit = limitOf(this.#wait.side);
    return new Failure(
      `${this.#left} messages stay at the source for now: ${limit} leaves no room for them before ${this.#until(this.#wait)}. Run it again then.`,
      { step: 'append', scope: 'account' },
    );
  }

  #until({ ms }: Wait): string {
    return new Date(this.#world.clock.now() + ms).toISOString();
  }
}

function limitOf(side: Wait['side']): string {
  return side === 'source' ? 'SOURCE_RATE_LIMIT' : 'DEST_RATE_LIMIT';
}
