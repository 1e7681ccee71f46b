/** Twins, originals with the same bytes: whatever befalls them, as many copies arrive as there were originals, each once. */
import { expect, it } from 'vitest';
import type { Original } from '../../src/domain/message.ts';
import { intentOf } from '../../src/forward/works.ts';
import { sendable } from '../support/content.ts';
import type { Fault } from '../support/memory-faults.ts';
import { letter, Rig } from './rig.ts';

/** What an earlier life has noted before its APPEND, of all that is at the source. */
function noteSent({ source, destination, rows }: Rig): void {
  const from = { folder: 'INBOX', uidValidity: source.folder().uidValidity };
  const sent = { folder: 'INBOX', uidValidity: destination.folder().uidValidity, uidNext: 1 };
  const originals: Original[] = source
    .folder()
    .messages.map(({ bytes, ...each }) => sendable(bytes, each));
  rows.seen(from);
  rows.intend(from, sent, originals.map(intentOf));
}

it('two in flight when the connection ends, one of them stored, are two copies', async () => {
  await using rig = new Rig();
  rig.destination.manners.batching = 'single';
  rig.start();
  await rig.saw('folder.looked');
  await rig.stop();
  const twin = letter('twin');
  // both come while we are down; each is a batch of its own
  rig.source.put(twin);
  rig.source.put(twin);
  let _n = 0;
  rig.destination.beforeEach(({ name }) => {
    if (name === 'append') _n++;
  });
  rig.destination.plan(
    'append',
    { takes: 20, closesAfter: true },
    { takes: 20, closesBefore: true },
  );
  rig.start();
  await rig.empty();
  expect(rig.destination.folder().messages.length).toBe(2);
});

it('two in flight when the network drops are two copies', async () => {
  await using rig = new Rig();
  rig.destination.manners.batching = 'single';
  rig.start();
  await rig.saw('folder.looked');
  await rig.stop();
  const twin = letter('twin');
  rig.source.put(twin);
  rig.source.put(twin);
  let appends = 0;
  rig.destination.beforeEach(({ name }) => {
    // both are at the server: the line drops
    if (name === 'append' && ++appends === 2) setTimeout(() => rig.destination.cut(), 40);
  });
  rig.destination.plan(
    'append',
    { hangs: false, takes: 10, after: () => undefined, closesAfter: true },
    { takes: 500 },
  );
  rig.start({ pace: { settle: 100 } });
  await rig.empty();
  expect(rig.destination.folder().messages.length).toBe(2);
});

it('two in flight when the line drops for both at once are two copies', async () => {
  await using rig = new Rig();
  rig.destination.manners.batching = 'single';
  const twin = letter('twin');
  rig.source.put(twin);
  rig.source.put(twin);
  rig.destination.plan('append', { takes: 60, after: () => rig.destination.cut() }, { takes: 600 });
  rig.start({ pace: { settle: 60 } });
  await rig.empty();
  expect(rig.destination.folder().messages.length).toBe(2);
});

it('two that an earlier life had sent, one of them stored, are two copies', async () => {
  await using rig = new Rig();
  rig.destination.manners.batching = 'single';
  const twin = letter('twin');
  rig.source.put(twin);
  rig.source.put(twin);
  noteSent(rig);
  rig.destination.put(twin); // one of the two APPENDs was carried out
  rig.start();
  await rig.empty();
  expect(rig.destination.folder().messages.length).toBe(2);
});

it('two that an earlier life had sent in two batches, one stored, are two copies', async () => {
  await using rig = new Rig();
  const twin = letter('twin');
  rig.source.put(twin);
  for (let i = 0; i < 220; i++) rig.source.put(letter());
  rig.source.put(twin);
  noteSent(rig);
  // The first batch of 200 was stored, the second was not.
  for (const { bytes } of rig.source.folder().messages.slice(0, 200)) rig.destination.put(bytes);
  rig.start();
  await rig.empty();
  expect(rig.destination.folder().messages.length).toBe(222);
});

it('where one takes long, the other is not told to be unverified, without UIDPLUS', async () => {
  await using rig = new Rig();
  rig.destination.manners.batching = 'single';
  rig.destination.manners.abilities.uidPlus = false;
  rig.start();
  await rig.saw('folder.looked');
  await rig.stop();
  const twin = letter('twin');
  rig.source.put(twin);
  rig.source.put(twin);
  rig.destination.plan('append', {}, { takes: 400 });
  rig.start({ pace: { unverified: 60_000 } });
  await rig.empty();
  expect(rig.count('delivery.unverified')).toBe(0);
  expect(rig.source.folder().messages.length).toBe(0);
});

it('where one of four takes long, the route is not blocked, without UIDPLUS', async () => {
  await using rig = new Rig();
  rig.destination.manners.batching = 'single';
  rig.destination.manners.abilities.uidPlus = false;
  const twin = letter('twin');
  for (let i = 0; i < 4; i++) rig.source.put(twin);
  rig.destination.plan('append', {}, {}, {}, { takes: 500 });
  rig.start({ pace: { unverified: 60_000 } });
  await rig.empty();
  expect(rig.count('route.blocked')).toBe(0);
});

it('one that takes longer than what the other one waits makes no third copy', async () => {
  await using rig = new Rig();
  rig.destination.manners.batching = 'single';
  rig.start();
  await rig.saw('folder.looked');
  await rig.stop();
  const twin = letter('twin');
  rig.source.put(twin);
  rig.source.put(twin);
  rig.destination.plan('append', { closesAfter: true }, { takes: 500 });
  rig.start();
  await rig.empty();
  expect(rig.destination.folder().messages.length).toBe(2);
});

