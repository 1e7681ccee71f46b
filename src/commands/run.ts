/** `imapferry run`: watches until it is told to stop, then stops in order. */
import type { Config } from '../config/config.ts';
import type { EventName, EventStream } from '../domain/events.ts';
import { Failure } from '../domain/failure.ts';
import type { Journal } from '../domain/ports.ts';
import { systemClock } from '../forward/clock.ts';
import { PACE, type Pace } from '../forward/pace.ts';
import { Board } from '../report/board.ts';
import { systemd } from '../report/systemd.ts';
import { openCrossing } from './crossing.ts';
import { watch } from './watching.ts';

/** How often the journal is told that this process lives; `health` wants to hear of it. */
const BEAT = 30_000;
/** What `health` is to know at once. */
const NEWS: ReadonlySet<EventName> = new Set([
  'route.ready',
  'route.blocked',
  'account.refused',
  'health.degraded',
  'health.recovered',
]);
/** How often the journal is asked whether `stuck --retry` has written to it. */
const ASK = 2_000;
const DAY = 24 * 60 * 60 * 1000;

export interface RunOptions {
  /** Aborts when imapferry is to stop. */
  readonly signal: AbortSignal;
  readonly stream: EventStream;
  readonly pace?: Pace;
  /** Of this imapferry. */
  readonly version?: string;
  /** ms between two looks at whether mail flows. */
  readonly look?: number;
}

/**
 * Runs every route until `signal` aborts, then finishes what is in flight, at most `pace.stop` long. Resolves with the
 * exit code: 0, or 1 where STATE_DIR can't be used. Rejects only for a mistake of ours.
 */
export async function run(
  config: Config,
  { signal, stream, pace = PACE, version = '', look }: RunOptions,
): Promise<number> {
  const { emit } = stream;
  const cut = new AbortController();
  let crossing: ReturnType<typeof openCrossing>;
  try {
    crossing = openCrossing(config, emit, { quit: signal, cut: cut.signal }, pace);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    emit('journal.failed', { msg: thrown.message, err: thrown });
    return 1;
  }
  using open = crossing;
  const board = new Board({
    version,
    clock: systemClock,
    standings: () => open.runners.map(({ standing }) => standing),
    tallies: (since) => open.journal.tallies(since),
  });
  stream.subscribe((event, fields) => board.hear(event, fields));
  // What it wants is loaded only where it is wanted: it rests in memory.
  const { servePage } = config.http ? await import('./page.ts') : {};
  await using _ = config.http && servePage?.(config, board, stream, open.journal);
  emit('imapferry.started', { count: open.runners.length });
  for (const doubt of config.doubts) emit('config.doubtful', { msg: doubt });
  const beating = keepAlive(open.journal, config.historyDays, board, stream);
  const asking = onWritten(open.journal, () => {
    for (const runner of open.runners) runner.retry();
  });
  const supervisor = systemd(config.supervisor, emit);
  const stopping = () => {
    emit('imapferry.stopping');
    supervisor.stopping();
    setTimeout(() => cut.abort(new Error('imapferry stops')), pace.stop).unref();
  };
  signal.addEventListener('abort', stopping, { once: true });
  if (signal.aborted) stopping();
  try {
    const lives = open.runners.map((runner) => runner.run());
    supervisor.ready();
    const status = () => board.status();
    const watching = { status, systemd: supervisor, emit, signal, every: look };
    await Promise.all([...lives, watch(config, open, watching)]);
  } finally {
    signal.removeEventListener('abort', stopping);
    beating.end();
    clearInterval(asking);
  }
  emit('imapferry.stopped');
  return 0;
}

interface Beating {
  /** Nothing is written any more. */
  end(): void;
}

/**
 * Beats in the journal, with what is to be said of this process where that has changed, and once a day forgets what
 * HISTORY_DAYS no longer covers.
 */
function keepAlive(
  journal: Journal,
  historyDays: number,
  board: Board,
  stream: EventStream,
): Beating {
  let pruneAt = 0;
  let said = '';
  const beat = () => {
    const now = Date.now();
    try {
      const status = JSON.stringify(board.findings());
      journal.beat(now, status === said ? undefined : status);
      said = status;
      board.journalWorks();
      if (now < pruneAt) return;
      pruneAt = now + DAY;
      journal.prune(now - historyDays * DAY);
    } catch (thrown) {
      // No beat, no health: that is what it is for. It is tried again at the next one.
      said = '';
      stream.emit('journal.failed', {
        err: thrown,
        ...(thrown instanceof Failure && { msg: thrown.message }),
      });
    }
  };
  beat();
  const timer = setInterval(beat, BEAT);
  let soon: NodeJS.Immediate | undefined;
  const unsubscribe = stream.subscribe((event) => {
    if (!NEWS.has(event)) return;
    // What makes it news is so only once the event has been told to all; news of one moment are one beat.
    soon ??= setImmediate(() => {
      soon = undefined;
      beat();
    });
  });
  return {
    end() {
      unsubscribe();
      clearInterval(timer);
      clearImmediate(soon);
    },
  };
}

/** Calls `written` when another process has written to the journal: what was set aside is due, then. */
function onWritten(journal: Journal, written: () => void): NodeJS.Timeout {
  let known = revision(journal);
  return setInterval(() => {
    const now = revision(journal);
    if (now === known) return;
    known = now;
    written();
  }, ASK);
}

function revision(journal: Journal): number | undefined {
  try {
    return journal.revision();
  } catch {
    // Whatever stands in the way of the journal is told by whoever has something to note.
    return undefined;
  }
}
