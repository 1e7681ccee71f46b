/**
 * imapferry is killed at each turn of the flag by which it asks whether source and destination are one folder; started again,
 * it comes to the same end, and every flag is as its owner had it.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { ChildWorld } from '../faults/child-world.ts';
import { Servers } from '../faults/world.ts';
import { message } from '../support/mail.ts';
import { record } from '../support/results.ts';

const same = { uidValidity: 1_800_000_000 };
const [one, two] = await Promise.all([
  Servers.oneForBoth(),
  Servers.start({ source: same, destination: same }),
]);
afterAll(() => Promise.all([one, two].map((servers) => servers[Symbol.asyncDispose]())));

const ROWS = [['\\Seen'], ['\\Flagged', '$label1']].flatMap((flags) =>
  [1, 2, 3, 4].flatMap((nth) =>
    (['before', 'after'] as const).map((when) => ({ flags, nth, when })),
  ),
);

/** A life that dies at the nth turn of the flag. */
async function diesAtTurn(world: ChildWorld, turn: number, at: 'before' | 'after'): Promise<void> {
  let turns = 0;
  world.source.at = ({ when, command: { name, line } }) => {
    if (when !== at || name !== 'UID STORE' || !line.includes('\\Flagged')) return undefined;
    if (++turns !== turn) return undefined;
    void world.program.kill('SIGKILL');
    return 'reset';
  };
  await world.start({ ready: false });
  expect(await world.program.ended).toEqual({ code: null, signal: 'SIGKILL' });
  world.source.at = undefined;
}

describe.each(ROWS)('killed $when turn $nth of a message with $flags', ({ flags, nth, when }) => {
  it('one folder is found to be one, and is as it was', async () => {
    await using world = await ChildWorld.between(one);
    await world.old.put('INBOX', message(), { flags });
    const before = await world.old.dump('INBOX');
    await diesAtTurn(world, nth, when);
    await world.again({ ready: true });
    await world.program.saw('route.blocked');
    await world.stop();
    expect(await world.old.dump('INBOX')).toEqual(before);
    record({
      part: 'killed, whose folder it is',
      point: `${when} turn ${nth}, one folder`,
      outcome: 'every flag as it was',
    });
  });

  it('two folders are found to be two, and the copy is as the original was', async () => {
    await using world = await ChildWorld.between(two);
    await world.oracle.put('INBOX', message(), { flags });
    await diesAtTurn(world, nth, when);
    await world.again({ ready: true });
    await world.left(0);
    await world.stop();
    expect(await world.oracle.end()).toEqual([]);
    record({
      part: 'killed, whose folder it is',
      point: `${when} turn ${nth}, two folders`,
      outcome: 'each message once',
    });
  });
});
