/** What `run` and `sweep` share: STATE_DIR locked, the journal open, one runner a route, all joined to one event stream. */
import type { Config } from '../config/config.ts';
import type { Emit } from '../domain/events.ts';
import type { Journal, Session } from '../domain/ports.ts';
import { type Account, accountId, loginId, type Route } from '../domain/route.ts';
import { Budgets } from '../forward/budget.ts';
import { systemClock } from '../forward/clock.ts';
import { Crowd } from '../forward/crowd.ts';
import { LoginGate } from '../forward/login-gate.ts';
import { PACE, type Pace } from '../forward/pace.ts';
import { RouteRunner } from '../forward/route-runner.ts';
import { Seats } from '../forward/seats.ts';
import { Ways } from '../forward/ways.ts';
import { destinationAccount } from '../imap/destination.ts';
import { sourceAccount } from '../imap/source.ts';
import { openForgetful } from '../journal/forgetful.ts';
import { lockStateDir } from '../journal/lock.ts';
import { openJournal } from '../journal/sqlite-journal.ts';
import { clearSpool, spoolIn } from '../spool/spool.ts';

export interface Crossing extends Disposable {
  /** The journal in STATE_DIR; where every route is a dry run, the one that forgets. */
  readonly journal: Journal;
  /** The one that a route notes in: a dry run's forgets. */
  readonly journalOf: (route: Route) => Journal;
  readonly runners: readonly RouteRunner[];
}

export interface CrossingSignals {
  /** Nothing new is begun. */
  readonly quit: AbortSignal;
  /** What is under way is put down. */
  readonly cut: AbortSignal;
}

/**
 * Locks STATE_DIR, opens the journal and makes a runner a route; where every route is a dry run, STATE_DIR is only read.
 * Throws a Failure (step `journal`) where it can't be used; then nothing was begun.
 */
export function openCrossing(
  config: Config,
  emit: Emit,
  signals: CrossingSignals,
  pace: Pace = PACE,
): Crossing {
  const journals = openJournals(config, emit);
  try {
    const { journal, journalOf } = journals;
    const gates = new Map<string, LoginGate>();
    const gateOf = (account: Account) => {
      const id = loginId(account);
      const gate =
        gates.get(id) ?? new LoginGate(account, { journal, clock: systemClock, emit, pace });
      gates.set(id, gate);
      return gate;
    };
    const seats = new Map<string, Seats>();
    const seatsOf = ({ source }: Route) => {
      const id = loginId(source);
      const sharing = config.routes.filter((route) => loginId(route.source) === id);
      const most = Math.max(...sharing.map(({ maxWatchers }) => maxWatchers));
      const known = seats.get(id) ?? new Seats(most);
      seats.set(id, known);
      return known.join();
    };
    const crowds = new Map<string, Crowd>();
    const crowdOf = ({ source: { host } }: Route) => {
      const crowd = crowds.get(host.toLowerCase()) ?? new Crowd();
      crowds.set(host.toLowerCase(), crowd);
      return crowd;
    };
    const ways = new Ways();
    const budgets = new Budgets(config.routes, journal, systemClock);
    const { silence } = pace;
    const runnerOf = (route: Route) => {
      const { name, idleRenew, maxMessageSize: largest } = route;
      const source = sourceAccount(route.source, { idleRenew, silence, largest });
      const destination = destinationAccount(route.destination, {
        emit,
        route: name,
        silence,
        largest,
        readOnly: route.dryRun,
      });
      return new RouteRunner(route, {
        source: ending(source, signals.cut),
        destination: ending(destination, signals.cut),
        sourceGate: gateOf(route.source),
        destinationGate: gateOf(route.destination),
        seats: seatsOf(route),
        crowd: crowdOf(route),
        ways,
        budget: budgets.of(route),
        journal: journalOf(route),
        spool: () => spoolIn(config.stateDir),
        clock: systemClock,
        pace,
        emit,
        ...signals,
      });
    };
    const carrying = config.routes.filter(({ dryRun }) => !dryRun);
    replayed(carrying, journal, emit);
    return {
      journal,
      journalOf,
      runners: config.routes.map(runnerOf),
      [Symbol.dispose]: journals[Symbol.dispose],
    };
  } catch (thrown) {
    journals[Symbol.dispose]();
    throw thrown;
  }
}

/**
 * The journals that the routes want: the one in STATE_DIR, locked, unless all are dry runs; one that forgets for these.
 * The latter reads STATE_DIR first: POSIX drops a process' locks on a file when it closes any descriptor of it.
 */
function openJournals({ routes, stateDir, keepSenders }: Config, emit: Emit) {
  using opened = new DisposableStack();
  const forgetful = routes.some(({ dryRun }) => dryRun) ? forgetting(stateDir, emit) : undefined;
  if (forgetful) opened.defer(() => forgetful.close());
  const kept = routes.every(({ dryRun }) => dryRun)
    ? undefined
    : keeping({ stateDir, keepSenders }, emit, opened);
  const journal = kept ?? forgetful;
  if (journal === undefined) throw new TypeError('a crossing wants a route');
  const all = opened.move();
  return {
    journal,
    journalOf: ({ dryRun }: Route) => (dryRun && forgetful ? forgetful : journal),
    [Symbol.dispose]: () => all.dispose(),
  };
}

function forgetting(stateDir: string, emit: Emit): Journal {
  const { journal, torn } = openForgetful(stateDir);
  journal.begin();
  if (torn) {
    emit('journal.torn', {
      msg: 'The journal could not be read. This dry run leaves it as it is, and looks for what was carried before at the destination; nothing is lost.',
    });
  }
  return journal;
}

function keeping(
  { stateDir, keepSenders }: Pick<Config, 'stateDir' | 'keepSenders'>,
  emit: Emit,
  opened: DisposableStack,
): Journal {
  const lock = lockStateDir(stateDir);
  opened.defer(() => lock.release());
  clearSpool(stateDir);
  const { journal, setAside, uncleaned = [] } = openJournal(stateDir, Date.now, keepSenders);
  opened.defer(() => journal.close());
  journal.begin();
  if (setAside !== undefined) {
    emit('journal.torn', {
      msg: `The journal could not be read. It was set aside as ${setAside}; what was carried before is looked for at the destination, and nothing is lost.`,
    });
  }
  for (const name of uncleaned) {
    emit('journal.torn', {
      msg: `${name}, a journal that was set aside, may hold senders' addresses, and could not be changed. Remove it, or make it writable: KEEP_SENDERS=false is to leave none.`,
    });
  }
  return journal;
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
function replayed(routes: readonly Route[], journal: Journal, emit: Emit): void {
  for (const route of routes) {
    const rows = journal.route(route.name, accountId(route.source), accountId(route.destination));
    const count = rows.count('appending') + rows.count('proven');
    if (count > 0) emit('journal.replayed', { route: route.name, count });
  }
}
