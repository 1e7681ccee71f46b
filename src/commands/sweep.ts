/** `imapferry sweep`: forwards all that is there now, prints a summary, exits. */
import type { Config } from '../config/config.ts';
import type { EventStream } from '../domain/events.ts';
import { Failure } from '../domain/failure.ts';
import { accountId } from '../domain/route.ts';
import { PACE, type Pace } from '../forward/pace.ts';
import type { Bar } from '../report/bar.ts';
import { type Crossing, openCrossing } from './crossing.ts';
import { CarriedSummary, PlannedSummary } from './summary.ts';

export interface SweepOptions {
  readonly signal: AbortSignal;
  readonly stream: EventStream;
  /** Prints a line of the summary. */
  readonly print: (line: string) => void;
  readonly pace?: Pace;
  /** Draws how far it has come. */
  readonly bar?: Bar | undefined;
}

/** Resolves with the exit code: 0 all carried (in a dry run: would be), 1 something is not, and is named. */
export async function sweep(
  config: Config,
  { signal, stream, print, pace = PACE, bar }: SweepOptions,
): Promise<number> {
  const cut = new AbortController();
  const putDown = () => {
    setTimeout(() => cut.abort(new Error('imapferry stops')), pace.stop).unref();
  };
  signal.addEventListener('abort', putDown, { once: true });
  let crossing: Crossing;
  try {
    crossing = openCrossing(config, stream.emit, { quit: signal, cut: cut.signal }, pace);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    print(thrown.message);
    return 1;
  }
  using open = crossing;
  for (const doubt of config.doubts) stream.emit('config.doubtful', { msg: doubt });
  const summaries = config.routes.map((route) => {
    const summary = route.dryRun ? new PlannedSummary(route) : new CarriedSummary();
    stream.subscribe((event, fields) => {
      if (fields.route === route.name) summary.take(event, fields);
    });
    return summary;
  });
  let complete = !signal.aborted;
  for (const [i, runner] of open.runners.entries()) {
    const [route, summary] = [config.routes[i], summaries[i]];
    if (route === undefined || summary === undefined) continue;
    bar?.follow(() => ({ route: route.name, ...runner.progress }));
    const { failures } = await runner.sweep({ counts: bar !== undefined });
    bar?.follow(undefined);
    const rows = open
      .journalOf(route)
      .route(route.name, accountId(route.source), accountId(route.destination));
    const { lines, whole } = summary.end(rows, failures);
    for (const line of lines) print(`${route.name}: ${line}`);
    if (!whole || signal.aborted) complete = false;
  }
  return complete ? 0 : 1;
}
