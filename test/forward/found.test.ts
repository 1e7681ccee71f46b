/** Faults that nobody had thought of until somebody looked for them: each has a test, and none is to come back. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Failure, type FailureFields } from '../../src/domain/failure.ts';
import type { DestinationSession } from '../../src/domain/ports.ts';
import { Listings } from '../../src/forward/listing.ts';
import { fails, lies, loginRefused } from '../support/memory-mail.ts';
import type { MemoryMessage } from '../support/memory-server.ts';
import { letter, Rig } from './rig.ts';

const failure = (fields: Partial<FailureFields>) =>
  new Failure('The server refused.', { step: 'append', scope: 'connection', ...fields });
const full = failure({ scope: 'account', kind: 'full' });
const virus = failure({ scope: 'message', lasting: true });
const rebuilds = (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('rebuilt\r\n')]);

describe('a source that was restored from a backup, with its UIDVALIDITY and an earlier UIDNEXT', () => {
  it('loses no message that comes under a number used before', async () => {
    await using rig = new Rig();
    for (let i = 0; i < 3; i++) rig.source.put(letter());
    rig.start({ sweepInterval: 30 });
    await rig.empty();
    rig.source.folder().uidNext = 2;
    rig.source.put(letter('under an old number'));
    await rig.empty();
    expect(rig.oracle.violations).toEqual([]);
  });
});

it('without UIDPLUS does not take its own marks for those of strangers', async () => {
  await using rig = new Rig();
  rig.source.manners.abilities.uidPlus = false;
  for (const call of ['mark', 'expungeAlone'] as const) {
    rig.source.plan(call, ...Array(500).fill({ takes: 5 }));
  }
  for (let i = 0; i < 250; i++) rig.source.put(letter());
  rig.start({ sweepInterval: 60 });
  await rig.until('all are carried', () => rig.count('delivery.done') === 250);
  await rig.empty();
  expect(rig.count('retire.held')).toBe(0);
});

it('without APPENDUID sends a message once to a server that rebuilds it, and tells it', async () => {
  await using rig = new Rig();
  rig.destination.manners.batching = 'single';
  rig.destination.manners.abilities.uidPlus = false;
  rig.destination.manners.rewrites = rebuilds;
  rig.source.put(letter());
  rig.start();
  await rig.saw('delivery.unverified', 3);
  expect(rig.destination.folder().messages.length).toBe(1);
  expect(rig.destination.count('append')).toBe(1);
  expect(rig.source.folder().messages.length).toBe(1);
});

it('sends nothing twice when the source is renumbered while an APPEND is under way', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  rig.destination.plan('append', { takes: 200 });
  rig.start({ sweepInterval: 50 });
  await rig.until('it is sent', () => rig.destination.count('append') === 1);
  rig.source.renumber();
  await rig.empty();
  expect(rig.count('journal.failed')).toBe(0);
  expect(rig.destination.folder().messages.length).toBe(1);
});

describe('one message on which a connection ends keeps no other', () => {
  it('at the source', async () => {
    await using rig = new Rig();
    for (let i = 0; i < 10; i++) rig.source.put(letter());
    rig.source.beforeEach(({ name, uids }) => {
      if (name === 'fetch' && uids?.includes(3)) rig.source.cut();
    });
    rig.start({ sweepInterval: 60 });
    const left = () => rig.source.folder().messages.length;
    await rig.until('the others are carried', () => left() === 1);
  });

  it('at the destination', async () => {
    await using rig = new Rig();
    for (let i = 0; i < 10; i++) rig.source.put(letter(i === 3 ? 'poison' : 'fine'));
    rig.destination.manners.refuses = (bytes) =>
      bytes.includes('poison') ? failure({ kind: 'lost' }) : undefined;
    rig.start({ sweepInterval: 60 });
    const left = () => rig.source.folder().messages.length;
    await rig.until('the others are carried', () => left() === 1);
  });
});

it('a source that lets in no connection more keeps only the message that wants one', async () => {
  await using rig = new Rig();
  rig.start({ sweepInterval: 40, concurrency: 1 });
  await rig.until('it watches', () => rig.count('watcher.idling') === 1);
  const busy = failure({ step: 'login', scope: 'account', kind: 'throttled' });
  rig.source.plan('login', ...Array(10_000).fill(fails(busy)));
  rig.source.plan('fetch', lies('truncated'));
  rig.source.put(letter('its size is another'));
  await wait(50);
  for (let i = 0; i < 5; i++) rig.source.put(letter());
  await rig.until('the others are carried', () => rig.source.folder().messages.length < 2);
});

it('a message that waits in hand does not have its folder looked at without a pause', async () => {
  await using rig = new Rig();
  rig.destination.manners.refuses = (bytes) => (bytes.includes('virus') ? virus : undefined);
  rig.source.put(letter('a virus'));
  rig.start({
    sweepInterval: 300,
    pace: { refusedFirst: 100, holdFirst: 60_000, holdLongest: 60_000 },
  });
  await rig.until('it is refused', () => rig.count('delivery.refused') === 1);
  rig.destination.plan('append', fails(full));
  rig.source.put(letter());
  await rig.until('deliveries pause', () => rig.count('delivery.postponed') === 1);
  const [looked, since] = [rig.source.count('uids'), performance.now()];
  await rig.until('it is swept twice', () => rig.count('sweep.finished') > 2);
  // A look a sweep, and one each time that the refused one's pause has passed.
  const pauses = (performance.now() - since) / 100;
  expect(rig.source.count('uids') - looked).toBeLessThan(2 * pauses + 6);
});

it('a refused message is still counted after its batch was held', async () => {
  await using rig = new Rig();
  let isFull = false;
  rig.destination.manners.refuses = (bytes) => {
    if (isFull) return full;
    return bytes.includes('virus') ? virus : undefined;
  };
  rig.source.put(letter('a virus'));
  rig.start({ sweepInterval: 20 });
  const ids = ['anna@source.example.org', 'anna@destination.example.org'] as const;
  const tries = () => rig.journal.route('default', ...ids).aside()[0]?.tries ?? 0;
  await rig.until('it was refused 4 times', () => tries() >= 4);
  isFull = true;
  await rig.until('it is held', () => rig.count('delivery.postponed') >= 1);
  isFull = false;
  await rig.until('it is refused again', () => tries() > 0);
  expect(tries()).toBeGreaterThan(4);
});

describe('a refusal that passes is not waited out until the next sweep', () => {
  it('of SELECT', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    rig.source.plan('open', fails(failure({ step: 'open', scope: 'folder' })));
    rig.start();
    await rig.empty();
  });

  it('of SEARCH', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    rig.source.plan('uids', fails(failure({ step: 'look', scope: 'account' })));
    rig.start();
    await rig.empty();
  });
});

describe('the plan', () => {
  it('takes up a folder that appears', async () => {
    await using rig = new Rig();
    rig.start({ sweepInterval: 40 });
    await rig.until('it is ready', () => rig.count('route.ready') === 1);
    rig.source.makeFolder('New');
    rig.source.put(letter(), { folder: 'New' });
    await rig.empty('New');
  });

  it('is not made for ever of a LIST that once told no folder', async () => {
    await using rig = new Rig();
    const folders = new Map(rig.source.folders);
    rig.source.folders.clear();
    rig.start({ sweepInterval: 40 });
    await wait(50);
    for (const [path, folder] of folders) rig.source.folders.set(path, folder);
    rig.source.put(letter());
    await rig.empty();
  });

  it('is not made of a LIST of the destination that told no folder, at the start or later', async () => {
    await using rig = new Rig('Lists/a', 'Sent');
    rig.source.put(letter(), { folder: 'Lists/a' });
    rig.destination.makeFolder('Gesendet', '\\Sent');
    const all = new Map(rig.destination.folders);
    let lists = 0;
    rig.destination.beforeEach(({ name }) => {
      if (name !== 'listFolders' || lists++ % 2 > 0) return;
      rig.destination.folders.clear();
      setTimeout(() => {
        for (const [path, folder] of all) rig.destination.folders.set(path, folder);
      }, 0);
    });
    rig.start({ sweepInterval: 30 });
    await rig.empty('Lists/a');
    await rig.until('it was asked again', () => lists > 4);
    const made = rig.told.filter(({ event }) => event === 'plan.made');
    expect(Object.fromEntries(made.map(({ folder, dest }) => [folder, dest]))).toEqual({
      INBOX: 'INBOX',
      'Lists/a': 'Lists/a',
      Sent: 'Gesendet',
    });
    expect(made).toHaveLength(3);
    expect(rig.count('folder.left-out')).toBe(0);
  });

  it('leads mail where it says, when a folder comes back whose counterpart is another one by then', async () => {
    await using rig = new Rig('Sent');
    rig.source.put(letter(), { folder: 'Sent' });
    rig.start({ sweepInterval: 30 });
    await rig.saw('delivery.done');
    const sent = rig.source.folder('Sent');
    rig.source.folders.delete('Sent');
    await rig.saw('folder.left-out');
    rig.destination.makeFolder('Gesendet', '\\Sent');
    rig.source.folders.set('Sent', sent);
    await rig.until('it is planned anew', () =>
      rig.told.some(({ event, dest }) => event === 'plan.made' && dest === 'Gesendet'),
    );
    rig.source.put(letter(), { folder: 'Sent' });
    await rig.saw('delivery.done', 2);
    const done = rig.told.filter(({ event }) => event === 'delivery.done');
    expect(done.map(({ dest }) => dest)).toEqual(['Sent', 'Gesendet']);
    expect(rig.destination.folder('Gesendet').messages).toHaveLength(1);
    expect(rig.count('folder.renumbered')).toBe(0);
  });

  it('leads nothing twice that may be stored where the mail went before', async () => {
    await using rig = new Rig('Sent');
    rig.source.put(letter(), { folder: 'Sent' });
    rig.destination.makeFolder('Sent');
    const shut = () => {
      rig.destination.manners.room = 0;
    };
    // The copy is stored, and nobody hears of it.
    rig.destination.plan('append', { after: shut, closesAfter: true });
    rig.start({ concurrency: 1 });
    await rig.until('it is stored', () => rig.destination.folder('Sent').messages.length === 1);
    await rig.stop();
    rig.destination.folder('Sent').attributes.add('\\Archive');
    rig.destination.makeFolder('Gesendet', '\\Sent');
    rig.destination.manners.room = Number.POSITIVE_INFINITY;
    rig.start();
    await rig.saw('delivery.done');
    expect(rig.destination.folder('Sent').messages).toHaveLength(1);
    expect(rig.destination.folder('Gesendet').messages).toHaveLength(0);
    expect(rig.source.folder('Sent').messages).toHaveLength(0);
    const done = rig.told.find(({ event }) => event === 'delivery.done');
    expect(done?.dest).toBe('Sent');
    expect(rig.oracle.violations).toEqual([]);
  });

  it('leads mail on where the folder is gone in which it may have been stored', async () => {
    await using rig = new Rig('Sent');
    rig.source.put(letter(), { folder: 'Sent' });
    const shut = () => {
      rig.destination.manners.room = 0;
    };
    rig.destination.makeFolder('Sent');
    rig.destination.plan('append', { after: shut, closesAfter: true });
    rig.start({ concurrency: 1 });
    await rig.until('it is stored', () => rig.destination.folder('Sent').messages.length === 1);
    await rig.stop();
    rig.destination.folders.delete('Sent');
    rig.destination.makeFolder('Gesendet', '\\Sent');
    rig.destination.manners.room = Number.POSITIVE_INFINITY;
    rig.start();
    await rig.empty('Sent');
    expect(rig.destination.folder('Gesendet').messages).toHaveLength(1);
  });

  it('stops where two folders would go to one unasked, with both names', async () => {
    await using rig = new Rig('Archive');
    rig.source.put(letter('stays'));
    const { failures } = await rig.sweep({
      folders: [
        { kind: 'folder', name: 'INBOX', to: 'Archive' },
        { kind: 'pattern', pattern: '*' },
      ],
    });
    expect(failures.map(({ failure }) => failure.message).join()).toMatch(/INBOX and Archive/);
    expect(rig.count('route.blocked')).toBe(1);
    expect(rig.count('delivery.done')).toBe(0);
  });

  it('does not let a sweep end well that carried nothing of a folder that was named', async () => {
    await using rig = new Rig();
    const { failures } = await rig.sweep({ folders: [{ kind: 'folder', name: 'INBX' }] });
    expect(failures.length).toBe(1);
  });
});

it('a start that has to wait because logins were refused says so', async () => {
  await using rig = new Rig();
  for (let i = 0; i < 3; i++) rig.journal.noteRefusal('anna@source.example.org', Date.now());
  rig.start({ pace: { refusedLogin: 900_000 } });
  const told = ({ side, msg }: { side?: string; msg?: string }) =>
    side === 'source' && msg?.includes('waits 15 minutes') === true;
  await rig.until('it is told', () => rig.told.some(told));
});

it('lists a destination folder once, however many batches are looked for there', async () => {
  const asked: number[] = [];
  const session = {
    async listFrom(from: number) {
      asked.push(from);
      await wait(5);
      return [{ uid: 5, size: 1, flags: new Set<string>() }];
    },
  } as unknown as DestinationSession;
  const view = {
    ...{ folder: 'INBOX', uidValidity: 1, uidNext: 6, messages: 1 },
    ...{ readOnly: false, uidNotSticky: false },
  };
  const listings = new Listings();
  await Promise.all([1, 2, 3].map(() => listings.current(session, view, 1)));
  expect(asked).toEqual([1, 6, 6]);
});

describe('a connection that is ended because it refuses a folder which it had open', () => {
  it('does not cost the next folder its visit', async () => {
    await using rig = new Rig('A', 'B');
    rig.source.put(letter(), { folder: 'A' });
    rig.source.put(letter(), { folder: 'B' });
    rig.destination.plan('append', { closesAfter: true });
    rig.start({ maxWatchers: 0, pace: { settle: 60_000 } });
    await rig.until('it is sent', () => rig.destination.count('append') === 1);
    await rig.stop();
    rig.destination.folder('A').messages.length = 0;
    // A is visited twice: what an earlier life had under way is settled by a second look.
    const stale = new Failure('Mailbox was deleted under us', {
      step: 'open',
      scope: 'connection',
    });
    let opens = 0;
    rig.source.beforeEach(({ name }) => {
      if (name === 'open' && ++opens === 3) rig.source.plan('open', fails(stale));
    });
    rig.source.plan('logout', { takes: 60 });
    const { failures } = await rig.sweep({ pace: { settle: 100 } });
    expect(opens).toBeGreaterThan(3);
    expect(failures.filter(({ folder }) => folder === 'B')).toEqual([]);
  });
});

it('a connection that ends while its folder is opened has work wait, not turned away', async () => {
  await using rig = new Rig();
  rig.start({ sweepInterval: 60, pace: { reconnectFirst: 600, reconnectLongest: 600 } });
  await rig.until('it is looked at', () => rig.count('folder.looked') >= 1);
  rig.destination.plan('append', { takes: 150 });
  rig.source.put(letter());
  rig.source.put(letter());
  await rig.until('it is sent', () => rig.destination.count('append') === 1);
  rig.source.plan('open', { closesBefore: true });
  await rig.empty();
  expect(rig.count('delivery.postponed')).toBe(0);
});

it('rows of what is gone that can not be closed have the folder looked at no more often', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  rig.start({ afterDelivery: { kind: 'keep' }, sweepInterval: 20, pace: { refusedFirst: 1 } });
  await rig.saw('delivery.done');
  rig.rows.gone = () => {
    throw new Failure('No space is left', { step: 'journal', scope: 'account' });
  };
  rig.source.expunge([1]);
  const before = { looks: rig.source.count('uids'), sweeps: rig.count('sweep.finished') };
  await rig.saw('sweep.finished', before.sweeps + 20);
  const sweeps = rig.count('sweep.finished') - before.sweeps;
  expect(rig.source.count('uids') - before.looks).toBeLessThanOrEqual(sweeps + 2);
});

describe('a proven original that comes otherwise once, in a later life,', () => {
  const no = failure({ step: 'retire', scope: 'account' });

  /** One message that was proven and not yet expunged when its life ended. */
  async function proven(rig: Rig, before: 'mark' | 'expunge'): Promise<void> {
    rig.source.plan(before, fails(no));
    rig.source.put(letter());
    rig.start({ pace: { holdFirst: 60_000, holdLongest: 60_000 } });
    await rig.saw('delivery.postponed');
    await rig.stop();
  }

  for (const lie of ['truncated', 'empty', 'changed', 'other'] as const) {
    for (const before of ['mark', 'expunge'] as const) {
      it(`${lie}, is not sent again, and goes (before ${before})`, async () => {
        await using rig = new Rig();
        await proven(rig, before);
        rig.source.plan('fetch', lies(lie));
        rig.start();
        await rig.empty();
        rig.oracle.assert({ carried: true });
        expect(rig.destination.folder().messages.length).toBe(1);
      });
    }
  }

  it('and so at every try, stays and is told', async () => {
    await using rig = new Rig();
    await proven(rig, 'mark');
    rig.source.plan(
      'fetch',
      ...Array(50).fill(lies('truncated')),
      ...Array(50).fill(lies('empty')),
    );
    const { failures } = await rig.sweep();
    expect(failures.map(({ failure: { message } }) => message)).toEqual([
      "What INBOX returns for UID 1 is not what was carried under that number, and can't be believed: it did not come the same twice, or not in the size that the server tells. It stays at the source; imapferry asks for it again.",
    ]);
    expect(rig.source.folder().messages.length).toBe(1);
    expect(rig.destination.folder().messages.length).toBe(1);
  });
});

