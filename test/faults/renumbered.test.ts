/**
 * Folders whose numbers change under imapferry: UIDVALIDITY is another, the folder was deleted and made anew, renamed,
 * removed, or was not there before. Nothing is retired on old numbers, nobody else's message is touched, each arrives once.
 */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { EVENTS } from '../../src/domain/events.ts';
import type { Route } from '../../src/domain/route.ts';
import { message } from '../support/mail.ts';
import { record } from '../support/results.ts';
import { type At, isBefore, MOMENTS, meanwhile } from './moments.ts';
import { Servers, type World, type WorldOptions } from './world.ts';

/** With sdbox, since Dovecot's maildir refuses for a while whatever comes right after a folder was made anew. */
const manner = { extra: 'mail_location = sdbox:%h\nservice imap {\n  service_count = 1\n}' };
const servers = await Servers.start({ source: manner, destination: manner });
afterAll(() => servers[Symbol.asyncDispose]());

// Each row mostly waits.
vi.setConfig({ maxConcurrency: 12 });

const PART = 'renumbered';

type Side = 'source' | 'destination';

/** A folder that may be deleted, which INBOX may not, with mail that waits in it. */
async function worldOf(options: WorldOptions = {}): Promise<World> {
  const world = await servers.world({
    freshEyes: true,
    ...options,
    // A folder is made anew in several steps: nobody is to come back in the midst of them because the wire is held.
    pace: { silence: 30_000, ...options.pace },
    route: {
      folders: [{ kind: 'folder', name: 'Box' }],
      sweepInterval: 300,
      ...options.route,
    },
  });
  await world.old.create('Box');
  await world.fresh.create('Box');
  for (const body of ['one', 'two', 'three']) await world.put('Box', message({ body }));
  return world;
}

/** What is done to a folder while imapferry runs. */
const DEEDS = {
  /** The same messages under the same UIDs, and another UIDVALIDITY. */
  'gets another UIDVALIDITY': (world: World, side: Side) =>
    servers[side].renumber(world.user, 'Box'),
  /** Other messages under the UIDs that the old ones had. */
  'is deleted and made anew': async (world: World, side: Side) => {
    await using other = await world.client(side);
    await other.command('DELETE Box');
    await taken(world, async () => {
      if (!(await other.folders()).includes('Box')) await other.create('Box');
    });
    const { oracle } = world;
    if (side === 'destination') {
      for (let i = 0; i < 3; i++) {
        await taken(world, () => oracle.stranger(side, 'Box', message()));
      }
      return;
    }
    for (const letter of [...oracle.originals]) oracle.remove(letter);
    // None of them marked: Dovecot forgets flags that an APPEND sets in a folder that others still have open as it was.
    for (const body of ['four', 'five', 'six']) {
      await taken(world, () => oracle.put('Box', message({ body })));
    }
  },
  'is removed': async (world: World, side: Side) => {
    await using other = await world.client(side);
    await other.command('DELETE Box');
    if (side === 'source')
      for (const letter of [...world.oracle.originals]) world.oracle.remove(letter);
  },
};
type Deed = keyof typeof DEEDS;

/** Dovecot needs a while until it believes that a folder is another one. */
function taken(world: World, what: () => Promise<unknown>): Promise<void> {
  const works = () =>
    what().then(
      () => true,
      () => false,
    );
  return world.until('the server takes it', works);
}

/** imapferry carries on by itself, and in the end all is well. `marked`: what is marked at the source may stay. */
async function safe(world: World, { marked = false, left = 0 } = {}): Promise<void> {
  await taken(world, () => world.put('Box', message({ body: 'the last' })));
  await (marked ? world.marked('Box') : world.left(left, 'Box'));
  expect(await world.stop()).toBe(0);
  expect(await world.oracle.end({ journalLost: marked })).toEqual([]);
  const errors = world.told.filter(({ event }) => EVENTS[event][0] === 'error');
  expect(errors).toEqual([]);
}

