import { describe, expect, it } from 'vitest';
import type { AlertNote } from '../../src/domain/ports.ts';
import type { AccountStatus, FolderStatus, RouteStatus, Trouble } from '../../src/domain/status.ts';
import {
  calmOf,
  due,
  isDestinations,
  isWell,
  type Look,
  open,
  withOver,
  withTold,
} from '../../src/report/alerts.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 28, 12);

/** A trouble that has lasted for so long. */
function trouble(lasted: number, changes: Partial<Trouble> = {}): Trouble {
  return {
    cause: 'account-refused',
    side: 'source',
    route: 'default',
    since: NOW - lasted,
    says: 'It is so.',
    help: 'Do that.',
    unhealthy: true,
    ...changes,
  };
}

const full = (lasted: number) =>
  trouble(lasted, { cause: 'destination-full', side: 'destination' });
const lost = (lasted: number) => trouble(lasted, { cause: 'account-lost' });
const refused = (lasted: number, folder: string): Trouble => {
  const { side: _, ...rest } = trouble(lasted, { cause: 'messages-refused', folder });
  return { ...rest, unhealthy: false };
};

/** What was told so long ago. */
function told(of: Trouble, ago: number, changes: Partial<AlertNote> = {}): AlertNote {
  const [note] = withTold(look([], [], NOW - ago), [of], 'inbox');
  return { ...(note as AlertNote), ...changes };
}

function look(troubles: Trouble[], notes: AlertNote[] = [], now = NOW): Look {
  return { troubles, told: notes, now, after: HOUR };
}

describe('told now', () => {
  const over = { over: true };
  const rows: [string, Trouble[], AlertNote[], string[]][] = [
    ['nothing where nothing is wrong', [], [], []],
    ['nothing that has not lasted', [trouble(HOUR - 1)], [], []],
    ['what has lasted', [trouble(HOUR)], [], ['account-refused']],
    ['nothing that was told and lasts', [trouble(9 * DAY)], [told(trouble(8 * DAY), 8 * DAY)], []],
    [
      'nothing that comes again within a day',
      [trouble(HOUR)],
      [told(trouble(5 * HOUR), 4 * HOUR, over)],
      [],
    ],
    [
      'what comes again a day later',
      [trouble(HOUR)],
      [told(trouble(2 * DAY), DAY, over)],
      ['account-refused'],
    ],
    [
      'nothing that was told in the future, because the clock was set back since',
      [trouble(HOUR)],
      [told(trouble(HOUR), -HOUR, over)],
      [],
    ],
    [
      'what was told in a future that is days away',
      [trouble(HOUR)],
      [told(trouble(HOUR), -3 * DAY, over)],
      ['account-refused'],
    ],
    [
      'along with it what has lasted half as long, and no more',
      [trouble(HOUR), full(HOUR / 2), refused(HOUR / 2 - 1, 'INBOX')],
      [],
      ['account-refused', 'destination-full'],
    ],
    [
      'nothing else for what was told before and lasts on',
      [trouble(DAY), full(HOUR / 2)],
      [told(trouble(DAY), HOUR)],
      [],
    ],
    [
      'the other account for itself',
      [trouble(HOUR), trouble(HOUR, { side: 'destination' })],
      [told(trouble(HOUR), 1)],
      ['account-refused'],
    ],
    [
      'nothing of an account that was refused and can not be reached now',
      [lost(2 * HOUR)],
      [told(trouble(DAY), 20 * HOUR)],
      [],
    ],
    [
      'every folder of a kind in one',
      [refused(HOUR, 'INBOX'), refused(2 * HOUR, 'Sent')],
      [],
      ['messages-refused', 'messages-refused'],
    ],
    [
      'another folder of the same kind not before the next day',
      [refused(DAY, 'INBOX'), refused(HOUR, 'Sent')],
      [told(refused(DAY, 'INBOX'), DAY - 1)],
      [],
    ],
    [
      'another folder of the same kind on the next day',
      [refused(DAY, 'INBOX'), refused(HOUR, 'Sent')],
      [told(refused(DAY, 'INBOX'), DAY)],
      ['messages-refused'],
    ],
  ];

  it.each(rows)('is %s', (_, troubles, notes, causes) => {
    expect(due(look(troubles, notes)).map(({ cause }) => cause)).toEqual(causes);
  });

  it('is one message of a trouble that lasts for a month, looked at every minute', () => {
    let notes: AlertNote[] = [];
    let letters = 0;
    for (let now = NOW; now < NOW + 30 * DAY; now += MINUTE) {
      const its = look([trouble(0)], notes, now);
      const news = due(its);
      if (news.length === 0) continue;
      letters++;
      notes = withTold(its, news, 'inbox');
    }
    expect(letters).toBe(1);
  });

  it('is one message a day at most of a trouble that comes and goes', () => {
    let notes: AlertNote[] = [];
    let letters = 0;
    for (let now = NOW; now < NOW + 10 * DAY; now += 10 * MINUTE) {
      const hour = Math.floor((now - NOW) / HOUR);
      const since = NOW + hour * HOUR - HOUR;
      const its = look(hour % 3 === 0 ? [] : [trouble(NOW - since)], notes, now);
      const news = due(its);
      if (news.length > 0) letters++;
      notes = news.length > 0 ? withTold(its, news, 'inbox') : notes;
      if (hour % 3 === 0) notes = withOver(notes, open(notes));
    }
    expect(letters).toBeLessThanOrEqual(10);
    expect(letters).toBeGreaterThanOrEqual(8);
  });
});

