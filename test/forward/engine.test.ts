import { describe, expect, it, vi } from 'vitest';
import { Failure, type FailureFields } from '../../src/domain/failure.ts';
import { MemoryDestination } from '../support/memory-destination.ts';
import { memoryJournal } from '../support/memory-journal.ts';
import {
  afterwards,
  type CallName,
  closesAfter,
  closesBefore,
  type Fault,
  fails,
  fine,
  lies,
  unanswered,
} from '../support/memory-mail.ts';
import { letter, Rig } from './rig.ts';

function refused(fields: Partial<FailureFields> = {}): Fault {
  return fails(
    new Failure('The server refused.', { step: 'append', scope: 'connection', ...fields }),
  );
}

describe('a route', () => {
  it('carries what waits and what comes, and expunges exactly that', async () => {
    await using rig = new Rig();
    for (let i = 0; i < 250; i++) rig.source.put(letter(), { flags: ['\\Seen', 'work'] });
    rig.start();
    await rig.empty();
    rig.source.put(letter('later'));
    await rig.empty();
    rig.oracle.assert({ carried: true });
    expect(rig.destination.folder().messages.length).toBe(251);
    expect([...(rig.destination.folder().messages[0]?.flags ?? [])].sort()).toEqual([
      '\\Seen',
      'work',
    ]);
    expect(rig.count('delivery.done')).toBe(251);
    expect(rig.source.count('expungeAlone')).toBe(0);
  });

  it('lets the bytes of an original go once its copy is proven, and not before', async () => {
    await using rig = new Rig();
    rig.source.put(letter('goes'));
    rig.source.put(letter('stays'));
    const append = vi.spyOn(MemoryDestination.prototype, 'append');
    rig.destination.manners.refuses = (bytes) =>
      bytes.includes('stays')
        ? new Failure('Too ugly.', { step: 'append', scope: 'message', lasting: true })
        : undefined;
    rig.start();
    await rig.saw('delivery.done');
    await rig.saw('delivery.refused');
    const [goes, stays] = append.mock.calls.flatMap(([messages]) => messages);
    append.mockRestore();
    expect(() => goes?.content.bytes).toThrow('let go');
    expect(stays?.content.bytes).toHaveLength(stays?.size ?? 0);
  });

  it('takes mail that comes while a batch is under way, without another push', async () => {
    await using rig = new Rig();
    rig.source.put(letter('first'));
    let late = false;
    rig.destination.beforeEach(({ name }) => {
      if (name !== 'append' || late) return;
      late = true;
      rig.source.put(letter('while appending'));
    });
    rig.start();
    await rig.empty();
    rig.oracle.assert({ carried: true });
    expect(rig.destination.folder().messages.length).toBe(2);
  });

  it('leaves alone what someone else marked', async () => {
    await using rig = new Rig();
    rig.source.put(letter('theirs'), { flags: ['\\Deleted'] });
    rig.source.put(letter('ours'));
    rig.start();
    await rig.until('ours is carried', () => rig.count('delivery.done') === 1);
    expect(rig.source.folder().messages.map(({ uid }) => uid)).toEqual([1]);
    rig.oracle.assert();
  });

  it('carries messages with one Message-ID and different bytes, equal ones, and ones without Message-ID', async () => {
    await using rig = new Rig();
    rig.source.put(letter('one', '<same@example.org>'));
    rig.source.put(letter('two', '<same@example.org>'));
    rig.source.put(letter('twin', '<twin@example.org>'));
    rig.source.put(letter('twin', '<twin@example.org>'));
    rig.source.put(letter('none', undefined).replace(/^Message-ID.*\r\n/, ''));
    rig.start();
    await rig.empty();
    rig.oracle.assert({ carried: true });
    expect(rig.destination.folder().messages.length).toBe(5);
  });

  it('puts a flag that changed on the way on the copy before it expunges', async () => {
    await using rig = new Rig();
    const uid = rig.source.put(letter(), { flags: ['old'] });
    rig.destination.plan(
      'append',
      afterwards(() => rig.source.flag(uid, ['\\Seen'], ['old'])),
    );
    rig.start();
    await rig.empty();
    expect([...(rig.destination.folder().messages[0]?.flags ?? [])]).toEqual(['\\Seen']);
  });

  it('puts it there, too, where the copy was made by an attempt that was cut off', async () => {
    await using rig = new Rig();
    const uid = rig.source.put(letter(), { flags: ['old'] });
    rig.destination.plan('append', {
      after: () => rig.source.flag(uid, ['\\Seen'], ['old']),
      closesAfter: true,
    });
    rig.start();
    await rig.empty();
    const copies = rig.destination.folder().messages;
    expect(copies.map(({ flags }) => [...flags])).toEqual([['\\Seen']]);
  });

  it('puts it there under keep, too', async () => {
    await using rig = new Rig();
    const uid = rig.source.put(letter(), { flags: ['old'] });
    rig.destination.plan(
      'append',
      afterwards(() => rig.source.flag(uid, ['\\Seen'], ['old'])),
    );
    rig.start({ afterDelivery: { kind: 'keep' } });
    await rig.until('it is carried', () => rig.count('delivery.done') === 1);
    expect([...(rig.destination.folder().messages[0]?.flags ?? [])]).toEqual(['\\Seen']);
  });

  it('never carries from a folder that opens read-only or keeps no UIDs', async () => {
    await using rig = new Rig('Strange');
    rig.source.folder('INBOX').readOnly = true;
    rig.source.folder('Strange').uidNotSticky = true;
    rig.source.put(letter());
    rig.source.put(letter(), { folder: 'Strange' });
    rig.start();
    await rig.until('both are told', () => rig.count('folder.left-out') === 2);
    expect(rig.destination.count('append')).toBe(0);
  });

  it('finds what a sweep catches, and asks a deaf server after the second time', async () => {
    await using rig = new Rig();
    rig.source.manners.deaf = true;
    rig.start({ sweepInterval: 30 });
    await rig.until('the route stands', () => rig.count('folder.looked') > 0);
    rig.source.put(letter());
    await rig.until('it is caught', () => rig.count('sweep.caught') === 1);
    await rig.empty();
    rig.source.put(letter());
    await rig.until('it is caught again', () => rig.count('watcher.deaf') === 1);
    await rig.until('the folder is asked', () => rig.source.count('noop') > 0);
    await rig.empty();
    rig.oracle.assert({ carried: true });
  });

  it('watches no more folders than MAX_WATCHERS, and carries from the others all the same', async () => {
    await using rig = new Rig('A', 'B', 'C', 'D');
    for (const folder of ['INBOX', 'A', 'B', 'C', 'D']) rig.source.put(letter(), { folder });
    rig.start({ maxWatchers: 2 });
    await rig.until('all is carried', () => rig.count('delivery.done') === 5);
    expect(rig.source.most).toBeLessThanOrEqual(3);
    rig.oracle.assert({ carried: true });
  });

  it('begins no delivery after it was told to stop, and finishes the one under way', async () => {
    await using rig = new Rig();
    for (let i = 0; i < 250; i++) rig.source.put(letter());
    let stopped: Promise<void> | undefined;
    rig.destination.beforeEach(({ name }) => {
      if (name === 'append') stopped ??= rig.stop();
    });
    rig.start({ concurrency: 1 });
    await rig.until('a batch is under way', () => stopped !== undefined);
    await stopped;
    expect(rig.destination.count('append')).toBe(1);
    expect(rig.count('delivery.done')).toBe(200);
    rig.oracle.assert();
    expect(rig.source.folder().messages.length).toBeGreaterThan(0);
    expect(rig.destination.connections.size + rig.source.connections.size).toBe(0);
    rig.start();
    await rig.empty();
    rig.oracle.assert({ carried: true });
  });
});

