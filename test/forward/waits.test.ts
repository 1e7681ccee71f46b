/** What is still to be carried, and how a route stands, as it is told to whoever asks. */
import { expect, it } from 'vitest';
import { EVENTS } from '../../src/domain/events.ts';
import { Failure, type FailureFields } from '../../src/domain/failure.ts';
import { PACE } from '../../src/forward/pace.ts';
import { HandClock } from '../support/hand-clock.ts';
import { fails } from '../support/memory-mail.ts';
import { letter, Rig, type RigOptions } from './rig.ts';

/** A life whose standing can be asked for. */
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

const no = (fields: Partial<FailureFields> = {}) =>
  new Failure('The mailbox is over its quota.', { step: 'append', scope: 'account', ...fields });

it('nothing waits once all is carried, and it is known when', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  const before = Date.now();
  await using life = living(rig);
  await rig.empty();
  await rig.saw('delivery.done');
  const folder = life.folder();
  expect(folder).toMatchObject({
    dest: 'INBOX',
    watched: 'idle',
    waiting: { messages: 0 },
    refused: 0,
    unverified: 0,
  });
  expect(folder?.carriedAt).toBeGreaterThanOrEqual(before);
  expect(folder?.sweptAt).toBeGreaterThanOrEqual(before);
  expect(folder?.since).toBeGreaterThanOrEqual(before - 5);
  expect(life.runner.standing).toMatchObject({ ready: true, carriedAt: folder?.carriedAt });
});

it('what can not be carried waits with its reason, and the oldest is named', async () => {
  await using rig = new Rig();
  rig.source.put(letter('one'), { internalDate: new Date('2020-01-02') });
  rig.source.put(letter('two'), { internalDate: new Date('2019-01-02') });
  const refusal = no({ scope: 'message', lasting: true });
  rig.destination.plan('append', ...Array.from({ length: 6 }, () => fails(refusal)));
  await using life = living(rig);
  await rig.saw('delivery.refused', 2);
  expect(life.folder()).toMatchObject({
    refused: 2,
    waiting: {
      messages: 2,
      oldest: {
        uid: 2,
        internalDate: new Date('2019-01-02').getTime(),
        why: expect.stringContaining('over its quota'),
      },
    },
  });
  expect(life.folder()?.waiting.late).toBeUndefined();
  await rig.empty();
  await rig.until('nothing waits', () => life.folder()?.waiting.messages === 0);
  expect(life.folder()?.refused).toBe(0);
});

it('what came while it runs and has no lasting reason to wait is late', async () => {
  await using rig = new Rig();
  rig.source.put(letter('old'));
  await using life = living(rig);
  await rig.empty();
  const hold = no({ kind: 'full' });
  rig.destination.plan('append', ...Array.from({ length: 40 }, () => fails(hold)));
  rig.source.put(letter('new'));
  await rig.saw('delivery.postponed');
  expect(life.folder()?.waiting).toMatchObject({ messages: 1, late: { uid: 2 } });
  expect(life.runner.standing.held).toMatchObject({
    why: 'The mailbox is over its quota.',
    full: true,
  });
});

it('mail that was there before is not late, whatever keeps it', async () => {
  await using rig = new Rig();
  rig.source.put(letter('old'));
  rig.destination.plan('append', ...Array.from({ length: 40 }, () => fails(no())));
  await using life = living(rig);
  await rig.saw('delivery.postponed');
  expect(life.folder()?.waiting).toMatchObject({ messages: 1, oldest: { uid: 1 } });
  expect(life.folder()?.waiting.late).toBeUndefined();
});

it('under keep what was carried does not wait, nor what somebody has marked \\Deleted', async () => {
  await using rig = new Rig();
  rig.source.put(letter('kept'));
  rig.source.put(letter('deleted'), { flags: ['\\Deleted'] });
  await using life = living(rig, { afterDelivery: { kind: 'keep' } });
  await rig.saw('delivery.done');
  life.runner.retry();
  await rig.saw('folder.looked', 2);
  expect(life.folder()?.waiting).toEqual({ messages: 0 });
});

it('old mail that does not get through is known as such, as long as nothing lasting keeps it', async () => {
  await using rig = new Rig();
  rig.source.put(letter('old'));
  const lost = new Failure('It ended.', { step: 'append', scope: 'connection', kind: 'lost' });
  rig.destination.plan('append', ...Array.from({ length: 400 }, () => fails(lost)));
  await using life = living(rig);
  await rig.saw('delivery.postponed');
  expect(life.folder()?.waiting).toMatchObject({ messages: 1, old: { uid: 1 } });
});

it('in a dry run what was told of waits no more', async () => {
  await using rig = new Rig();
  await using life = living(rig, { dryRun: true });
  await rig.saw('folder.looked');
  rig.source.put(letter());
  await rig.saw('delivery.planned');
  expect(life.folder()?.waiting).toEqual({ messages: 0 });
  expect(life.folder()?.carriedAt).toBeUndefined();
});

it('deliveries are not held any more when the one message that could not be carried is gone', async () => {
  await using rig = new Rig();
  rig.source.put(letter());
  rig.destination.plan('append', ...Array.from({ length: 3 }, () => fails(no({ kind: 'full' }))));
  await using life = living(rig, { sweepInterval: 50 });
  await rig.until('deliveries pause', () => life.runner.standing.held !== undefined);
  rig.source.folder('INBOX').messages.splice(0);
  await rig.until('nothing waits', () => life.folder()?.waiting.messages === 0);
  await rig.until('nothing is held', () => life.runner.standing.held === undefined);
});

it('folders that are asked for and not there are told', async () => {
  await using rig = new Rig();
  await using life = living(rig, { folders: [{ kind: 'folder', name: 'Posteingang' }] });
  await rig.saw('route.ready');
  expect(life.runner.standing).toMatchObject({ folders: [], missing: [{ folder: 'Posteingang' }] });
});

it('a draft waits with its reason', async () => {
  await using rig = new Rig('INBOX', 'Drafts');
  rig.source.put(letter('draft'), { internalDate: new Date(), folder: 'Drafts' });
  await using life = living(rig);
  await rig.until('it was looked at', () => life.folder('Drafts')?.sweptAt !== undefined);
  expect(life.folder('Drafts')?.waiting.oldest?.why).toContain('a draft');
});

it('a folder without a watcher is noticed in rounds', async () => {
  await using rig = new Rig('INBOX', 'Lists');
  await using life = living(rig, { maxWatchers: 1 });
  await rig.until('both are looked after', () =>
    ['INBOX', 'Lists'].every((name) => life.folder(name)?.sweptAt !== undefined),
  );
  expect([life.folder('INBOX')?.watched, life.folder('Lists')?.watched]).toEqual([
    'idle',
    'rounds',
  ]);
});

it('a quiet day is a few lines', async () => {
  await using rig = new Rig('INBOX', 'Lists', 'Sent');
  const clock = new HandClock();
  rig.clock = clock;
  rig.source.put(letter());
  await using _life = living(rig, { pace: PACE, maxWatchers: 2 });
  await rig.empty();
  await rig.saw('delivery.done');
  rig.told.length = 0;
  for (let minutes = 0; minutes < 24 * 60; minutes += 5) {
    clock.advance(5 * 60_000);
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
  }
  expect(rig.count('sweep.finished')).toBeGreaterThan(100);
  const lines = rig.told.filter(({ event }) => EVENTS[event][0] !== 'debug');
  expect(lines.map(({ event }) => event)).toEqual([]);
});
