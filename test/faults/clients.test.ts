/**
 * Other clients have their hands in the same folders: they flag, unflag, mark, move and expunge while a batch is under way.
 * Their marks stay, the rest of the batch goes through, and what they changed on the way is on the copies in the end.
 */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { EVENTS } from '../../src/domain/events.ts';
import type { AfterDelivery, Route } from '../../src/domain/route.ts';
import { type Mail, message } from '../support/mail.ts';
import type { Letter } from '../support/oracle.ts';
import { record } from '../support/results.ts';
import { FULL, SEED } from '../support/seed.ts';
import { type At, isBefore, MOMENTS, meanwhile } from './moments.ts';
import { Servers, type World } from './world.ts';

/** A server that can expunge by UID, and one that can't, nor anything else. */
const MANNERS = await Servers.bothManners();
type Manner = keyof typeof MANNERS;

afterAll(() => Promise.all(Object.values(MANNERS).map((each) => each[Symbol.asyncDispose]())));

// Each row mostly waits.
vi.setConfig({ maxConcurrency: 12 });

const PART = 'other clients';
/** The flags of each message that travels. */
const FLAGS = ['\\Flagged', 'old'];
/** The one of the batch that others lay hands on. */
const VICTIM = 2;

interface Scene {
  readonly world: World;
  readonly victim: Letter;
  readonly other: Mail;
}