describe('what is noted', () => {
  it('is all that was told, each once, the old ends forgotten', () => {
    const notes = [
      told(full(HOUR), 2 * DAY, { over: true }),
      told(refused(DAY, 'INBOX'), DAY, { over: true }),
      told(refused(DAY, 'Sent'), HOUR, { over: true }),
      told(lost(DAY), 3 * DAY),
    ];
    const after = withTold(look([], notes), [trouble(HOUR)], 'command');
    expect(after.map(({ cause, folder, by, over }) => [cause, folder, by, over])).toEqual([
      ['messages-refused', 'Sent', 'inbox', true],
      ['account-refused', undefined, 'command', false],
    ]);
    expect(after.at(-1)).toMatchObject({ since: NOW - HOUR, toldAt: NOW });
  });
});

const CONNECTED: AccountStatus[] = [
  { side: 'source', is: 'connected', since: NOW },
  { side: 'destination', is: 'connected', since: NOW },
];
const INBOX: FolderStatus = {
  folder: 'INBOX',
  dest: 'INBOX',
  watched: 'idle',
  since: NOW,
  sweptAt: NOW,
  waiting: { messages: 0 },
  refused: 0,
  unverified: 0,
};

function route(changes: Partial<RouteStatus> = {}, folder: Partial<FolderStatus> = {}) {
  const rest = { route: 'default', dryRun: false, sweepInterval: 600_000, ready: true, queued: 0 };
  return { ...rest, accounts: CONNECTED, folders: [{ ...INBOX, ...folder }], ...changes };
}

function accounts(source: AccountStatus['is'], destination: AccountStatus['is']): AccountStatus[] {
  return [
    { side: 'source', is: source, since: NOW },
    { side: 'destination', is: destination, since: NOW },
  ];
}

/** With a message that waits since then. */
function waiting(since: number, why?: string): Partial<FolderStatus> {
  return { waiting: { messages: 1, oldest: { uid: 1, since, ...(why !== undefined && { why }) } } };
}

