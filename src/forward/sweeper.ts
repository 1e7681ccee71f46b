/** Nudges every folder each SWEEP_INTERVAL, whatever the events said, and keeps the resting connections alive. */
import { asFailure } from '../domain/failure.ts';
import type { Works } from './works.ts';

/** Sweeps until `quit`. `sweep` has every folder looked at and resolves, never rejects, when that is done. */
export async function sweepForEver(works: Works, sweep: () => Promise<unknown>): Promise<void> {
  const { clock, pace, quit, route, destinations } = works;
  await Promise.all([
    everyNow(route.sweepInterval, async () => {
      const began = clock.now();
      // Not waited for: a folder that can't be reached now must not keep the others from their next sweep.
      void sweep().then(() =>
        works.emit('sweep.finished', { route: route.name, ms: clock.now() - began }),
      );
    }),
    everyNow(pace.rest, () => destinations.tend()),
  ]);

  async function everyNow(interval: number, work: () => Promise<void>): Promise<void> {
    while (!quit.aborted) {
      await clock.sleep(interval, quit).catch(() => undefined);
      if (!quit.aborted) await work().catch((thrown) => told(thrown));
    }
  }

  function told(thrown: unknown): void {
    if (quit.aborted) return;
    const failure = asFailure(thrown, 'look');
    works.emit('sweep.failed', { route: route.name, why: failure.message, err: failure });
  }
}
