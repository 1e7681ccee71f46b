/** AFTER_DELIVERY=move:FOLDER: what is moved never comes back as mail of a source folder, and only that stops a route. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { Route } from '../../src/domain/route.ts';
import { afterwards, fails, lies, meanwhile } from '../support/memory-mail.ts';
import { letter, Rig } from './rig.ts';

const inbox: Route['folders'] = [{ kind: 'folder', name: 'INBOX' }];
const toArchive = { kind: 'move', folder: 'Archive' } as const;

/** Another name for a folder, as some servers have it. */
function alias(rig: Rig, path: string, of: string): void {
  const folder = rig.source.folder(of);
  const named = new Proxy(folder, {
    get: (target, key) => (key === 'path' ? path : Reflect.get(target, key)),
  });
  rig.source.folders.set(path, named);
}

const blocked = (rig: Rig) => rig.told.find(({ event }) => event === 'route.blocked')?.why;

describe('the folder of AFTER_DELIVERY=move', () => {
  it('moves nothing to a folder that the source has and does not list', async () => {
    await using rig = new Rig('Carried');
    rig.source.folders.set('Old.Carried', rig.source.folder('Carried'));
    rig.source.put(letter());
    rig.start({ afterDelivery: { kind: 'move', folder: 'Old.Carried' }, sweepInterval: 50 });
    await rig.saw('route.blocked');
    expect(rig.source.count('move')).toBe(0);
    expect(rig.source.folder().messages.length).toBe(1);
  });

  it('moves to a folder that somebody makes in that very moment', async () => {
    await using rig = new Rig('A', 'B');
    for (const folder of ['INBOX', 'A', 'B']) rig.source.put(letter(), { folder });
    rig.source.plan('statuses', { before: () => rig.source.makeFolder('Carried') });
    rig.start({ afterDelivery: { kind: 'move', folder: 'Carried' } });
    await rig.saw('delivery.done', 3);
    expect(rig.count('route.blocked')).toBe(0);
    expect(rig.source.folder('Carried').messages.length).toBe(3);
  });

  it('stops where what it moves turns up in a source folder', async () => {
    await using rig = new Rig('Carried');
    alias(rig, 'Done', 'Carried');
    rig.start({ afterDelivery: { kind: 'move', folder: 'Done' }, sweepInterval: 50 });
    await rig.saw('folder.looked', 2);
    rig.source.put(letter());
    await rig.saw('route.blocked');
    rig.source.put(letter());
    await rig.saw('sweep.finished', rig.count('sweep.finished') + 2);
    expect(rig.told.find(({ event }) => event === 'route.blocked')?.why).toMatch(
      /moves to Done turns up in Carried/,
    );
    expect(rig.source.count('move')).toBe(1);
    expect(rig.count('delivery.done')).toBe(1);
  });

  it('moves to a folder that only has the UIDVALIDITY of a source folder', async () => {
    await using rig = new Rig('Carried');
    rig.source.folder('Carried').uidValidity = rig.source.folder().uidValidity;
    for (let i = 0; i < 3; i++) rig.source.put(letter());
    rig.source.expunge([1]);
    rig.start({ afterDelivery: { kind: 'move', folder: 'Carried' } });
    await rig.empty();
    expect(rig.source.folder('Carried').messages.length).toBe(2);
  });
});

