import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { fails, lies } from '../support/memory-mail.ts';
import { letter, Rig } from '../forward/rig.ts';

const bodies = (rig: Rig) => rig.destination.folder().messages.length;
const show = (rig: Rig, n = 30) =>
  console.log(rig.told.map((t) => `${t.event} ${t.folder ?? ''} ${t.uid ?? ''} ${t.why ?? ''}`).slice(-n).join('\n'));

describe('1 proven, not yet marked, re-fetch lies once', () => {
  for (const lie of ['truncated', 'empty', 'changed', 'other'] as const)
    it(lie, async () => {
      await using rig = new Rig();
      rig.source.plan('mark', fails(new Failure('no', { step: 'retire', scope: 'account' })));
      rig.source.put(letter());
      rig.start({ pace: { holdFirst: 60_000, holdLongest: 60_000 } });
      await rig.saw('delivery.postponed');
      await rig.stop();
      rig.source.plan('fetch', lies(lie));
      rig.start();
      await rig.empty();
      expect(bodies(rig)).toBe(1);
    });
});

it('1m proven and marked: the lie leaves it marked for ever, in silence', async () => {
  await using rig = new Rig();
  rig.source.plan('expunge', fails(new Failure('no', { step: 'retire', scope: 'account' })));
  rig.source.put(letter());
  rig.start({ pace: { holdFirst: 60_000, holdLongest: 60_000 } });
  await rig.saw('delivery.postponed');
  await rig.stop();
  rig.source.plan('fetch', lies('truncated'));
  const result = await rig.sweep();
  const second = await rig.sweep();
  show(rig, 12);
  expect([result.failures.length, second.failures.length, rig.source.folder().messages.length]).toEqual([0, 0, 0]);
});

it('3 a stale folder does not keep the next one from its visit', async () => {
  await using rig = new Rig('A', 'B');
  rig.start({ maxWatchers: 1, sweepInterval: 1000 });
  await rig.until('ready', () => rig.count('folder.looked') >= 3);
  rig.source.put(letter(), { folder: 'B' });
  const other = new Failure('Mailbox was deleted under us', { step: 'open', scope: 'connection' });
  rig.source.plan('open', {}, fails(other));
  const since = performance.now();
  await rig.until('B was carried', () => rig.source.folder('B').messages.length === 0);
  show(rig);
  console.log('B carried after', performance.now() - since, 'opens', rig.source.calls.filter((c) => c.name === 'open').length);
});

it('3s the same in a sweep by command, after the settle pause', async () => {
  await using rig = new Rig('A', 'B');
  const other = new Failure('Mailbox was deleted under us', { step: 'open', scope: 'connection' });
  rig.source.put(letter(), { folder: 'B' });
  rig.source.put(letter(), { folder: 'A' });
  rig.destination.plan('append', { closesAfter: true });
  let opens = 0;
  rig.source.beforeEach((c) => { if (c.name === 'open') { opens++; if (opens === 3) rig.source.plan('open', fails(other)); } });
  const { failures } = await rig.sweep({ folders: [{ kind: 'folder', name: 'A' }, { kind: 'folder', name: 'B' }] } as never);
  show(rig);
  console.log(failures.map((f) => `${f.folder} ${f.failure.message}`));
  expect(rig.source.folder('B').messages.length).toBe(0);
});

it('6 work waits while a lane is closed', async () => {
  await using rig = new Rig();
  rig.start({ sweepInterval: 60, pace: { reconnectFirst: 600, reconnectLongest: 600 } });
  await rig.until('ready', () => rig.count('folder.looked') >= 1);
  await wait(10);
  rig.destination.plan('append', { takes: 150 });
  rig.source.put(letter());
  rig.source.put(letter());
  await rig.until('sent', () => rig.destination.count('append') === 1);
  rig.source.plan('open', { closesBefore: true });
  await rig.empty();
  show(rig);
  expect(rig.count('delivery.postponed')).toBe(0);
});

it('6b the same where the connection ends by itself', async () => {
  await using rig = new Rig();
  rig.start({ sweepInterval: 60_000, pace: { reconnectFirst: 600, reconnectLongest: 600 } });
  await rig.until('ready', () => rig.count('folder.looked') >= 1);
  await wait(10);
  rig.destination.plan('append', { takes: 150 });
  rig.source.put(letter());
  await rig.until('sent', () => rig.destination.count('append') === 1);
  rig.source.cut();
  await rig.empty();
  expect(rig.count('delivery.postponed')).toBe(0);
});

it("7 without UIDPLUS another batch's row is not a licence to expunge what has its number now", async () => {
  await using rig = new Rig();
  rig.source.manners.abilities.uidPlus = false;
  for (let i = 0; i < 150; i++) rig.source.put(letter());
  rig.start({ afterDelivery: { kind: 'keep' } });
  await rig.until('kept', () => rig.count('delivery.done') === 150);
  await rig.stop();
  // Restored from a backup, under the same UIDVALIDITY: number 150 is another message by now, and someone marks it.
  rig.source.expunge([150]);
  rig.source.folder().uidNext = 150;
  const uid = rig.source.put(letter('a new one under an old number'), { flags: ['\\Deleted'] });
  expect(uid).toBe(150);
  rig.start({ concurrency: 1 });
  await rig.until('retired', () => rig.source.folder().messages.length <= 1 || rig.count('retire.held') > 0);
  await wait(100);
  console.log(rig.oracle.violations, rig.source.find(150)?.uid, bodies(rig));
  expect(rig.source.find(150)).toBeDefined();
});

it('8 no Message-ID, line ends rewritten, date not kept, interrupted', async () => {
  await using rig = new Rig();
  rig.destination.manners.rewrites = (bytes) => Buffer.from(bytes.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1');
  rig.destination.plan('append', {
    closesAfter: true,
    after: () => {
      for (const m of rig.destination.folder().messages) (m as { internalDate: Date }).internalDate = new Date();
    },
  });
  rig.source.put('Subject: x\nFrom: a@example.org\n\nno message-id\nand bare LF\n');
  rig.start();
  await rig.empty();
  expect(bodies(rig)).toBe(1);
});

it('4b 5b expunge held without UIDPLUS, renumbered, twin', async () => {
  await using rig = new Rig();
  rig.source.manners.abilities.uidPlus = false;
  const twin = letter('twin');
  rig.source.put(letter('strangers'), { flags: ['\\Deleted'] });
  rig.source.put(twin);
  rig.start();
  await rig.saw('retire.held');
  await rig.stop();
  rig.source.put(twin);
  rig.source.renumber();
  rig.start();
  await rig.saw('delivery.done', 2);
  await wait(50);
  console.log('dest', bodies(rig), 'source', rig.source.folder().messages.map((m) => [...m.flags]));
  expect(bodies(rig)).toBe(2);
});

it('9 holds are not reset by a batch that does not touch the destination', async () => {
  await using rig = new Rig();
  rig.source.manners.abilities.uidPlus = false;
  rig.source.put(letter('strangers'), { flags: ['\\Deleted'] });
  rig.source.put(letter());
  rig.start();
  await rig.saw('retire.held');
  rig.destination.manners.refuses = () => new Failure('full', { step: 'append', scope: 'account', kind: 'full' });
  rig.source.put(letter());
  await wait(300);
  console.log('resumed', rig.count('route.resumed'), 'postponed', rig.count('delivery.postponed'));
  expect(rig.count('route.resumed')).toBe(0);
});
