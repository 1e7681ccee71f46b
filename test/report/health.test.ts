/** The verdict: one row a state of affairs, and what is said of it. */
import { describe, expect, it } from 'vitest';
import type {
  AccountStatus,
  Findings,
  FolderStatus,
  RouteStatus,
} from '../../src/domain/status.ts';
import { healthOf } from '../../src/report/health.ts';
import { linesOf } from '../../src/report/lines.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 10, 28, 12);
const ago = (minutes: number) => NOW - minutes * MINUTE;

const FOLDER: FolderStatus = {
  folder: 'INBOX',
  dest: 'Post',
  watched: 'idle',
  since: ago(100),
  sweptAt: ago(3),
  waiting: { messages: 0 },
  refused: 0,
  unverified: 0,
};

function account(side: AccountStatus['side'], changes: Partial<AccountStatus> = {}): AccountStatus {
  return { side, is: 'connected', since: ago(100), ...changes };
}

function route(
  changes: Partial<RouteStatus> = {},
  folder: Partial<FolderStatus> = {},
): RouteStatus {
  return {
    route: 'mum',
    dryRun: false,
    sweepInterval: 10 * MINUTE,
    ready: true,
    accounts: [account('source'), account('destination')],
    folders: [{ ...FOLDER, ...folder }],
    queued: 0,
    ...changes,
  };
}

function findings(routes: RouteStatus[], changes: Partial<Findings> = {}): Findings {
  return { version: '1', startedAt: ago(200), routes, ...changes };
}

const accounts = (changes: Partial<AccountStatus>, side: AccountStatus['side'] = 'source') => ({
  accounts: (['source', 'destination'] as const).map((each) =>
    account(each, each === side ? changes : {}),
  ),
});

const WAITS = { messages: 1, oldest: { uid: 7, since: ago(40) } };
const LATE = { waiting: { ...WAITS, late: { uid: 7, since: ago(40) } } };

interface Row {
  readonly state: string;
  readonly of: Findings;
  readonly healthy: boolean;
  /** Its causes. */
  readonly causes: readonly string[];
}

