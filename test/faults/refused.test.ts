/**
 * Every command refused with every answer that matters, for as long as a row says; then the fault is taken away. Whatever
 * was refused: nothing is lost or doubled, the tries come at growing pauses, and all is carried in the end, by itself.
 */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { doubled } from '../../src/forward/pace.ts';
import type { Command, Deed } from '../support/imap-wire.ts';
import { message } from '../support/mail.ts';
import { RESPONSE_CODES } from '../support/response-codes.ts';
import { record } from '../support/results.ts';
import { BRISK, Servers, type World, type WorldOptions } from './world.ts';

const { able: servers, poor } = await Servers.bothManners();
afterAll(() => Promise.all([servers[Symbol.asyncDispose](), poor[Symbol.asyncDispose]()]));

// Each row mostly waits.
vi.setConfig({ maxConcurrency: 12 });

const WORDS = 'these are the words';
/** How long Microsoft's words ask one to wait: more than the library waits by itself, half the silence that is borne. */
const BACKOFF = 800;

/** What the server says in place of carrying a command out, by its short name. */
const ANSWERS = {
  ...(Object.fromEntries(
    RESPONSE_CODES.map((code) => [code, `TAG NO [${code}] ${WORDS}`]),
  ) as Record<(typeof RESPONSE_CODES)[number], string>),
  NO: `TAG NO ${WORDS}`,
  BAD: `TAG BAD ${WORDS}`,
  BYE: `* BYE ${WORDS}`,
  throttled: `TAG BAD Request is throttled. Suggested Backoff Time: ${BACKOFF} milliseconds (${WORDS})`,
};
type Answer = keyof typeof ANSWERS;

/** What is expected of imapferry, each a function below. */
type Outcome =
  | 'holds the route'
  | 'tries again'
  | 'waits for the sweep'
  | 'sets the message aside'
  | 'leaves the folder out'
  | 'leaves it to the sweep'
  | 'connects anew'
  | 'knocks again'
  | 'knocks seldom'
  | 'asks by NOOP'
  | 'asks less';

type Table = Readonly<Record<Answer, Outcome>>;

/** Whatever concerns the account holds the route; a folder waits for the sweep; of the rest another try may do better. */
const STEP: Table = {
  OVERQUOTA: 'holds the route',
  LIMIT: 'holds the route',
  TRYCREATE: 'waits for the sweep',
  UNAVAILABLE: 'holds the route',
  SERVERBUG: 'holds the route',
  INUSE: 'waits for the sweep',
  NOPERM: 'waits for the sweep',
  TOOBIG: 'tries again',
  EXPUNGEISSUED: 'tries again',
  AUTHENTICATIONFAILED: 'holds the route',
  CONTACTADMIN: 'holds the route',
  ALERT: 'tries again',
  NO: 'tries again',
  BAD: 'tries again',
  BYE: 'tries again',
  throttled: 'holds the route',
};

/** A folder or account that takes nothing holds the route; what is said of a message is that message's. */
const APPEND: Table = {
  ...STEP,
  TRYCREATE: 'holds the route',
  INUSE: 'holds the route',
  NOPERM: 'holds the route',
  TOOBIG: 'sets the message aside',
  EXPUNGEISSUED: 'sets the message aside',
  ALERT: 'sets the message aside',
  NO: 'sets the message aside',
  BAD: 'sets the message aside',
};

const LOGIN: Table = {
  OVERQUOTA: 'knocks again',
  LIMIT: 'knocks again',
  TRYCREATE: 'knocks seldom',
  UNAVAILABLE: 'knocks again',
  SERVERBUG: 'knocks again',
  INUSE: 'knocks again',
  NOPERM: 'knocks seldom',
  TOOBIG: 'knocks seldom',
  EXPUNGEISSUED: 'knocks seldom',
  AUTHENTICATIONFAILED: 'knocks seldom',
  CONTACTADMIN: 'knocks again',
  ALERT: 'knocks seldom',
  NO: 'knocks seldom',
  BAD: 'knocks seldom',
  BYE: 'knocks again',
  throttled: 'knocks again',
};