it("without UIDPLUS a note of an earlier life does not make a mark of a stranger's ours", async () => {
  await using rig = new Rig();
  rig.source.manners.abilities.uidPlus = false;
  for (let i = 0; i < 150; i++) rig.source.put(letter());
  rig.start({ afterDelivery: { kind: 'keep' } });
  await rig.saw('delivery.done', 150);
  await rig.stop();
  // Restored from a backup, under the same UIDVALIDITY: number 150 is another message by now, and somebody has marked it.
  rig.source.expunge([150]);
  rig.source.folder().uidNext = 150;
  rig.source.put(letter('another one under that number'), { flags: ['\\Deleted'] });
  rig.start({ concurrency: 1, sweepInterval: 50 });
  await rig.saw('retire.held');
  await rig.saw('sweep.finished', 3);
  expect(rig.source.find(150)).toBeDefined();
});

it('without UIDPLUS expunges what was marked on an earlier connection, one by one', async () => {
  await using rig = new Rig();
  rig.source.manners.abilities.uidPlus = false;
  for (let i = 0; i < 5; i++) rig.source.put(letter());
  rig.source.plan('expungeAlone', ...Array(5).fill({ closesBefore: true }));
  rig.start({ sweepInterval: 50 });
  await rig.empty();
  expect(rig.count('retire.held')).toBe(0);
  rig.oracle.assert({ carried: true });
});

