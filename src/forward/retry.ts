/** The only p-retry: how often, and after which pauses, something is tried again. */
import pRetry, { AbortError } from 'p-retry';
import { asFailure, type Failure, type Step } from '../domain/failure.ts';
import type { Clock } from '../domain/ports.ts';
import type { Pace } from './pace.ts';

export interface Tries {
  readonly pace: Pace;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called before each pause, with the number of the try that failed. */
  readonly onFailed: (failure: Failure, attempt: number) => void;
}

/**
 * Connects until it works: 1 s, doubling to 5 min, with jitter, for ever unless `limit` says how often.
 * Rejects with the last Failure, or with the signal's reason.
 */
export function reconnect<T>(
  connect: () => Promise<T>,
  tries: Tries,
  limit = Number.POSITIVE_INFINITY,
): Promise<T> {
  return retried('connect', connect, tries, {
    retries: limit - 1,
    minTimeout: tries.pace.reconnectFirst,
    maxTimeout: tries.pace.reconnectLongest,
    mayRetry: () => true,
  });
}

/**
 * Tries a batch again while its failures are temporary and tries are left. Rejects with the last Failure.
 * @param again is awaited before each further try; where it rejects, there is none
 */
export function attempt<T>(
  work: () => Promise<T>,
  again: () => Promise<void>,
  tries: Tries,
): Promise<T> {
  const inTurn = async (attempt: number) => {
    if (attempt > 1) await again();
    return work();
  };
  return retried('fetch', inTurn, tries, {
    retries: tries.pace.attempts - 1,
    minTimeout: tries.pace.attemptFirst,
    maxTimeout: tries.pace.reconnectLongest,
    mayRetry: (failure) => !failure.lasting && failure.scope === 'connection',
  });
}

interface Policy {
  readonly retries: number;
  readonly minTimeout: number;
  readonly maxTimeout: number;
  readonly mayRetry: (failure: Failure) => boolean;
}

function retried<T>(
  step: Step,
  work: (attempt: number) => Promise<T>,
  { clock, signal, onFailed }: Tries,
  { mayRetry, ...policy }: Policy,
): Promise<T> {
  return pRetry(
    async (attempt) => {
      try {
        return await work(attempt);
      } catch (thrown) {
        // p-retry never retries a TypeError and does retry nothing that is no Error: it gets Failures only.
        const failure = asFailure(thrown, step);
        if (signal.aborted || !mayRetry(failure)) throw new AbortError(failure);
        throw failure;
      }
    },
    {
      ...policy,
      factor: 2,
      randomize: true,
      signal,
      onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
        const failure = asFailure(error, step);
        if (retriesLeft <= 0 || signal.aborted) return;
        onFailed(failure, attemptNumber);
        if (failure.retryAfter !== undefined) await clock.sleep(failure.retryAfter, signal);
      },
    },
  );
}