/** Whether the original is marked by then, so that nobody can know who did it once it has another number. */
const isMarked = (at: At) => !isBefore(at, 'before the STORE');
/** Whether the copy may have been proven by then, so that nobody looks for it any more. */
const isProven = (at: At) => !isBefore(at, 'after the read-back');

const SIDES = ['source', 'destination'] as const;
const FEW = ['before the fetch', 'before the APPEND', 'before the read-back', 'before the EXPUNGE'];
const few = MOMENTS.filter(({ name }) => FEW.includes(name));

const rows = (Object.keys(DEEDS) as Deed[]).flatMap((deed) =>
  SIDES.flatMap((side) =>
    (deed === 'is removed' ? few : MOMENTS).map(
      (at) => [`the ${side} folder ${deed} ${at.name}`, deed, side, at] as const,
    ),
  ),
);

/** Makes the source folder where it is not, as for the next message that comes. */
async function there(world: World): Promise<void> {
  await using other = await world.client('source');
  if (!(await other.folders()).includes('Box')) await other.create('Box');
}

describe.concurrent('while a batch is under way', () => {
  it.for(rows)('%s', async ([point, deed, side, at]) => {
    await using world = await worldOf();
    const stays = deed === 'gets another UIDVALIDITY';
    const reached = meanwhile(world, at, async () => {
      if (!stays && side === 'destination' && isProven(at)) {
        for (const letter of [...world.oracle.originals]) world.oracle.remove(letter);
      }
      await DEEDS[deed](world, side);
    });
    world.start();
    await world.until('the moment comes', reached);
    await there(world);
    const strangers = world.oracle.strangers.source.length;
    // A session of Dovecot's may go on for some commands on the old numbers, and take the mark.
    await safe(world, { marked: side === 'source' && stays, left: strangers });
    if (side === 'source') expect(world.count('folder.renumbered')).toBe(1);
    record({ part: PART, point, outcome: 'nothing on old numbers' });
  });

  it.for(few.map((at) => [at.name, at] as const))(
    '%s the source folder is renamed',
    async ([name, at]) => {
      await using world = await worldOf({
        route: { folders: [{ kind: 'pattern', pattern: '*' }], maxWatchers: 3 },
      });
      const { oracle } = world;
      const reached = meanwhile(world, at, async () => {
        await using other = await world.client('source');
        await other.command('RENAME Box Papers');
        for (const letter of [...oracle.originals]) {
          // What was carried by then stays where it went; under its new name the folder is carried like any other.
          oracle.remove(letter);
          // What was marked by then nobody knows as ours under the new name.
          if (isMarked(at)) {
            oracle.strangers.source.push({ ...letter, folder: 'Papers', flags: ['\\Deleted'] });
          } else oracle.originals.push({ ...letter, folder: 'Papers' });
        }
      });
      world.start();
      await world.until('the moment comes', reached);
      await world.until('the new name is known', () =>
        world.events('plan.made').some(({ folder }) => folder === 'Papers'),
      );
      await world.marked('Papers');
      expect(await world.stop()).toBe(0);
      expect(await oracle.end()).toEqual([]);
      record({
        part: PART,
        point: `renamed at the source ${name}`,
        outcome: 'each message once a folder',
      });
    },
  );
});

const lasting = (['gets another UIDVALIDITY', 'is deleted and made anew'] as const).flatMap(
  (deed) => SIDES.map((side) => [side, deed] as const),
);

