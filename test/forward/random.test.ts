/** Many folders on few connections, rate limits, twins, lost lines and renumbered folders: everything arrives once. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { closesAfter, closesBefore } from '../support/memory-mail.ts';
import { letter, Rig, routeOf } from './rig.ts';

function random(seed: number): () => number {
  let at = seed;
  return () => {
    at = (at * 1103515245 + 12345) & 0x7fffffff;
    return at / 0x7fffffff;
  };
}

it.each(Array.from({ length: 6 }, (_, i) => i + 1))(
  'carries everything once, seed %i',
  async (seed) => {
    const dice = random(seed * 7919);
    const folders = ['INBOX', 'A', 'B', 'C', 'D', 'E'];
    await using rig = new Rig(...folders.slice(1));
    rig.source.manners.abilities.notify = dice() < 0.5;
    rig.destination.manners.batching =
      (['multi', 'literal', 'single'] as const)[seed % 3] ?? 'multi';
    const twins = Array.from({ length: 5 }, (_, i) => letter(`twin ${i}`));
    let nth = 0;
    const put = () => {
      const folder = folders[Math.floor(dice() * folders.length)] ?? 'INBOX';
      const twin = twins[Math.floor(dice() * twins.length)] ?? '';
      // Twins of one folder and one second can't be told apart once it is renumbered; of all others each has its copy.
      const internalDate = new Date(1_700_000_000_000 + 1000 * ++nth);
      const body = dice() < 0.3 ? twin : letter('x'.repeat(dice() * 3000));
      rig.source.put(body, { folder, internalDate });
    };
    for (let i = 0; i < 60; i++) put();
    const rateLimits = [
      { of: 'messages', most: 40, within: 1000 },
      { of: 'bytes', most: 80_000, within: 1000 },
    ] as const;
    const route = routeOf();
    rig.start({
      maxWatchers: 2,
      concurrency: 2,
      sweepInterval: 150,
      pace: { notice: 60, notifyWithin: 10, dwell: 30 },
      source: { ...route.source, rateLimits },
      destination: { ...route.destination, rateLimits },
    });
    for (let i = 0; i < 40; i++) {
      await wait(25);
      put();
      const what = dice();
      if (what < 0.1) rig.destination.plan('append', dice() < 0.5 ? closesBefore : closesAfter);
      else if (what < 0.2) rig.destination.plan('read', closesBefore);
      else if (what < 0.3) rig.source.plan('expunge', dice() < 0.5 ? closesBefore : closesAfter);
      else if (what < 0.4) rig.source.cut();
      else if (what < 0.45) rig.source.renumber(folders[Math.floor(dice() * folders.length)]);
      else if (what < 0.5) rig.source.plan('setFlag', closesAfter);
    }
    const deadline = Date.now() + 30_000;
    // What was marked under a folder's earlier numbers stays marked.
    const left = () =>
      rig.source.everything().filter(({ flags }) => !flags.has('\\Deleted')).length;
    while (left() > 0 && Date.now() < deadline) await wait(20);
    const last = rig.told
      .slice(-15)
      .map(({ event, folder, why }) => `${event} ${folder} ${why ?? ''}`);
    expect(left(), last.join('\n')).toBe(0);
    await rig.stop();
    expect(rig.destination.everything().length).toBe(rig.source.origins.length);
    expect(rig.destination.everything().filter(({ flags }) => flags.size > 0)).toEqual([]);
    rig.oracle.assert({ carried: true });
  },
);