const ROWS: readonly Row[] = [
  { state: 'all is well', of: findings([route()]), healthy: true, causes: [] },
  {
    state: 'it has just begun',
    of: findings(
      [route({ ready: false, folders: [], ...accounts({ is: 'connecting', since: ago(1) }) })],
      {
        startedAt: ago(1),
      },
    ),
    healthy: true,
    causes: [],
  },
  {
    state: 'a sweep is not yet overdue by an interval',
    of: findings([route({}, { sweptAt: ago(19) })]),
    healthy: true,
    causes: [],
  },
  {
    state: 'a sweep is overdue by an interval',
    of: findings([route({}, { sweptAt: ago(21) })]),
    healthy: false,
    causes: ['sweep-overdue'],
  },
  {
    state: 'a sweep is overdue while a first drain advances',
    of: findings([route({ carriedAt: ago(1), queued: 9000 }, { sweptAt: ago(90) })]),
    healthy: true,
    causes: [],
  },
  {
    state: 'a sweep is overdue and the drain stands still',
    of: findings([route({ carriedAt: ago(11), queued: 9000 }, { sweptAt: ago(90) })]),
    healthy: false,
    causes: ['sweep-overdue'],
  },
  {
    state: 'a sweep is overdue while mail is carried now and then',
    of: findings([route({ carriedAt: ago(9) }, { sweptAt: ago(4000) })]),
    healthy: false,
    causes: ['sweep-overdue'],
  },
  {
    state: 'a folder can not be opened for days while a drain advances in another one',
    of: findings([
      route({ carriedAt: ago(1), queued: 9000 }, { sweptAt: ago(4000), leftOut: 'No.' }),
    ]),
    healthy: false,
    causes: ['folder-left-out'],
  },
  {
    state: 'something was carried at a time to come, since the clock was set back',
    of: findings([route({ carriedAt: ago(-9000), queued: 3 }, { sweptAt: ago(90) })]),
    healthy: false,
    causes: ['sweep-overdue'],
  },
  {
    state: 'this machine has slept for a night, and woken a minute ago',
    of: findings(
      [
        route(accounts({ is: 'connecting', since: ago(480), why: 'gone' }), {
          sweptAt: ago(481),
          ...LATE,
        }),
      ],
      { evenSince: ago(1) },
    ),
    healthy: true,
    causes: ['account-lost'],
  },
  {
    state: 'this machine has slept, and does not look for long after',
    of: findings([route({}, { sweptAt: ago(481) })], { evenSince: ago(21) }),
    healthy: false,
    causes: ['sweep-overdue'],
  },
  {
    state: 'no folder at all is carried',
    of: findings([
      route({ folders: [], missing: [{ folder: 'Posteingang', why: 'no such folder' }] }),
    ]),
    healthy: false,
    causes: ['folder-missing'],
  },
  {
    state: 'one of the folders is not carried',
    of: findings([route({ missing: [{ folder: 'Snet', why: 'no such folder' }] })]),
    healthy: true,
    causes: ['folder-missing'],
  },
  {
    state: 'old mail waits, and nothing is carried for half an hour',
    of: findings([route({}, { waiting: { messages: 9, old: { uid: 1, since: ago(9000) } } })]),
    healthy: false,
    causes: ['mail-waits'],
  },
  {
    state: 'old mail waits, and some is carried',
    of: findings([
      route(
        { carriedAt: ago(29) },
        { waiting: { messages: 9, old: { uid: 1, since: ago(9000) } } },
      ),
    ]),
    healthy: true,
    causes: [],
  },
  {
    state: 'a folder that has just appeared was not looked through yet',
    of: findings([route({ folders: [{ ...without(FOLDER, 'sweptAt'), since: ago(2) }] })]),
    healthy: true,
    causes: [],
  },
  {
    state: 'a folder was never looked through',
    of: findings([route({ folders: [without(FOLDER, 'sweptAt')] })]),
    healthy: false,
    causes: ['sweep-overdue'],
  },
  {
    state: 'a folder can not be opened',
    of: findings([route({}, { sweptAt: ago(30), leftOut: 'Permission denied.' })]),
    healthy: false,
    causes: ['folder-left-out'],
  },
  ...(['source', 'destination'] as const).map((side) => ({
    state: `the ${side} account is refused`,
    of: findings([route(accounts({ is: 'refused', since: ago(1), why: 'no' }, side))]),
    healthy: false,
    causes: ['account-refused'],
  })),
  {
    state: 'the source can not be reached for a while',
    of: findings([route(accounts({ is: 'connecting', since: ago(5), why: 'no answer' }))]),
    healthy: true,
    causes: ['account-lost'],
  },
  {
    state: 'the source can not be reached for long, of which its folders are no news',
    of: findings([
      route(accounts({ is: 'connecting', since: ago(45), why: 'no answer' }), { sweptAt: ago(46) }),
    ]),
    healthy: false,
    causes: ['account-lost'],
  },
  {
    state: 'a connection to the destination was lost, and nobody has needed another one',
    of: findings([route(accounts({ is: 'lost', since: ago(90), why: 'bye' }, 'destination'))]),
    healthy: true,
    causes: [],
  },
  {
    state: 'the destination is full',
    of: findings([route({ held: { since: ago(2), why: 'over quota', full: true } }, LATE)]),
    healthy: false,
    causes: ['destination-full'],
  },
  {
    state: 'deliveries pause for a while',
    of: findings([route({ held: { since: ago(20), why: 'try later' } })]),
    healthy: true,
    causes: ['deliveries-held'],
  },
  {
    state: 'deliveries pause for long',
    of: findings([route({ held: { since: ago(31), why: 'try later' } })]),
    healthy: false,
    causes: ['deliveries-held'],
  },
  {
    state: 'a rate limit holds mail up',
    of: findings([route({ held: { since: ago(90), why: 'limit', paced: true } }, LATE)]),
    healthy: true,
    causes: [],
  },
  {
    state: 'the route is blocked',
    of: findings([route({ blocked: { since: ago(1), why: 'a circle' } }, LATE)]),
    healthy: false,
    causes: ['route-blocked'],
  },
  {
    state: 'new mail has waited for half an hour',
    of: findings([route({}, { waiting: { ...WAITS, late: { uid: 7, since: ago(29) } } })]),
    healthy: true,
    causes: [],
  },
  {
    state: 'new mail has waited for longer',
    of: findings([route({}, LATE)]),
    healthy: false,
    causes: ['mail-waits'],
  },
  {
    state: 'old mail waits for days, for a reason that lasts',
    of: findings([route({}, { waiting: { messages: 9, oldest: { uid: 1, since: ago(9000) } } })]),
    healthy: true,
    causes: [],
  },
  {
    state: 'messages are refused and copies differ',
    of: findings([
      route(
        {},
        {
          refused: 2,
          unverified: 1,
          asideSince: ago(90),
          asideWhy: 'too large',
          waiting: { messages: 3, oldest: { uid: 1, since: ago(90), why: 'it is a draft' } },
        },
      ),
    ]),
    healthy: true,
    causes: ['messages-refused', 'copies-unverified'],
  },
  {
    state: 'the journal can not be written',
    of: findings([route()], { journalFailed: { since: ago(1), why: 'No space is left.' } }),
    healthy: false,
    causes: ['journal-failed'],
  },
  {
    state: 'one of two routes is refused',
    of: findings([route(accounts({ is: 'refused' })), route({ route: 'dad' })]),
    healthy: false,
    causes: ['account-refused'],
  },
];

