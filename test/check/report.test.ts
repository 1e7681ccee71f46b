/** What a report makes of what servers say. */
import { describe, expect, it } from 'vitest';
import { checkReport, type RouteFacts, routeReport } from '../../src/check/report.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Account, Route } from '../../src/domain/route.ts';
import type { Survey } from '../../src/domain/survey.ts';
import { account, folder, route, survey } from './support.ts';

const PLAN = { pairs: [{ source: 'INBOX', dest: 'INBOX' }], leftOut: [] };
const MEASURES = new Map([['INBOX', { messages: 2, bytes: 3000 }]]);

function reported(changes: Partial<RouteFacts>) {
  return routeReport({
    route: route(),
    source: survey(),
    destination: survey(),
    plan: PLAN,
    measures: MEASURES,
    ...changes,
  });
}

it('is ready where both sides are, and nothing is in the way', () => {
  const report = reported({});
  expect(report).toMatchObject({ ready: true, why: [], notes: [] });
  expect(report.plan).toMatchObject({ messages: 2, bytes: 3000 });
  expect(report.plan?.folders).toEqual([
    {
      source: 'INBOX',
      destination: 'INBOX',
      exists: true,
      watched: 'IDLE',
      messages: 2,
      bytes: 3000,
    },
  ]);
});

interface Obstacle {
  readonly title: string;
  readonly changes: Partial<RouteFacts>;
  readonly why: RegExp;
}

const without = (...names: string[]) =>
  survey({ capabilities: survey().capabilities.difference(new Set(names)) });

const obstacles: Obstacle[] = [
  {
    title: 'a quota that what is about to come does not fit into',
    changes: { destination: survey({ quotas: [{ root: 'q', used: 9000, limit: 10_000 }] }) },
    why: /1\.0 KB free, and 3\.0 KB are about to come/,
  },
  {
    title: 'a plan with a mistake',
    changes: { plan: { ...PLAN, mistakes: ['Two folders would end in Sent.'] } },
    why: /^Two folders would end in Sent\.$/,
  },
  {
    title: 'a plan without a folder',
    changes: { plan: { pairs: [], leftOut: [] } },
    why: /No folder is carried/,
  },
  {
    title: 'a missing folder that may not be made',
    changes: { route: route({ createFolders: false }), destination: survey({ folders: [] }) },
    why: /no folder INBOX, and CREATE_FOLDERS=false/,
  },
  {
    title: 'a folder that can not be looked at',
    changes: { measures: new Map([['INBOX', 'The server refused: [NOPERM] no.']]) },
    why: /INBOX can not be looked at: The server refused/,
  },
  {
    title: 'moving away where nothing can be moved',
    changes: {
      route: route({ afterDelivery: { kind: 'move', folder: 'Done' } }),
      source: without('MOVE', 'UIDPLUS'),
    },
    why: /neither MOVE nor UIDPLUS/,
  },
];

it.each(obstacles)('is not ready with $title', ({ changes, why }) => {
  const report = reported(changes);
  expect(report.ready).toBe(false);
  expect(report.why).toEqual([expect.stringMatching(why)]);
});

it('is not ready where what two routes bring together does not fit', () => {
  const roomy = survey({ quotas: [{ root: 'q', used: 5000, limit: 10_000 }] });
  const facts = (name: string): RouteFacts => ({
    route: route({ name }),
    source: survey(),
    destination: roomy,
    plan: PLAN,
    measures: MEASURES,
  });
  const [mum, dad] = [facts('mum'), facts('dad')];
  const reports = checkReport([mum, dad], []).routes;
  const why =
    'The destination has 5.0 KB free, and 6.0 KB are about to come by the routes mum, dad together.';
  expect(reports.map((report) => report.why)).toEqual([[why], [why]]);
  const other = {
    ...dad,
    route: route({ name: 'dad', destination: account('destination', { user: 'bert' }) }),
  };
  expect(checkReport([mum, other], []).ready).toBe(true);
});

interface Lacking {
  readonly side: Account['side'];
  readonly lacks: readonly string[];
  readonly changes?: Partial<Route>;
  readonly costs: Readonly<Record<string, RegExp>>;
}