describe('all is well again', () => {
  const wasRefused = [told(trouble(DAY), HOUR)];
  const wasFull = [told(full(DAY), HOUR)];
  const waited = [told(trouble(DAY, { cause: 'mail-waits', folder: 'INBOX' }), HOUR)];
  const old = NOW - 11 * MINUTE;
  const rows: [string, boolean, AlertNote[], Trouble[], RouteStatus][] = [
    ['where the route works and nothing is wrong', true, wasRefused, [], route()],
    ['but not while it is still so', false, wasRefused, [trouble(DAY)], route()],
    ['but not while the account is not reached instead', false, wasRefused, [lost(1)], route()],
    ['but not while something else is wrong', false, wasRefused, [full(1)], route()],
    [
      'also where single messages stay behind',
      true,
      wasRefused,
      [refused(DAY, 'INBOX')],
      route({}, { refused: 1 }),
    ],
    [
      'but not while those stay behind that were told of',
      false,
      [told(refused(DAY, 'INBOX'), HOUR)],
      [refused(DAY, 'INBOX')],
      route({}, { refused: 1 }),
    ],
    [
      'but not while the folder that was told of is still left out',
      false,
      [told(trouble(DAY, { cause: 'folder-left-out', folder: 'INBOX' }), HOUR)],
      [],
      route({}, { leftOut: 'No.' }),
    ],
    [
      'but not before that folder was looked through since',
      false,
      [told(trouble(DAY, { cause: 'folder-left-out', folder: 'INBOX' }), HOUR)],
      [],
      route({}, { sweptAt: NOW - DAY }),
    ],
    [
      'once that folder was looked through since',
      true,
      [told(trouble(DAY, { cause: 'folder-left-out', folder: 'INBOX' }), HOUR)],
      [],
      route({}, { sweptAt: NOW - MINUTE }),
    ],
    ['but not before the route has begun', false, wasRefused, [], route({ ready: false })],
    [
      'but not before the source is reached',
      false,
      wasRefused,
      [],
      route({ accounts: accounts('connecting', 'connected') }),
    ],
    [
      'also while the destination has nothing to do and has ended the connection',
      true,
      wasRefused,
      [],
      route({ accounts: accounts('connected', 'lost') }),
    ],
    [
      'but then not where the destination was told of',
      false,
      wasFull,
      [],
      route({ accounts: accounts('connected', 'lost') }),
    ],
    [
      'but not before each folder was looked through',
      false,
      wasRefused,
      [],
      route({ folders: [INBOX, { ...INBOX, folder: 'Sent', sweptAt: undefined } as never] }),
    ],
    [
      'also where a folder can not be looked through',
      true,
      wasRefused,
      [],
      route({}, { sweptAt: undefined as never, leftOut: 'it is odd' }),
    ],
    ['also during a long drain', true, wasRefused, [], route({}, waiting(old))],
    ['but not while mail waits that was told of', false, waited, [], route({}, waiting(old))],
    ['also while newer mail is on its way', true, waited, [], route({}, waiting(NOW - 1000))],
    ['also while mail waits for a reason', true, waited, [], route({}, waiting(old, 'too large'))],
  ];

  it.each(rows)('%s', (_, well, notes, troubles, status) => {
    expect(isWell(status, look(troubles, notes))).toBe(well);
  });

  it('for as long as it takes to be told, ten minutes at most', () => {
    expect(calmOf(HOUR)).toBe(10 * MINUTE);
    expect(calmOf(MINUTE)).toBe(MINUTE);
  });
});

it.each<[boolean, Partial<Trouble>]>([
  [true, { cause: 'destination-full' }],
  [true, { cause: 'account-refused', side: 'destination' }],
  [true, { cause: 'account-lost', side: 'destination' }],
  [false, { cause: 'account-lost', side: 'source' }],
  [false, { cause: 'mail-waits' }],
])('the destination itself is the trouble: %s of %j', (is, changes) => {
  const { side: _, ...rest } = trouble(HOUR);
  expect(isDestinations({ ...rest, ...changes } as Trouble)).toBe(is);
});
