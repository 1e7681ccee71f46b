/**
 * Every connection cut at every point: closed, broken off, or silent, before and after each command and in the middle of
 * each literal, on either side. imapferry is left running, and has to get over it by itself.
 */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { EVENTS, type EventName } from '../../src/domain/events.ts';
import type { Moment } from '../support/imap-wire.ts';
import { message } from '../support/mail.ts';
import { record } from '../support/results.ts';
import { FULL, SEED } from '../support/seed.ts';
import { fill } from './mailbox.ts';
import { Servers, type World } from './world.ts';

const KINDS = ['end', 'reset', 'silence'] as const;
type Kind = (typeof KINDS)[number];

/** A server with all that imapferry can use, and one with nothing of it. */
const MANNERS = await Servers.bothManners();
type Manner = keyof typeof MANNERS;

afterAll(() => Promise.all(Object.values(MANNERS).map((each) => each[Symbol.asyncDispose]())));

interface Point {
  readonly manner: Manner;
  readonly side: 'source' | 'destination';
  readonly when: Moment['when'];
  readonly name: string;
  /** The nth moment of that kind on that side, from 1. */
  readonly nth: number;
}

const FIELDS = ['manner', 'side', 'when', 'name', 'nth'] as const;
const same = (one: Point, other: Point) => FIELDS.every((field) => one[field] === other[field]);

/** Calls `at` at each point of what follows. */
function atEach(world: World, manner: Manner, at: (point: Point) => Kind | undefined): void {
  for (const side of ['source', 'destination'] as const) {
    const counts = new Map<string, number>();
    world[side].at = ({ when, command: { name } }) => {
      const key = `${when} ${name}`;
      const nth = (counts.get(key) ?? 0) + 1;
      counts.set(key, nth);
      return at({ manner, side, when, name, nth });
    };
  }
}

/** Mailboxes with mail that is easily lost or doubled, between them imapferry that renews and sweeps all the time. */
async function worldOf(manner: Manner): Promise<World> {
  const folders = ['INBOX', 'Papers'].map((name) => ({ kind: 'folder', name }) as const);
  const world = await MANNERS[manner].world({
    route: { folders, idleRenew: 150, sweepInterval: 600 },
  });
  // Where a server can expunge only all at once, what others marked holds up what is carried.
  await fill(world, { size: 200_000, marked: manner === 'able' ? 'Papers' : 'Others' });
  return world;
}

/** Waits until nothing that is to be carried is left. */
async function carried(world: World, manner: Manner): Promise<void> {
  await world.left(0);
  await world.left(manner === 'able' ? 1 : 0, 'Papers');
}

/** So many messages come at most until it does. */
const MOST_MAIL = 200;

/** What waits is carried, and mail comes and is carried until `enough`: at least one message. */
async function crossing(world: World, manner: Manner, enough: () => boolean): Promise<void> {
  world.start();
  await carried(world, manner);
  let nth = 0;
  do {
    if (nth > MOST_MAIL) throw new Error('What was waited for does not come');
    await world.put(nth++ % 2 === 0 ? 'INBOX' : 'Papers', message());
    await carried(world, manner);
    const asked = world.source.commands.length + 10;
    // A renewal, a sweep and a question come by before there is new mail again.
    await world.until('more is asked', () => enough() || world.source.commands.length > asked);
  } while (!enough());
}

/** What comes again and again counts so often, so that the points are the same on each machine. */
const MOST: Readonly<Record<string, number>> = {
  LIST: 2,
  LSUB: 1,
  SELECT: 4,
  'UID SEARCH': 3,
  'UID FETCH': 8,
  APPEND: 8,
  'UID STORE': 3,
  'UID EXPUNGE': 3,
  EXPUNGE: 3,
  IDLE: 3,
  NOOP: 2,
};

/** The points of a crossing that nobody disturbs. */
async function pointsOf(manner: Manner): Promise<Point[]> {
  await using world = await worldOf(manner);
  const counts = new Map<string, number>();
  const points: Point[] = [];
  atEach(world, manner, (point) => {
    const most = MOST[point.name];
    if (most !== undefined) counts.set(`${point.when} ${point.name} ${point.side}`, point.nth);
    if (point.nth <= (most ?? Number.POSITIVE_INFINITY)) points.push(point);
    return undefined;
  });
  const often = ([key, count]: [string, number]) =>
    count >=
    Math.max(...Object.entries(MOST).map(([name, most]) => (key.includes(` ${name} `) ? most : 0)));
  await crossing(
    world,
    manner,
    () => counts.has('after NOOP destination') && [...counts].every(often),
  );
  await world.stop();
  expect(await world.oracle.end()).toEqual([]);
  return points.sort((one, other) => label(one).localeCompare(label(other)));
}

const WHEN = {
  before: 'before',
  up: 'in the middle of a literal of',
  down: 'in the middle of a literal that answers',
  after: 'after',
} as const;

function label({ manner, side, when, name, nth }: Point): string {
  return `${WHEN[when]} ${name} (${nth}) at the ${side}, ${manner} servers`;
}

const HOW = { end: 'closed', reset: 'broken off', silence: 'silent' } as const;

/** Which kind of cut is tried at which point is drawn; with FULL=1, each at each. */
const points = (await Promise.all([pointsOf('able'), pointsOf('poor')])).flat();
const rows = points.flatMap((point, i) =>
  KINDS.filter((_, k) => FULL || k === (i + SEED) % KINDS.length).map(
    (kind) => [`${HOW[kind]} ${label(point)}`, point, kind] as const,
  ),
);

