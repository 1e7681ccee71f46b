/**
 * Every answer of the destination that can be a lie, as a lie: what was appended is stored otherwise, elsewhere or not at
 * all, named wrongly, or shown wrongly. The original stays for as long as its copy is not proven, nothing is sent again
 * that may be there, and all is carried once the lie has ended.
 */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { EVENTS } from '../../src/domain/events.ts';
import { Mail, message } from '../support/mail.ts';
import { record } from '../support/results.ts';
import {
  type AppendLie,
  alien,
  COMPANY,
  type Company,
  changed,
  companies,
  culprit,
  half,
  lieAbout,
  MANNERS,
  type Manner,
  manners,
  NAMES,
  NOWHERE,
  put,
  Scene,
  type Showing,
  stopServers,
} from './lies.ts';

afterAll(stopServers);

// Each row mostly waits.
vi.setConfig({ maxConcurrency: 12 });

const ALIEN = message({ body: 'what the server had at hand' });

const OTHERWISE: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  'stored without its end': (bytes) => bytes.subarray(0, bytes.length - 10),
  'stored as its header alone': (bytes) => bytes.subarray(0, bytes.indexOf('\r\n\r\n') + 4),
  'stored with one byte of its body changed': changed('culprit'),
  'stored with one byte of its header changed': changed('Letter'),
  'stored with one byte of its Message-ID changed': changed('example.org>'),
  'stored with more than was sent': (bytes) => Buffer.concat([bytes, Buffer.from('ad\r\n')]),
  "stored as another message's bytes": () => ALIEN,
};

const appendRows = <T>(what: Readonly<Record<string, T>>) =>
  manners.flatMap((manner) =>
    companies.flatMap((company) =>
      Object.entries(what).map(
        ([how, lie]) =>
          [`${how}, ${COMPANY[company]}, by ${NAMES[manner]}`, lie, manner, company] as const,
      ),
    ),
  );

const unverified = (scene: Scene, times: number) =>
  scene.world.saw('delivery.unverified', times).then(() => {
    expect(scene.world.count('delivery.refused')).toBe(0);
    expect(scene.world.count('route.blocked')).toBe(0);
  });

describe.concurrent('an APPEND answered OK, the message', () => {
  it.for(appendRows(OTHERWISE))(
    '%s: the original stays until the bad copy is deleted',
    async ([point, stores, manner, company]) => {
      await using scene = await Scene.of(manner);
      await put(scene, company);
      scene.lie = { stores };
      scene.world.start();
      // It is looked at again and again, and not sent again.
      await unverified(scene, 3);
      await scene.world.left(scene.rest + 1);
      await scene.stays(/^1 at the destination in INBOX that nobody put there/);
      expect(scene.told).toBe(1);
      scene.lie = undefined;
      await unverified(scene, 4);
      await scene.deleteLast();
      await scene.ends();
      record({ part: 'lied to', point: `APPEND ${point}`, outcome: 'stays, told as unverified' });
    },
  );

  const GONE: Readonly<Record<string, AppendLie>> = {
    'stored in another folder': { into: 'Elsewhere' },
    'not stored at all': { stores: () => undefined },
  };
  it.for(appendRows(GONE))(
    '%s: the original stays, and is not sent again the same day',
    async ([point, lie, manner, company]) => {
      await using scene = await Scene.of(manner, { pace: { unverified: 600_000 } });
      const { world } = scene;
      await world.fresh.create('Elsewhere');
      await put(scene, company);
      scene.lie = lie;
      world.start();
      // With MULTIAPPEND the whole batch goes elsewhere.
      const both = lie.into !== undefined && manner === 'multi' && company === 'batch';
      await unverified(scene, both ? 2 : 1);
      await world.left(scene.rest + (both ? 2 : 1));
      const looked = world.count('folder.looked');
      await world.put('INBOX', message());
      await world.until('it is looked at again', () => world.count('folder.looked') > looked);
      await world.left(scene.rest + (both ? 2 : 1));
      await scene.stays();
      expect(scene.told).toBe(1);
      const astray = lie.into === undefined ? 0 : both ? 2 : 1;
      expect(await world.fresh.count('Elsewhere')).toBe(astray);
      scene.lie = undefined;
      await scene.restart();
      await scene.ends();
      record({ part: 'lied to', point: `APPEND ${point}`, outcome: 'stays, told as unverified' });
    },
  );
});

