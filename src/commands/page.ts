/** The status page of `run`: what it shows, and where it is served. */
import type { Config } from '../config/config.ts';
import type { EventStream } from '../domain/events.ts';
import type { Journal } from '../domain/ports.ts';
import type { Board } from '../report/board.ts';
import { type HttpWorld, type Served, serve } from '../report/http.ts';
import { countEvents } from '../report/metrics.ts';
import { countsFrom, pageSenders } from '../report/senders.ts';

/** Serves the status page, health and metrics until it is disposed of. Never throws because of the network. */
export function servePage(
  { http, historyDays }: Config,
  board: Board,
  stream: EventStream,
  journal: Journal,
): Served | undefined {
  if (http === undefined) return undefined;
  const world: HttpWorld = {
    status: () => board.status(),
    histories: () => board.histories(),
    senders: () => {
      const now = Date.now();
      return pageSenders(journal.written(countsFrom(now)), historyDays, now);
    },
    // Whatever has happened, the status may be another one.
    subscribe: (changed) => stream.subscribe(changed),
  };
  const metrics = countEvents(stream, () => board.status());
  return serve(world, http, { emit: stream.emit, metrics });
}