describe('folders that were made in one second, and have one UIDVALIDITY', () => {
  function oneSecond(rig: Rig, ...folders: string[]): void {
    for (const name of folders) rig.source.folder(name).uidValidity = 1_600_000_000;
  }

  it.each([
    ['a source folder that is further', 'Sent', 50, 1],
    ['a source folder that is as far', 'Sent', 4, 4],
    ['source folders that are not so far', 'Sent', 1, 50],
    ['the folder itself, with another message under that number', 'INBOX', 5, 4],
  ])('are two: %s', async (_what, folder, next, archives) => {
    await using rig = new Rig('Sent', 'Archive');
    oneSecond(rig, 'INBOX', 'Sent', 'Archive');
    for (let i = 0; i < 3; i++) rig.source.put(letter());
    // Of another client: never carried, but there.
    if (folder === 'INBOX') rig.source.put(letter(), { flags: ['\\Deleted'] });
    rig.source.folder(folder).uidNext = next;
    rig.source.folder('Archive').uidNext = archives;
    rig.start({ afterDelivery: toArchive });
    await rig.saw('delivery.done', 3);
    rig.source.put(letter());
    await rig.saw('delivery.done', 4);
    expect(blocked(rig)).toBeUndefined();
    expect(rig.source.folder('Archive').messages.length).toBe(4);
  });

  it('are two where new mail gets the number of a copy while it is moved, and are not asked of again', async () => {
    await using rig = new Rig('Sent', 'Archive');
    oneSecond(rig, 'Sent', 'Archive');
    rig.start({ afterDelivery: toArchive, maxWatchers: 9 });
    await rig.saw('folder.looked', 2);
    rig.source.plan(
      'move',
      meanwhile(() => rig.source.put(letter(), { folder: 'Sent' })),
    );
    rig.source.put(letter());
    await rig.saw('delivery.done', 2);
    const connections = rig.source.count('connect');
    for (let i = 0; i < 3; i++) {
      rig.source.put(letter());
      await rig.empty();
    }
    expect(blocked(rig)).toBeUndefined();
    expect(rig.source.count('connect')).toBe(connections);
  });

  it.each(['changed', 'truncated', 'other', 'nothing'] as const)(
    'are not two by one answer that is %s',
    async (lie) => {
      await using rig = new Rig('Carried');
      alias(rig, 'Done', 'Carried');
      rig.start({ afterDelivery: { kind: 'move', folder: 'Done' } });
      await rig.saw('folder.looked', 2);
      // First it is fetched to be carried.
      rig.source.plan('fetch', {}, lies(lie));
      rig.source.put(letter());
      await rig.saw('route.blocked');
      expect(blocked(rig)).toMatch(/turns up in Carried/);
    },
  );

  it('are told by nobody where no connection more is let in: nothing more is moved, and it is said', async () => {
    await using rig = new Rig('Carried');
    alias(rig, 'Done', 'Carried');
    rig.start({ afterDelivery: { kind: 'move', folder: 'Done' }, sweepInterval: 50 });
    await rig.saw('folder.looked', 2);
    const full = new Failure('Too many.', { step: 'connect', scope: 'connection' });
    rig.source.plan('connect', ...Array.from({ length: 400 }, () => fails(full)));
    rig.source.put(letter());
    await rig.saw('delivery.done', 1);
    rig.source.put(letter());
    await rig.saw('delivery.postponed');
    expect(rig.told.find(({ event }) => event === 'delivery.postponed')?.why).toMatch(/not clear/);
    expect(rig.source.count('move')).toBe(1);
    while (rig.source.planned('connect') > 0) rig.source.take({ name: 'connect', session: 0 });
    await rig.saw('route.blocked');
    expect(rig.source.count('move')).toBe(1);
  });

  it('are one though the line was lost in the move', async () => {
    await using rig = new Rig('Carried');
    alias(rig, 'Done', 'Carried');
    rig.start({ afterDelivery: { kind: 'move', folder: 'Done' }, sweepInterval: 50 });
    await rig.saw('folder.looked', 2);
    rig.source.plan('move', { closesAfter: true });
    rig.source.put(letter());
    await rig.saw('route.blocked');
    expect(rig.source.count('move')).toBeLessThanOrEqual(2);
  });

  it('are asked of no more once what was moved is gone', async () => {
    await using rig = new Rig('Sent', 'Archive');
    oneSecond(rig, 'Sent', 'Archive');
    rig.start({ folders: [...inbox, { kind: 'folder', name: 'Sent' }], afterDelivery: toArchive });
    await rig.saw('folder.looked', 2);
    rig.source.plan(
      'move',
      afterwards(() => {
        rig.source.put(letter(), { folder: 'Sent' });
        rig.source.expunge([1], 'Archive');
      }),
    );
    rig.source.put(letter());
    await rig.saw('delivery.done', 2);
    rig.source.put(letter());
    await rig.saw('delivery.done', 3);
    expect(blocked(rig)).toBeUndefined();
  });
});
