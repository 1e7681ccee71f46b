/** More folders than watchers: how their mail is noticed, what that costs, and who holds IDLE. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { PACE as REAL } from '../../src/forward/pace.ts';
import { fails } from '../support/memory-mail.ts';
import { letter, Rig, type RigOptions } from './rig.ts';

const NOTICE = 60;
const PACE = { reconnectLongest: 40, notice: NOTICE, notifyWithin: 10 };
const names = Array.from({ length: 200 }, (_, i) => `F${i}`);

describe.each([
  { how: 'LIST-STATUS', listStatus: true, notify: false },
  { how: 'STATUS in turn', listStatus: false, notify: false },
  { how: 'NOTIFY', listStatus: true, notify: true },
])('with $how', ({ listStatus, notify }) => {
  const abilities = { idle: true, uidPlus: true, move: true, listStatus, notify };
  const begin = async (options: RigOptions = {}, folders = names) => {
    const rig = new Rig(...folders);
    Object.assign(rig.source.manners.abilities, abilities);
    rig.start({ maxWatchers: 1, ...options, pace: { ...PACE, ...options.pace } });
    await rig.until(
      'every folder is looked through',
      () =>
        new Set(rig.told.filter(({ event }) => event === 'folder.looked').map((t) => t.folder))
          .size ===
        folders.length + 1,
    );
    return rig;
  };

  it('notices mail in any of 200 folders, without a sweep', async () => {
    await using rig = await begin();
    for (const folder of ['F199', 'F0', 'F77', 'F199', 'INBOX']) {
      rig.source.put(letter(), { folder });
      await rig.empty(folder);
    }
    expect(rig.count('sweep.finished')).toBe(0);
    expect(rig.oracle.violations).toEqual([]);
  });

  it('notices mail in the folder that is open just now', async () => {
    await using rig = await begin();
    rig.source.put(letter(), { folder: 'F5' });
    await rig.empty('F5');
    rig.source.put(letter(), { folder: 'F5' });
    await rig.empty('F5');
  });

  it('misses nothing that comes while connections end', async () => {
    await using rig = await begin({}, names.slice(0, 20));
    for (let round = 0; round < 5; round++) {
      for (const folder of names.slice(0, 20)) rig.source.put(letter(), { folder });
      rig.source.cut();
      for (const folder of names.slice(0, 20)) rig.source.put(letter(), { folder });
      for (const folder of names.slice(0, 20)) await rig.empty(folder);
    }
    expect(rig.oracle.violations).toEqual([]);
  });

  it('opens no folder in which nothing happens', async () => {
    await using rig = await begin();
    const opened = rig.source.count('open');
    const turns = rig.source.count('noop');
    await rig.until('five turns are over', () => rig.source.count('noop') >= turns + 5);
    expect(rig.source.count('open')).toBe(opened);
  });

  it('opens a folder once for the mail that came, not again for what was carried away', async () => {
    await using rig = await begin();
    const opened = rig.source.count('open');
    rig.source.put(letter(), { folder: 'F9' });
    await rig.empty('F9');
    const turns = rig.source.count('noop');
    await rig.until('three turns are over', () => rig.source.count('noop') >= turns + 3);
    expect(rig.source.count('open') - opened).toBeLessThanOrEqual(1);
  });
});

/** Begins with these folders beside INBOX, and waits until each is looked through. */
async function begun(folders: string[], options: RigOptions, more: object = {}): Promise<Rig> {
  const rig = new Rig(...folders);
  const { abilities, ...manners } = more as { abilities?: object };
  Object.assign(rig.source.manners.abilities, abilities);
  Object.assign(rig.source.manners, manners);
  rig.start({ ...options, pace: { ...PACE, ...options.pace } });
  await rig.until('every folder is looked through', () => looked(rig).size === folders.length + 1);
  return rig;
}

const looked = (rig: Rig) => told(rig, 'folder.looked');
const told = (rig: Rig, name: string) =>
  new Set(rig.told.filter(({ event }) => event === name).map(({ folder }) => folder));
