/** What `run` and `sweep` share: STATE_DIR locked, the journal open, one runner a route, all joined to one event stream. */
import type { Config } from '../config/config.ts';
import type { Emit } from '../domain/events.ts';
import type { Journal, Session } from '../domain/ports.ts';
import { type Account, accountId, type Route } from '../domain/route.ts';
import { systemClock } from '../forward/clock.ts';
import { LoginGate } from '../forward/login-gate.ts';
import { PACE, type Pace } from '../forward/pace.ts';
import { RouteRunner } from '../forward/route-runner.ts';
import { destinationAccount } from '../imap/destination.ts';
import { sourceAccount } from '../imap/source.ts';
import { lockStateDir } from '../journal/lock.ts';
import { openJournal } from '../journal/sqlite-journal.ts';

export interface Crossing extends Disposable {
  readonly journal: Journal;
  readonly runners: readonly RouteRunner[];
}

export interface CrossingSignals {
  /** Nothing new is begun. */
  readonly quit: AbortSignal;
  /** What is under way is put down. */
  readonly cut: AbortSignal;
}

/**
 * Locks STATE_DIR, opens the journal and makes a runner a route. Throws a Failure (step `journal`) where STATE_DIR
 * can't be used; then nothing was begun.
 */
export function openCrossing(
  config: Config,
  emit: Emit,
  signals: CrossingSignals,
  pace: Pace = PACE,
): Crossing {
  const lock = lockStateDir(config.stateDir);
  try {
    const { journal, setAside } = openJournal(config.stateDir);
    journal.begin();
    if (setAside !== undefined) {
      emit('journal.torn', {
        msg: `The journal could not be read. It was set aside as ${setAside}; what was carried before is looked for at the destination, and nothing is lost.`,
      });
    }
    const gates = new Map<string, LoginGate>();
    const gateOf = (account: Account) => {
      const id = accountId(account);
      const gate =
        gates.get(id) ?? new LoginGate(account, { journal, clock: systemClock, emit, pace });
      gates.set(id, gate);
      return gate;
    };
    const { silence } = pace;
    const runnerOf = (route: Route) => {
      const { name, idleRenew, maxMessageSize: largest } = route;
      const source = sourceAccount(route.source, { idleRenew, silence, largest });
      const destination = destinationAccount(route.destination, {
        emit,
        route: name,
        silence,
        largest,
      });
      return new RouteRunner(route, {
        source: ending(source, signals.cut),
        destination: ending(destination, signals.cut),
        sourceGate: gateOf(route.source),
        destinationGate: gateOf(route.destination),
        journal,
        clock: systemClock,
        pace,
        emit,
        ...signals,
      });
    };
    replayed(config, journal, emit);
    return {
      journal,
      runners: config.routes.map(runnerOf),
      [Symbol.dispose]() {
        journal.close();
        lock.release();
      },
    };
  } catch (thrown) {
    lock.release();
    throw thrown;
  }
}

/**
 * An account whose connections end when `cut` aborts: a server that keeps a command waiting, or answers it without end,
 * does not keep the process from stopping. What the command was to do, the journal knows as begun.
 */
function ending<S extends Session>(
  account: { connect(signal: AbortSignal): Promise<S> },
  cut: AbortSignal,
) {
  return {
    async connect(signal: AbortSignal): Promise<S> {
      const session = await account.connect(signal);
      const end = () => session.close();
      cut.addEventListener('abort', end, { once: true });
      void session.closed.then(() => cut.removeEventListener('abort', end));
      if (cut.aborted) end();
      return session;
    },
  };
}

/** Tells what was on its way when the last imapferry of this STATE_DIR ended. */
function replayed(config: Config, journal: Journal, emit: Emit): void {
  for (const route of config.routes) {
    const rows = journal.route(route.name, accountId(route.source), accountId(route.destination));
    const count = rows.count('appending') + rows.count('proven');
    if (count > 0) emit('journal.replayed', { route: route.name, count });
  }
}
