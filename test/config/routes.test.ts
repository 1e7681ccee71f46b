/** ROUTES: what each route takes of its own and what from all, and what can be wrong between routes. */
import { describe, expect, test } from 'vitest';
import type { Route } from '../../src/domain/route.ts';
import { type Environment, folderWith, GOOD, load, mistakesOf } from './support.ts';

const { SOURCE_USER: _u, SOURCE_PASSWORD: _p, ...SHARED } = GOOD;
const none = { SOURCE_USER: undefined, SOURCE_PASSWORD: undefined };

/** Two old mailboxes on one server that go to one new mailbox. */
const TWO: Environment = {
  ...none,
  ROUTES: 'mum, dad',
  MUM_SOURCE_USER: 'mum@example.org',
  MUM_SOURCE_PASSWORD: 'secret of mum',
  DAD_SOURCE_USER: 'dad@example.org',
  DAD_SOURCE_PASSWORD: 'secret of dad',
};

describe('several routes', () => {
  test('have their own variables, and of the others those of all', async () => {
    const { routes, doubts } = load({
      ...TWO,
      FOLDERS: 'INBOX',
      DAD_FOLDERS: 'INBOX, Sent',
      DAD_DEST_USER: 'dad@example.net',
      DAD_DEST_PASSWORD: 'new secret of dad',
      DAD_AFTER_DELIVERY: 'keep',
      MUM_MAX_WATCHERS: '7',
      MUM_DRY_RUN: 'true',
    });
    const seen = routes.map(({ name, source, destination, folders, afterDelivery, ...rest }) => ({
      ...{ name, from: source.user, to: destination.user, at: source.host },
      ...{ folders: folders.length, after: afterDelivery.kind, dry: rest.dryRun },
      watchers: rest.maxWatchers,
    }));
    const at = SHARED.SOURCE_HOST;
    expect(seen).toEqual([
      {
        ...{ name: 'mum', from: 'mum@example.org', to: GOOD.DEST_USER, at },
        ...{ folders: 1, after: 'expunge', dry: true, watchers: 7 },
      },
      {
        ...{ name: 'dad', from: 'dad@example.org', to: 'dad@example.net', at },
        ...{ folders: 2, after: 'keep', dry: false, watchers: 3 },
      },
    ]);
    const secrets = routes.flatMap(({ source, destination }) => [source, destination]);
    expect(await Promise.all(secrets.map(({ secret }) => secret()))).toEqual([
      'secret of mum',
      GOOD.DEST_PASSWORD,
      'secret of dad',
      'new secret of dad',
    ]);
    expect(doubts).toEqual([expect.stringMatching(/^MUM_DRY_RUN is true/)]);
  });

  test('each have a rate limit of their own, or the one of all', () => {
    const { routes } = load({ ...TWO, DEST_RATE_LIMIT: '60/min', DAD_DEST_RATE_LIMIT: '5/sec' });
    expect(routes.map(({ destination }) => destination.rateLimits?.[0]?.most)).toEqual([60, 5]);
    expect(routes.map(({ source }) => source.rateLimits)).toEqual([undefined, undefined]);
  });

  test('have all ways to a password of their own, or none', async () => {
    const file = folderWith({ p: 'from a file' })('p');
    const { MUM_SOURCE_PASSWORD: _, ...rest } = TWO;
    const { routes } = load({ ...rest, SOURCE_PASSWORD: 'of all', MUM_SOURCE_PASSWORD_FILE: file });
    expect(await routes[0]?.source.secret()).toBe('from a file');
    expect(mistakesOf({ ...TWO, MUM_SOURCE_PASSWORD_FILE: file })).toEqual([
      'MUM_SOURCE_PASSWORD stands beside MUM_SOURCE_PASSWORD_FILE: exactly one of them delivers the password',
    ]);
  });

  test.each<[string, Environment, (route: Route | undefined) => unknown, unknown]>([
    [
      'AFTER_DELIVERY',
      { AFTER_DELIVERY: 'keep', MUM_AFTER_DELIVERY: '' },
      (route) => route?.afterDelivery.kind,
      'keep',
    ],
    ['DRY_RUN', { DRY_RUN: 'true', MUM_DRY_RUN: ' ' }, (route) => route?.dryRun, true],
    ['FOLDERS', { FOLDERS: 'INBOX', MUM_FOLDERS: '' }, (route) => route?.folders.length, 1],
  ])('take what is empty for not set: %s', (_, env, read, expected) => {
    expect(read(load({ ...GOOD, ROUTES: 'mum', ...env }).routes[0])).toBe(expected);
  });

  test('may have names of which one begins with the other', () => {
    const settings = {
      ...GOOD,
      ROUTES: 'mum,mum-work',
      FOLDERS: 'INBOX',
      MUM_WORK_FOLDERS: 'Sent',
    };
    const text = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    const file = folderWith({ '.env': text.join('\n') })('.env');
    expect(load({}, [file]).routes.map(({ name }) => name)).toEqual(['mum', 'mum-work']);
  });

  test('are named by a name with a hyphen as well', () => {
    const { routes } = load({ ...GOOD, ROUTES: 'old-box', OLD_BOX_FOLDERS: 'INBOX' });
    expect(routes.map(({ name, folders }) => [name, folders.length])).toEqual([['old-box', 1]]);
  });

  test("that use each other's password are doubted", () => {
    const { MUM_SOURCE_PASSWORD: _, ...rest } = TWO;
    expect(load({ ...rest, SOURCE_PASSWORD: 'of all' }).doubts).toEqual([
      "MUM_SOURCE_USER is the route's own, and its password is the one of all routes: set MUM_SOURCE_PASSWORD_FILE, unless both accounts have the same one.",
    ]);
  });

  test.each<[string, Environment, string[]]>([
    [
      'a host alone',
      {},
      [
        "DAD_SOURCE_HOST is the route's own, and SOURCE_USER and the password of all routes are sent to that server: set DAD_SOURCE_PASSWORD_FILE, unless the account there has the same one.",
      ],
    ],
    [
      'a host and a user',
      { DAD_SOURCE_USER: 'dad' },
      [
        "DAD_SOURCE_HOST is the route's own, and the password of all routes is sent to that server: set DAD_SOURCE_PASSWORD_FILE, unless the account there has the same one.",
      ],
    ],
    ['a password, too', { DAD_SOURCE_USER: 'dad', DAD_SOURCE_PASSWORD: 'of dad' }, []],
  ])(
    'that send a password to another server are doubted: of its own it has %s',
    (_, env, doubts) => {
      const own = { ...GOOD, ROUTES: 'mum,dad', DAD_SOURCE_HOST: 'imap.example.com', ...env };
      expect(load(own).doubts).toEqual(doubts);
    },
  );

  test('that send a password as an access token are doubted', () => {
    const env = { ...GOOD, ROUTES: 'mum,dad', SOURCE_AUTH: 'oauth2', DAD_SOURCE_USER: 'dad' };
    const own = { ...env, DAD_SOURCE_PASSWORD: 'of dad' };
    expect(load(own).doubts).toEqual([
      "DAD_SOURCE_PASSWORD is the route's own, and SOURCE_AUTH of all routes is oauth2: it is sent as an access token. If it delivers a password, set DAD_SOURCE_AUTH=password.",
    ]);
    expect(load({ ...own, DAD_SOURCE_AUTH: 'password' }).doubts).toEqual([]);
    expect(load({ ...own, DAD_SOURCE_AUTH: 'oauth2' }).doubts).toEqual([]);
  });

  test('with an old mailbox of their own and the new one of all are pointed out, for `check` alone', () => {
    const { doubts, remarks } = load(TWO);
    expect(doubts).toEqual([]);
    expect(remarks.map((remark) => remark.slice(0, 60))).toEqual(
      [
        'The route mum has a MUM_SOURCE_USER of its own and takes DEST',
        'The route dad has a DAD_SOURCE_USER of its own and takes DEST',
      ].map((remark) => remark.slice(0, 60)),
    );
    const own = {
      DEST_USER: undefined,
      MUM_DEST_USER: 'm@example.net',
      DAD_DEST_USER: 'd@example.net',
    };
    expect(load({ ...TWO, ...own }).remarks).toEqual([]);
  });
});