/** UIDs as an APPENDUID lists them, the culprit's, which is the last, being another. */
const culpritAs = (uid: number) => (validity: number, uids: readonly number[]) =>
  `${validity} ${[...uids.slice(0, -1), uid]}`;

/** The stranger's that is at the destination from the beginning. */
const STRANGER = 1;

interface Name {
  readonly names: Required<AppendLie>['names'];
  /** It takes more than one message, or more than one in one command, to tell it. */
  readonly only?: Company | Manner;
}

const APPENDUIDS: Readonly<Record<string, Name>> = {
  "names somebody else's message": { names: culpritAs(STRANGER) },
  'names a UID that is not there': { names: culpritAs(NOWHERE) },
  'names the message before it': {
    names: (validity, uids) => `${validity} ${uids.map((uid) => Math.min(uid, 2))}`,
    only: 'batch',
  },
  'has the UIDs swapped': {
    names: (validity, uids) => `${validity} ${uids.toReversed()}`,
    only: 'multi',
  },
  'is a range backwards': {
    names: (validity, uids) => `${validity} ${uids.at(-1)}:${uids[0]}`,
    only: 'multi',
  },
  'has fewer UIDs than there are messages': {
    names: (validity, uids) => `${validity} ${uids[0]}`,
    only: 'multi',
  },
  'has more UIDs than there are messages': {
    names: (validity, uids) => `${validity} ${[...uids, NOWHERE]}`,
  },
  'has another UIDVALIDITY': { names: (validity, uids) => `${validity + 1} ${uids}` },
  'has no UIDVALIDITY': { names: (_, uids) => `0 ${uids}` },
  'has no UID that is a number': { names: (validity) => `${validity} *` },
  'has no more than its name': { names: () => '' },
  'is not there': { names: () => undefined },
};

/** Those that tell UIDs. */
const NAMED = (['multi', 'literal'] as const).map((manner) => [NAMES[manner], manner] as const);

describe.concurrent('an APPENDUID', () => {
  const rows = (['multi', 'literal'] as const).flatMap((manner) =>
    companies.flatMap((company) =>
      Object.entries(APPENDUIDS)
        .filter(
          ([, { only }]) =>
            only === undefined || only === company || (only === manner && company === 'batch'),
        )
        .map(
          ([what, { names }]) =>
            [`${what}, ${COMPANY[company]}, by ${NAMES[manner]}`, names, manner, company] as const,
        ),
    ),
  );

  it.for(rows)(
    'that %s: the copy is found by its bytes',
    async ([point, names, manner, company]) => {
      await using scene = await Scene.of(manner);
      await put(scene, company);
      scene.lie = { names };
      scene.world.start();
      await scene.ends();
      expect(scene.told).toBe(1);
      expect(scene.world.told.filter(({ event }) => EVENTS[event][0] === 'error')).toEqual([]);
      record({
        part: 'lied to',
        point: `APPENDUID that ${point}`,
        outcome: 'each message once',
      });
    },
  );

  it.for(NAMED)(
    "that names somebody else's message with the same bytes, by %s: that one stays his",
    async ([by, manner]) => {
      await using scene = await Scene.of(manner);
      const bytes = culprit();
      const uid = await scene.world.oracle.stranger('destination', 'INBOX', bytes);
      scene.lie = { names: culpritAs(uid ?? 0) };
      scene.world.start();
      // What comes from now on is not looked for before it is sent.
      await scene.world.saw('watcher.idling');
      await scene.world.put('INBOX', bytes);
      await scene.ends();
      expect(scene.told).toBe(1);
      const point = `APPENDUID that names somebody else's message with the same bytes, by ${by}`;
      record({ part: 'lied to', point, outcome: 'each message once' });
    },
  );

  const twins = (['multi', 'literal'] as const).flatMap((manner) =>
    [true, false].map(
      (stored) => [NAMES[manner], stored ? 'stored' : 'not stored', manner, stored] as const,
    ),
  );
  it.for(twins)(
    'that names the copy of a twin, by %s, the message %s: it proves the twin alone',
    async ([by, how, manner, stored]) => {
      await using scene = await Scene.of(manner, { pace: { unverified: 600_000 } });
      const { world } = scene;
      const twin = culprit();
      world.start();
      await world.put('INBOX', twin);
      await world.saw('delivery.done');
      await world.left(scene.rest);
      const copy = (await world.fresh.dump('INBOX')).at(-1)?.uid ?? 0;
      scene.lie = { names: culpritAs(copy), ...(!stored && { stores: () => undefined }) };
      await world.put('INBOX', twin);
      if (!stored) {
        await unverified(scene, 1);
        await scene.stays();
        scene.lie = undefined;
        await scene.restart();
      }
      await scene.ends();
      expect(await world.fresh.count('INBOX')).toBe(3);
      const point = `APPENDUID that names the copy of a twin, by ${by}, the message ${how}`;
      record({ part: 'lied to', point, outcome: 'each message once' });
    },
  );

  it.for(NAMED)(
    "that names somebody else's message, nothing stored, by %s: nobody is told to delete that one",
    async ([by, manner]) => {
      await using scene = await Scene.of(manner, { pace: { unverified: 600_000 } });
      const { world } = scene;
      await put(scene, 'alone');
      scene.lie = { names: culpritAs(STRANGER), stores: () => undefined };
      world.start();
      await unverified(scene, 1);
      await scene.stays();
      expect(world.events('delivery.unverified').map(({ msg }) => msg)).toEqual([
        expect.not.stringMatching(/you delete|under UID/),
      ]);
      scene.lie = undefined;
      await scene.restart();
      await scene.ends();
      const point = `APPENDUID that names somebody else's message, nothing stored, by ${by}`;
      record({ part: 'lied to', point, outcome: 'stays, told as unverified' });
    },
  );
});