const answers = Object.keys(ANSWERS) as Answer[];
const always = (outcome: Outcome, changes: Partial<Table> = {}): Table => ({
  ...(Object.fromEntries(answers.map((answer) => [answer, outcome])) as Table),
  ...changes,
});
const READING = always('leaves the folder out', {
  BYE: 'connects anew',
  AUTHENTICATIONFAILED: 'leaves it to the sweep',
});

interface Refused {
  readonly what: string;
  readonly side: 'source' | 'destination';
  readonly line: RegExp;
  readonly table: Table;
  /** The destination folder is not there yet. */
  readonly missing?: true;
  /** Of servers with bare IMAP4rev1: a literal waits to be asked for, and EXPUNGE takes all that is marked. */
  readonly poor?: true;
}

const COMMANDS: readonly Refused[] = [
  { what: 'APPEND', side: 'destination', line: / APPEND /, table: APPEND },
  { what: 'FETCH', side: 'source', line: / UID FETCH .* BODY\.PEEK\[\]/, table: STEP },
  { what: 'FETCH', side: 'destination', line: / UID FETCH .* BODY\.PEEK\[\]/, table: STEP },
  { what: 'FETCH of a list', side: 'source', line: / UID FETCH .*INTERNALDATE\)/, table: READING },
  { what: 'STORE', side: 'source', line: / UID STORE /, table: STEP },
  { what: 'EXPUNGE', side: 'source', line: / UID EXPUNGE /, table: STEP },
  { what: 'EXPUNGE of all', side: 'source', line: / EXPUNGE$/, table: STEP, poor: true },
  { what: 'a literal of APPEND', side: 'destination', line: / APPEND /, table: APPEND, poor: true },
  { what: 'SELECT', side: 'source', line: / SELECT /, table: READING },
  { what: 'SELECT', side: 'destination', line: / SELECT /, table: STEP },
  { what: 'CREATE', side: 'destination', line: / CREATE /, table: STEP, missing: true },
  { what: 'AUTHENTICATE', side: 'source', line: / AUTHENTICATE /, table: LOGIN },
  { what: 'AUTHENTICATE', side: 'destination', line: / AUTHENTICATE /, table: LOGIN },
  {
    what: 'IDLE',
    side: 'source',
    line: / IDLE$/,
    table: always('asks by NOOP', { BYE: 'connects anew', throttled: 'asks less' }),
  },
];

/** A world in which a command is refused until `over`. */
interface Scene {
  readonly world: World;
  /** How many messages are left in INBOX once all is carried: somebody else's, marked by him. */
  readonly carried: number;
  readonly answer: Answer;
  /** When it was refused (milliseconds of `performance.now()`). */
  readonly refusals: readonly number[];
  /** Waits for the nth refusal. */
  refused(times: number): Promise<void>;
  /** Waits for the nth refusal, and holds each against the pause that has to lie before the next at least. */
  paused(...pauses: readonly number[]): Promise<void>;
  /** Takes the fault away. */
  over(): void;
}

const FEW = { sweepInterval: 600_000 };
const OFTEN = { sweepInterval: 300 };

