/** A message with which in hand the process dies again and again: the others get through, and it is set aside. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ChildWorld } from '../faults/child-world.ts';
import { Servers } from '../faults/world.ts';
import { message } from '../support/mail.ts';
import { record } from '../support/results.ts';

let servers: Servers;

beforeAll(async () => {
  servers = await Servers.start();
});

afterAll(() => servers?.[Symbol.asyncDispose]());

/** Whether a UID set names that UID. */
function names(set: string, uid: number): boolean {
  return set.split(',').some((part) => {
    const [first = 0, last = first] = part.split(':').map(Number);
    return first <= uid && uid <= last;
  });
}

it('travels alone after two deaths, is set aside and told after three, and goes when it does no harm any more', async () => {
  await using world = await ChildWorld.between(servers);
  const uids: number[] = [];
  for (let i = 0; i < 4; i++) uids.push((await world.oracle.put('INBOX', message())) ?? 0);
  const deadly = uids[1] ?? 0;
  world.source.at = ({ when, command: { line } }) => {
    const set = / UID FETCH (\S+) .*BODY\.PEEK\[\]/.exec(line)?.[1];
    if (when !== 'before' || !set || !names(set, deadly)) return undefined;
    void world.program.kill('SIGKILL');
    return 'reset';
  };
  const dies = async () => {
    await world.again({
      ready: false,
      pace: { refusedFirst: 3_600_000, refusedLongest: 3_600_000 },
    });
    expect(await world.program.ended).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await world.oracle.now()).toEqual([]);
    return world.old.count('INBOX');
  };
  expect(await dies()).toBe(4);
  expect(await dies()).toBe(4);
  // The first one went by itself; then it was this one's turn.
  expect(await dies()).toBe(3);
  await world.again({ ready: true });
  await world.left(1);
  const told = world.log.filter(({ event }) => event === 'delivery.refused');
  expect(told.map(({ uid, level }) => [uid, level])).toEqual([[deadly, 'error']]);
  expect(told[0]?.msg).toContain(
    'imapferry ended 3 times without warning while it had this message in hand',
  );
  await world.stop();
  world.source.at = undefined;
  await world.again({ pace: { refusedFirst: 1, refusedLongest: 1 } });
  await world.left(0);
  expect(await world.oracle.end()).toEqual([]);
  await world.stop();
  record({
    part: 'killed',
    point: 'at each FETCH of one message, life after life',
    outcome: 'the others are carried, that one is set aside and told after three',
  });
});