describe.concurrent('the folder', () => {
  it.for(lasting)(
    'of the %s %s while it is watched and nothing is under way',
    async ([side, deed]) => {
      await using world = await worldOf();
      world.start();
      await world.left(0, 'Box');
      if (deed !== 'gets another UIDVALIDITY') {
        for (const letter of [...world.oracle.originals]) world.oracle.remove(letter);
      }
      await DEEDS[deed](world, side);
      await safe(world, { left: world.oracle.strangers.source.length });
      if (side === 'source') expect(world.count('folder.renumbered')).toBe(1);
      record({
        part: PART,
        point: `${side} folder ${deed} at rest`,
        outcome: 'nothing on old numbers',
      });
    },
  );

  it.for(lasting)('of the %s %s while the connection is broken', async ([side, deed]) => {
    await using world = await worldOf();
    let cut = false;
    // Everything has been appended, nothing is proven.
    world.destination.at = ({ when, command: { name } }) => {
      if (cut || when !== 'after' || name !== 'APPEND') return undefined;
      cut = true;
      for (const wire of [world.source, world.destination]) wire.onJoin = () => 'end';
      world.source.strike('end');
      return 'end';
    };
    world.start();
    await world.saw('account.reconnecting');
    await DEEDS[deed](world, side);
    for (const wire of [world.source, world.destination]) wire.onJoin = undefined;
    await safe(world, { left: world.oracle.strangers.source.length });
    if (side === 'source') expect(world.count('folder.renumbered')).toBe(1);
    record({
      part: PART,
      point: `${side} folder ${deed} while cut off`,
      outcome: 'nothing on old numbers',
    });
  });
});

describe.concurrent('a session that refuses a folder which it had open before', () => {
  /** Says so at each SELECT of some connections, but for the first of each. */
  function refuses(world: World, connections: (nth: number) => boolean): void {
    const opened = new Set<number>();
    world.source.at = ({ when, command: { line, connection } }) => {
      if (when !== 'before' || !/SELECT "?Box/.test(line) || !connections(connection)) {
        return undefined;
      }
      if (!opened.has(connection)) {
        opened.add(connection);
        return undefined;
      }
      return { say: 'TAG NO Mailbox was deleted under us' };
    };
  }

  for (const folders of [
    [{ kind: 'folder', name: 'Box' }],
    [{ kind: 'pattern', pattern: '*' }],
  ] as const) {
    const manner = folders[0].kind === 'pattern' ? 'visited' : 'watched';
    it(`is ended, and the folder opened on a new one, where it is ${manner}`, async () => {
      await using world = await worldOf({ route: { folders } });
      const others = folders[0].kind === 'pattern' ? 2 : 1;
      refuses(world, (nth) => nth <= others);
      world.start();
      await world.saw('folder.left-out');
      await safe(world);
      expect(world.source.made).toBe(others + 1);
      expect(world.count('folder.left-out')).toBe(1);
      record({ part: PART, point: `stale session, ${manner}`, outcome: 'opened on a new one' });
    });
  }

  it('is not begun anew over and over where the folder is refused on the new one, too', async () => {
    await using world = await worldOf();
    refuses(world, (nth) => nth === 1);
    world.source.onJoin = (nth) => {
      if (nth === 2) {
        world.source.at = ({ when, command: { name } }) =>
          when === 'before' && name === 'SELECT' ? { say: 'TAG NO not today' } : undefined;
      }
      return undefined;
    };
    world.start();
    await world.saw('folder.left-out', 2);
    await world.saw('sweep.finished', world.count('sweep.finished') + 4);
    expect(world.source.made).toBe(2);
    world.source.at = undefined;
    await safe(world);
    expect(world.source.made).toBe(2);
    record({ part: PART, point: 'stale session, twice', outcome: 'one new connection' });
  });
});

/** Where an earlier life has come to an end. */
const ENDS: Readonly<
  Record<string, { route?: Partial<Route>; until(world: World): Promise<void> }>
