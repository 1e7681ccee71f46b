import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { fails, lies } from '../support/memory-mail.ts';
import { letter, Rig } from '../forward/rig.ts';

const no = new Failure('no', { step: 'retire', scope: 'account' });
const bodies = (rig: Rig) => rig.destination.folder().messages.length;

describe('1 a proven original whose re-fetch is lied about once', () => {
  for (const lie of ['truncated', 'changed', 'other', 'empty'] as const) {
    it(`after restart: ${lie}`, async () => {
      await using rig = new Rig();
      rig.source.plan('expunge', fails(no));
      rig.source.put(letter());
      rig.start({ pace: { holdFirst: 60_000, holdLongest: 60_000 } });
      await rig.saw('delivery.postponed');
      await rig.stop();
      rig.source.plan('fetch', lies(lie as never));
      rig.start();
      await rig.empty();
      expect(bodies(rig)).toBe(1);
    });
  }
  it('keep, then expunge', async () => {
    await using rig = new Rig();
    rig.source.put(letter());
    rig.start({ afterDelivery: { kind: 'keep' } });
    await rig.saw('delivery.done');
    await rig.stop();
    rig.source.plan('fetch', lies('truncated'));
    rig.start();
    await rig.empty();
    expect(bodies(rig)).toBe(1);
  });
});

it('2 accepted, then cut before the read-back: the miss waits for settle', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  rig.start({ pace: { settle: 400 } });
  await rig.until('ready', () => rig.count('route.ready') === 1);
  await wait(500);
  // A backend that is behind by 100 ms for other connections.
  rig.destination.plan('read', {
    closesBefore: true,
    before: () => {
      const folder = rig.destination.folder();
      const behind = folder.messages.splice(0);
      setTimeout(() => folder.messages.unshift(...behind), 100);
    },
  });
  rig.source.put(letter());
  await rig.empty();
  await wait(200);
  expect(bodies(rig)).toBe(2);
});

it('2b accepted but stored wrong, cut before read-back, again and again', async () => {
  await using rig = new Rig();
  rig.start({ pace: { settle: 10 } });
  await rig.until('ready', () => rig.count('route.ready') === 1);
  await wait(50);
  rig.destination.plan('append', ...Array(4).fill(lies('truncated')));
  rig.destination.plan('read', ...Array(4).fill({ closesBefore: true }));
  rig.source.put(letter('x'.repeat(300)));
  await wait(1500);
  expect(bodies(rig)).toBeLessThan(2);
});

it('3 a stale folder does not keep the next one from its visit (sweep by command and run)', async () => {
  await using rig = new Rig('A', 'B');
  rig.start({ maxWatchers: 1, sweepInterval: 400 });
  await rig.until('ready', () => rig.count('folder.looked') >= 3);
  rig.source.put(letter(), { folder: 'B' });
  const other = new Failure('The server refused: Mailbox was deleted under us.', { step: 'open', scope: 'connection' });
  let n = 0;
  const end = rig.source.beforeEach(() => undefined);
  // sweep: opens INBOX (watch), A (rounds), B (rounds)
  rig.source.plan('open', {}, fails(other));
  await wait(700);
  end();
  console.log(rig.told.map((t) => `${t.event} ${t.folder ?? ''} ${t.why ?? ''}`).slice(-25).join('\n'));
  expect(rig.source.folder('B').messages.length).toBe(0);
});

it('4 a listing that is empty for once does not make an interrupted message fresh', async () => {
  await using rig = new Rig();
  rig.start({ sweepInterval: 60 });
  await rig.until('ready', () => rig.count('route.ready') === 1 && rig.count('folder.looked') >= 1);
  rig.destination.plan('append', { closesAfter: true });
  const down = new Failure('down', { step: 'open', scope: 'folder' });
  rig.destination.plan('open', {}, ...Array(1).fill(fails(down)));
  rig.source.put(letter());
  await rig.saw('delivery.postponed');
  rig.source.plan('uids', lies('nothing'));
  await rig.empty();
  expect(bodies(rig)).toBe(1);
});

it('5 twins, marked, renumbered', async () => {
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
  expect(bodies(rig)).toBe(2);
});

it('6 a lane that lost its connection while opening has work wait', async () => {
  await using rig = new Rig();
  rig.start({ sweepInterval: 50, pace: { reconnectFirst: 100, reconnectLongest: 100 } });
  await rig.until('ready', () => rig.count('folder.looked') >= 1);
  await wait(20);
  rig.destination.plan('append', { takes: 150 });
  rig.source.put(letter());
  await rig.until('sent', () => rig.destination.count('append') === 1);
  rig.source.plan('open', { closesBefore: true });
  await rig.empty();
  console.log(rig.told.map((t) => `${t.event} ${t.folder ?? ''} ${t.why ?? ''}`).slice(-25).join('\n'));
  expect(rig.count('delivery.postponed')).toBe(0);
});