const turns = async (rig: Rig, count: number) => {
  const before = rig.source.count('noop');
  await rig.until(`${count} turns are over`, () => rig.source.count('noop') > before + count);
};

describe('what noticing costs', () => {
  const MINUTE = 60_000;

  it.each([
    { how: 'LIST-STATUS', listStatus: true, most: 3 },
    { how: 'STATUS in turn', listStatus: false, most: 270 },
  ])(
    'of 200 folders with $how is at most $most commands a minute',
    async ({ listStatus, most }) => {
      await using rig = await begun(names, { maxWatchers: 1 }, { abilities: { listStatus } });
      await turns(rig, 1);
      const count = () => rig.source.count('status') + rig.source.count('statuses');
      const [asked, nooped] = [count(), rig.source.count('noop')];
      await turns(rig, 4);
      const each = (count() - asked) / (rig.source.count('noop') - nooped) + 1;
      expect((each * MINUTE) / REAL.notice).toBeLessThanOrEqual(most * 1.1);
      expect(REAL.notice).toBeLessThan(MINUTE);
    },
  );

  it('is less once NOTIFY has proven to work, and STATUS goes on all the same', async () => {
    await using rig = await begun(
      names.slice(0, 9),
      { maxWatchers: 1 },
      { abilities: { notify: true } },
    );
    for (const folder of ['F1', 'F2', 'F3', 'F4']) {
      rig.source.put(letter(), { folder });
      await rig.empty(folder);
    }
    await turns(rig, 1);
    const asked = rig.source.count('statuses');
    await turns(rig, 16);
    const again = rig.source.count('statuses') - asked;
    expect(again).toBeGreaterThanOrEqual(1);
    expect(again).toBeLessThanOrEqual(4);
    expect(rig.count('watcher.deaf')).toBe(0);
  });

  it('is as much as without NOTIFY where that does not tell, which is said once', async () => {
    const more = { abilities: { notify: true }, mute: true };
    await using rig = await begun(names.slice(0, 9), { maxWatchers: 1 }, more);
    await turns(rig, 2);
    for (const folder of ['F1', 'F2', 'F3', 'F4']) {
      rig.source.put(letter(), { folder });
      await rig.empty(folder);
    }
    expect(rig.count('watcher.deaf')).toBe(1);
    const asked = rig.source.count('statuses');
    await turns(rig, 5);
    expect(rig.source.count('statuses') - asked).toBeGreaterThanOrEqual(5);
  });

  it('is less where the server asks to go slower, and mail is noticed all the same', async () => {
    const slower = new Failure('Too fast.', { step: 'look', scope: 'account', kind: 'throttled' });
    await using rig = await begun(names.slice(0, 9), { maxWatchers: 1, sweepInterval: 240 });
    rig.source.plan('statuses', fails(slower), fails(slower), fails(slower));
    await rig.until('it is throttled thrice', () => rig.source.planned('statuses') === 0);
    const asked = rig.source.count('statuses');
    const began = performance.now();
    await rig.until('it is asked again', () => rig.source.count('statuses') >= asked + 3);
    expect(performance.now() - began).toBeGreaterThan(2 * 200);
    rig.source.put(letter(), { folder: 'F3' });
    await rig.empty('F3');
  });
});