function without<T extends object, K extends keyof T>(from: T, name: K): Omit<T, K> {
  const { [name]: _, ...rest } = from;
  return rest;
}

describe('mail', () => {
  it.each(ROWS)('flows or not where $state', ({ of, healthy, causes }) => {
    const health = healthOf(of, NOW);
    expect(health.troubles.map(({ cause }) => cause)).toEqual(causes);
    expect(health.healthy).toBe(healthy);
  });
});

describe('a trouble', () => {
  it.each(ROWS.filter(({ causes }) => causes.length > 0))(
    'is told in whole sentences where $state',
    ({ of }) => {
      for (const { says, help, since } of healthOf(of, NOW).troubles) {
        expect(says).toMatch(/^[A-Z0-9][^\n]*\.$/);
        expect(help).toMatch(/^[A-Z`][^\n]*\.$/);
        expect(`${says} ${help}`).not.toMatch(/undefined|NaN|\.\.|\s{2}/);
        expect(since).toBeGreaterThan(0);
        expect(since).toBeLessThan(NOW);
      }
    },
  );
});

it('the lines tell the verdict, what is wrong, and every folder', () => {
  const of = findings([
    route(accounts({ is: 'refused', why: 'Invalid credentials.', since: ago(60) })),
    route(
      { route: 'dad', queued: 2 },
      {
        ...{ carriedAt: ago(2), refused: 1, asideSince: ago(50), asideWhy: 'It is too large.' },
        waiting: {
          messages: 3,
          oldest: { uid: 4, since: ago(50), internalDate: ago(1440), why: 'It is too large.' },
        },
      },
    ),
  ]);
  expect(linesOf({ ...of, ...healthOf(of, NOW), at: NOW })).toEqual([
    'Mail is not flowing for mum.',
    '! mum: The source server refuses the login: Invalid credentials. Mail stays at the source meanwhile; nothing is lost. imapferry tries again every 15 minutes. Check SOURCE_USER and SOURCE_PASSWORD; many providers want an app password. (Since 2026-11-28T11:00:00Z.)',
    '· dad: One message in INBOX can not be carried: It is too large. The original stays, and is tried again at growing intervals; everything else goes on. `imapferry stuck` lists them with the reason; with --retry they are tried again. (Since 2026-11-28T11:10:00Z.)',
    'mum: source refused since 2026-11-28T11:00:00Z; destination connected since 2026-11-28T10:20:00Z',
    '  INBOX → Post: watched by IDLE since 2026-11-28T10:20:00Z; looked through 3 min ago; nothing waits',
    'dad: source connected since 2026-11-28T10:20:00Z; destination connected since 2026-11-28T10:20:00Z; 2 on the way',
    '  INBOX → Post: watched by IDLE since 2026-11-28T10:20:00Z; looked through 3 min ago; last message carried 2 min ago; 3 at the source still, the oldest UID 4 of 2026-11-27T12:00:00Z: It is too large; 1 refused',
  ]);
});