// Each row mostly waits.
vi.setConfig({ maxConcurrency: 12 });

/** imapferry lives, and no message was lost, doubled or set aside, nor at any look. */
async function safe(world: World, manner: Manner): Promise<void> {
  await world.put('INBOX', message());
  await carried(world, manner);
  expect(await world.stop()).toBe(0);
  expect(await world.violations()).toEqual([]);
  expect(await world.oracle.end()).toEqual([]);
  expect(world.told.filter(({ event }) => EVENTS[event][0] === 'error')).toEqual([]);
}

describe.concurrent(`a connection (SEED=${SEED})`, () => {
  it.for(rows)('%s: each message is carried once', async ([name, point, kind]) => {
    const { manner } = point;
    await using world = await worldOf(manner);
    let reached = false;
    atEach(world, manner, (now) => {
      if (reached || !same(now, point)) return undefined;
      reached = true;
      world.look();
      return kind;
    });
    await crossing(world, manner, () => reached || point.name === 'LOGOUT');
    await safe(world, manner);
    expect(reached).toBe(true);
    record({ part: 'cut', point: name, outcome: 'each message once' });
  });

  const sides = ['source', 'destination'] as const;
  const each = sides.flatMap((side) => KINDS.map((kind) => [HOW[kind], side, kind] as const));

  it.for(each)('%s while the %s rests: each message is carried once', async ([how, side, kind]) => {
    await using world = await worldOf('able');
    world.start();
    await carried(world, 'able');
    await world.until('the source idles', () => world.source.commands.at(-1)?.name === 'IDLE');
    world[side].strike(kind);
    await safe(world, 'able');
    record({ part: 'cut', point: `${how} at rest at the ${side}`, outcome: 'each message once' });
  });

  it.for(each)(
    '%s before the greeting of the %s: each message is carried once',
    async ([how, side, kind]) => {
      await using world = await worldOf('able');
      world[side].onJoin = (nth) => (nth <= 3 ? kind : undefined);
      world.start();
      await carried(world, 'able');
      expect(world.count('account.reconnecting')).toBeGreaterThanOrEqual(3);
      await safe(world, 'able');
      const point = `${how} before the greeting of the ${side}`;
      record({ part: 'cut', point, outcome: 'each message once' });
    },
  );
});

describe('a silent link', () => {
  const silence = 1000;
  /** A look costs a twenty-first of that; the rest is what a busy machine may take. */
  const most = 2 * silence;

  interface Silent {
    readonly side: 'source' | 'destination';
    readonly command: string;
    /** IDLE renewed so often. */
    readonly idleRenew?: number;
    readonly told: EventName;
  }

  it.each<Silent>([
    { side: 'source', command: 'AUTHENTICATE', told: 'account.reconnecting' },
    { side: 'destination', command: 'AUTHENTICATE', told: 'account.reconnecting' },
    { side: 'source', command: 'LIST', told: 'account.reconnecting' },
    { side: 'source', command: 'UID FETCH', told: 'watcher.lost' },
    { side: 'source', command: 'UID STORE', told: 'watcher.lost' },
    { side: 'destination', command: 'APPEND', told: 'account.lost' },
    { side: 'destination', command: 'UID FETCH', told: 'account.lost' },
    { side: 'source', command: 'IDLE', idleRenew: 1000, told: 'watcher.lost' },
  ])(
    'at $command of the $side is noticed after as long as a command bears, and not before',
    async (row) => {
      const { side, command: name, idleRenew = 60_000, told } = row;
      const idles = name === 'IDLE';
      await using world = await MANNERS.able.world({ route: { idleRenew }, pace: { silence } });
      let since = 0;
      world[side].at = ({ when, command }) => {
        if (since > 0 || when !== (idles ? 'after' : 'before') || command.name !== name)
          return undefined;
        since = performance.now();
        world[side].strike('silence');
        return undefined;
      };
      await world.put('INBOX', message());
      world.start();
      await world.saw(told);
      const took = (world.events(told)[0]?.at ?? 0) - since;
      expect(took).toBeGreaterThan(0.9 * silence);
      expect(took).toBeLessThan(most + (idles ? idleRenew : 0));
      await world.left(0);
      await world.stop();
      expect(await world.oracle.end()).toEqual([]);
      const bound = idles
        ? 'IDLE_RENEW and the silence that is borne'
        : 'the silence that is borne';
      record({
        part: 'a silent link',
        point: `at ${name} of the ${side}`,
        outcome: `noticed within ${bound}`,
      });
    },
  );
});

it('of twins whose APPENDs were cut off, one stored and one not, both arrive', async () => {
  // What was interrupted is taken as settled at once: the second look follows the first.
  await using world = await MANNERS.poor.world({ pace: { settle: 0 } });
  const twin = message();
  await world.put('INBOX', twin);
  await world.put('INBOX', twin);
  let appends = 0;
  world.destination.at = ({ when, command }) =>
    when === 'before' && command.name === 'APPEND' && ++appends === 2 ? 'end' : undefined;
  world.start();
  await world.left(0);
  await world.stop();
  expect(await world.oracle.end()).toEqual([]);
  expect(world.count('delivery.recovered')).toBe(1);
});
