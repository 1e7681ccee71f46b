/** Routes and surveys to make reports of. */
import type { Account, ListedFolder, Route } from '../../src/domain/route.ts';
import type { Survey } from '../../src/domain/survey.ts';

export function account(side: Account['side'], changes: Partial<Account> = {}): Account {
  return {
    side,
    host: `${side}.example.org`,
    port: 993,
    security: 'implicit',
    user: 'anna',
    auth: 'password',
    secret: async () => 'none',
    ...changes,
  };
}

export function route(changes: Partial<Route> = {}): Route {
  return {
    name: 'default',
    source: account('source'),
    destination: account('destination'),
    folders: [{ kind: 'pattern', pattern: '*' }],
    createFolders: true,
    afterDelivery: { kind: 'expunge' },
    verify: 'bytes',
    sweepInterval: 600_000,
    idleRenew: 270_000,
    concurrency: 4,
    maxWatchers: 3,
    dryRun: false,
    maxMessageSize: 50_000_000,
    ...changes,
  };
}

export function survey(changes: Partial<Survey> = {}): Survey {
  return {
    reached: true,
    secured: { protocol: 'TLSv1.3', certificateEnds: new Date('2027-01-01T00:00:00Z') },
    loggedIn: true,
    server: 'Dovecot',
    capabilities: new Set(['IDLE', 'UIDPLUS', 'MOVE', 'LITERAL+', 'MULTIAPPEND']),
    quotas: [],
    folders: [folder('INBOX')],
    createsSpecialUse: false,
    ...changes,
  };
}

export function folder(path: string): ListedFolder {
  return { path, delimiter: '/', attributes: new Set() };
}