const lacking: Lacking[] = [
  { side: 'source', lacks: ['IDLE'], costs: { IDLE: /asks for it every 30 s/ } },
  { side: 'source', lacks: ['UIDPLUS'], costs: { UIDPLUS: /AFTER_DELIVERY=mark/ } },
  { side: 'source', lacks: ['UIDPLUS'], changes: { afterDelivery: { kind: 'keep' } }, costs: {} },
  { side: 'source', lacks: ['MOVE'], costs: {} },
  {
    side: 'source',
    lacks: ['MOVE'],
    changes: { afterDelivery: { kind: 'move', folder: 'Done' } },
    costs: { MOVE: /copied away/ },
  },
  { side: 'destination', lacks: ['IDLE', 'MOVE'], costs: {} },
  { side: 'destination', lacks: ['UIDPLUS'], costs: { UIDPLUS: /by its content/ } },
  { side: 'destination', lacks: ['MULTIAPPEND'], costs: { MULTIAPPEND: /command of its own/ } },
  {
    side: 'destination',
    lacks: ['LITERAL+', 'MULTIAPPEND'],
    costs: { 'LITERAL+': /a round trip of its own/ },
  },
];

it.each(lacking)('says what a $side without $lacks costs, given $changes', (row) => {
  const report = reported({ route: route(row.changes), [row.side]: without(...row.lacks) });
  const costs = report[row.side].lacks.map(({ capability, costs }) => [capability, costs]);
  expect(costs).toEqual(
    Object.entries(row.costs).map(([name, words]) => [name, expect.stringMatching(words)]),
  );
});

const refused: Partial<Survey> = {
  loggedIn: false,
  failure: new Failure('It refuses the login.', { step: 'login', scope: 'account' }),
};

interface Hint {
  readonly host: string;
  readonly side: Account['side'];
  readonly said: Partial<Survey>;
  readonly changes?: Partial<Route>;
  readonly hint: RegExp | undefined;
}

const hints: Hint[] = [
  { host: 'imap.gmail.com', side: 'source', said: refused, hint: /app password/ },
  { host: 'imap.gmx.net', side: 'source', said: refused, hint: /switched on in the web settings/ },
  {
    host: 'outlook.office365.com',
    side: 'source',
    said: refused,
    hint: /no passwords any more.*SOURCE_AUTH=oauth2/,
  },
  {
    host: 'OUTLOOK.office365.com.',
    side: 'destination',
    said: refused,
    hint: /DEST_AUTH=oauth2/,
  },
  { host: 'outlook.office365.com', side: 'destination', said: {}, hint: /VERIFY=headers/ },
  {
    host: 'outlook.office365.com',
    side: 'destination',
    said: {},
    changes: { verify: 'headers' },
    hint: undefined,
  },
  { host: '127.0.0.1', side: 'destination', said: { server: 'gluon 1' }, hint: /VERIFY=headers/ },
  { host: 'imap.web.de', side: 'source', said: {}, hint: /Unbekannt/ },
  { host: 'imap.web.de', side: 'destination', said: {}, hint: undefined },
  { host: 'notimap.gmail.com.example.org', side: 'source', said: refused, hint: undefined },
];

it.each(hints)('hints at $hint for the $side $host', ({ host, side, said, changes, hint }) => {
  const named = route({ ...changes, [side]: account(side, { host }) });
  const report = reported({ route: named, [side]: survey({ server: 'x', ...said }) });
  if (hint === undefined) expect(report[side].hint).toBeUndefined();
  else expect(report[side].hint).toMatch(hint);
});

it('says why a side is not let in, and makes no plan', () => {
  const report = routeReport({
    route: route(),
    source: survey({ ...refused, folders: [] }),
    destination: survey(),
    measures: new Map(),
  });
  expect(report).toMatchObject({ ready: false, why: ['It refuses the login.'] });
  expect(report.source).toMatchObject({ reached: true, loggedIn: false, has: [], lacks: [] });
  expect(report.plan).toBeUndefined();
});