it('an accepted message whose connection ended before the read-back is not missed too soon', async () => {
  await using rig = new Rig();
  rig.start({ pace: { settle: 150 } });
  await rig.saw('folder.looked');
  await wait(200);
  // What was stored shows itself to other connections a little later only.
  rig.destination.plan('read', {
    closesBefore: true,
    before: () => {
      const { messages } = rig.destination.folder();
      const behind = messages.splice(0);
      setTimeout(() => messages.unshift(...behind), 50);
    },
  });
  rig.source.put(letter());
  await rig.empty();
  expect(rig.destination.count('append')).toBe(1);
});

it('an accepted message that is stored wrong is not sent again because a connection ended', async () => {
  await using rig = new Rig();
  rig.start({ pace: { settle: 10 } });
  await rig.saw('folder.looked');
  rig.destination.plan('append', ...Array(4).fill(lies('truncated')));
  rig.destination.plan('read', ...Array(4).fill({ closesBefore: true }));
  rig.source.put(letter('x'.repeat(300)));
  await rig.saw('delivery.unverified');
  expect(rig.destination.count('append')).toBe(1);
  expect(rig.source.folder().messages.length).toBe(1);
});

it('a listing that is empty for once does not make a message new that was sent before', async () => {
  await using rig = new Rig();
  rig.start({ sweepInterval: 60 });
  await rig.saw('folder.looked');
  rig.destination.plan('append', { closesAfter: true });
  rig.destination.plan('open', {}, fails(failure({ step: 'open', scope: 'folder' })));
  rig.source.put(letter());
  await rig.saw('delivery.postponed');
  rig.source.plan('uids', lies('nothing'));
  await rig.empty();
  rig.oracle.assert({ carried: true });
  expect(rig.destination.count('append')).toBe(1);
});

