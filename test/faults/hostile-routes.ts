/** Several routes of one process, as a test tells them to its child. */
import type { Account, Route } from '../../src/domain/route.ts';

export const MAX_WATCHERS = 3;

/** A route between two servers of loopback, whose user has one name on both. */
export interface RouteBetween {
  readonly name: string;
  readonly user: string;
  readonly source: number;
  readonly destination: number;
  readonly folders: Route['folders'];
  readonly maxMessageSize?: number;
}

export function routeOf({ name, user, source, destination, ...rest }: RouteBetween): Route {
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
    maxWatchers: MAX_WATCHERS,
    dryRun: false,
    ...rest,
  };
}