it('watches no more folders than MAX_WATCHERS, and goes round the others on one connection more', () => {
  const names = ['INBOX', 'a', 'b', 'c'];
  const plan = { pairs: names.map((name) => ({ source: name, dest: name })), leftOut: [] };
  const report = reported({ plan, route: route({ maxWatchers: 2 }) });
  expect(report.plan?.folders.map(({ watched }) => watched)).toEqual([
    'IDLE',
    'IDLE',
    'STATUS',
    'STATUS',
  ]);
  expect(report.source.connections).toEqual({ used: 3 });
  const source = survey({ capabilities: new Set(['NOTIFY']) });
  const elsewhere = reported({ plan, source, route: route({ maxWatchers: 1 }) });
  expect(elsewhere.plan?.folders.map(({ watched }) => watched)).toEqual([
    'NOOP',
    'NOTIFY',
    'NOTIFY',
    'NOTIFY',
  ]);
  const [first, ...others] = report.plan?.folders ?? [];
  expect(first?.exists).toBe(true);
  expect(others.every(({ exists }) => !exists)).toBe(true);
});

it('notes more connections than the provider allows', () => {
  const courier = survey({ server: 'Courier-IMAP' });
  const plan = { pairs: 'abcdefg'.split('').map((x) => ({ source: x, dest: x })), leftOut: [] };
  const { notes } = reported({ plan, source: courier, route: route({ maxWatchers: 5 }) });
  expect(notes).toEqual([expect.stringMatching(/allows 4 connections.* 6 .*MAX_WATCHERS/)]);
});

it('notes a destination that takes less than MAX_MESSAGE_SIZE', () => {
  const { notes, destination } = reported({ destination: survey({ appendLimit: 35_651_584 }) });
  expect(destination.largestMessage).toBe(35_651_584);
  expect(notes).toEqual([expect.stringMatching(/35\.7 MB at most, less than MAX_MESSAGE_SIZE/)]);
});

it('notes what a destination takes at most where there is no MAX_MESSAGE_SIZE', () => {
  const { maxMessageSize: _, ...boundless } = route();
  const { notes } = reported({
    route: boundless,
    destination: survey({ appendLimit: 35_651_584 }),
  });
  expect(notes).toEqual([expect.stringMatching(/35\.7 MB at most; larger ones stay/)]);
});

it('finds INBOX at the destination in any spelling', () => {
  const report = reported({ destination: survey({ folders: [folder('Inbox')] }) });
  expect(report.plan?.folders[0]?.exists).toBe(true);
});

describe('routes from one account', () => {
  const names = ['A', 'B', 'C', 'D', 'E', 'F'];
  const idleOf = (...owned: readonly (readonly string[])[]) => {
    const facts = owned.map((own, i) => ({
      route: route({ name: `route${i}` }),
      source: survey({ folders: names.map(folder) }),
      destination: survey({ folders: names.map(folder) }),
      plan: { pairs: own.map((name) => ({ source: name, dest: name })), leftOut: [] },
      measures: new Map(own.map((name) => [name, { messages: 0, bytes: 0 }])),
    }));
    return checkReport(facts, []).routes.map(
      ({ plan }) => plan?.folders.filter(({ watched }) => watched === 'IDLE').length,
    );
  };

  it.each([
    [
      [names.slice(0, 3), names.slice(3)],
      [2, 1],
    ],
    [
      [['A'], names.slice(1)],
      [1, 2],
    ],
    [
      [names.slice(0, 5), ['F']],
      [2, 1],
    ],
    [
      [[], names],
      [0, 3],
    ],
  ])('share its MAX_WATCHERS: %j', (owned, idle) => {
    expect(idleOf(...owned)).toEqual(idle);
  });
});

describe('folders that may be one', () => {
  const standing = { uidValidity: 7, uidNext: 3, messages: 2 };
  const measures = new Map([['INBOX', { ...standing, bytes: 3000 }]]);

  it('under two names of a server are to be known, although it is ready', () => {
    const report = reported({ measures, standings: new Map([['INBOX', standing]]) });
    expect(report.ready).toBe(true);
    expect(report.notes).toEqual([
      expect.stringMatching(/^INBOX at the source and INBOX at the destination have the same UIDV/),
    ]);
  });

  it.each([{ uidValidity: 8 }, { uidNext: 4 }, { messages: 1 }])('are two by %j', (other) => {
    const standings = new Map([['INBOX', { ...standing, ...other }]]);
    expect(reported({ measures, standings }).notes).toEqual([]);
  });

  it('are not told of where the servers do not say it', () => {
    const standings = new Map([['INBOX', { messages: 2 }]]);
    expect(reported({ measures, standings }).notes).toEqual([]);
    expect(reported({ standings: new Map([['INBOX', standing]]) }).notes).toEqual([]);
  });
});
