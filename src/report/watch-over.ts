/** Looks every few seconds whether mail flows, tells when that changes, and passes the verdict on. */
import type { Emit } from '../domain/events.ts';
import type { Clock } from '../domain/ports.ts';
import type { Status } from '../domain/status.ts';
import { withoutAddresses } from './sentences.ts';

const LOOK = 10_000;

export interface WatchWorld {
  readonly status: () => Status;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Called with each look, in their order: alerts, the heartbeat, systemd. They return at once. */
  readonly readers: readonly ((status: Status) => void)[];
  /** ms between two looks. */
  readonly every?: number;
}

/** Watches until `signal`. Rejects only for a mistake of ours. */
export async function watchOver({
  status,
  clock,
  emit,
  signal,
  readers,
  every = LOOK,
}: WatchWorld): Promise<void> {
  let unwellSince: number | undefined;
  while (!signal.aborted) {
    const now = status();
    const [first] = now.troubles.filter(({ unhealthy }) => unhealthy);
    if (!now.healthy && unwellSince === undefined) {
      unwellSince = clock.ticks();
      const { route, folder, side } = first ?? {};
      emit('health.degraded', {
        ...(route !== undefined && { route }),
        ...(folder !== undefined && { folder }),
        ...(side !== undefined && { side }),
        ...(first && { why: first.says }),
        count: now.troubles.length,
      });
    }
    if (now.healthy && unwellSince !== undefined) {
      emit('health.recovered', { ms: Math.round(clock.ticks() - unwellSince) });
      unwellSince = undefined;
    }
    for (const reader of readers) reader(now);
    await clock.sleep(every, signal).catch(() => undefined);
  }
}

/** One line on how it is, for systemd. */
export function inOneLine({ healthy, troubles, routes }: Status): string {
  const [first] = troubles.filter(({ unhealthy }) => unhealthy);
  if (!healthy) return withoutAddresses(first?.says ?? 'mail does not flow');
  const begun = routes.filter(({ ready }) => ready).length;
  const many = routes.length === 1 ? 'the route' : `${begun} of ${routes.length} routes`;
  return begun === 0 ? 'connects' : `mail flows: ${many} ${begun === 1 ? 'is' : 'are'} watched`;
}