describe('twins', () => {
  it('have a copy each where the destination was renumbered between them', async () => {
    await using rig = new Rig();
    const twin = letter('twin');
    rig.source.put(twin);
    rig.start();
    await rig.empty();
    await rig.stop();
    rig.destination.renumber();
    rig.source.put(twin);
    rig.start();
    await rig.empty();
    rig.oracle.assert({ carried: true });
    expect(rig.destination.folder().messages.length).toBe(2);
  });

  it('have a copy each where that was between an APPEND and its read-back', async () => {
    await using rig = new Rig();
    const twin = letter('twin');
    rig.start();
    await rig.saw('folder.looked');
    rig.source.put(twin);
    await rig.empty();
    rig.destination.renumber();
    rig.destination.plan('append', { closesBefore: true });
    rig.source.put(twin);
    await rig.empty();
    rig.oracle.assert({ carried: true });
    expect(rig.destination.folder().messages.length).toBe(2);
  });

  it('have a copy each where the source was renumbered and one is marked', async () => {
    await using rig = new Rig();
    const twin = letter('twin');
    rig.source.put(twin);
    rig.start({ afterDelivery: { kind: 'mark' } });
    await rig.saw('delivery.done');
    await rig.stop();
    rig.source.put(twin);
    rig.source.renumber();
    rig.start({ afterDelivery: { kind: 'mark' } });
    await rig.saw('delivery.done', 2);
    expect(rig.destination.folder().messages.length).toBe(2);
  });

  it('are not taken for what was marked, renumbered, and had its mark taken off', async () => {
    await using rig = new Rig();
    const twin = letter('twin');
    const dates = [new Date('2020-01-01T00:00:00Z'), new Date('2021-01-01T00:00:00Z')] as const;
    rig.source.put(twin, { internalDate: dates[0] });
    rig.start({ afterDelivery: { kind: 'mark' } });
    await rig.saw('delivery.done');
    await rig.stop();
    rig.source.renumber();
    rig.source.put(twin, { internalDate: dates[1] });
    const [first] = rig.source.folder().messages;
    rig.source.flag(first?.uid ?? 0, [], ['\\Deleted']);
    rig.start();
    await rig.empty();
    const copies = rig.destination.folder().messages;
    expect(copies.map(({ internalDate }) => internalDate)).toEqual(dates);
  });

  it('are told from one another by their flags and dates', async () => {
    await using rig = new Rig();
    const twin = letter('twin');
    const dates = [new Date('2020-01-01T00:00:00Z'), new Date('2021-01-01T00:00:00Z')];
    for (const internalDate of dates) rig.source.put(twin, { internalDate });
    rig.source.flag(2, ['\\Flagged'], []);
    rig.destination.plan('append', { closesAfter: true });
    // The copies lie the other way round there.
    rig.destination.beforeEach(({ name }) => {
      if (name === 'listFrom') rig.destination.folder().messages.sort((a, b) => b.uid - a.uid);
    });
    rig.source.plan('mark', { before: () => rig.source.flag(1, ['\\Answered'], []) });
    rig.start();
    await rig.empty();
    const copies = rig.destination.folder().messages.map(({ internalDate, flags }) => {
      return [internalDate?.getFullYear(), ...flags];
    });
    expect(copies.sort()).toEqual([
      [2020, '\\Answered'],
      [2021, '\\Flagged'],
    ]);
  });
});