> = {
  'all was carried and kept': {
    route: { afterDelivery: { kind: 'keep' } },
    until: (world) => world.saw('delivery.done', 3),
  },
  'all was carried and marked': {
    route: { afterDelivery: { kind: 'mark' } },
    until: (world) => world.saw('delivery.done', 3),
  },
  'all was proven and nothing retired': {
    async until(world) {
      world.source.at = ({ when, command: { name } }) =>
        when === 'before' && name === 'UID STORE' ? { say: 'TAG NO [INUSE] not now' } : undefined;
      await world.saw('delivery.postponed');
    },
  },
  'an APPEND was not answered': {
    async until(world) {
      world.destination.at = ({ when, command: { name } }) => {
        if (when !== 'after' || name !== 'APPEND') return undefined;
        world.destination.onJoin = () => 'end';
        return 'end';
      };
      await world.saw('account.lost');
    },
  },
};

const restarts = Object.keys(ENDS).flatMap((end) =>
  lasting.map(([side, deed]) => [end, side, deed] as const),
);

describe.concurrent('across a restart with the journal kept', () => {
  it.for(restarts)('after %s, the %s folder %s', async ([end, side, deed]) => {
    const { route, until } = ENDS[end] ?? { until: () => Promise.reject(new Error(end)) };
    await using world = await worldOf(route ? { route } : {});
    world.start();
    await until(world);
    await world.stop();
    world.source.at = world.destination.at = world.destination.onJoin = undefined;
    const carried = route !== undefined || end.includes('proven');
    const anew = deed === 'is deleted and made anew';
    // What was proven is not looked for again: the copies are whose folder it was.
    if (anew && side === 'destination' && carried) {
      for (const letter of [...world.oracle.originals]) world.oracle.remove(letter);
    }
    await DEEDS[deed](world, side);
    world.start();
    await taken(world, () => world.put('Box', message({ body: 'the last' })));
    if (route === undefined) await world.left(world.oracle.strangers.source.length, 'Box');
    else {
      const all = world.oracle.originals.length;
      const arrived = async () =>
        (await world.oracle.end()).every((wrong) => wrong.endsWith('still at the source'));
      await world.until(`${all} are carried`, arrived);
      // One sweep more, so that whoever would send something again has done so.
      await world.saw('sweep.finished', world.count('sweep.finished') + 2);
    }
    expect(await world.stop()).toBe(0);
    const wrong = await world.oracle.end();
    expect(
      wrong.filter((each) => route === undefined || !each.endsWith('still at the source')),
    ).toEqual([]);
    if (side === 'source') expect(world.count('folder.renumbered')).toBe(1);
    record({
      part: PART,
      point: `after ${end}, the ${side} folder ${deed}`,
      outcome: 'nothing on old numbers',
    });
  });
});

/** The folders that imapferry says it carries, in that order. */
const planned = (world: World) => world.events('plan.made').map(({ folder }) => folder);

