/** Who hears how a running imapferry is: the household by alerts, somebody far away by the heartbeat, and systemd. */
import type { Config } from '../config/config.ts';
import type { Emit } from '../domain/events.ts';
import { accountId } from '../domain/route.ts';
import type { Status } from '../domain/status.ts';
import { systemClock } from '../forward/clock.ts';
import { Alerter } from '../report/alerter.ts';
import { heartbeat } from '../report/heartbeat.ts';
import type { Systemd } from '../report/systemd.ts';
import { inOneLine, watchOver } from '../report/watch-over.ts';
import type { Crossing } from './crossing.ts';

export interface Watching {
  readonly status: () => Status;
  readonly systemd: Systemd;
  readonly emit: Emit;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** ms between two looks. */
  readonly every?: number | undefined;
}

/** Watches over the routes until `signal`. Rejects only for a mistake of ours. */
export function watch(
  config: Config,
  crossing: Crossing,
  { status, systemd, emit, signal, every }: Watching,
): Promise<void> {
  const clock = systemClock;
  const { heartbeatUrl: url } = config;
  const beat = url && heartbeat({ url, clock, emit });
  return watchOver({
    status,
    clock,
    emit,
    signal,
    readers: [
      alerts(config, crossing, emit, signal),
      // An imapferry that dies and begins again and again has not failed anybody yet: it has to have come so far.
      ({ healthy, routes }) => beat?.({ healthy: healthy && routes.every(({ ready }) => ready) }),
      (status) => systemd.status(inOneLine(status)),
    ],
    ...(every !== undefined && { every }),
  });
}

/** One teller a route. What is no route's is told by the first that tells anything. */
function alerts(
  { routes, alerts: settings }: Config,
  { journalOf, runners }: Crossing,
  emit: Emit,
  quit: AbortSignal,
): (status: Status) => void {
  if (!settings) return () => undefined;
  const world = { ...settings, clock: systemClock, emit, quit };
  const speaker = routes.find(({ dryRun }) => !dryRun) ?? routes[0];
  const alerters = routes.map((route, i) => {
    const { name, source, destination } = route;
    const journal = journalOf(route).route(name, accountId(source), accountId(destination));
    const putLetter = async (message: Buffer, inTime: AbortSignal) =>
      runners[i]?.putLetter(message, inTime);
    return { route, alerter: new Alerter({ route, journal, putLetter }, world) };
  });
  return (status) => {
    for (const { route, alerter } of alerters) {
      const its = status.routes.find(({ route: name }) => name === route.name);
      const troubles = status.troubles.filter(
        (trouble) => (trouble.route ?? speaker?.name) === route.name,
      );
      if (its) alerter.look(its, troubles);
    }
  };
}