describe.concurrent('the UIDVALIDITY of the destination folder', () => {
  const rows = manners.flatMap((manner) =>
    ['the old one', 'the new one'].map(
      (named) => [named, NAMES[manner], manner, named === 'the old one' ? 0 : 7] as const,
    ),
  );
  it.for(rows)(
    'is another after the APPEND, and APPENDUID names %s, by %s: the copy is found',
    async ([named, by, manner, change]) => {
      await using scene = await Scene.of(manner);
      const { world } = scene;
      scene.lie = { names: (validity, uids) => `${validity + change} ${uids}` };
      world.destination.untagged = (answer) => {
        const text = answer.toString('latin1');
        const [all, validity] = /^\* OK \[UIDVALIDITY (\d+)\]/.exec(text) ?? [];
        if (all === undefined || scene.told === 0) return answer;
        return Buffer.from(
          text.replace(all, `* OK [UIDVALIDITY ${Number(validity) + 7}]`),
          'latin1',
        );
      };
      await put(scene, 'batch');
      world.start();
      await scene.ends();
      expect(scene.told).toBe(1);
      const point = `UIDVALIDITY is another after the APPEND, and APPENDUID names ${named}, by ${by}`;
      record({ part: 'lied to', point, outcome: 'each message once' });
    },
  );

  it.for(manners.map((manner) => [NAMES[manner], manner] as const))(
    'is another since the folder was made anew between APPEND and read-back, by %s: it is sent again',
    async ([by, manner]) => {
      await using world = await MANNERS[manner].world({
        route: { folders: [{ kind: 'folder', name: 'INBOX', to: 'New' }] },
        to: () => 'New',
      });
      const { fresh } = world;
      await fresh.create('New');
      const before = await fresh.uidValidity('New');
      let appends = 0;
      const anew = async () => {
        await fresh.command('DELETE New');
        await fresh.create('New');
      };
      world.destination.at = ({ when, command }) =>
        when === 'after' && command.name === 'APPEND' && ++appends === 1
          ? { first: anew }
          : undefined;
      await world.put('INBOX', message());
      await world.put('INBOX', message());
      world.start();
      await world.left(0);
      expect(await world.stop()).toBe(0);
      expect(await world.oracle.end()).toEqual([]);
      expect(appends).toBeGreaterThan(1);
      const { port, users } = MANNERS[manner].destination;
      await using later = await Mail.login(port, world.user, users[world.user] ?? '');
      expect(await later.uidValidity('New')).not.toBe(before);
      const point = `the folder is made anew between APPEND and read-back, by ${by}`;
      record({ part: 'lied to', point, outcome: 'each message once' });
    },
  );
});

interface ReadBack {
  readonly show: (body: Buffer, nth: number) => Showing;
  readonly told: 'delivery.unverified' | 'delivery.postponed';
}

