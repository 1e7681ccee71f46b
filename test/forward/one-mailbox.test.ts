/** Source and destination are one mailbox under two names: it is found out before anything is removed. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { Route } from '../../src/domain/route.ts';
import { closesBefore, fails, lies, meanwhile } from '../support/memory-mail.ts';
import { letter, Rig } from './rig.ts';

const toArchive: Route['folders'] = [{ kind: 'folder', name: 'INBOX', to: 'Archive' }];
const inbox: Route['folders'] = [{ kind: 'folder', name: 'INBOX' }];
const rebuilds = (bytes: Buffer) =>
  Buffer.from(bytes.toString('latin1').replace('\r\n\r\n', '\r\nX-Store: 1\r\n\r\n'), 'latin1');

const nobody = new Failure('Nothing answers.', {
  step: 'connect',
  scope: 'connection',
  kind: 'lost',
});
const flagsOf = (rig: Rig) => rig.source.everything().map(({ flags }) => [...flags]);
const keyOf = (rig: Rig) => ({
  folder: 'INBOX',
  uidValidity: rig.source.folder().uidValidity,
});

function bodies(rig: Rig): string[] {
  return rig.source
    .everything()
    .map(({ bytes }) => bytes.toString().split('\r\n\r\n')[1]?.trim() ?? '')
    .sort();
}

describe('one mailbox under two names', () => {
  it('loses nothing where a trial under keep has found each message to be its own copy', async () => {
    await using rig = Rig.ofOneMailbox('Archive');
    const all = ['first', 'fourth', 'second', 'third'];
    for (const body of ['first', 'second', 'third']) rig.source.put(letter(body));
    // A careful trial, under two names of one account: each message is found to be there already.
    await rig.sweep({ folders: inbox, afterDelivery: { kind: 'keep' } });
    expect(rig.source.folder().messages.length).toBe(3);
    // Now it is to go to another folder, and one message more is there.
    rig.source.put(letter('fourth'));
    await rig.sweep({ folders: toArchive });
    await rig.sweep({ folders: toArchive });
    expect([...new Set(bodies(rig))]).toEqual(all);
  });

  it('loses nothing where a first life was stopped before it asked, and new mail comes in the second', async () => {
    await using rig = Rig.ofOneMailbox('Archive');
    for (const body of ['first', 'second', 'third']) rig.source.put(letter(body));
    const end = rig.source.beforeEach(({ name }) => {
      // Proven, and the line is lost before anything was asked.
      if (name !== 'list' || rig.rows.count('proven') === 0) return;
      end();
      void rig.stop();
      rig.source.cut();
    });
    rig.start({ folders: inbox });
    await rig.until('it is stopped', () => rig.rows.count('proven') > 0);
    await rig.stop();
    expect(rig.source.folder().messages.length).toBe(3);
    rig.source.put(letter('fourth'));
    rig.start({ folders: toArchive, sweepInterval: 30 });
    await rig.saw('sweep.finished', 4);
    await rig.stop();
    expect([...new Set(bodies(rig))]).toEqual(['first', 'fourth', 'second', 'third']);
  });

  it('loses nothing where what is marked is removed at once', async () => {
    await using rig = Rig.ofOneMailbox();
    for (let i = 0; i < 5; i++) rig.source.put(letter());
    rig.source.beforeEach(({ name, uids }) => {
      if (name === 'mark') rig.source.expunge([...(uids ?? [])]);
    });
    rig.start({ folders: inbox, sweepInterval: 50 });
    await rig.saw('route.blocked');
    expect(rig.source.folder().messages.length).toBe(5);
    expect(rig.source.everything().every(({ flags }) => flags.size === 0)).toBe(true);
  });

  it('sends nothing round where it rebuilds what it stores', async () => {
    await using rig = Rig.ofOneMailbox();
    rig.source.manners.rewrites = rebuilds;
    rig.start({ folders: inbox, sweepInterval: 50, verify: 'headers' });
    await rig.saw('folder.looked');
    rig.source.put(letter());
    await rig.saw('route.blocked');
    // What was under way meanwhile is appended; then it ends.
    await rig.saw('sweep.finished', rig.count('sweep.finished') + 2);
    const appended = rig.source.count('append');
    await rig.saw('sweep.finished', rig.count('sweep.finished') + 3);
    expect(rig.source.count('append')).toBe(appended);
    expect(rig.count('delivery.done')).toBe(0);
  });

  it('keeps old mail where new mail is proven first', async () => {
    await using rig = Rig.ofOneMailbox();
    rig.source.manners.rewrites = rebuilds;
    for (let i = 0; i < 5; i++) rig.source.put(letter());
    const end = rig.source.beforeEach(({ name }) => {
      if (name !== 'uids') return;
      end();
      rig.source.put(letter('new'));
    });
    rig.source.plan('fetch', {}, { takes: 60 });
    rig.start({ folders: inbox, sweepInterval: 50, verify: 'headers' });
    await rig.saw('route.blocked');
    expect(rig.source.folder().messages.filter(({ uid }) => uid <= 5).length).toBe(5);
    expect(rig.count('delivery.done')).toBe(0);
  });

  it('is named by a dry run, which removes nothing in words either', async () => {
    await using rig = Rig.ofOneMailbox();
    for (let i = 0; i < 3; i++) rig.source.put(letter());
    await rig.sweep({ folders: inbox, dryRun: true });
    const planned = rig.told.filter(({ event }) => event === 'delivery.planned');
    expect(planned.map(({ plan }) => plan)).toEqual(['leave', 'leave', 'leave']);
    expect(planned[0]?.why).toMatch(/one and the same folder/);
  });

  it('goes on as soon as another folder is named', async () => {
    await using rig = Rig.ofOneMailbox('Archive');
    for (let i = 0; i < 3; i++) rig.source.put(letter());
    rig.start({ folders: inbox });
    await rig.saw('route.blocked');
    await rig.stop();
    rig.start({ folders: toArchive });
    await rig.empty();
    expect(rig.source.folder('Archive').messages.length).toBe(3);
  });

  it('whose flags show a little late is found out all the same', async () => {
    await using rig = Rig.ofOneMailbox();
    rig.source.put(letter());
    let turned = 0;
    rig.source.beforeEach(({ name }) => {
      // What was set shows from the second look on.
      const [original] = rig.source.folder().messages;
      if (name === 'setFlag') turned = 0;
      if (name === 'read' && turned++ === 0) original?.flags.delete('\\Flagged');
      else if (name === 'read' && turned === 2) original?.flags.add('\\Flagged');
    });
    rig.start({ folders: inbox });
    await rig.saw('route.blocked');
    expect(rig.source.folder().messages.length).toBe(1);
  });

  const decided = (rig: Rig) =>
    rig.until('it is decided', () => rig.count('route.blocked') + rig.count('delivery.done') > 0);

  it.each(Array.from({ length: 16 }, (_, i) => i + 1))(
    'loses nothing where a phone stars the message just before look %i',
    async (nth) => {
      await using rig = Rig.ofOneMailbox();
      rig.source.put(letter());
      let looks = 0;
      rig.source.beforeEach(({ name }) => {
        if (name !== 'list' && name !== 'read') return;
        const [original] = rig.source.folder().messages;
        if (++looks !== nth || original === undefined) return;
        if (!original.flags.delete('\\Flagged')) original.flags.add('\\Flagged');
      });
      rig.start({ folders: inbox, sweepInterval: 50 });
      await decided(rig);
      expect(rig.source.folder().messages.length).toBe(1);
      expect(rig.count('delivery.done')).toBe(0);
    },
  );

  it('loses nothing where a connection hears only at its fourth look of what another one has set', async () => {
    await using rig = Rig.ofOneMailbox();
    rig.source.put(letter());
    const [original] = rig.source.folder().messages;
    let hidden: boolean | undefined;
    let reads = 0;
    rig.source.beforeEach(({ name }) => {
      if (original === undefined) return;
      // The connection that reads sees the flag as it was; every other one as it is.
      if (hidden !== undefined) original.flags[hidden ? 'add' : 'delete']('\\Flagged');
      hidden = undefined;
      if (name === 'setFlag') reads = 0;
      if (name !== 'read' || ++reads > 3) return;
      hidden = original.flags.has('\\Flagged');
      original.flags.delete('\\Flagged');
    });
    rig.start({ folders: inbox, sweepInterval: 50 });
    await decided(rig);
    expect(rig.source.folder().messages.length).toBe(1);
  });

  it('is found out by another flag where \\Flagged is not kept', async () => {
    await using rig = Rig.ofOneMailbox();
    rig.source.put(letter());
    rig.source.beforeEach(() => rig.source.flag(1, [], ['\\Flagged']));
    rig.start({ folders: inbox });
    await rig.saw('route.blocked');
    expect(rig.source.everything().map(({ flags }) => [...flags])).toEqual([[]]);
  });

  it('has its flags as they were where the line is lost in the middle of the question, and imapferry stopped', async () => {
    await using rig = Rig.ofOneMailbox();
    rig.source.put(letter());
    const end = rig.source.beforeEach(({ name }) => {
      if (name !== 'noop' || rig.source.count('setFlag') === 0) return;
      end();
      rig.source.plan('connect', ...Array.from({ length: 400 }, () => fails(nobody)));
      rig.source.cut();
    });
    rig.start({ folders: inbox });
    await rig.until('the line is lost', () => rig.source.planned('connect') > 0);
    await rig.stop();
    expect(flagsOf(rig)).toEqual([['\\Flagged']]);
    while (rig.source.planned('connect') > 0) rig.source.take({ name: 'connect', session: 0 });
    rig.start({ folders: inbox });
    await rig.saw('route.blocked');
    await rig.stop();
    expect(flagsOf(rig)).toEqual([[]]);
    expect(rig.rows.turned(keyOf(rig))).toEqual([]);
  });

  it('that keeps no flags is not clear, and nothing is removed', async () => {
    await using rig = Rig.ofOneMailbox();
    rig.source.put(letter());
    rig.source.beforeEach(() => rig.source.flag(1, [], ['\\Flagged', '\\Answered']));
    rig.start({ folders: inbox, sweepInterval: 50 });
    await rig.saw('delivery.postponed', 2);
    expect(rig.told.find(({ event }) => event === 'delivery.postponed')?.why).toMatch(/not clear/);
    expect(rig.source.folder().messages.length).toBe(1);
  });
});

describe('a flag that was left turned over', () => {
  const turned = { uid: 1, flag: '\\Flagged', was: false };

  it.each([
    ['is put back', ['\\Flagged', '\\Seen'], turned, ['\\Seen']],
    ['is put back on', [], { ...turned, was: true }, ['\\Flagged']],
    ['stays as its owner wants it', ['\\Seen'], turned, ['\\Seen']],
    ['of a message that is gone is forgotten', [], { ...turned, uid: 9 }, []],
  ])('%s', async (_what, flags, left, then) => {
    await using rig = new Rig();
    // Nobody touches what is marked.
    rig.source.put(letter(), { flags: ['\\Deleted', ...flags] });
    rig.rows.turnOver(keyOf(rig), left);
    rig.start({ folders: inbox });
    await rig.saw('folder.looked');
    expect(flagsOf(rig)).toEqual([['\\Deleted', ...then]]);
    expect(rig.rows.turned(keyOf(rig))).toEqual([]);
  });

  it('is put back when the connection is there again', async () => {
    await using rig = new Rig();
    rig.source.put(letter(), { flags: ['\\Deleted', '\\Flagged'] });
    rig.source.plan('setFlag', closesBefore);
    rig.rows.turnOver(keyOf(rig), turned);
    rig.start({ folders: inbox });
    await rig.until('it is as it was', () => rig.rows.turned(keyOf(rig)).length === 0);
    expect(flagsOf(rig)).toEqual([['\\Deleted']]);
  });

  it.each([{ dryRun: true }, { afterDelivery: { kind: 'keep' } }] as const)(
    'stays for a later life where nothing may be changed: %j',
    async (how) => {
      await using rig = new Rig();
      rig.source.put(letter(), { flags: ['\\Flagged'] });
      rig.rows.turnOver(keyOf(rig), turned);
      await rig.sweep({ folders: inbox, ...how });
      expect(flagsOf(rig)).toEqual([['\\Flagged']]);
      expect(rig.source.count('setFlag')).toBe(0);
      expect(rig.rows.turned(keyOf(rig))).toEqual([turned]);
    },
  );

  it('keeps the folder from nothing where the server refuses to put it back', async () => {
    await using rig = new Rig();
    rig.source.put(letter(), { flags: ['\\Deleted', '\\Flagged'] });
    const no = new Failure('No.', { step: 'retire', scope: 'folder' });
    rig.source.plan('setFlag', fails(no));
    rig.rows.turnOver(keyOf(rig), turned);
    rig.start({ folders: inbox, sweepInterval: 50 });
    await rig.saw('folder.looked', 2);
    expect(rig.count('folder.left-out')).toBe(0);
    expect(flagsOf(rig)).toEqual([['\\Deleted']]);
  });

  it('is not put on the copy where the line is lost before it is put back', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    rig.source.plan('setFlag', {}, {}, {}, closesBefore);
    rig.start({ folders: inbox, sweepInterval: 50 });
    await rig.empty();
    expect([...(rig.destination.find(1)?.flags ?? [])]).toEqual([]);
  });
});

describe('two mailboxes with one UIDVALIDITY', () => {
  it.each([
    ['copies that their owner has deleted', 'destination'],
    ['originals that are gone', 'source'],
  ] as const)('are asked of others than %s', async (_what, side) => {
    await using rig = new Rig();
    rig.destination.put(letter('of its own'));
    rig.source.put(letter('x'));
    for (let i = 0; i < 8; i++) rig.source.put(letter(`a longer one ${i}`));
    await rig.sweep({ folders: inbox, afterDelivery: { kind: 'keep' } });
    const gone = [1, 2, 3, 5, 6, 7, 8, 9];
    if (side === 'destination') rig.destination.expunge(gone.map((uid) => uid + 1));
    // Between the look and the question.
    else
      rig.source.plan(
        'noop',
        meanwhile(() => rig.source.expunge(gone)),
      );
    rig.start({ folders: inbox, sweepInterval: 30 });
    await rig.empty();
    expect(rig.destination.count('append')).toBe(1);
  });

  it('and the same numbers are no proof for what was kept: what is not there any more is sent again', async () => {
    await using rig = new Rig();
    for (const text of ['one', 'two']) rig.source.put(letter(text));
    await rig.sweep({ folders: inbox, afterDelivery: { kind: 'keep' } });
    rig.destination.expunge([1]);
    rig.start({ folders: inbox, sweepInterval: 30 });
    await rig.empty();
    expect(rig.destination.folder().messages.length).toBe(2);
  });

  it('are not told apart by copies that are all deleted, and are as soon as new mail comes', async () => {
    await using rig = new Rig();
    rig.destination.put(letter());
    for (let i = 0; i < 3; i++) rig.source.put(letter());
    await rig.sweep({ folders: inbox, afterDelivery: { kind: 'keep' } });
    rig.destination.expunge([1, 2, 3, 4]);
    rig.start({ folders: inbox, sweepInterval: 50 });
    await rig.saw('delivery.postponed', 2);
    expect(rig.told.find(({ event }) => event === 'delivery.postponed')?.why).toMatch(/not clear/);
    expect(rig.source.folder().messages.length).toBe(3);
    rig.source.put(letter());
    await rig.empty();
  });

  it('are found to be two by a number that another message has, and no flag is turned', async () => {
    await using rig = new Rig();
    rig.destination.put(letter('of the other one'));
    rig.source.put(letter());
    rig.start();
    await rig.empty();
    expect(rig.source.count('setFlag')).toBe(0);
    expect(rig.destination.folder().messages.length).toBe(2);
  });

  it('are found to be two by a number that only one of them has', async () => {
    await using rig = new Rig();
    rig.destination.put(letter());
    rig.destination.expunge([1]);
    rig.source.put(letter());
    rig.start();
    await rig.empty();
    expect(rig.source.count('setFlag')).toBe(0);
    rig.oracle.assert({ carried: true });
  });

  it('and the same numbers are found to be two by a flag, once for all mail, in so many round trips', async () => {
    await using rig = new Rig();
    for (let i = 0; i < 250; i++) rig.source.put(letter(), { flags: i === 0 ? ['\\Flagged'] : [] });
    rig.start();
    await rig.empty();
    expect(rig.source.count('setFlag')).toBe(4);
    expect(rig.destination.count('read')).toBeLessThan(3 + 1 + 2 + 2 * 4 + 1);
    expect(rig.destination.find(1)?.flags).toEqual(new Set(['\\Flagged']));
    rig.oracle.assert({ carried: true });
  });

  it('are two although somebody has starred the copy meanwhile', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    rig.destination.plan('read', { after: () => rig.destination.flag(1, ['\\Flagged']) });
    rig.start();
    await rig.empty();
    expect(rig.destination.find(1)?.flags).toEqual(new Set(['\\Flagged']));
  });

  it.each([
    ['source', 'fetch', 'changed'],
    ['source', 'fetch', 'truncated'],
    ['source', 'fetch', 'other'],
    ['destination', 'read', 'changed'],
  ] as const)(
    'loses nothing where one answer of the %s to a %s is %s',
    async (_side, call, lie) => {
      await using rig = Rig.ofOneMailbox();
      for (const text of ['one', 'two']) rig.source.put(letter(text));
      // First the batch itself is fetched and found; then both sides are compared.
      rig.source.plan(call, {}, lies(lie));
      rig.start({ folders: inbox, sweepInterval: 50 });
      const left = () => rig.source.folder().messages.length;
      await rig.until('it is decided', () => rig.count('route.blocked') > 0 || left() < 2);
      expect(left()).toBeGreaterThanOrEqual(2);
    },
  );
});

describe('a flag of which one answer is late', () => {
  it.each([1, 3])(
    'is not left turned over where the answer after turn %i still shows it as it was',
    async (nth) => {
      await using rig = Rig.ofOneMailbox();
      rig.source.put(letter());
      const [original] = rig.source.folder().messages;
      let turns = 0;
      let late = false;
      rig.source.beforeEach(({ name }) => {
        if (original === undefined) return;
        if (late) original.flags.add('\\Flagged');
        late = false;
        if (name === 'setFlag') turns++;
        // This one list shows the flag as it was before the STORE; all later ones show it as it is.
        if (name !== 'list' || turns !== nth || !original.flags.has('\\Flagged')) return;
        original.flags.delete('\\Flagged');
        late = true;
        turns = 100;
      });
      rig.start({ folders: inbox, sweepInterval: 20 });
      await rig.until('it is decided', () => rig.count('route.blocked') > 0);
      await rig.saw('sweep.finished', rig.count('sweep.finished') + 3);
      await rig.stop();
      if (late) original?.flags.add('\\Flagged');
      expect([...(rig.source.folder().messages[0]?.flags ?? [])]).toEqual([]);
    },
  );

  it('is not put on the copy', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    const [original] = rig.source.folder().messages;
    let late: boolean | undefined;
    rig.source.beforeEach(({ name }) => {
      if (original === undefined) return;
      if (late) original.flags.add('\\Flagged');
      if (late !== undefined && name !== 'list') late = false;
      if (name !== 'list' || late !== undefined || !original.flags.has('\\Flagged')) return;
      original.flags.delete('\\Flagged');
      late = true;
    });
    rig.start({ folders: inbox, sweepInterval: 20 });
    await rig.empty();
    await rig.stop();
    expect([...(rig.destination.find(1)?.flags ?? [])]).toEqual([]);
  });
});