it('a copy without Message-ID is recognised though size and date of it were rewritten', async () => {
  await using rig = new Rig();
  rig.destination.manners.rewrites = (bytes) =>
    Buffer.from(bytes.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1');
  rig.destination.plan('append', {
    closesAfter: true,
    after: () => {
      const { messages } = rig.destination.folder();
      for (const copy of messages) Object.assign(copy, { internalDate: new Date() });
    },
  });
  rig.source.put('Subject: x\nFrom: a@example.org\n\nno Message-ID\nand bare LF\n');
  rig.start();
  await rig.empty();
  expect(rig.destination.count('append')).toBe(1);
});

it('a route whose destination is full does not resume because something else came through', async () => {
  await using rig = new Rig();
  rig.source.manners.abilities.uidPlus = false;
  rig.source.put(letter("a stranger's"), { flags: ['\\Deleted'] });
  rig.source.put(letter());
  rig.start();
  await rig.saw('retire.held');
  rig.destination.manners.refuses = () => full;
  rig.source.put(letter());
  await rig.saw('delivery.postponed', 4);
  expect(rig.count('route.resumed')).toBe(0);
});

it('a route that was given another name knows its copies', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  rig.start({ afterDelivery: { kind: 'keep' } });
  await rig.saw('delivery.done');
  await rig.stop();
  rig.start({ name: 'renamed', afterDelivery: { kind: 'keep' } });
  await rig.saw('delivery.done', 2);
  expect(rig.destination.count('append')).toBe(1);
});