describe('who holds IDLE', () => {
  it('is INBOX, wherever it stands in the plan', async () => {
    await using rig = await begun(['A', 'B'], {
      maxWatchers: 1,
      folders: [
        { kind: 'folder', name: 'A' },
        { kind: 'pattern', pattern: '*' },
      ],
    });
    expect(told(rig, 'watcher.idling')).toEqual(new Set(['INBOX']));
  });

  it('is a folder that had mail, in place of one that had none for long', async () => {
    await using rig = await begun(['A', 'B', 'C'], { maxWatchers: 2, pace: { dwell: 50 } });
    expect(told(rig, 'watcher.idling')).toEqual(new Set(['INBOX', 'A']));
    await turns(rig, 1);
    rig.source.put(letter(), { folder: 'C' });
    await rig.until('C is watched', () => told(rig, 'watcher.idling').has('C'));
    rig.source.put(letter(), { folder: 'C' });
    rig.source.put(letter(), { folder: 'A' });
    await Promise.all([rig.empty('C'), rig.empty('A')]);
    expect(rig.source.most).toBeLessThanOrEqual(3);
    rig.oracle.assert({ carried: true });
  });

  it('stays so while it has mail itself', async () => {
    await using rig = await begun(['A', 'B'], { maxWatchers: 2, pace: { dwell: 60_000 } });
    for (let i = 0; i < 5; i++) {
      for (const folder of ['A', 'B']) {
        rig.source.put(letter(), { folder });
        await rig.empty(folder);
      }
    }
    expect(rig.count('watcher.idling')).toBe(2);
  });

  it('changes under a stream of mail without losing or doubling any', async () => {
    const folders = ['A', 'B', 'C', 'D', 'E'];
    await using rig = await begun(folders, { maxWatchers: 3, pace: { dwell: 5, notice: 20 } });
    for (let i = 0; i < 120; i++) {
      rig.source.put(letter(), { folder: folders[(i * 7 + Math.floor(i / 11)) % 5] ?? 'A' });
      if (i % 4 === 0) await turns(rig, 1);
    }
    for (const folder of folders) await rig.empty(folder);
    await turns(rig, 2);
    rig.oracle.assert({ carried: true });
    expect(rig.source.most).toBeLessThanOrEqual(4);
  });
});

describe('a server that lets fewer connections in', () => {
  const folders = ['A', 'B', 'C', 'D'];

  it.each([1, 2, 3, 4])('has one below what it refused: %i', async (room) => {
    await using rig = await begun(folders, { maxWatchers: 4 }, { room });
    expect(rig.told.findLast(({ event }) => event === 'watchers.lowered')).toMatchObject({
      count: room - 1,
    });
    for (const folder of ['INBOX', ...folders]) rig.source.put(letter(), { folder });
    for (const folder of ['INBOX', ...folders]) await rig.empty(folder);
    await turns(rig, 2);
    expect(rig.source.connections.size).toBe(room);
    if (room > 1)
      expect(
        rig.told.some(({ event, folder }) => event === 'watcher.idling' && folder === 'INBOX'),
      ).toBe(true);
    rig.oracle.assert({ carried: true });
  });

  it('lets another route in, since one that has several connections gives one up', async () => {
    const named = (...names: string[]) => names.map((name) => ({ kind: 'folder', name }) as const);
    await using rig = new Rig(...folders);
    rig.source.manners.room = 4;
    rig.start({ name: 'mum', folders: named('INBOX', 'A', 'B', 'C'), pace: PACE });
    await rig.until('all four connections are taken', () => rig.source.connections.size === 4);
    await rig.saw('watcher.idling', 3);
    rig.start({ name: 'dad', folders: named('D'), pace: PACE });
    for (const folder of ['INBOX', ...folders]) rig.source.put(letter(), { folder });
    for (const folder of ['INBOX', ...folders]) await rig.empty(folder);
    const lowered = rig.told.filter(({ event }) => event === 'watchers.lowered');
    expect(lowered.map(({ route, count }) => [route, count])).toEqual([['mum', 2]]);
    rig.oracle.assert({ carried: true });
  });

  it('is not knocked at again and again', async () => {
    await using rig = await begun(folders, { maxWatchers: 4 }, { room: 2 });
    await turns(rig, 1);
    const knocks = rig.source.count('login');
    await turns(rig, 5);
    expect(rig.source.count('login')).toBe(knocks);
  });

  it('gets one watcher more much later, and is left alone for longer where it refuses again', async () => {
    const pace = { crowdedFirst: 100, crowdedLongest: 400 };
    await using rig = await begun(
      folders,
      { maxWatchers: 4, sweepInterval: 30, pace },
      { room: 2 },
    );
    await rig.saw('watchers.raised');
    await rig.saw('watchers.lowered', 2);
    rig.source.manners.room = 20;
    await rig.until('all watchers are back', () =>
      rig.told.some(({ event, count }) => event === 'watchers.raised' && count === 4),
    );
    for (const folder of ['INBOX', ...folders]) rig.source.put(letter(), { folder });
    for (const folder of ['INBOX', ...folders]) await rig.empty(folder);
    rig.oracle.assert({ carried: true });
  });

  it('may also refuse the connection itself, while others stand', async () => {
    const refused = new Failure('Nothing answers on that port.', {
      step: 'connect',
      scope: 'connection',
      kind: 'lost',
      code: 'ECONNREFUSED',
    });
    await using rig = new Rig(...folders);
    rig.source.beforeEach(({ name }) => {
      if (name === 'connect' && rig.source.connections.size >= 3)
        rig.source.plan('connect', fails(refused));
    });
    rig.start({ maxWatchers: 4, pace: PACE });
    await rig.until('every folder is looked through', () => looked(rig).size === 5);
    expect(rig.told.findLast(({ event }) => event === 'watchers.lowered')).toMatchObject({
      count: 2,
    });
  });

  it('keeps all its watchers where it only was away for a moment', async () => {
    const refused = new Failure('Nothing answers on that port.', {
      step: 'connect',
      scope: 'connection',
      kind: 'lost',
      code: 'ECONNREFUSED',
    });
    await using rig = await begun(folders, { maxWatchers: 4 });
    rig.source.plan('connect', ...Array.from({ length: 9 }, () => fails(refused)));
    rig.source.cut();
    await rig.until('all are back', () => rig.source.connections.size === 5);
    expect(rig.count('watchers.lowered')).toBe(0);
  });
});

