/** What becomes known of a rate limit that leaves no room: it is told, seldom, and what waited is looked for later. */
import type { Emit } from '../domain/events.ts';
import { Failure } from '../domain/failure.ts';
import type { Clock } from '../domain/ports.ts';
import type { FolderPair } from '../domain/route.ts';
import type { Hindrance } from '../domain/status.ts';
import type { Wait } from './budget.ts';
import type { Batch } from './folder-state.ts';
import type { Pace } from './pace.ts';
import type { Loads } from './traffic.ts';

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
  /** What is put down, by its folder. */
  readonly #left = new Map<FolderPair, number>();
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

  #pauses(wait: Wait): void {
    const now = this.#world.clock.now();
    const since = this.held?.since ?? now;
    const why = `${limitOf(wait)} leaves no room for more just now.`;
    this.#pausing = { since, why, paced: true, until: now + wait.ms };
  }

  /**
   * Rejects, with kind `paced`, where there is no room for another try at a batch: it is to be put down, and waits for room
   * as any other once it is found again.
   * @param expected what that try is expected to ask
   */
  async again(batch: Batch, expected: Loads): Promise<void> {
    const { fresh, messages, spent } = batch;
    const wait = spent?.again(expected, { fresh, single: messages.length === 1 });
    if (wait === undefined || wait.ms === 0) return;
    this.paced(wait, { messages: messages.length, fresh });
    this.postponed(batch, wait);
    throw new Failure(`${limitOf(wait)} leaves no room for another try just now.`, {
      step: 'append',
      scope: 'connection',
      kind: 'paced',
      lasting: true,
    });
  }

  /** A batch was put down because its folder's connection is wanted elsewhere meanwhile, or since there is no room to try it again. */
  postponed({ epoch, messages }: Batch, wait: Wait): void {
    this.#left.set(epoch.pair, (this.#left.get(epoch.pair) ?? 0) + messages.length);
    this.#wait = wait;
    if (this.patience === 'endless') this.#world.revisit(epoch.pair, wait.ms);
  }

  /** A folder is looked through again: what was put down there is found. */
  visiting(pair: FolderPair): void {
    this.#left.delete(pair);
  }

  /** What a sweep by command has left at the source because of a limit. */
  get failure(): Failure | undefined {
    const left = [...this.#left.values()].reduce((sum, count) => sum + count, 0);
    if (this.#wait === undefined || left === 0) return undefined;
    return new Failure(
      `${left} messages stay at the source for now: ${limitOf(this.#wait)} leaves no room for them before ${this.#until(this.#wait)}. Run it again then.`,
      { step: 'append', scope: 'account' },
    );
  }

  #until({ ms }: Wait): string {
    return new Date(this.#world.clock.now() + ms).toISOString();
  }
}

function limitOf({ side }: Wait): string {
  return side === 'source' ? 'SOURCE_RATE_LIMIT' : 'DEST_RATE_LIMIT';
}
