/** The status, looked at as seldom as its answers allow, so that many readers cost mail nothing. */
import type { RouteHistory, Status } from '../../domain/status.ts';
import { pageDoubts } from '../senders.ts';
import { type Verdict, verdictOf } from '../verdict.ts';
import type { HttpWorld, Senders } from './world.ts';

/** How long (ms) an answer serves every reader. A status serves until the world says that it is another one. */
const FRESH = { status: 500, histories: 5_000, senders: 60_000 } as const;

/** The status with the sentence on top of it. */
export interface Told extends Status {
  readonly verdict: Verdict;
  /** What speaks against letting the old mailbox go, whoever writes to it: whole sentences. */
  readonly doubts: readonly string[];
}

export interface Glance extends Disposable {
  status(): Status;
  told(): Told;
  histories(): readonly RouteHistory[];
  senders(): Senders | undefined;
}

/** @param changed is called after the world said that its status may be another one */
export function glanceAt(world: HttpWorld, changed: () => void): Glance {
  const status = kept(() => world.status(), FRESH.status);
  const histories = kept(() => world.histories(), FRESH.histories);
  const senders = kept(() => world.senders(), FRESH.senders);
  const unsubscribe = world.subscribe(() => {
    status.forget();
    changed();
  });
  return {
    status: status.get,
    told: () => {
      const now = status.get();
      return { ...now, verdict: verdictOf(now), doubts: pageDoubts(now) };
    },
    histories: histories.get,
    senders: senders.get,
    [Symbol.dispose]: unsubscribe,
  };
}

/** What `ask` answers, kept for so many ms. What it throws is not kept. */
function kept<T>(ask: () => T, ms: number): { get: () => T; forget: () => void } {
  let answer: { readonly value: T; readonly at: number } | undefined;
  return {
    get() {
      const now = performance.now();
      if (answer === undefined || now - answer.at >= ms) answer = { value: ask(), at: now };
      return answer.value;
    },
    forget() {
      answer = undefined;
    },
  };
}