it('what was marked and renumbered is known again after its history was pruned', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  rig.start({ afterDelivery: { kind: 'mark' } });
  await rig.saw('delivery.done');
  await rig.stop();
  rig.source.renumber();
  rig.start({ afterDelivery: { kind: 'mark' } });
  await rig.saw('folder.renumbered');
  await rig.stop();
  rig.journal.prune(Date.now() + 1000);
  rig.source.flag(1, [], ['\\Deleted']);
  rig.start();
  await rig.empty();
  expect(rig.destination.folder().messages.length).toBe(1);
});

it('what was marked is known again after both sides were renumbered', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  rig.start({ afterDelivery: { kind: 'mark' } });
  await rig.saw('delivery.done');
  await rig.stop();
  rig.source.renumber();
  rig.destination.renumber();
  rig.source.flag(1, [], ['\\Deleted']);
  rig.start();
  await rig.empty();
  expect(rig.destination.folder().messages.length).toBe(1);
});

it('a route whose destination is full does not resume because its mail is gone', async () => {
  await using rig = new Rig();
  rig.destination.manners.refuses = () => full;
  rig.start({ sweepInterval: 50, pace: { holdFirst: 100, holdLongest: 100 } });
  await rig.saw('folder.looked');
  rig.destination.plan('append', { takes: 30 });
  rig.source.put(letter('a'));
  await rig.saw('delivery.postponed');
  rig.source.put(letter('b'));
  await rig.saw('folder.looked', 3);
  rig.source.expunge([1, 2]);
  const sweeps = rig.count('sweep.finished');
  await rig.saw('sweep.finished', sweeps + 8);
  expect(rig.count('route.resumed')).toBe(0);
});

