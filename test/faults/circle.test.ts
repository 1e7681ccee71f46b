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
