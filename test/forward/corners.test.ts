/** Corners of the engine in which mail was once lost, doubled or forgotten. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { Journal, RouteJournal } from '../../src/domain/ports.ts';
import { makePlan } from '../../src/forward/plan.ts';
import { memoryJournal } from '../support/memory-journal.ts';
import { fails } from '../support/memory-mail.ts';
import { letter, Rig } from './rig.ts';

const full = new Failure('The mailbox is full.', {
  step: 'append',
  scope: 'account',
  kind: 'full',
});

/** A journal whose `seen` fails so many times, as on a full disk. */
function forgetful(times: number): Journal {
  const journal = memoryJournal();
  const broken = (rows: RouteJournal): RouteJournal =>
    new Proxy(rows, {
      get(target, name) {
        if (name === 'seen' && target.lastValidity('INBOX') !== undefined && times-- > 0) {
          throw new Failure('No space is left.', { step: 'journal', scope: 'account' });
        }
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  return new Proxy(journal, {
    get(target, name) {
      if (name === 'route') {
        return (...of: Parameters<Journal['route']>) => broken(target.route(...of));
      }
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('a source that is renumbered', () => {
  it('while the journal can not be written sends nothing twice', async () => {
    await using rig = new Rig();
    rig.journal = forgetful(1);
    for (let i = 0; i < 5; i++) rig.source.put(letter());
    rig.start({ afterDelivery: { kind: 'keep' }, sweepInterval: 40 });
    await rig.until('all are carried', () => rig.count('delivery.done') === 5);
    rig.source.renumber();
    await rig.until('all are found', () => rig.count('delivery.recovered') === 5);
    expect(rig.count('journal.failed')).toBe(1);
    expect(rig.destination.folder().messages.length).toBe(5);
  });
});

describe('a push', () => {
  /** So many microtasks after a look was answered. */
  const moments = Array.from({ length: 24 }, (_, n) => n);
  it.each(moments)('is taken up %i moments after a look was answered', async (moment) => {
    await using rig = new Rig();
    rig.start();
    await rig.until('it is looked', () => rig.count('folder.looked') === 1);
    const second = (left: number) => {
      if (left === 0) rig.source.put(letter('second'));
      else queueMicrotask(() => second(left - 1));
    };
    rig.source.plan('listFrom', { after: () => second(moment) });
    rig.source.put(letter('first'), { flags: ['\\Deleted'] });
    await rig.until('the second is carried', () => rig.count('delivery.done') === 1);
  });
});

describe('a route that delivers nothing any more', () => {
  it('does not keep a sweep of several folders from ending', async () => {
    await using rig = new Rig('Sent');
    for (const folder of ['INBOX', 'Sent']) rig.source.put(letter(), { folder });
    rig.destination.plan('append', fails(full));
    const { failures } = await rig.sweep();
    expect(failures.map(({ failure }) => failure.kind)).toEqual(['full']);
    rig.oracle.assert();
  });

  it('does not look at its source without a pause', async () => {
    await using rig = new Rig();
    rig.destination.manners.rewrites = (bytes) => Buffer.concat([bytes, Buffer.from('more\r\n')]);
    for (let i = 0; i < 3; i++) rig.source.put(letter());
    rig.start();
    await rig.until('it is blocked', () => rig.count('route.blocked') === 1);
    // The copies are due to be looked at again after 40 ms.
    await wait(100);
    const looked = rig.source.count('uids');
    await wait(200);
    expect(rig.source.count('uids') - looked).toBeLessThan(5);
  });
});

it('leaves alone what someone else marks while its batch waits', async () => {
  await using rig = new Rig();
  rig.destination.plan('append', fails(full));
  rig.source.put(letter('first'));
  rig.start({ pace: { holdFirst: 150, holdLongest: 150 } });
  await rig.until('deliveries pause', () => rig.count('delivery.postponed') === 1);
  rig.source.put(letter('second'));
  await rig.until('it waits', () => rig.count('folder.looked') === 2);
  rig.source.flag(2, ['\\Deleted']);
  await rig.until('the first is carried', () => rig.count('delivery.done') === 1);
  expect(rig.source.folder().messages.map(({ uid }) => uid)).toEqual([2]);
  expect(rig.destination.folder().messages.length).toBe(1);
});

it('plans INBOX in one spelling, so that a copy there is claimed once', () => {
  const folder = (path: string) => ({ path, delimiter: '/', attributes: new Set<string>() });
  const { pairs } = makePlan({
    source: [folder('INBOX'), folder('Old')],
    dest: [folder('INBOX')],
    rules: [
      { kind: 'folder', name: 'INBOX', to: 'inbox' },
      { kind: 'folder', name: 'Old', to: 'INBOX' },
    ],
  });
  expect(pairs.map(({ dest }) => dest)).toEqual(['INBOX', 'INBOX']);
});