describe('mistakes in several routes', () => {
  test.each<[string, Environment, string[]]>([
    ['a name that is missing', { ROUTES: 'mum,,dad' }, ['ROUTES names no route in entry 2']],
    [
      'a name that no variable can bear',
      { ROUTES: 'mum,1st' },
      [
        "ROUTES holds a name in entry 2 that can't stand in front of a variable: letters, digits, `-` and `_` between them, a letter first",
      ],
    ],
    ['one name twice', { ROUTES: 'mum,Mum' }, ['ROUTES names one route twice, in entries 1 and 2']],
    [
      'two names that are one in front of a variable',
      { ROUTES: 'a-b,a_b' },
      ['ROUTES names one route twice, in entries 1 and 2'],
    ],
    [
      'what a route lacks',
      { ...TWO, DAD_SOURCE_USER: undefined, DAD_SOURCE_PASSWORD: undefined },
      [
        'DAD_SOURCE_USER is needed: the login name',
        'DAD_SOURCE_PASSWORD is needed, or DAD_SOURCE_PASSWORD_FILE or DAD_SOURCE_PASSWORD_COMMAND: they deliver the password',
      ],
    ],
    [
      'what all inherit, once',
      { ...TWO, DEST_HOST: undefined, CONCURRENCY: 'many' },
      [
        'MUM_DEST_HOST is needed: the name of the IMAP server',
        'CONCURRENCY must be a whole number from 1 to 32',
        'DAD_DEST_HOST is needed: the name of the IMAP server',
      ],
    ],
    [
      'a slip of the pen behind a name',
      { ...TWO, MUM_SOURCE_PROT: '143' },
      ['MUM_SOURCE_PROT is no variable of imapferry; probably MUM_SOURCE_PORT was meant'],
    ],
    [
      'a variable that no route has',
      { ...TWO, MUM_STATE_DIR: '/data' },
      ['MUM_STATE_DIR is no variable of a route: STATE_DIR holds for all of imapferry'],
    ],
    [
      'a name that is a variable already',
      { ...GOOD, ROUTES: 'create' },
      ['ROUTES names the route create, and CREATE_FOLDERS would mean two things'],
    ],
    [
      'names of which one goes on as another',
      { ...GOOD, ROUTES: 'a,a_create' },
      ['ROUTES names the routes a and a_create, and A_CREATE_FOLDERS would mean two things'],
    ],
  ])('%s', (_, env, mistakes) => {
    const given = 'DEST_USER' in env ? env : { ...none, ...env };
    expect(mistakesOf(given)).toEqual(expect.arrayContaining(mistakes));
    if (env.ROUTES === TWO.ROUTES) expect(mistakesOf(given)).toEqual(mistakes);
  });
});

