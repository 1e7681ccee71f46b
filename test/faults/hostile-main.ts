/**
 * `imapferry run` with the routes that TEST_ROUTES names (JSON), and waits that TEST_PACE says. The log is JSON on
 * standard output, and a diary for people on standard error.
 */
import { run } from '../../src/commands/run.ts';
import { eventStream } from '../../src/domain/events.ts';
import type { Account, Route } from '../../src/domain/route.ts';
import { PACE } from '../../src/forward/pace.ts';
import { subscribeLog } from '../../src/report/log.ts';

/** A route between two servers of loopback, whose user has one name on both. */
export interface RouteBetween {
  readonly name: string;
  readonly user: string;
  readonly source: number;
  readonly destination: number;
  readonly folders: Route['folders'];
  readonly maxMessageSize?: number;
}

function routeOf({ name, user, source, destination, ...rest }: RouteBetween): Route {
  const account = (side: Account['side'], port: number): Account => ({
    side,
    host: '127.0.0.1',
    port,
    security: 'none',
    user,
    auth: 'password',
    secret: async () => `secret-of-${user}`,
  });
  return {
    name,
    source: account('source', source),
    destination: account('destination', destination),
    createFolders: true,
    afterDelivery: { kind: 'expunge' },
    verify: 'bytes',
    sweepInterval: 600_000,
    idleRenew: 270_000,
    concurrency: 1,
    maxWatchers: 3,
    ...rest,
  };
}

const { TEST_ROUTES = '[]', TEST_PACE = '{}', STATE_DIR = '' } = process.env;
const stream = eventStream();
const loud = { level: 'trace' } as const;
subscribeLog(stream, { ...loud, format: 'json' });
subscribeLog(stream, {
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
  logLevel: 'trace',
  logFormat: 'json',
  doubts: [],
} as const;
const pace = { ...PACE, ...JSON.parse(TEST_PACE) };
process.exit(await run(config, { signal: stop.signal, stream, pace }));
