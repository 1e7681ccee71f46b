/** 200 folders and few watchers, on a real Dovecot: with NOTIFY, with LIST-STATUS, with plain STATUS, with little room. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message } from '../support/mail.ts';
import { Servers, type World, type WorldOptions } from './world.ts';

const FOLDERS = Array.from({ length: 200 }, (_, i) => `Box ${i}`);
const LONG = 120_000;
const PLAIN =
  'IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS MOVE UNSELECT MULTIAPPEND CHILDREN';

/** A world with these folders, all of them looked through. */
async function begun(
  servers: Servers,
  folders: readonly string[],
  { route, pace }: WorldOptions = {},
): Promise<World> {
  const world = await servers.world({
    route: { folders: [{ kind: 'pattern', pattern: '*' }], maxWatchers: 2, ...route },
    pace: { notice: 500, notifyWithin: 2000, silence: 20_000, ...pace },
  });
  for (const folder of folders) await world.old.create(folder);
  world.start();
  const looked = () => new Set(world.events('folder.looked').map(({ folder }) => folder)).size;
  await world.until('every folder is looked through', () => looked() > folders.length, LONG);
  return world;
}

/** Puts a message into each of these folders and waits until it is carried. */
async function carries(world: World, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    await world.put(folder, message());
    await world.left(0, folder);
  }
}

const commands = (world: World, name: string) =>
  world.source.commands.filter((command) => command.name === name).length;

async function endsWell(world: World): Promise<void> {
  expect(await world.stop()).toBe(0);
  expect(await world.oracle.end()).toEqual([]);
  expect(world.count('delivery.postponed')).toBe(0);
}

describe.each([
  { how: 'NOTIFY', capability: undefined },
  { how: 'LIST-STATUS', capability: `${PLAIN} LIST-EXTENDED LIST-STATUS` },
  { how: 'STATUS in turn', capability: PLAIN },
])('Dovecot with 200 folders and $how', ({ how, capability }) => {
  let servers: Servers;
  beforeAll(async () => {
    servers = await Servers.start(capability ? { source: { capability } } : {});
  });
  afterAll(() => servers?.[Symbol.asyncDispose]());

  it(
    'has mail in any of them noticed, without a sweep',
    async () => {
      await using world = await begun(servers, FOLDERS);
      await carries(world, ['Box 0', 'Box 199', 'Box 120', 'INBOX', 'Box 7', 'Box 7', 'Box 0']);
      expect(world.count('sweep.finished')).toBe(0);
      expect(world.count('watcher.deaf')).toBe(0);
      expect(commands(world, 'NOTIFY')).toBe(how === 'NOTIFY' ? 1 : 0);
      expect(commands(world, 'STATUS') > 0).toBe(how === 'STATUS in turn');
      expect(world.source.made).toBe(3);
      await endsWell(world);
    },
    LONG,
  );

  it(
    'has nothing missed that comes while connections end',
    async () => {
      const some = FOLDERS.slice(0, 12);
      await using world = await begun(servers, some);
      for (let round = 0; round < 3; round++) {
        for (const folder of some) await world.put(folder, message());
        world.source.cut();
        for (const folder of some) await world.put(folder, message());
        for (const folder of some) await world.left(0, folder);
      }
      expect(await world.stop()).toBe(0);
      expect(await world.oracle.end()).toEqual([]);
    },
    LONG,
  );

  it(
    'has the watchers change as mail comes, and nothing lost or doubled by that',
    async () => {
      const some = FOLDERS.slice(0, 6);
      await using world = await begun(servers, some, { pace: { dwell: 200, notice: 200 } });
      for (let i = 0; i < 30; i++) {
        await world.put(some[(i * 5 + Math.floor(i / 7)) % 6] ?? '', message());
        if (i % 5 === 0) for (const folder of some) await world.left(0, folder);
      }
      for (const folder of some) await world.left(0, folder);
      const idling = new Set(world.events('watcher.idling').map(({ folder }) => folder));
      expect(idling.size).toBeGreaterThan(2);
      expect(world.source.open).toBeLessThanOrEqual(3);
      await endsWell(world);
    },
    LONG,
  );
});

describe('NOTIFY on Dovecot', () => {
  let servers: Servers;
  beforeAll(async () => {
    servers = await Servers.start();
  });
  afterAll(() => servers?.[Symbol.asyncDispose]());

  it(
    'tells by itself, long before anybody would ask',
    async () => {
      await using world = await begun(servers, FOLDERS.slice(0, 40), { pace: { notice: 90_000 } });
      await carries(world, ['Box 5', 'Box 11', 'Box 30', 'Box 5', 'Box 11']);
      expect(commands(world, 'NOOP')).toBe(0);
      await endsWell(world);
    },
    LONG,
  );

  it(
    'is not relied on where what it tells gets lost, and mail is noticed all the same',
    async () => {
      const some = FOLDERS.slice(0, 12);
      await using world = await begun(servers, some, { pace: { notifyWithin: 200 } });
      let lost = 0;
      world.source.untagged = (answer, command) => {
        if (!answer.toString().startsWith('* STATUS') || command?.name === 'LIST') return answer;
        lost++;
        return Buffer.alloc(0);
      };
      for (const folder of ['Box 5', 'Box 11', 'Box 3', 'Box 9']) {
        await world.until('STATUS was asked', async () => commands(world, 'LIST') > 5);
        await carries(world, [folder]);
      }
      await world.saw('watcher.deaf');
      expect(lost).toBeGreaterThan(0);
      expect(world.count('watcher.deaf')).toBe(1);
      await endsWell(world);
    },
    LONG,
  );
});

describe('a server that has little room', () => {
  const some = FOLDERS.slice(0, 6);

  it(
    'refuses logins beyond its limit, and gets fewer watchers',
    async () => {
      // The test's own two connections to the source count, too.
      const extra = 'mail_max_userip_connections = 5';
      await using servers = await Servers.start({ source: { extra } });
      await using world = await begun(servers, some, { route: { maxWatchers: 5 } });
      expect(world.events('watchers.lowered').at(-1)).toMatchObject({ count: 2 });
      await carries(world, [...some, 'INBOX']);
      const made = world.source.made;
      await carries(world, [...some, 'INBOX']);
      expect(world.source.made).toBe(made);
      expect(world.source.open).toBe(3);
      await endsWell(world);
    },
    LONG,
  );

  it(
    'refuses connections while others stand, and gets fewer watchers',
    async () => {
      await using servers = await Servers.start();
      await using world = await servers.world({
        route: { folders: [{ kind: 'pattern', pattern: '*' }], maxWatchers: 5 },
        pace: { notice: 500, silence: 20_000, leaving: 10_000 },
      });
      for (const folder of some) await world.old.create(folder);
      world.source.onJoin = (nth) => {
        if (nth === 3) world.source.refuse();
        return undefined;
      };
      world.start();
      await world.saw('watchers.lowered');
      await world.until('one of the three gives up its place', () => world.source.open === 2);
      world.source.answer();
      await carries(world, [...some, 'INBOX']);
      expect(world.events('watchers.lowered')).toMatchObject([{ count: 2, side: 'source' }]);
      expect(world.source.open).toBe(3);
      await endsWell(world);
    },
    LONG,
  );
});