/** Routes from one account; `to` is another account for each. */
function fan(...folders: (readonly [folders: string, after?: string])[]): Environment {
  const names = folders.map((_, i) => `r${i + 1}`);
  const each = folders.flatMap(([rules, after = 'expunge'], i) => [
    [`R${i + 1}_FOLDERS`, rules],
    [`R${i + 1}_AFTER_DELIVERY`, after],
    [`R${i + 1}_DEST_USER`, `${i}@example.net`],
  ]);
  return { ...GOOD, ROUTES: names.join(','), ...Object.fromEntries(each) };
}

describe('one source folder in two routes', () => {
  const shared = (route: string, other: string, entry: number) =>
    `${route}_FOLDERS names in entry ${entry} a folder that the route ${other} carries, too, from the same account: one of the two would remove what the other has not carried yet`;

  test.each<[string, Environment, string[]]>([
    [
      'by name in both',
      fan(['INBOX'], ['Sent, inbox']),
      [shared('R1', 'r2', 1), shared('R2', 'r1', 2)],
    ],
    ['by name in one, by a pattern in the other', fan(['*'], ['Lists/a']), [shared('R2', 'r1', 1)]],
    [
      'though one of them keeps',
      fan(['INBOX'], ['INBOX', 'keep']),
      [shared('R1', 'r2', 1), shared('R2', 'r1', 1)],
    ],
  ])('%s is a mistake', (_, env, mistakes) => {
    expect(mistakesOf(env)).toEqual(mistakes);
  });

  test.each<[string, Environment]>([
    ['where both keep', fan(['INBOX', 'keep'], ['INBOX', 'keep'])],
    ['where one leaves it out', fan(['*, !INBOX'], ['INBOX'])],
    ['where they are other folders', fan(['Lists/%'], ['INBOX, Sent'])],
    ['that is sure, where `%` may not reach it', fan(['%'], ['Work/Dad'])],
    [
      'where it is of another account',
      { ...fan(['INBOX'], ['INBOX']), R2_SOURCE_USER: 'other', R2_SOURCE_PASSWORD: 'x' },
    ],
  ])('%s is none', (_, env) => {
    expect(load(env).routes).toHaveLength(2);
  });

  test.each<[string, string, string, number]>([
    ['the folder', 'move:Sent', 'Sent', 1],
    ['the folder in another letter case', 'move:sent', 'Lists, Sent=Out', 2],
  ])('to which another one moves what it carried is a mistake: %s', (_, after, folders, entry) => {
    expect(mistakesOf(fan(['INBOX', after], [folders]))).toEqual([
      `R2_FOLDERS names in entry ${entry} the folder to which the route r1 moves what it has carried from the same account: that would be carried once more`,
    ]);
  });

  test('to which another one moves what it carried is known to the plan', () => {
    const { routes } = load(fan(['INBOX', 'move:Carried'], ['*, !INBOX']));
    expect(routes[1]?.rivals?.map(({ moveTo }) => moveTo)).toEqual(['Carried']);
    expect(routes[0]?.rivals?.map(({ moveTo }) => moveTo)).toEqual([undefined]);
  });

  test('of patterns the plan is to tell: each route knows the other', () => {
    const [one, two] = load(fan(['*'], ['Lists/*'])).routes;
    expect(one?.rivals?.map(({ name }) => name)).toEqual(['r2']);
    expect(two?.rivals?.map(({ name }) => name)).toEqual(['r1']);
    expect(load(fan(['*', 'keep'], ['Lists/*', 'keep'])).routes[0]?.rivals).toBeUndefined();
  });
});