const READS: Readonly<Record<string, ReadBack>> = {
  'comes back short': { show: (body) => ({ body: half(body) }), told: 'delivery.unverified' },
  'comes back empty': { show: () => ({ body: Buffer.alloc(0) }), told: 'delivery.unverified' },
  "comes back with another message's body": {
    show: (_, nth) => ({ body: alien(nth) }),
    told: 'delivery.unverified',
  },
  'comes back NIL': { show: () => ({ body: 'NIL' }), told: 'delivery.postponed' },
};

describe.concurrent('a read-back', () => {
  const rows = manners.flatMap((manner) =>
    Object.entries(READS).map(
      ([how, read]) => [`${how}, by ${NAMES[manner]}`, read, manner] as const,
    ),
  );
  it.for(rows)(
    'that %s: the original stays, and is not sent again',
    async ([point, read, manner]) => {
      await using scene = await Scene.of(manner, { route: { sweepInterval: 300 } });
      const { world } = scene;
      const lie = lieAbout(world, 'destination');
      lie.show = read.show;
      scene.lie = {};
      await put(scene, 'batch');
      world.start();
      await world.saw(read.told, 2);
      await scene.stays();
      lie.show = undefined;
      await scene.ends();
      expect(scene.told).toBe(1);
      const outcome = `stays, told as ${read.told.split('.')[1]}`;
      record({ part: 'lied to', point: `a read-back that ${point}`, outcome });
    },
  );

  it.for(manners.map((manner) => [NAMES[manner], manner] as const))(
    'that shows the right bytes under \\Deleted, by %s: the original stays, and is not sent again',
    async ([by, manner]) => {
      await using scene = await Scene.of(manner);
      const { world } = scene;
      scene.lie = {};
      let lying = true;
      world.destination.untagged = (answer) => {
        const text = answer.toString('latin1');
        const uid = Number(/UID (\d+)/.exec(text)?.[1]);
        if (!lying || uid === STRANGER || !/^\* \d+ FETCH /.test(text)) return answer;
        return Buffer.from(text.replace('FLAGS (', 'FLAGS (\\Deleted '), 'latin1');
      };
      await put(scene, 'alone');
      world.start();
      await unverified(scene, 3);
      await scene.stays();
      lying = false;
      await scene.ends();
      expect(scene.told).toBe(1);
      const point = `a read-back that shows the right bytes under \\Deleted, by ${by}`;
      record({ part: 'lied to', point, outcome: 'stays, told as unverified' });
    },
  );
});

describe.concurrent('three messages in a row', () => {
  const WAYS: Readonly<Record<string, AppendLie>> = {
    'stored with a byte changed': { stores: changed('culprit') },
    'not stored at all': { stores: () => undefined },
  };
  const rows = manners.flatMap((manner) =>
    Object.entries(WAYS).map(([how, lie]) => [`${how}, by ${NAMES[manner]}`, lie, manner] as const),
  );
  it.for(rows)(
    '%s: the route is blocked until a person has seen to it',
    async ([point, lie, manner]) => {
      await using scene = await Scene.of(manner, { pace: { unverified: 600_000 } });
      const { world } = scene;
      for (let i = 0; i < 3; i++) await world.put('INBOX', culprit());
      scene.lie = lie;
      world.start();
      await world.saw('route.blocked');
      const appends = scene.told;
      const looked = world.count('folder.looked');
      await world.put('INBOX', message());
      await world.until('it is looked at', () => world.count('folder.looked') > looked);
      await world.left(scene.rest + 4);
      expect(await world.stop()).toBe(0);
      expect(world.count('delivery.unverified')).toBe(3);
      expect(world.count('route.blocked')).toBe(1);
      expect(scene.told).toBe(appends);
      const bad = (await world.fresh.count('INBOX')) - 1;
      expect(bad).toBe(lie.stores?.(culprit()) ? 3 : 0);
      scene.lie = undefined;
      world.start();
      await world.saw('delivery.done');
      for (let i = 0; i < bad; i++) await world.fresh.expunge('INBOX', `${2 + i}`);
      await scene.restart();
      await scene.ends();
      record({
        part: 'lied to',
        point: `three messages in a row ${point}`,
        outcome: 'the route is blocked',
      });
    },
  );
});
