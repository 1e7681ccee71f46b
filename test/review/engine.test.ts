/** What the engine says of itself when mail goes other ways than it should. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { AccountStatus } from '../../src/domain/status.ts';
import { healthOf } from '../../src/report/health.ts';
import { HandClock } from '../support/hand-clock.ts';
import { Failure } from '../../src/domain/failure.ts';
import { letter, Rig, type RigOptions } from '../forward/rig.ts';
import { fails } from '../support/memory-mail.ts';

function living(rig: Rig, options: RigOptions = {}) {
  const stop = new AbortController();
  const runner = rig.runner(options, stop.signal);
  const done = runner.run();
  return {
    runner,
    folder: (name = 'INBOX') => runner.standing.folders.find(({ folder }) => folder === name),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test stops it'));
      await done;
    },
  };
}

const full = () =>
  new Failure('The mailbox is over its quota.', { step: 'append', scope: 'account', kind: 'full' });

it('a destination is not full for ever because the one message that it did not take is gone', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  rig.destination.plan('append', ...Array.from({ length: 3 }, () => fails(full())));
  await using life = living(rig, { sweepInterval: 50 });
  await rig.until('deliveries pause', () => life.runner.standing.held !== undefined);
  // Its owner reads and deletes it in the old mailbox; the new one has room again.
  const inbox = rig.source.folder('INBOX');
  inbox.messages.splice(0);
  await wait(500);
  expect(life.folder()?.waiting.messages).toBe(0);
  expect(life.runner.standing.held).toBeUndefined();
});

it('in a dry run, a message that was told of does not wait', async () => {
  await using rig = new Rig();
  await using life = living(rig, { dryRun: true });
  await rig.saw('route.ready');
  await wait(30);
  rig.source.put(letter());
  await rig.saw('delivery.planned');
  await wait(50);
  expect(life.folder()?.waiting.messages).toBe(0);
});

it('a message that its owner has moved away while it waited does not wait until the next sweep', async () => {
  await using rig = new Rig();
  rig.destination.plan('append', ...Array.from({ length: 3 }, () => fails(full())));
  await using life = living(rig);
  await rig.saw('route.ready');
  await wait(30);
  rig.source.put(letter());
  await rig.until('it waits', () => life.folder()?.waiting.messages === 1);
  rig.source.folder('INBOX').messages.splice(0);
  await wait(300);
  expect(life.folder()?.waiting.messages).toBe(0);
});

it('old mail that never gets through is told: three hours, no message carried', async () => {
  await using rig = new Rig();
  const clock = new HandClock();
  rig.clock = clock;
  for (let i = 0; i < 5; i++) rig.source.put(letter(`old ${i}`));
  const lost = () =>
    new Failure('The connection ended.', {
      step: 'append',
      scope: 'connection',
      kind: 'lost',
    });
  rig.destination.plan('append', ...Array.from({ length: 3000 }, () => fails(lost())));
  await using life = living(rig);
  const startedAt = clock.now();
  await rig.saw('delivery.postponed');
  for (let i = 0; i < 18; i++) {
    clock.advance(600_000);
    await wait(60);
  }
  expect(rig.count('delivery.done')).toBe(0);
  expect(rig.count('delivery.postponed')).toBeGreaterThan(5);
  const accounts = (['source', 'destination'] as const).map(
    (side): AccountStatus => ({ side, is: 'connected', since: startedAt }),
  );
  const routes = [{ ...life.runner.standing, accounts }];
  expect(routes[0]?.folders[0]?.waiting.messages).toBe(5);
  const { healthy, troubles } = healthOf({ version: '', startedAt, routes }, clock.now());
  expect({ healthy, told: troubles.length > 0 }).toEqual({ healthy: false, told: true });
});