async function scene(
  { side, line, missing, poor: isPoor }: Refused,
  answer: Answer,
  { route, pace }: WorldOptions,
  culprit?: Buffer,
): Promise<Scene & AsyncDisposable> {
  const folders = [{ kind: 'folder', name: 'INBOX', ...(missing && { to: 'New' }) }] as const;
  const world = await (isPoor ? poor : servers).world({
    ...(missing && { to: () => 'New' }),
    route: { folders, ...route },
    ...(pace && { pace }),
  });
  const refusals: number[] = [];
  const say = ANSWERS[answer];
  const refuse = (): Deed => {
    refusals.push(performance.now());
    return answer === 'BYE' ? { say, end: true } : { say };
  };
  const only = (whole: Buffer): Buffer | string => {
    if (!whole.includes('The culprit')) return whole;
    refusals.push(performance.now());
    return say;
  };
  const at = (command: Command): Deed => {
    if (!line.test(command.line)) return undefined;
    if (culprit === undefined) return refuse();
    // Whose literal has not been sent is known by its length.
    if (!isPoor) return { send: only };
    return command.line.endsWith(`{${culprit.length}}`) ? refuse() : undefined;
  };
  world[side].at = ({ when, command }) => (when === 'before' ? at(command) : undefined);
  const refused = (times: number) =>
    world.until(`it was refused ${times} times`, () => refusals.length >= times);
  return {
    world,
    carried: isPoor ? 0 : 1,
    answer,
    refusals,
    refused,
    async paused(...pauses) {
      await refused(pauses.length + 1);
      const gaps = pauses.map((_, i) => (refusals[i + 1] ?? 0) - (refusals[i] ?? 0));
      // Timers and this clock differ by less than a millisecond.
      expect(gaps.map((gap, i) => gap > (pauses[i] ?? 0) - 2)).toEqual(pauses.map(() => true));
    },
    over() {
      world[side].at = undefined;
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** `count` pauses: the first one, doubled each time. */
const growing = (first: number, longest: number, count = 4) =>
  Array.from({ length: count }, (_, i) => doubled(first, i, longest));

const told = (world: World) =>
  world.told.filter(({ why }) => why?.includes(WORDS)).map(({ event }) => event);

/** How each outcome shows. `settings`: what of the world has to be other than BRISK. */
const OUTCOMES: Readonly<
  Record<Outcome, { settings: WorldOptions; shows: (scene: Scene) => Promise<void> }>
> = {
  'holds the route': {
    settings: { route: FEW },
    async shows({ world, carried, answer, paused, over }) {
      const throttled = answer === 'throttled';
      await paused(...(throttled ? [BACKOFF] : growing(BRISK.holdFirst, BRISK.holdLongest)));
      const isAsked = throttled || answer === 'LIMIT';
      expect(told(world)).toContain(isAsked ? 'delivery.slowed' : 'delivery.postponed');
      const noticed = world.count('watcher.noticed');
      await world.put('INBOX', message());
      await world.until('it is noticed', () => world.count('watcher.noticed') > noticed);
      expect(world.count('delivery.refused') + world.count('route.resumed')).toBe(0);
      over();
      await world.left(carried);
      await world.saw('route.resumed');
      expect(world.count('route.resumed')).toBe(1);
    },
  },
  'tries again': {
    settings: { route: OFTEN },
    async shows({ world, answer, paused, refused, over }) {
      await paused(...growing(BRISK.attemptFirst, BRISK.reconnectLongest));
      await world.saw('delivery.postponed');
      expect(world.count('delivery.retried')).toBeGreaterThanOrEqual(4);
      expect(told(world)).toContain(answer === 'BYE' ? 'delivery.retried' : 'delivery.postponed');
      await refused(6);
      expect(world.count('delivery.refused')).toBe(0);
      over();
    },
  },
  'waits for the sweep': {
    settings: { route: OFTEN },
    async shows({ world, refusals, refused, over }) {
      await refused(3);
      await world.saw('sweep.finished', 3);
      expect(refusals.length).toBeLessThanOrEqual(2 * (world.count('sweep.finished') + 2));
      expect(told(world)).toContain('delivery.postponed');
      expect(world.count('delivery.refused')).toBe(0);
      over();
    },
  },
  'sets the message aside': {
    settings: { route: FEW },
    async shows({ world, carried, paused, over }) {
      await world.left(carried + 1);
      await world.put('INBOX', message());
      await world.left(carried + 1);
      // At once with two others, with one, and alone.
      await paused(0, 0, ...growing(BRISK.refusedFirst, BRISK.refusedLongest, 3));
      expect(told(world)).toEqual(['delivery.refused']);
      expect(await world.oracle.now()).toEqual([]);
      over();
    },
  },
  'leaves the folder out': {
    settings: { route: FEW },
    async shows({ world, answer, paused, over }) {
      const throttled = answer === 'throttled';
      await paused(...(throttled ? [BACKOFF] : growing(BRISK.holdFirst, BRISK.holdLongest)));
      expect(told(world)).toEqual(['folder.left-out']);
      over();
    },
  },
  'leaves it to the sweep': {
    settings: { route: OFTEN },
    async shows({ world, refusals, refused, over }) {
      await refused(3);
      await world.saw('sweep.finished', 3);
      expect(refusals.length).toBeLessThanOrEqual(2 * (world.count('sweep.finished') + 2));
      expect(told(world)).toEqual(['folder.left-out']);
      over();
    },
  },
  'connects anew': {
    settings: { route: FEW, pace: { reconnectFirst: 300, reconnectLongest: 600 } },
    async shows({ world, paused, over }) {
      await paused(...growing(300, 600, 3));
      expect(told(world)).toContain('watcher.lost');
      over();
    },
  },
  'knocks again': {
    settings: { route: FEW },
    async shows({ world, answer, paused, over }) {
      const throttled = answer === 'throttled';
      await paused(
        ...(throttled ? [BACKOFF, BACKOFF] : growing(BRISK.reconnectFirst, BRISK.reconnectLongest)),
      );
      expect(new Set(told(world))).toEqual(new Set(['account.reconnecting']));
      over();
    },
  },
  'knocks seldom': {
    settings: { route: FEW },
    async shows({ world, paused, over }) {
      const { reconnectFirst: first, refusedLogin: seldom } = BRISK;
      await paused(first, 2 * first, seldom, seldom);
      expect(new Set(told(world))).toEqual(new Set(['account.reconnecting', 'account.refused']));
      over();
    },
  },
  'asks by NOOP': {
    settings: { route: FEW },
    async shows({ world, carried, refusals, refused }) {
      await refused(1);
      await world.left(carried);
      await world.put('INBOX', message());
      await world.left(carried);
      expect(refusals).toHaveLength(1);
      expect(world.source.commands.map(({ name }) => name)).toContain('NOOP');
    },
  },
  'asks less': {
    settings: { route: { ...FEW, idleRenew: 200 } },
    async shows({ world, carried, paused }) {
      await paused(BRISK.silence / 2);
      await world.put('INBOX', message());
      await world.left(carried);
    },
  },
};

const SIDES = { source: 'the source', destination: 'the destination' };
const HOW: Partial<Record<Answer, string>> = {
  NO: 'NO without a code',
  BAD: 'BAD',
  BYE: 'BYE',
  throttled: "Microsoft's throttle text",
};

const rows = COMMANDS.flatMap((command) =>
  answers.map((answer) => {
    const how = HOW[answer] ?? `NO [${answer}]`;
    const outcome = command.table[answer];
    const point = `${command.what} answered ${how} by ${SIDES[command.side]}`;
    return [point, outcome, command, answer] as const;
  }),
);

describe.concurrent('refused', () => {
  it.for(rows)('%s: %s', async ([point, outcome, command, answer]) => {
    const { settings, shows } = OUTCOMES[outcome];
    const aside = outcome === 'sets the message aside';
    const letters = ['one', 'The culprit', 'two'].map((body) => message({ body }));
    await using here = await scene(command, answer, settings, aside ? letters[1] : undefined);
    const { world, carried } = here;
    for (const letter of letters) await world.put('INBOX', letter);
    // Without UIDPLUS all would have to stay for his sake.
    const box = command.poor ? 'Others' : 'INBOX';
    if (command.poor) await world.old.create(box);
    await world.oracle.stranger('source', box, message(), { flags: ['\\Deleted'] });
    world.start();
    await shows(here);
    world.look();
    await world.left(carried);
    expect(await world.stop()).toBe(0);
    expect(await world.violations()).toEqual([]);
    expect(await world.oracle.end()).toEqual([]);
    record({ part: 'refused', point, outcome });
  });
});

describe('message after message', () => {
  it.each([
    ['with MULTIAPPEND', undefined],
    ['with LITERAL+ only', 'IMAP4rev1 UIDPLUS LITERAL+ IDLE'],
  ])(
    'refused for no known reason: the folder rests, is watched, and is taken up again, %s',
    async (how, capability) => {
      await using own = capability
        ? await Servers.start({ destination: { capability } })
        : undefined;
      await using world = await (own ?? servers).world({
        pace: { holdFirst: 200, holdLongest: 400 },
      });
      for (let i = 0; i < 40; i++) await world.put('INBOX', message());
      let strict = true;
      let asked = 0;
      world.destination.at = ({ when, command: { name } }) => {
        if (when !== 'before' || name !== 'APPEND' || !strict) return undefined;
        asked++;
        return { say: 'TAG NO 42' };
      };
      world.start();
      await world.saw('delivery.postponed');
      // Halves of halves, three that stand alone, and the last one of all.
      expect(asked).toBeLessThanOrEqual(12);
      expect(world.events('delivery.postponed')[0]?.why).toMatch(/message after message.* 42\.$/);
      await world.saw('delivery.postponed', 2);
      const noticed = world.count('watcher.noticed');
      await world.put('INBOX', message());
      await world.until('it is noticed', () => world.count('watcher.noticed') > noticed);
      expect(world.count('delivery.refused')).toBe(0);
      strict = false;
      await world.left();
      // Told once the server has shown that they are gone.
      await world.saw('route.resumed');
      expect(world.count('route.resumed')).toBe(1);
      expect(await world.stop()).toBe(0);
      expect(await world.oracle.end()).toEqual([]);
      record({
        part: 'refused',
        point: `APPEND of every message answered NO ${how}`,
        outcome: 'holds the route',
      });
    },
  );

  it('of forty, three of them bad for no known reason: these are set aside, the rest is carried', async () => {
    await using world = await servers.world({
      pace: { refusedFirst: 60_000, refusedLongest: 60_000 },
    });
    for (let i = 0; i < 40; i++) {
      await world.put('INBOX', message({ body: i < 3 ? 'The culprit' : 'good' }));
    }
    world.destination.at = ({ when, command: { name } }) =>
      when === 'before' && name === 'APPEND'
        ? { send: (whole) => (whole.includes('The culprit') ? 'TAG NO 42' : whole) }
        : undefined;
    world.start();
    await world.left(3);
    await world.saw('delivery.refused', 3);
    expect(world.count('delivery.postponed')).toBe(0);
    expect(await world.stop()).toBe(0);
    expect(await world.oracle.now()).toEqual([]);
    record({
      part: 'refused',
      point: 'APPEND of the first three of forty answered NO',
      outcome: 'sets the message aside',
    });
  });
});

it('six refused attempts a minute are the most, however many folders and batches there are', async () => {
  const WITHIN = 1500;
  const names = ['INBOX', 'One', 'Two', 'Three'];
  await using world = await servers.world({
    route: {
      folders: names.map((name) => ({ kind: 'folder', name })),
      sweepInterval: 50,
      maxWatchers: 4,
      concurrency: 4,
    },
    pace: { refusalsWithin: WITHIN },
  });
  for (const name of names) {
    if (name !== 'INBOX') await world.old.create(name);
    for (let i = 0; i < 3; i++) await world.put(name, message());
  }
  const refusals: number[] = [];
  let strict = true;
  world.source.at = ({ when, command: { line } }) => {
    if (when !== 'before' || !strict || !/ UID FETCH .* BODY\.PEEK\[\]/.test(line))
      return undefined;
    refusals.push(performance.now());
    return { say: 'TAG NO not now' };
  };
  world.start();
  await world.until('there were eighteen', () => refusals.length >= 18);
  for (const since of refusals) {
    // An attempt counts from its answer, which comes after the server was asked.
    const within = refusals.filter((at) => at >= since && at < since + WITHIN - 50);
    expect(within.length).toBeLessThanOrEqual(6);
  }
  expect((refusals[17] ?? 0) - (refusals[0] ?? 0)).toBeGreaterThan(WITHIN);
  strict = false;
  for (const name of names) await world.left(0, name);
  expect(await world.stop()).toBe(0);
  expect(await world.oracle.end()).toEqual([]);
  record({
    part: 'refused',
    point: 'FETCH in four folders at once answered NO',
    outcome: 'tries at most six times a minute',
  });
});