it('under keep, a listing that is empty once and a renumbering later double nothing', async () => {
  await using rig = new Rig();
  for (let i = 0; i < 5; i++) rig.source.put(letter());
  const keep = { afterDelivery: { kind: 'keep' } as const, sweepInterval: 30 };
  rig.start(keep);
  await rig.saw('delivery.done', 5);
  rig.source.plan('uids', lies('nothing'));
  await rig.saw('sweep.finished', rig.count('sweep.finished') + 3);
  await rig.stop();
  rig.source.renumber();
  rig.start(keep);
  await rig.saw('delivery.done', 10);
  expect(rig.destination.folder().messages.length).toBe(5);
});

it('under keep, a listing that is empty once and a pruned history double nothing', async () => {
  await using rig = new Rig();
  const keep = { afterDelivery: { kind: 'keep' } as const, sweepInterval: 30 };
  rig.start(keep);
  await rig.saw('folder.looked');
  for (let i = 0; i < 5; i++) rig.source.put(letter());
  await rig.saw('delivery.done', 5);
  rig.source.plan('uids', lies('nothing'));
  await rig.saw('sweep.finished', rig.count('sweep.finished') + 3);
  rig.journal.prune(Date.now() + 1000);
  await rig.saw('sweep.finished', rig.count('sweep.finished') + 3);
  expect(rig.destination.folder().messages.length).toBe(5);
});