/** Routes as `from>to FOLDERS`, between accounts of one letter. */
function between(...routes: string[]): Environment {
  const set = routes.flatMap((text, i) => {
    const [, from, to, folders] = /^(\w)>(\w) (.*)$/.exec(text) ?? [];
    return [
      [`R${i + 1}_SOURCE_USER`, `${from}@example.org`],
      [`R${i + 1}_SOURCE_PASSWORD`, 'x'],
      [`R${i + 1}_DEST_HOST`, GOOD.SOURCE_HOST],
      [`R${i + 1}_DEST_USER`, `${to}@example.org`],
      [`R${i + 1}_DEST_PASSWORD`, 'x'],
      [`R${i + 1}_FOLDERS`, folders],
    ];
  });
  return {
    ...none,
    ROUTES: routes.map((_, i) => `r${i + 1}`).join(','),
    ...Object.fromEntries(set),
  };
}

describe('routes that form a circle', () => {
  const round = (way: string) =>
    `sends mail round in a circle: ${way}; what is carried would come back to where it came from, for ever`;

  test.each<[string[], string]>([
    [['a>b INBOX', 'b>a INBOX'], 'r1 → r2 → r1'],
    [['a>b *', 'b>a *'], 'r1 → r2 → r1'],
    [['a>b Sent=INBOX', 'b>a INBOX=Sent'], 'r1 → r2 → r1'],
    [['a>b INBOX', 'b>c INBOX', 'c>a *'], 'r1 → r2 → r3 → r1'],
    [['x>a INBOX', 'a>b INBOX', 'b>a INBOX'], 'r2 → r3 → r2'],
  ])('%j are refused', (routes, way) => {
    expect(mistakesOf(between(...routes)).map((text) => text.replace(/^\S+ /, ''))).toEqual([
      round(way),
    ]);
  });

  test.each<string[][]>([
    [['a>b INBOX', 'b>c INBOX']],
    [['a>c INBOX', 'b>c INBOX']],
    [['a>b INBOX', 'b>a Sent']],
    [['a>b INBOX=Old', 'b>a *, !Old']],
  ])('%j are none', (routes) => {
    expect(load(between(...routes)).routes).toHaveLength(2);
  });
});