describe('AFTER_DELIVERY', () => {
  it('keep changes nothing at the source, and carries nothing twice over many lives', async () => {
    await using rig = new Rig();
    rig.source.put(letter('a'));
    rig.source.put(letter('b'));
    for (let life = 0; life < 3; life++) {
      rig.start({ afterDelivery: { kind: 'keep' } });
      await rig.until('it was looked at', () => rig.count('folder.looked') > life);
      await rig.until('both are carried', () => rig.count('delivery.done') === 2);
      await rig.stop();
    }
    expect(rig.source.folder().messages.length).toBe(2);
    expect(rig.source.count('mark')).toBe(0);
    rig.oracle.assert();
  });

  it('keep and then expunge removes what was carried, and sends nothing again', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    rig.start({ afterDelivery: { kind: 'keep' } });
    await rig.until('it is carried', () => rig.count('delivery.done') === 1);
    await rig.stop();
    rig.start();
    await rig.empty();
    rig.oracle.assert({ carried: true });
    expect(rig.destination.count('append')).toBe(1);
  });

  it('mark leaves originals marked, and expunges none', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    rig.start({ afterDelivery: { kind: 'mark' } });
    await rig.until('it is carried', () => rig.count('delivery.done') === 1);
    await rig.stop();
    rig.start({ afterDelivery: { kind: 'mark' } });
    await rig.until('it was looked at', () => rig.count('folder.looked') === 2);
    expect([...(rig.source.folder().messages[0]?.flags ?? [])]).toContain('\\Deleted');
    expect(rig.destination.count('append')).toBe(1);
  });

  it('move puts carried mail into its folder, made where it is missing, and never carries from there', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    const after = { kind: 'move', folder: 'Carried' } as const;
    rig.start({ afterDelivery: after });
    await rig.empty();
    await rig.stop();
    rig.start({ afterDelivery: after });
    await rig.until('it was looked at', () => rig.count('folder.looked') >= 2);
    expect(rig.source.folder('Carried').messages.length).toBe(1);
    expect(rig.destination.everything().length).toBe(1);
  });
});

