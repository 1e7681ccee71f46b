/** `imapferry sweep`: forwards all that is there now, prints a summary, exits. */
import type { Config } from '../config/config.ts';
import type { EventStream } from '../domain/events.ts';
import { Failure } from '../domain/failure.ts';
import { accountId } from '../domain/route.ts';
import { PACE, type Pace } from '../forward/pace.ts';
import { type Crossing, openCrossing } from './crossing.ts';

export interface SweepOptions {
  readonly signal: AbortSignal;
  readonly stream: EventStream;
  /** Prints a line of the summary. */
  readonly print: (line: string) => void;
  readonly pace?: Pace;
}

/** Resolves with the exit code: 0 all carried, 1 something is not, and is named. */
export async function sweep(
  config: Config,
  { signal, stream, print, pace = PACE }: SweepOptions,
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
  const carried = new Map<string, number>();
  const found = new Map<string, string[]>();
  stream.subscribe((event, { route = '', folder, uid, messageId = '', why }) => {
    if (event === 'delivery.done') carried.set(route, (carried.get(route) ?? 0) + 1);
    // Without a note nobody knows whether this original or a twin of it was carried before.
    if (event === 'delivery.recovered' && why !== undefined) {
      const name = `UID ${uid} in ${folder} ${messageId}`.trimEnd();
      found.set(route, [...(found.get(route) ?? []), name]);
    }
  });
  let complete = !signal.aborted;
  for (const [i, runner] of open.runners.entries()) {
    const route = config.routes[i];
    if (route === undefined) continue;
    const { failures } = await runner.sweep();
    const rows = open.journal.route(
      route.name,
      accountId(route.source),
      accountId(route.destination),
    );
    const aside = rows.aside();
    const waiting = rows.count('appending') + rows.count('proven');
    print(`${route.name}: ${counted(carried.get(route.name) ?? 0, 'message')} carried.`);
    const there = found.get(route.name) ?? [];
    if (there.length > 0) {
      print(
        `${route.name}: ${counted(there.length, 'message')} found at the destination, of which the journal knew nothing, and not sent again; of several that are the same to the last byte, one copy may stand for all:`,
      );
      for (const name of there) print(`${route.name}:   ${name}`);
    }
    for (const { folder, failure } of failures) {
      print(`${route.name}: ${folder ?? 'the route'} was not carried through: ${failure.message}`);
    }
    for (const { folder, uid, why } of aside) {
      print(
        `${route.name}: the message with UID ${uid} in ${folder} stays: ${why ?? 'not known why'}`,
      );
    }
    if (waiting > 0)
      print(`${route.name}: ${counted(waiting, 'message')} on the way; run it again.`);
    if (failures.length + aside.length + waiting > 0 || signal.aborted) complete = false;
  }
  return complete ? 0 : 1;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