it('what a source restored from a backup shows under a new UIDVALIDITY is known again', async () => {
  await using rig = new Rig();
  const letters = [1, 2, 3].map(() => letter());
  for (const l of letters) rig.source.put(l);
  rig.start();
  await rig.empty();
  await rig.stop();
  for (const l of letters) rig.source.put(l);
  rig.source.renumber();
  rig.start();
  await rig.empty();
  expect(rig.destination.folder().messages.length).toBe(3);
});

it('a bad copy is known though its row was dropped', async () => {
  await using rig = new Rig();
  rig.destination.manners.rewrites = (b) => Buffer.concat([b, Buffer.from('rebuilt\r\n')]);
  rig.start({ sweepInterval: 60, pace: { unverified: 150 } });
  await rig.saw('folder.looked');
  rig.destination.plan('read', { closesBefore: true });
  rig.destination.plan('open', {}, fails(failure({ step: 'open', scope: 'folder' })));
  rig.source.put(letter());
  await rig.saw('delivery.postponed');
  rig.source.plan('uids', lies('nothing'));
  await rig.saw('delivery.unverified');
  await rig.saw('delivery.unverified', 3);
  expect(rig.destination.count('append')).toBe(1);
});

it('a route that a source had refused says that it resumed', async () => {
  await using rig = new Rig();
  rig.source.plan('mark', fails(failure({ step: 'retire', scope: 'account' })));
  rig.source.put(letter());
  rig.start({ pace: { holdFirst: 60_000, holdLongest: 60_000 } });
  await rig.saw('delivery.postponed');
  await rig.stop();
  let once = true;
  rig.source.beforeEach(({ name }) => {
    if (name !== 'fetch' || !once) return;
    once = false;
    rig.source.plan('open', fails(failure({ step: 'open', scope: 'account' })));
    rig.source.cut();
  });
  rig.start({ sweepInterval: 50 });
  await rig.empty();
  await rig.saw('route.resumed');
  expect(rig.count('delivery.postponed')).toBe(2);
  expect(rig.count('route.resumed')).toBe(1);
});

it('a row that one listing leaves out is not missed by the second look, too', async () => {
  await using rig = new Rig();
  rig.start();
  await rig.saw('folder.looked');
  rig.destination.plan('append', {
    closesAfter: true,
    after: () => void rig.destination.put(letter("somebody else's")),
  });
  const hidden: MemoryMessage[] = [];
  const { messages } = rig.destination.folder();
  rig.destination.plan('listFrom', {
    before: () => void hidden.push(...messages.splice(0, 1)),
    after: () => void messages.unshift(...hidden),
  });
  rig.source.put(letter());
  await rig.empty();
  expect(rig.destination.count('append')).toBe(1);
});

it("without UIDPLUS what we have marked and can not have again is not told to be somebody else's", async () => {
  await using rig = new Rig();
  rig.source.manners.abilities.uidPlus = false;
  rig.source.plan('expungeAlone', fails(failure({ step: 'retire', scope: 'account' })));
  rig.source.put(letter());
  rig.start({ pace: { holdFirst: 60_000, holdLongest: 60_000 } });
  await rig.saw('delivery.postponed');
  await rig.stop();
  rig.source.beforeEach(({ name, uids }) => {
    if (name === 'fetch' && uids?.includes(1)) rig.source.plan('fetch', lies('truncated'));
  });
  rig.start();
  await rig.saw('delivery.postponed', 2);
  rig.source.put(letter());
  await rig.saw('delivery.done', 1);
  await rig.saw('delivery.postponed', 2);
  expect(rig.count('retire.held')).toBe(0);
  expect(rig.source.find(1)).toBeDefined();
});

it('a sweep by command does not wait for a login that was refused before', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  rig.source.plan('login', ...Array(20).fill(fails(loginRefused())));
  const pace = { refusedLogin: 3_600_000 };
  await rig.sweep({ pace });
  const logins = rig.source.count('login');
  const { failures } = await rig.sweep({ pace });
  expect(rig.source.count('login')).toBe(logins);
  expect(failures.map(({ failure: { message } }) => message)).toEqual([
    'The source server has refused the login three times in a row; so that it locks nobody out, it is tried again in 60 min at the earliest.',
  ]);
});