describe('without UIDPLUS at the source', () => {
  it('carries nothing under move where there is no MOVE either, and says so', async () => {
    await using rig = new Rig();
    rig.source.manners.abilities = {
      ...rig.source.manners.abilities,
      uidPlus: false,
      move: false,
    };
    rig.source.put(letter());
    rig.start({ afterDelivery: { kind: 'move', folder: 'Carried' } });
    await rig.until('it is told', () => rig.count('folder.left-out') === 1);
    expect(rig.destination.count('append')).toBe(0);
  });

  it('expunges where nothing else is marked', async () => {
    await using rig = new Rig();
    rig.source.manners.abilities = {
      ...rig.source.manners.abilities,
      uidPlus: false,
      move: false,
    };
    rig.source.put(letter());
    rig.start();
    await rig.empty();
    rig.oracle.assert({ carried: true });
  });

  it('leaves ours marked while a stranger is marked, tells it once, and tries again at each sweep', async () => {
    await using rig = new Rig();
    rig.source.manners.abilities = {
      ...rig.source.manners.abilities,
      uidPlus: false,
      move: false,
    };
    const theirs = rig.source.put(letter('theirs'), { flags: ['\\Deleted'] });
    rig.source.put(letter('ours'));
    rig.start({ sweepInterval: 20 });
    await rig.until('it is tried twice', () => rig.source.count('expungeAlone') > 2);
    expect(rig.source.folder().messages.length).toBe(2);
    expect(rig.count('retire.held')).toBe(1);
    rig.source.flag(theirs, [], ['\\Deleted']);
    await rig.empty();
    expect(rig.count('delivery.done')).toBe(2);
    rig.oracle.assert({ carried: true });
  });
});

describe('without UIDPLUS at the destination', () => {
  it('finds the copies by their bytes', async () => {
    await using rig = new Rig();
    rig.destination.manners.batching = 'single';
    for (let i = 0; i < 12; i++) rig.destination.plan('append', lies('no-uid'));
    for (let i = 0; i < 12; i++) rig.source.put(letter());
    rig.start();
    await rig.empty();
    rig.oracle.assert({ carried: true });
  });
});

/** Every step, cut before and after, refused once, or answered so that nothing can be made of it. */
const STEPS: readonly (readonly [side: 'source' | 'destination', call: CallName])[] = [
  ['source', 'connect'],
  ['source', 'login'],
  ['source', 'listFolders'],
  ['source', 'open'],
  ['source', 'uids'],
  ['source', 'list'],
  ['source', 'fetch'],
  ['source', 'mark'],
  ['source', 'expunge'],
  ['destination', 'connect'],
  ['destination', 'login'],
  ['destination', 'listFolders'],
  ['destination', 'open'],
  ['destination', 'listFrom'],
  ['destination', 'append'],
  ['destination', 'read'],
];

const CUTS: readonly (readonly [how: string, fault: Fault])[] = [
  ['cut before', closesBefore],
  ['cut after', closesAfter],
  ['left unanswered at', unanswered],
  ['refused once at', refused()],
  ['refused for the account at', refused({ scope: 'account' })],
];