describe('a folder with a lot to carry', () => {
  const slow = Array.from({ length: 60 }, () => ({ takes: 40 }));
  const left = (rig: Rig, folder: string) => rig.source.folder(folder).messages.length;
  /** By and by, so that a slow machine has its time. */
  const drained = async (rig: Rig, folder: string) => {
    for (const most of [1200, 900, 600, 300, 0])
      await rig.until(`${folder} has ${most} left`, () => left(rig, folder) <= most);
  };

  it('without a watcher makes way for another one that has new mail, and is carried whole', async () => {
    await using rig = new Rig('A', 'B');
    for (let i = 0; i < 1500; i++) rig.source.put(letter(), { folder: 'A' });
    rig.destination.plan('append', ...slow);
    rig.start({ maxWatchers: 1, concurrency: 1, pace: { notice: 50 } });
    await rig.until('A is under way', () => rig.count('delivery.done') >= 100);
    rig.source.put(letter(), { folder: 'B' });
    await rig.empty('B');
    expect(left(rig, 'A')).toBeGreaterThan(0);
    rig.source.put(letter(), { folder: 'A' });
    await drained(rig, 'A');
    rig.oracle.assert({ carried: true });
    expect(rig.count('delivery.done')).toBe(1502);
  });

  it('and with a watcher keeps none of the others from being looked at', async () => {
    await using rig = new Rig('A', 'B');
    for (let i = 0; i < 1500; i++) rig.source.put(letter());
    for (let i = 0; i < 3; i++) rig.source.put(letter(), { folder: 'A' });
    rig.destination.plan('append', ...slow);
    rig.start({ maxWatchers: 1, concurrency: 1, pace: { notice: 50 } });
    await rig.until('INBOX is under way', () => rig.count('delivery.done') >= 100);
    rig.source.put(letter(), { folder: 'B' });
    await rig.empty('B');
    expect(left(rig, 'INBOX')).toBeGreaterThan(0);
    await drained(rig, 'INBOX');
    await drained(rig, 'A');
    rig.oracle.assert({ carried: true });
    expect(rig.count('delivery.done')).toBe(1504);
  });
});
