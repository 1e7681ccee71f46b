/** Several who fetch on one connection at a time: each gets its own, and who wants the connection for itself waits. */
import { afterEach, expect, it, vi } from 'vitest';
import { sourceAccount } from '../../src/imap/source.ts';
import { FakeImap, fakeAccount, type Line } from '../support/fake-imap.ts';

const never = new AbortController().signal;
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

interface Asked {
  readonly tag: string;
  readonly args: string;
  readonly line: Line;
}

let server: FakeImap;
afterEach(() => server[Symbol.asyncDispose]());

/** A server that holds every FETCH back until a test answers it. */
async function begun() {
  const asked: Asked[] = [];
  server = await FakeImap.start({
    replies: {
      SELECT: ({ tag }) =>
        `* 9 EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 20] ok\r\n${tag} OK [READ-WRITE] done`,
      'UID FETCH': ({ tag, args }, line) => {
        asked.push({ tag, args, line });
        return undefined;
      },
    },
  });
  const source = sourceAccount(fakeAccount('source', server.port), { idleRenew: 60_000 });
  const session = await source.connect(never);
  await session.open('INBOX', { readOnly: false, idle: true });
  const fetch = (...uids: number[]) =>
    session.fetch(uids.map((uid) => ({ uid, size: body(uid).length })));
  const count = (n: number) => vi.waitFor(() => expect(asked).toHaveLength(n));
  const of = (set: string) => {
    const found = asked.find(({ args }) => args.startsWith(`${set} `));
    if (found === undefined) throw new Error(`${set} was not asked for`);
    return found;
  };
  const say = (lines: string) => asked[0]?.line.send(lines);
  const show = (uid: number) =>
    say(
      `* ${uid} FETCH (UID ${uid} FLAGS (\\Seen) INTERNALDATE " 3-Feb-2011 04:05:06 +0000" RFC822.SIZE ${body(uid).length} BODY[] {${body(uid).length}}\r\n${body(uid)})`,
    );
  const commands = () => server.commands.map((command) => command.replace(/^\S+ /, ''));
  return { session, fetch, count, of, say, show, commands };
}

const body = (uid: number) => `Message-ID: <${uid}@example.org>\r\n\r\nmessage ${uid}\r\n`;
const uidsOf = (originals: readonly { uid: number }[]) => originals.map(({ uid }) => uid);

it('asks for both before either is answered, and gives each its own, in whatever order they come', async () => {
  const { session, fetch, count, of, say, show } = await begun();
  const [one, other] = [fetch(1, 2), fetch(5, 6)];
  await count(2);
  for (const uid of [5, 1, 6, 9, 2]) show(uid);
  say(`${of('5:6').tag} OK done\r\n${of('1:2').tag} OK done`);
  const [ones, others] = [await one, await other];
  expect([uidsOf(ones), uidsOf(others)]).toEqual([
    [1, 2],
    [5, 6],
  ]);
  for (const { uid, content } of [...ones, ...others])
    expect(content.bytes?.toString()).toBe(body(uid));
  session.close();
});

it('takes up whoever comes while others are under way', async () => {
  const { session, fetch, count, of, say, show } = await begun();
  const one = fetch(1);
  await count(1);
  const other = fetch(2);
  await count(2);
  show(1);
  say(`${of('1').tag} OK done`);
  expect(uidsOf(await one)).toEqual([1]);
  const third = fetch(3);
  await count(3);
  show(2);
  show(3);
  say(`${of('2').tag} OK done\r\n${of('3').tag} OK done`);
  expect([uidsOf(await other), uidsOf(await third)]).toEqual([[2], [3]]);
  session.close();
});

it('ends only whose question was refused', async () => {
  const { session, fetch, count, of, say, show } = await begun();
  const [one, other] = [fetch(1), fetch(2)];
  await count(2);
  say(`${of('1').tag} NO [UNAVAILABLE] not now`);
  await expect(one).rejects.toMatchObject({ step: 'fetch', scope: 'account' });
  show(2);
  say(`${of('2').tag} OK done`);
  expect(uidsOf(await other)).toEqual([2]);
  expect(await session.fetch([])).toEqual([]);
  session.close();
});

it('asks again for what has not come where some are gone, once nobody else is under way', async () => {
  const { session, fetch, count, of, say, show, commands } = await begun();
  const [one, other] = [fetch(1, 2, 3), fetch(5)];
  await count(2);
  show(1);
  say(`${of('1:3').tag} NO Some of the requested messages no longer exist.`);
  await settle();
  expect(commands()).not.toContain('NOOP');
  show(5);
  say(`${of('5').tag} OK done`);
  expect(uidsOf(await other)).toEqual([5]);
  await count(3);
  expect(commands()).toContain('NOOP');
  show(3);
  say(`${of('2:3').tag} OK done`);
  expect(uidsOf(await one)).toEqual([1, 3]);
  session.close();
});

it('keeps who wants the connection alone until all are through, and lets nobody by', async () => {
  const { session, fetch, count, of, say, show, commands } = await begun();
  const [one, other] = [fetch(1), fetch(2)];
  await count(2);
  const noop = session.noop();
  const late = fetch(3);
  await settle();
  expect(commands()).not.toContain('NOOP');
  show(1);
  show(2);
  say(`${of('1').tag} OK done\r\n${of('2').tag} OK done`);
  await Promise.all([one, other, noop]);
  await count(3);
  const order = commands().filter((command) => /^(NOOP|UID FETCH)/.test(command));
  expect(order.map((command) => command.slice(0, 11))).toEqual([
    'UID FETCH 1',
    'UID FETCH 2',
    'NOOP',
    'UID FETCH 3',
  ]);
  show(3);
  say(`${of('3').tag} OK done`);
  expect(uidsOf(await late)).toEqual([3]);
  await vi.waitFor(() => expect(commands().at(-1)).toBe('IDLE'));
  session.close();
});

it('tells all of them where the connection ends', async () => {
  const { fetch, count, of } = await begun();
  const both = [fetch(1), fetch(2)];
  await count(2);
  of('1').line.socket.destroy();
  for (const each of both) await expect(each).rejects.toMatchObject({ kind: 'lost' });
});

it('ends the connection where the server refuses without saying of what', async () => {
  const { session, fetch, count, say } = await begun();
  const both = [fetch(1), fetch(2)];
  await count(2);
  say('BAD what was that');
  for (const each of both) await expect(each).rejects.toMatchObject({ scope: 'connection' });
  await session.closed;
});
