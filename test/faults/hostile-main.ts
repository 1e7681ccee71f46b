/**
 * `imapferry run` with the routes that TEST_ROUTES names (JSON), and waits that TEST_PACE says. The log is JSON on
 * standard output, and a diary for people on standard error.
 */
import { run } from '../../src/commands/run.ts';
import { eventStream } from '../../src/domain/events.ts';
import { PACE } from '../../src/forward/pace.ts';
import { subscribeLog } from '../../src/report/log.ts';
import { type RouteBetween, routeOf } from './hostile-routes.ts';

const { TEST_ROUTES = '[]', TEST_PACE = '{}', STATE_DIR = '' } = process.env;
const stream = eventStream();
const loud = { level: 'trace' } as const;
await subscribeLog(stream, { ...loud, format: 'json' });
await subscribeLog(stream, {
  ...loud,
  format: 'pretty',
  destination: { write: (line: string) => process.stderr.write(line) },
});
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('stopped by SIGTERM')));
const config = {
  routes: (JSON.parse(TEST_ROUTES) as RouteBetween[]).map(routeOf),
  stateDir: STATE_DIR,
  historyDays: 90,
  keepSenders: false,
  logLevel: 'trace',
  logFormat: 'json',
  doubts: [],
  remarks: [],
} as const;
const pace = { ...PACE, ...JSON.parse(TEST_PACE) };
process.exit(await run(config, { signal: stop.signal, stream, pace }));
