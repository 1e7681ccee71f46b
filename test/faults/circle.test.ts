/** Source and destination are one mailbox under two names: no original is taken for its own copy, nothing goes round. */
import { afterAll, describe, expect, it } from 'vitest';
import type { AfterDelivery } from '../../src/domain/route.ts';
import { message } from '../support/mail.ts';
import { record } from '../support/results.ts';
import { Servers } from './world.ts';

const servers = await Servers.oneForBoth();
afterAll(() => servers[Symbol.asyncDispose]());

const AFTER: readonly AfterDelivery[] = [
  { kind: 'expunge' },
  { kind: 'mark' },
  { kind: 'keep' },
  { kind: 'move', folder: 'Carried' },
];

describe.concurrent.each(AFTER)('with AFTER_DELIVERY=$kind', (afterDelivery) => {
  it('mail that was there before imapferry stays as it is, and the route is blocked', async () => {
    await using world = await servers.world({ route: { afterDelivery } });
    const letters = [message(), message(), message()];
    for (const letter of letters) await world.old.put('INBOX', letter);
    const before = await world.old.dump('INBOX');
    world.start();
    // Nothing is marked under keep, and what lies there proves nothing else; the first new mail shows it.
    const keeps = afterDelivery.kind === 'keep';
    await world.saw(keeps ? 'delivery.done' : 'route.blocked');
    await world.old.put('INBOX', message());
    await world.saw('watcher.noticed');
    await world.saw('route.blocked');
    expect(await world.stop()).toBe(0);
    const after = await world.old.dump('INBOX');
    expect(after.slice(0, 3)).toEqual(before);
    expect(after).toHaveLength(keeps ? 5 : 4);
    expect(world.count('delivery.done')).toBe(keeps ? 3 : 0);
    record({
      part: 'the machine',
      point: `one mailbox on both sides, ${afterDelivery.kind}, old mail`,
      outcome: 'the route is blocked, every original stays',
    });
  });

  it('a message that comes is appended once at most, stays, and the route is blocked', async () => {
    await using world = await servers.world({ route: { afterDelivery } });
    world.start();
    await world.saw('folder.looked');
    await world.old.put('INBOX', message());
    await world.saw('route.blocked');
    expect(await world.stop()).toBe(0);
    const after = await world.old.dump('INBOX');
    expect(after.length).toBeGreaterThanOrEqual(1);
    expect(after.length).toBeLessThanOrEqual(2);
    expect(after.every(({ flags }) => !flags.includes('\\Deleted'))).toBe(true);
    record({
      part: 'the machine',
      point: `one mailbox on both sides, ${afterDelivery.kind}, new mail`,
      outcome: 'the route is blocked, every original stays',
    });
  });
});

it('two folders that have one UIDVALIDITY and the same numbers are two', async () => {
  const same = { uidValidity: 1_800_000_000 };
  await using two = await Servers.start({ source: same, destination: same });
  await using world = await two.world();
  expect(await world.old.uidValidity('INBOX')).toBe(await world.fresh.uidValidity('INBOX'));
  const twin = message();
  for (const bytes of [twin, message(), twin, twin]) await world.put('INBOX', bytes);
  world.start();
  await world.left(0);
  await world.put('INBOX', twin);
  await world.left(0);
  expect(await world.stop()).toBe(0);
  expect(world.count('route.blocked')).toBe(0);
  expect(await world.oracle.end()).toEqual([]);
  record({
    part: 'the machine',
    point: 'two mailboxes with one UIDVALIDITY, the same numbers and twins',
    outcome: 'each message once',
  });
});

it('folders of the source that have one UIDVALIDITY are not taken for the one that mail is moved to', async () => {
  await using two = await Servers.start();
  await using world = await two.world({
    route: {
      folders: ['INBOX', 'Sent'].map((name) => ({ kind: 'folder', name })),
      afterDelivery: { kind: 'move', folder: 'Carried' },
      maxWatchers: 2,
    },
  });
  for (const folder of ['Sent', 'Carried']) await world.old.create(folder);
  for (const folder of ['INBOX', 'Sent', 'Carried'])
    await two.source.renumber(world.user, folder, 4_100_000_000);
  // Of another client: never carried, but there, under the numbers that what is moved will have.
  for (let i = 0; i < 4; i++) await world.old.put('Sent', message(), { flags: ['\\Deleted'] });
  for (let i = 0; i < 3; i++) await world.put('INBOX', message());
  await world.put('Sent', message());
  world.start();
  for (let i = 0; i < 4; i++) {
    await world.left(4, 'Sent');
    await world.left(0);
    if (i === 3) break;
    await world.put('Sent', message());
    await world.put('INBOX', message());
  }
  expect(await world.stop()).toBe(0);
  expect(world.count('route.blocked')).toBe(0);
  expect(await world.old.count('Carried')).toBe(10);
  expect(await world.fresh.count('INBOX')).toBe(6);
  expect(await world.fresh.count('Sent')).toBe(4);
  record({
    part: 'the machine',
    point: 'source folders and the folder of AFTER_DELIVERY=move with one UIDVALIDITY',
    outcome: 'each message once, the route goes on',
  });
});