/** A batch that waits at the source. */
async function sceneOf(manner: Manner, route: Partial<Route> = {}) {
  const world = await MANNERS[manner].world({ route: { sweepInterval: 300, ...route } });
  for (let i = 1; i <= 4; i++) await world.put('INBOX', message(), { flags: FLAGS });
  const victim = world.oracle.originals[VICTIM - 1];
  if (victim === undefined) throw new Error('There is no such message');
  const other = await world.client('source');
  await other.create('Away');
  return {
    world,
    victim,
    other,
    async [Symbol.asyncDispose]() {
      await other[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

interface Deed {
  /** What the other client does at the source, in the middle of a batch. */
  readonly does: (scene: Scene) => Promise<void>;
  /** Whether it can be expected of imapferry to know of it at this moment. */
  readonly at?: (at: At, manner: Manner) => boolean;
  /** What he does when all that can be carried is carried, so that the rest can be, too. */
  readonly afterwards?: (scene: Scene) => Promise<void>;
}

const flagging = (change: string, flags: readonly string[]): Deed => ({
  async does({ world, victim, other }) {
    await other.flag('INBOX', `${VICTIM}`, change);
    world.oracle.reflag(victim, flags);
  },
  // The answer to STORE is the last that tells flags.
  at: (at) => isBefore(at, 'after the STORE'),
});

const theirs = { flags: ['\\Deleted', 'theirs'], internalDate: new Date() };

const DEEDS: Readonly<Record<string, Deed>> = {
  'flags a message': flagging('+FLAGS (\\Seen new)', [...FLAGS, '\\Seen', 'new']),
  'unflags a message': flagging('-FLAGS (\\Flagged old)', []),
  'expunges a message': {
    async does({ world, victim, other }) {
      world.oracle.remove(victim);
      await other.expunge('INBOX', `${VICTIM}`);
    },
  },
  'moves a message': {
    async does({ world, victim, other }) {
      world.oracle.remove(victim);
      const { bytes } = victim;
      world.oracle.strangers.source.push({ folder: 'Away', bytes });
      await other.command('SELECT INBOX');
      await other.command(`UID MOVE ${VICTIM} Away`);
      await other.command('UNSELECT');
    },
    at: (at) => at.name !== 'after the EXPUNGE',
  },
  'marks a message': {
    does: ({ other }) => other.flag('INBOX', `${VICTIM}`, '+FLAGS (\\Deleted)'),
    afterwards: ({ other }) => other.flag('INBOX', `${VICTIM}`, '-FLAGS (\\Deleted)'),
  },
  'takes the mark of a carried one away': {
    does: ({ other }) => other.flag('INBOX', `${VICTIM}`, '-FLAGS (\\Deleted)'),
    at: (at) => !isBefore(at, 'after the STORE'),
  },
  'marks one that is not in the batch': {
    async does({ world, other }) {
      const bytes = message();
      await other.put('INBOX', bytes, theirs);
      world.oracle.strangers.source.push({ folder: 'INBOX', bytes, ...theirs });
    },
    // Without UIDPLUS, what is marked after the last look can be taken along.
    at: (at, manner) => manner === 'able' || isBefore(at, 'before the EXPUNGE'),
    async afterwards({ world, other }) {
      world.oracle.strangers.source.splice(0);
      await other.command('SELECT INBOX');
      await other.command('UID EXPUNGE 5');
      await other.command('UNSELECT');
    },
  },
};

/** How the end of a crossing shows. */
const MODES: Readonly<Record<AfterDelivery['kind'], (world: World) => Promise<void>>> = {
  expunge: (world) => world.left(0),
  move: (world) => world.left(0),
  mark: (world) => world.marked(),
  keep: (world) =>
    world.until('all is carried', async () =>
      (await world.oracle.end()).every((wrong) => wrong.endsWith('still at the source')),
    ),
};

async function played(name: string, at: At, scene: Scene, kind: AfterDelivery['kind']) {
  const { world } = scene;
  const { does, afterwards } = DEEDS[name] ?? {};
  if (does === undefined) throw new Error(name);
  const reached = meanwhile(world, at, () => does(scene));
  world.start();
  await world.until('the moment comes', reached);
  await world.put('INBOX', message(), { flags: FLAGS });
  if (kind !== 'keep') await world.marked();
  // A flag reaches the copy when the original is marked already.
  const well = async () => (await world.oracle.now({ journalLost: kind === 'mark' })).length === 0;
  await world.until('nothing is wrong', well);
  await afterwards?.(scene);
  await MODES[kind](world);
  expect(await world.stop()).toBe(0);
  const wrong = await world.oracle.end({ journalLost: kind === 'mark' });
  expect(wrong.filter((each) => kind !== 'keep' || !each.endsWith('still at the source'))).toEqual(
    [],
  );
  expect(world.told.filter(({ event }) => EVENTS[event][0] === 'error')).toEqual([]);
}

/** On which server a deed is tried at which moment; with FULL=1, on both. */
const manners = Object.keys(MANNERS) as Manner[];

const rows = Object.entries(DEEDS)
  .flatMap(([name, deed]) => MOMENTS.map((at) => [name, deed, at] as const))
  .flatMap(([name, deed, at], i) => {
    const can = manners.filter((manner) => deed.at?.(at, manner) ?? true);
    const tried = FULL ? can : can.filter((_, m) => m === (i + SEED) % can.length);
    return tried.map(
      (manner) => [`${name} ${at.name}, ${manner} servers`, name, at, manner] as const,
    );
  });

describe.concurrent(`another client (SEED=${SEED})`, () => {
  it.for(rows)('%s', async ([point, name, at, manner]) => {
    await using scene = await sceneOf(manner);
    await played(name, at, scene, 'expunge');
    record({ part: PART, point, outcome: 'the rest goes through, what is theirs stays' });
  });
});

const point = (name: string, line: RegExp): At => ({ name, side: 'source', when: 'before', line });
const moment = (name: string) => MOMENTS.filter((at) => at.name === name);
const START = [...moment('before the fetch'), ...moment('before the APPEND')];
/** The moments of the other modes at which there is something to be seen. */
const OTHERS: readonly (readonly [AfterDelivery, readonly At[]])[] = [
  [{ kind: 'mark' }, [...START, ...moment('before the STORE')]],
  [{ kind: 'keep' }, [...moment('before the fetch'), ...moment('before the read-back')]],
  [{ kind: 'move', folder: 'Done' }, [...START, point('before the MOVE', / UID MOVE /)]],
];
const modes = OTHERS.flatMap(([mode, moments]) =>
  ['flags a message', 'expunges a message', 'marks one that is not in the batch'].flatMap((name) =>
    moments
      .filter((at) => DEEDS[name]?.at?.(at, 'able') ?? true)
      .map((at) => [`${name} ${at.name}`, mode, name, at] as const),
  ),
);

describe.concurrent('another client, under AFTER_DELIVERY', () => {
  it.for(modes.map((row) => [row[1].kind, ...row] as const))(
    '%s, %s',
    async ([kind, what, mode, name, at]) => {
      await using scene = await sceneOf('able', { afterDelivery: mode });
      await played(name, at, scene, kind);
      record({
        part: PART,
        point: `${kind}: ${what}`,
        outcome: 'the rest goes through, what is theirs stays',
      });
    },
  );
});

/** What another client does at the destination with the copy of the victim, and which of `why` imapferry then has to tell. */
const ELSEWHERE: readonly (readonly [
  what: string,
  at: readonly string[],
  does: (scene: Scene, fresh: Mail) => Promise<void>,
  told: readonly string[],
])[] = [
  [
    'removes a copy before it is read back',
    ['after the APPEND', 'before the read-back'],
    // The copy can not be proven: the original stays, and is sent once more.
    (_, fresh) => fresh.expunge('INBOX', `${VICTIM}`),
    ['delivery.unverified'],
  ],
  [
    'marks a copy before it is read back, and expunges it later',
    ['before the read-back'],
    (_, fresh) => fresh.flag('INBOX', `${VICTIM}`, '+FLAGS (\\Deleted)'),
    ['delivery.unverified'],
  ],
  [
    'removes a copy that is proven',
    ['before the STORE', 'before the EXPUNGE'],
    async ({ world, victim }, fresh) => {
      world.oracle.remove(victim);
      await fresh.expunge('INBOX', `${VICTIM}`);
    },
    [],
  ],
  [
    'flags a copy, and the original',
    ['before the read-back', 'before the STORE'],
    async ({ world, victim, other }, fresh) => {
      await fresh.flag('INBOX', `${VICTIM}`, '+FLAGS (\\Seen read)');
      await other.flag('INBOX', `${VICTIM}`, '+FLAGS (\\Answered)');
      world.oracle.reflag(victim, [...FLAGS, '\\Seen', 'read', '\\Answered']);
    },
    [],
  ],
];

const elsewhere = ELSEWHERE.flatMap(([what, names, does, told]) =>
  names.flatMap((name) =>
    moment(name).flatMap((at) =>
      // One by one, the first APPEND is another message's.
      (name === 'after the APPEND' ? (['able'] as const) : manners).map(
        (manner) => [`${what}, ${name}, ${manner} servers`, at, manner, does, told] as const,
      ),
    ),
  ),
);

describe.concurrent('another client at the destination', () => {
  it.for(elsewhere)('%s', async ([what, at, manner, does, told]) => {
    await using scene = await sceneOf(manner);
    const { world } = scene;
    await using fresh = await world.client('destination');
    const reached = meanwhile(world, at, () => does(scene, fresh));
    world.start();
    await world.until('the moment comes', reached);
    await world.put('INBOX', message(), { flags: FLAGS });
    if (what.startsWith('marks')) {
      await world.left(1);
      await world.saw('folder.looked', world.count('folder.looked') + 2);
      await world.left(1);
      await fresh.expunge('INBOX', `${VICTIM}`);
    }
    await world.left(0);
    expect(await world.stop()).toBe(0);
    expect(await world.oracle.end()).toEqual([]);
    const errors = world.told.filter(({ event }) => EVENTS[event][0] === 'error');
    expect([...new Set(errors.map(({ event }) => event))]).toEqual(told);
    record({ part: PART, point: what, outcome: 'each message once, or where he put it' });
  });
});

/** Other messages on both sides, whose flags change before each command that imapferry sends. */
describe.concurrent('flags of other messages that change all the time', () => {
  const kinds = ['expunge', 'mark', 'keep'] as const;

  it.for(kinds)('never reach the engine, under AFTER_DELIVERY=%s', async (kind) => {
    await using scene = await sceneOf('able', { afterDelivery: { kind } });
    const { world } = scene;
    const others = { source: [] as number[], destination: [] as number[] };
    for (let i = 0; i < 20; i++) {
      for (const side of ['source', 'destination'] as const) {
        const bytes = message();
        // At the source what somebody else marked is not carried; nobody else may change that.
        const flags = side === 'source' ? ['\\Deleted'] : [];
        const uid = await world[side === 'source' ? 'old' : 'fresh'].put('INBOX', bytes, { flags });
        others[side].push(uid ?? 0);
        world.oracle.strangers[side].push({ folder: 'INBOX', bytes });
      }
    }
    const foreign = { source: 0, destination: 0 };
    const clients = await Promise.all(
      (['source', 'destination'] as const).map((side) => world.client(side)),
    );
    for (const [i, side] of (['source', 'destination'] as const).entries()) {
      const client = clients[i];
      if (client === undefined) throw new Error('There is no such client');
      await client.command('SELECT INBOX');
      let turn = Promise.resolve<unknown>(undefined);
      let nth = 0;
      const toggle = () => {
        const change = `${nth++ % 2 ? '-' : '+'}FLAGS (\\Seen \\Flagged restless)`;
        turn = turn.then(() => client.command(`UID STORE ${others[side].join()} ${change}`));
        return turn;
      };
      const asked = /^(UID (FETCH|STORE|SEARCH|EXPUNGE)|APPEND|NOOP)$/;
      world[side].at = ({ when, command: { name } }) =>
        when === 'before' && asked.test(name) ? { first: toggle } : undefined;
      world[side].untagged = (answer, command) => {
        // Mostly without a UID, which the engine could not know whose it is by.
        const [, uid] =
          /^\* \d+ FETCH \((?:UID (\d+) )?FLAGS \([^)]*\)\)/.exec(String(answer)) ?? [];
        const unasked = /^\* \d+ FETCH \(FLAGS /.test(String(answer));
        if (command && (unasked || others[side].includes(Number(uid)))) foreign[side]++;
        return answer;
      };
    }
    world.start();
    for (let i = 0; i < 6; i++) {
      await world.put('INBOX', message(), { flags: i % 2 ? FLAGS : [] });
      await world.until('it is carried', () => world.count('delivery.done') === 5 + i);
    }
    expect(await world.stop()).toBe(0);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    const wrong = await world.oracle.end({ journalLost: kind === 'mark' });
    expect(
      wrong.filter((each) => kind !== 'keep' || !each.endsWith('still at the source')),
    ).toEqual([]);
    const theirs = (await world.old.dump('INBOX')).filter(({ uid }) => others.source.includes(uid));
    expect(theirs.map(({ flags }) => flags.includes('\\Deleted'))).toEqual(
      others.source.map(() => true),
    );
    expect(foreign.source).toBeGreaterThan(20);
    expect(foreign.destination).toBeGreaterThan(20);
    expect(world.told.filter(({ event }) => EVENTS[event][0] === 'error')).toEqual([]);
    record({
      part: PART,
      point: `flags of others change all the time, ${kind}`,
      outcome: 'no row of theirs is taken',
    });
  });
});