describe.concurrent('a folder that appears while imapferry runs', () => {
  const appearing: readonly (readonly [string, Partial<Route>, watched: boolean])[] = [
    ['is taken up where FOLDERS names it', { maxWatchers: 1 }, true],
    [
      'is watched while there is a watcher left',
      { folders: [{ kind: 'pattern', pattern: '*' }], maxWatchers: 2 },
      true,
    ],
    [
      'is visited where no watcher is left',
      { folders: [{ kind: 'pattern', pattern: '*' }], maxWatchers: 1 },
      false,
    ],
  ];

  it.for(appearing)('%s', async ([what, route, watched]) => {
    const folders = [{ kind: 'folder', name: 'Box' }] as const;
    await using world = await servers.world({
      freshEyes: true,
      route: { folders, sweepInterval: 300, ...route },
    });
    world.start();
    await world.saw('sweep.finished', 2);
    await world.old.create('Box');
    await world.put('Box', message(), { flags: ['\\Seen'] });
    await world.left(0, 'Box');
    // What comes later comes the same way.
    await world.put('Box', message());
    await world.left(0, 'Box');
    const named = folders === world.config.routes[0]?.folders;
    expect(planned(world)).toEqual(named ? ['Box'] : ['INBOX', 'Box']);
    expect(world.events('folder.left-out').map(({ folder }) => folder)).toEqual(
      named ? ['Box'] : [],
    );
    const idling = () => world.events('watcher.idling').some(({ folder }) => folder === 'Box');
    // Whoever has carried it may be the round before.
    if (watched) await world.until('Box is watched', idling);
    expect(idling()).toBe(watched);
    expect(await world.stop()).toBe(0);
    expect(await world.oracle.end()).toEqual([]);
    record({ part: PART, point: `appears: ${what}`, outcome: 'taken up at the next sweep' });
  });

  it('is carried again after it was gone, as often as that may be, and each is told once', async () => {
    await using world = await worldOf({
      route: { folders: [{ kind: 'pattern', pattern: '*' }], maxWatchers: 2 },
    });
    world.start();
    await world.left(0, 'Box');
    for (const nth of [1, 2]) {
      for (const letter of [...world.oracle.originals]) world.oracle.remove(letter);
      await world.old.command('DELETE Box');
      const left = () =>
        world.events('folder.left-out').filter(({ why }) => why?.includes('any more'));
      await world.until('it is let go', () => left().length === nth);
      await world.until('its connection is ended', () => world.source.open === 1);
      await world.old.create('Box');
      await taken(world, () => world.put('Box', message()));
      await world.left(0, 'Box');
      expect(planned(world)).toEqual(['INBOX', 'Box', ...Array(nth).fill('Box')]);
    }
    expect(world.count('folder.renumbered')).toBe(2);
    expect(await world.stop()).toBe(0);
    expect(await world.oracle.end()).toEqual([]);
    record({ part: PART, point: 'gone and back, twice', outcome: 'taken up at the next sweep' });
  });

  it('changes nothing where the server cannot list, or lists nothing', async () => {
    await using world = await worldOf({
      route: { folders: [{ kind: 'pattern', pattern: '*' }], maxWatchers: 2 },
    });
    world.start();
    await world.left(0, 'Box');
    let answers = 0;
    world.source.at = ({ when, command: { name } }) => {
      if (when !== 'before' || !/^L(IST|SUB)$/.test(name)) return undefined;
      answers++;
      return { say: answers < 3 ? 'TAG NO [UNAVAILABLE] not now' : 'TAG OK that is all' };
    };
    await world.until('it was asked often', () => answers > 6);
    world.source.at = undefined;
    await safe(world);
    expect(planned(world)).toEqual(['INBOX', 'Box']);
    expect(world.count('folder.left-out')).toBe(0);
    expect(world.count('plan.kept')).toBeGreaterThan(0);
    record({ part: PART, point: 'LIST refused, or empty', outcome: 'the plan stays' });
  });
});

describe.concurrent('a destination folder that is removed while imapferry rests', () => {
  it('is made again', async () => {
    await using world = await worldOf();
    world.start();
    await world.left(0, 'Box');
    for (const letter of [...world.oracle.originals]) world.oracle.remove(letter);
    await DEEDS['is removed'](world, 'destination');
    await safe(world);
    expect(world.count('folder.created')).toBe(1);
    record({ part: PART, point: 'destination folder removed at rest', outcome: 'made again' });
  });

  it('is waited for with CREATE_FOLDERS=false', async () => {
    await using world = await worldOf({ route: { createFolders: false } });
    world.start();
    await world.left(0, 'Box');
    for (const letter of [...world.oracle.originals]) world.oracle.remove(letter);
    await DEEDS['is removed'](world, 'destination');
    await world.put('Box', message());
    await world.until('it is said', () =>
      world.events('delivery.postponed').some(({ why }) => why?.includes('CREATE_FOLDERS=false')),
    );
    expect(await world.oracle.now()).toEqual([]);
    await world.fresh.create('Box');
    await safe(world);
    expect(world.count('folder.created')).toBe(0);
    record({
      part: PART,
      point: 'destination folder removed, CREATE_FOLDERS=false',
      outcome: 'waited for',
    });
  });
});