describe('a fault', () => {
  for (const [side, call] of STEPS) {
    for (const [how, fault] of CUTS) {
      it(`${how} ${call} at the ${side} loses nothing and doubles nothing`, async () => {
        await using rig = new Rig();
        for (const body of ['a', 'b', 'twin', 'twin'])
          rig.source.put(letter(body, `<${body}@example.org>`));
        rig[side].plan(call, fault);
        rig.start({ sweepInterval: 40 });
        await rig.empty();
        await rig.until('it was met', () => rig[side].planned(call) === 0);
        rig.oracle.assert({ carried: true });
      });

      it(`${how} ${call} at the ${side}, again and again, loses nothing and doubles nothing`, async () => {
        await using rig = new Rig();
        for (let i = 0; i < 3; i++) rig.source.put(letter());
        rig[side].plan(call, fault, fine, fault, fault);
        rig.start({ sweepInterval: 30 });
        await rig.empty();
        rig.oracle.assert({ carried: true });
      });
    }
  }
});

describe('a lie', () => {
  const LIES = ['truncated', 'empty', 'changed', 'other', 'nothing'] as const;
  it.each(LIES)('of an APPEND that stores %s keeps the original', async (lie) => {
    await using rig = new Rig();
    rig.source.put(letter('mine'));
    rig.destination.put(letter('a stranger in the destination'));
    rig.destination.plan('append', lies(lie));
    rig.start({ pace: { unverified: 600_000 } });
    await rig.until('it is told', () => rig.count('delivery.unverified') === 1);
    expect(rig.source.folder().messages.length).toBe(1);
    expect(rig.source.count('mark')).toBe(0);
    expect(rig.oracle.violations).toEqual([]);
  });

  it('of an APPEND that names another UID is seen through: the copy is found by its bytes', async () => {
    await using rig = new Rig();
    rig.source.put(letter('mine'));
    rig.destination.plan('append', lies('wrong-uid'));
    rig.start({ pace: { unverified: 600_000 } });
    await rig.empty();
    rig.oracle.assert({ carried: true });
    expect(rig.count('delivery.unverified')).toBe(0);
  });

  it.each(['truncated', 'empty', 'changed', 'other'] as const)(
    'of a FETCH that returns %s keeps the original, or carries what is there',
    async (lie) => {
      await using rig = new Rig();
      rig.source.put(letter('the true one, of some length'));
      rig.source.plan('fetch', lies(lie));
      rig.start();
      await rig.until(
        'it came to an end',
        () => rig.count('delivery.done') + rig.count('delivery.refused') > 0,
      );
      expect(rig.oracle.violations).toEqual(lie === 'changed' ? [expect.any(String)] : []);
    },
  );

  it('of a bad copy goes once that copy is deleted', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    rig.destination.plan('append', lies('changed'));
    rig.start();
    await rig.until('it is told', () => rig.count('delivery.unverified') >= 2);
    expect(rig.destination.count('append')).toBe(1);
    rig.destination.expunge([1]);
    await rig.empty();
    rig.oracle.assert({ carried: true });
  });

  it('three times in a row blocks the route; with VERIFY=headers the copies there are compared, not sent again', async () => {
    await using rig = new Rig();
    const rebuilt = (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('rebuilt\r\n')]);
    rig.destination.manners.rewrites = rebuilt;
    for (let i = 0; i < 4; i++) rig.source.put(letter(`Letter ${i}`));
    rig.start();
    await rig.until('it is blocked', () => rig.count('route.blocked') === 1);
    const appended = rig.destination.folder().messages.length;
    rig.source.put(letter('later'));
    await rig.stop();
    expect(rig.source.folder().messages.length).toBe(5);
    expect(rig.destination.folder().messages.length).toBe(appended);
    rig.start({ verify: 'headers' });
    await rig.empty();
    expect(rig.destination.folder().messages.length).toBe(5);
  });
});

describe('a message that is refused', () => {
  it('is set aside, told once, and keeps no other; and goes when it is taken', async () => {
    await using rig = new Rig();
    let strict = true;
    rig.destination.manners.refuses = (bytes) =>
      strict && bytes.includes('virus')
        ? new Failure('The server refused: it has a virus.', {
            step: 'append',
            scope: 'message',
            lasting: true,
          })
        : undefined;
    for (let i = 0; i < 20; i++) rig.source.put(letter(i === 7 ? 'a virus' : `letter ${i}`));
    rig.start();
    await rig.until('the others are carried', () => rig.count('delivery.done') === 19);
    await rig.until('it was tried again', () => rig.count('delivery.appended') > 5);
    expect(rig.count('delivery.refused')).toBe(1);
    strict = false;
    await rig.empty();
    rig.oracle.assert({ carried: true });
  });

  it('for its size is not even fetched', async () => {
    await using rig = new Rig();
    rig.source.put(letter('x'.repeat(5000)));
    rig.source.put(letter('small'));
    rig.start({ maxMessageSize: 1000 });
    await rig.until(
      'it is told',
      () => rig.count('delivery.refused') === 1 && rig.count('delivery.done') === 1,
    );
    expect(
      rig.source.calls.filter(({ name, uids }) => name === 'fetch' && uids?.includes(1)),
    ).toEqual([]);
  });
});

