import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { letter, Rig } from '../forward/rig.ts';

it('11 twins and a renumbered destination, across a restart', async () => {
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
  expect(rig.oracle.lost()).toEqual([]);
});

it('11b twins and a renumbered destination, in one life', async () => {
  await using rig = new Rig();
  const twin = letter('twin');
  rig.start();
  await rig.until('it watches', () => rig.count('watcher.idling') === 1);
  rig.source.put(twin);
  await rig.empty();
  rig.destination.renumber();
  rig.destination.plan('append', { closesBefore: true });
  rig.source.put(twin);
  await rig.empty();
  expect(rig.oracle.lost()).toEqual([]);
});