it.each([
  ['at once', 60],
  ['one after the other', 90],
])(
  'two that come back renumbered in two batches, read %s, do not share a copy',
  async (_, takes) => {
    await using rig = new Rig();
    rig.destination.manners.batching = 'single';
    const twin = letter('twin');
    rig.source.put(twin);
    rig.start({ afterDelivery: { kind: 'mark' } });
    await rig.saw('delivery.done');
    await rig.stop();
    rig.source.put(twin);
    rig.source.renumber();
    for (const { uid } of rig.source.folder().messages) rig.source.flag(uid, [], ['\\Deleted']);
    rig.destination.plan('read', { takes: 60 }, { takes });
    rig.start();
    await rig.empty();
    expect(rig.destination.folder().messages.length).toBe(2);
  },
);

it('one that comes under a number used before has a copy of its own', async () => {
  await using rig = new Rig();
  const twin = letter('twin');
  rig.source.put(twin, { internalDate: new Date('2020-01-01') });
  rig.start({ sweepInterval: 30 });
  await rig.empty();
  rig.source.folder().uidNext = 1;
  rig.source.put(twin, { internalDate: new Date('2024-01-01') });
  await rig.empty();
  expect(rig.oracle.violations).toEqual([]);
});

it('one that comes after the route had another name has a copy of its own', async () => {
  await using rig = new Rig();
  const twin = letter('twin');
  rig.source.put(twin);
  const keep = { afterDelivery: { kind: 'keep' } as const };
  rig.start(keep);
  await rig.saw('delivery.done');
  await rig.stop();
  rig.destination.renumber();
  rig.start({ ...keep, name: 'renamed' });
  await rig.saw('delivery.done', 2);
  rig.destination.plan('append', { closesAfter: true });
  rig.source.put(twin);
  await rig.saw('delivery.done', 3);
  expect(rig.destination.folder().messages.length).toBe(2);
});

it('one of what a route that is gone had sent is carried all the same', async () => {
  await using rig = new Rig();
  rig.destination.manners.abilities.uidPlus = false;
  const twin = letter('twin');
  // Another route, no longer in the configuration, whose APPEND of the same message was interrupted.
  const gone = rig.journal.route('old', 'anna@old.example.org', 'anna@destination.example.org');
  gone.intend(
    { folder: 'INBOX', uidValidity: 1 },
    { folder: 'INBOX', uidValidity: rig.destination.folder().uidValidity, uidNext: 1 },
    [intentOf(sendable(twin))],
  );
  rig.start({ sweepInterval: 60, pace: { unverified: 100 } });
  await rig.saw('folder.looked');
  rig.source.put(twin);
  await rig.empty();
  expect(rig.source.folder().messages.length).toBe(0);
});

it('of two folders that go into one are two copies, and none is told to differ, where one APPEND is interrupted', async () => {
  await using rig = new Rig('A', 'B');
  const twin = letter('twin');
  const folders = ['A', 'B'].map((name) => ({ kind: 'folder', name, to: 'Both' }) as const);
  rig.destination.makeFolder('Both');
  rig.start({ folders });
  await rig.saw('folder.looked', 2);
  // Nothing of the first is stored; the second one is, and is read back only after it was looked for as the first.
  rig.destination.plan('append', { takes: 30, closesBefore: true });
  rig.destination.plan('read', { takes: 200 });
  const end = rig.destination.beforeEach(({ name }) => {
    if (name !== 'append') return;
    end();
    rig.source.put(twin, { folder: 'B' });
  });
  rig.source.put(twin, { folder: 'A' });
  await rig.empty('A');
  await rig.empty('B');
  expect(rig.destination.folder('Both').messages.length).toBe(2);
  expect(rig.count('delivery.unverified')).toBe(0);
});

it('are told to differ, and not sent without end, where the destination keeps one copy of both', async () => {
  await using rig = new Rig();
  const twin = letter('twin');
  const there = rig.destination.folder();
  there.uidNext = 7;
  rig.start();
  await rig.saw('folder.looked');
  rig.source.put(twin);
  await rig.empty();
  // Answered as if it had been stored, under the number of the first one.
  const once: Fault = {
    lies: 'wrong-uid',
    before: () => {
      there.uidNext = 6;
    },
    after: () => {
      rig.destination.expunge([6]);
      there.uidNext = 8;
    },
  };
  rig.destination.plan('append', once, once, once);
  rig.source.put(twin);
  await rig.saw('delivery.unverified');
  expect(rig.destination.count('append')).toBe(3);
  expect(rig.source.folder().messages.length).toBe(1);
});

it('of two folders that go into one are two copies, and none is told to differ, where one life ends with both on their way', async () => {
  await using rig = new Rig('A', 'B');
  const twin = letter('twin');
  const folders = ['A', 'B'].map((name) => ({ kind: 'folder', name, to: 'Both' }) as const);
  const sent = { ...rig.destination.makeFolder('Both'), folder: 'Both', uidNext: 1 };
  for (const folder of ['A', 'B']) {
    rig.source.put(twin, { folder });
    const { uidValidity, messages } = rig.source.folder(folder);
    rig.rows.seen({ folder, uidValidity });
    const originals = messages.map(({ bytes, ...each }) => sendable(bytes, each));
    rig.rows.intend({ folder, uidValidity }, sent, originals.map(intentOf));
  }
  rig.destination.put(twin, { folder: 'Both' }); // one of the two APPENDs was carried out
  rig.start({ folders, sweepInterval: 30 });
  await rig.empty('A');
  await rig.empty('B');
  expect(rig.destination.folder('Both').messages.length).toBe(2);
  expect(rig.count('delivery.unverified')).toBe(0);
});