describe('another life', () => {
  it('with the journal lost sends nothing twice', async () => {
    await using rig = new Rig();
    for (let i = 0; i < 5; i++) rig.source.put(letter());
    rig.start({ afterDelivery: { kind: 'keep' } });
    await rig.until('all are carried', () => rig.count('delivery.done') === 5);
    await rig.stop();
    rig.journal = memoryJournal();
    rig.start();
    await rig.empty();
    rig.oracle.assert({ carried: true });
    expect(rig.destination.count('append')).toBe(1);
  });

  it('after the source was renumbered sends nothing twice, under keep too', async () => {
    await using rig = new Rig();
    for (let i = 0; i < 5; i++) rig.source.put(letter());
    rig.start({ afterDelivery: { kind: 'keep' } });
    await rig.until('all are carried', () => rig.count('delivery.done') === 5);
    rig.source.renumber();
    await rig.until('it is told', () => rig.count('folder.renumbered') === 1);
    await rig.until('all are found', () => rig.count('delivery.recovered') === 5);
    rig.oracle.assert();
    expect(rig.destination.folder().messages.length).toBe(5);
  });

  it('retires nothing on old numbers when the source is renumbered between APPEND and expunge', async () => {
    await using rig = new Rig();
    for (let i = 0; i < 4; i++) rig.source.put(letter());
    rig.destination.plan('read', {
      before: () => {
        rig.source.expunge([1]);
        rig.source.renumber();
        rig.source.put(letter('new under an old number'));
      },
    });
    rig.start();
    await rig.empty();
    expect(rig.oracle.violations).toEqual([]);
    expect(rig.oracle.lost()).toEqual([]);
  });

  it('proves no two originals by one copy: of twins both arrive, with the journal lost in between', async () => {
    await using rig = new Rig();
    rig.source.put(letter('twin', '<twin@example.org>'));
    rig.start({ afterDelivery: { kind: 'keep' } });
    await rig.until('it is carried', () => rig.count('delivery.done') === 1);
    await rig.stop();
    rig.source.put(letter('twin', '<twin@example.org>'));
    rig.start({ afterDelivery: { kind: 'keep' } });
    await rig.until('both are carried', () => rig.count('delivery.done') === 2);
    expect(rig.destination.folder().messages.length).toBe(2);
  });
});

describe('sweep', () => {
  it('carries all that is there and ends', async () => {
    await using rig = new Rig('Sent');
    for (let i = 0; i < 120; i++) rig.source.put(letter());
    rig.source.put(letter(), { folder: 'Sent' });
    expect(await rig.sweep()).toEqual({ failures: [] });
    rig.oracle.assert({ carried: true });
  });

  it('takes the second look at an interrupted APPEND also when the first one took long', async () => {
    await using rig = new Rig();
    const [stored, lost] = [letter(), letter()];
    for (const each of [stored, lost]) rig.source.put(each);
    rig.destination.plan('append', closesBefore);
    rig.start({ pace: { attempts: 1, settle: 60_000 } });
    await rig.saw('delivery.postponed');
    await rig.stop();
    rig.destination.put(stored);
    // What was found is retired while the time of the second look goes by.
    rig.source.plan('mark', { takes: 60 });
    expect(await rig.sweep()).toEqual({ failures: [] });
    rig.oracle.assert({ carried: true });
  });

  it('gives up on a server that is not there, and says so', async () => {
    await using rig = new Rig();
    rig.source.plan('connect', closesBefore, closesBefore, closesBefore, closesBefore);
    const { failures } = await rig.sweep();
    expect(failures.length).toBe(1);
  });

  it('names what it could not carry', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    rig.destination.plan('append', ...Array(9).fill(refused({ scope: 'account', kind: 'full' })));
    const { failures } = await rig.sweep();
    expect(failures.map(({ failure }) => failure.kind)).toEqual(['full']);
    expect(rig.source.folder().messages.length).toBe(1);
  });
});
