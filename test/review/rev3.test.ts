import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { accountId } from '../../src/domain/route.ts';
import { Failure } from '../../src/domain/failure.ts';
import { fails, lies } from '../support/memory-mail.ts';
import { letter, Rig, routeOf } from '../forward/rig.ts';

const bodies = (rig: Rig) => rig.destination.folder().messages.length;
const show = (rig: Rig, n = 30) =>
  console.log(rig.told.map((t) => `${t.event} ${t.folder ?? ''} ${t.uid ?? ''} ${t.why ?? ''}`).slice(-n).join('\n'));

it('10 rows that can not be closed: looks do not multiply', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  rig.start({ afterDelivery: { kind: 'keep' }, sweepInterval: 50, pace: { refusedFirst: 50 } });
  await rig.saw('delivery.done');
  const { name, source, destination } = routeOf();
  const rows = rig.journal.route(name, accountId(source), accountId(destination));
  rows.gone = () => {
    throw new Failure('No space is left', { step: 'journal', scope: 'account' });
  };
  rig.source.expunge([1]);
  const rates: number[] = [];
  for (let i = 0; i < 6; i++) {
    const before = rig.source.count('uids');
    await wait(500);
    rates.push(rig.source.count('uids') - before);
  }
  console.log('looks per half second', rates);
  expect(rates.at(-1)).toBeLessThan(40);
});

it('3 a stale folder does not keep the next one from its visit', async () => {
  await using rig = new Rig('A', 'B');
  rig.start({ maxWatchers: 1, sweepInterval: 1000 });
  await rig.until('ready', () => rig.count('folder.looked') >= 3);
  rig.source.put(letter(), { folder: 'B' });
  const other = new Failure('Mailbox was deleted under us', { step: 'open', scope: 'connection' });
  rig.source.plan('open', fails(other));
  const since = performance.now();
  await rig.until('B was carried', () => rig.source.folder('B').messages.length === 0);
  show(rig);
  console.log('B carried after', performance.now() - since);
  expect(performance.now() - since).toBeLessThan(1500);
});

it('3s in a sweep by command', async () => {
  await using rig = new Rig('A', 'B');
  const other = new Failure('Mailbox was deleted under us', { step: 'open', scope: 'connection' });
  rig.source.put(letter(), { folder: 'A' });
  rig.source.put(letter(), { folder: 'B' });
  // The first life dies within the APPEND: the next has a row that is settled by a second visit.
  rig.destination.plan('append', { closesAfter: true });
  rig.start({ maxWatchers: 0, pace: { settle: 60_000 } });
  await rig.until('sent', () => rig.destination.count('append') === 1);
  await rig.stop();
  rig.destination.folder('A').messages.length = 0;
  let opens = 0;
  rig.source.beforeEach((c) => {
    if (c.name === 'open' && ++opens === 2) rig.source.plan('open', fails(other));
  });
  const { failures } = await rig.sweep({ pace: { settle: 100 } });
  show(rig);
  console.log(failures.map((f) => `${f.folder} ${f.failure.message}`), opens);
  expect(failures.filter(({ folder }) => folder === 'B')).toEqual([]);
});

it('2b how many bad copies', async () => {
  await using rig = new Rig();
  rig.start({ pace: { settle: 10 } });
  await rig.until('ready', () => rig.count('route.ready') === 1);
  await wait(50);
  rig.destination.plan('append', ...Array(4).fill(lies('truncated')));
  rig.destination.plan('read', ...Array(4).fill({ closesBefore: true }));
  rig.source.put(letter('x'.repeat(300)));
  await wait(1000);
  show(rig);
  console.log('bad copies', bodies(rig));
});
