import { describe, expect, it, vi } from 'vitest';
import type { SourceSession } from '../../src/domain/ports.ts';
import type { Client } from '../../src/imap/client.ts';
import { sourceAccount } from '../../src/imap/source.ts';
import {
  FakeImap,
  type FakeOptions,
  fakeAccount,
  type Line,
  type Reply,
} from '../support/fake-imap.ts';

async function watching(
  server: FakeImap,
  { idleRenew = 60_000, silence = 5_000 } = {},
  account = fakeAccount('source', server.port),
): Promise<SourceSession> {
  const source = sourceAccount(account, { idleRenew, silence });
  const session = await source.connect(new AbortController().signal);
  await session.open('INBOX', { readOnly: true, idle: true });
  return session;
}

/** Resolves once it is idling, or the library asks now and then in place of that. */
async function idling(session: SourceSession): Promise<void> {
  const { client } = session as unknown as { client: Client };
  await vi.waitFor(() => expect(client.flow.idling).toBe(true));
}

const commands = (server: FakeImap) =>
  server.commands.map((line) => /^(?:\S+ (?=.))?((?:UID )?\S*)/.exec(line)?.[1]);
const count = (server: FakeImap, name: string) =>
  commands(server).filter((command) => command === name).length;

const EXAMINE: NonNullable<FakeOptions['replies']> = {
  EXAMINE: ({ tag }) =>
    `* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n${tag} OK [READ-ONLY] done`,
};

describe('a server that idles', () => {
  it('is heard at once, each time, without a further command', async () => {
    await using server = await FakeImap.start({ replies: EXAMINE });
    const session = await watching(server);
    const heard = vi.fn();
    session.onExists(heard);
    await server.until(() => count(server, 'IDLE') === 1);
    server.lines[0]?.send('* 2 EXISTS');
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(1));
    server.lines[0]?.send('* 1 EXPUNGE\r\n* 2 EXISTS');
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(2));
    expect(count(server, 'DONE')).toBe(0);
    session.close();
  });

  it('is renewed every so often, and that is told', async () => {
    await using server = await FakeImap.start({ replies: EXAMINE });
    const session = await watching(server, { idleRenew: 50 });
    const renewed = vi.fn();
    session.onRenewed(renewed);
    await vi.waitFor(() => expect(renewed.mock.calls.length).toBeGreaterThan(2));
    expect(count(server, 'NOOP')).toBeGreaterThan(2);
    session.close();
  });

  it('is heard although it speaks in the middle of a command, or between IDLE and its +', async () => {
    const push = ({ tag }: { tag: string }) => `* 2 EXISTS\r\n${tag} OK done`;
    await using server = await FakeImap.start({
      replies: {
        ...EXAMINE,
        NOOP: push,
        IDLE: ({ tag }, line) => {
          line.server.idleTag = tag;
          return '* 3 EXISTS\r\n+ idling';
        },
      },
    });
    const session = await watching(server);
    const heard = vi.fn();
    session.onExists(heard);
    await session.noop();
    expect(heard).toHaveBeenCalledTimes(1);
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(2));
    session.close();
  });

  it('is asked again whenever the time has come, and by DONE alone', async () => {
    await using server = await FakeImap.start({ replies: EXAMINE });
    const session = await watching(server, { idleRenew: 100 });
    await server.until(() => count(server, 'IDLE') === 4);
    const since = commands(server).slice(commands(server).indexOf('IDLE'));
    expect(since.slice(0, 9).join(' ')).toBe('IDLE DONE NOOP IDLE DONE NOOP IDLE DONE NOOP');
    session.close();
  });

  it('and ends IDLE by itself is asked again', async () => {
    let ended = 0;
    await using server = await FakeImap.start({
      replies: {
        ...EXAMINE,
        IDLE: ({ tag }, line) => {
          line.server.idleTag = tag;
          return ended++ === 0 ? `+ idling\r\n${tag} OK that is enough` : '+ idling';
        },
      },
    });
    const session = await watching(server);
    await server.until(() => count(server, 'IDLE') === 2);
    const heard = vi.fn();
    session.onExists(heard);
    server.lines[0]?.send('* 5 EXISTS');
    await vi.waitFor(() => expect(heard).toHaveBeenCalled());
    session.close();
  });

  it('and says goodbye meanwhile is told, with its reason', async () => {
    await using server = await FakeImap.start({ replies: EXAMINE });
    const session = await watching(server);
    await server.until(() => count(server, 'IDLE') === 1);
    server.lines[0]?.send('* BYE [UNAVAILABLE] I am restarted');
    server.lines[0]?.socket.end();
    const why = await session.closed;
    expect(why).toMatchObject({ kind: 'lost' });
    expect(why?.message).toContain('I am restarted');
  });

  it('and ends IDLE with NO later goes on without', async () => {
    await using server = await FakeImap.start({
      replies: { ...EXAMINE, DONE: (_, { server }) => `${server.idleTag} NO whatever` },
    });
    const session = await watching(server);
    await server.until(() => count(server, 'IDLE') === 1);
    await session.noop();
    expect(session.abilities.idle).toBe(false);
    await session.noop();
    session.close();
  });
});

describe('a look at what is new', () => {
  const found = ({ tag }: { tag: string }) =>
    `* 3 FETCH (UID 9 FLAGS () RFC822.SIZE 7 INTERNALDATE " 3-Feb-2011 04:05:06 +0000")\r\n${tag} OK done`;

  it('is asked for right behind DONE: a round trip fewer', async () => {
    await using server = await FakeImap.start({
      replies: {
        ...EXAMINE,
        DONE: () => undefined,
        'UID FETCH': (command, { server }) => `${server.idleTag} OK idled\r\n${found(command)}`,
      },
    });
    const session = await watching(server);
    await server.until(() => count(server, 'IDLE') === 1);
    expect(await session.listFrom(9)).toMatchObject([{ uid: 9, size: 7 }]);
    await server.until(() => count(server, 'IDLE') === 2);
    expect(commands(server).slice(-4)).toEqual(['IDLE', 'DONE', 'UID FETCH', 'IDLE']);
    session.close();
  });

  /** A server that minds what comes before it has answered IDLE. */
  const minds = (how: Reply): NonNullable<FakeOptions['replies']> => {
    let idles = false;
    return {
      ...EXAMINE,
      IDLE: ({ tag }, line) => {
        idles = true;
        line.server.idleTag = tag;
        return '+ idling';
      },
      DONE: (_, line) => {
        setTimeout(() => {
          idles = false;
          line.send(`${line.server.idleTag} OK idled`);
        }, 20);
        return undefined;
      },
      'UID FETCH': (command, line) => (idles ? how(command, line) : found(command)),
    };
  };

  it('waits for the end of IDLE where a server had never answered what came behind DONE', async () => {
    await using server = await FakeImap.start({ replies: minds(() => undefined) });
    const account = fakeAccount('source', server.port);
    const deaf = await watching(server, { silence: 200 }, account);
    await server.until(() => count(server, 'IDLE') === 1);
    await expect(deaf.listFrom(9)).rejects.toMatchObject({ kind: 'lost', step: 'look' });
    const session = await watching(server, {}, account);
    await server.until(() => count(server, 'IDLE') === 2);
    expect(await session.listFrom(9)).toMatchObject([{ uid: 9 }]);
    expect(commands(server).slice(-4)).toEqual(['IDLE', 'DONE', 'NOOP', 'UID FETCH']);
    session.close();
  });

  it.each(['BAD not while idling', 'NO [INUSE] busy'])(
    'is asked for again where it is answered %s, and waits for the end of IDLE from then on',
    async (refusal) => {
      await using server = await FakeImap.start({
        replies: minds(({ tag }) => `${tag} ${refusal}`),
      });
      const session = await watching(server);
      await server.until(() => count(server, 'IDLE') === 1);
      expect(await session.listFrom(9)).toMatchObject([{ uid: 9 }]);
      await server.until(() => count(server, 'IDLE') === 2);
      expect(await session.listFrom(9)).toMatchObject([{ uid: 9 }]);
      expect(
        commands(server)
          .filter((name) => name !== 'IDLE')
          .slice(-7),
      ).toEqual(['DONE', 'UID FETCH', 'NOOP', 'UID FETCH', 'DONE', 'NOOP', 'UID FETCH']);
      session.close();
    },
  );

  it('costs IDLE nothing where the server will not say that it has ended', async () => {
    let isBusy = false;
    await using server = await FakeImap.start({
      replies: {
        ...minds(({ tag }) => `${tag} BAD not while idling`),
        NOOP: ({ tag }) => `${tag} ${isBusy ? 'NO busy' : 'OK done'}`,
      },
    });
    const session = await watching(server);
    await server.until(() => count(server, 'IDLE') === 1);
    await session.listFrom(9);
    await server.until(() => count(server, 'IDLE') === 2);
    isBusy = true;
    await expect(session.listFrom(9)).rejects.toMatchObject({ step: 'look' });
    await server.until(() => count(server, 'IDLE') === 3);
    session.close();
  });

  const end = (line: Line) => void line.socket.end();
  /** So many that they are asked for in some commands. */
  const scattered = Array.from({ length: 3000 }, (_, i) => ({ uid: 2 * i + 1, size: 7 }));

  it.each<{
    of: string;
    capability?: string;
    lose: (line: Line, tag: string, session: SourceSession) => void;
  }>([
    { of: 'that had none behind DONE', capability: 'IMAP4rev1 UIDPLUS', lose: end },
    {
      of: 'that said goodbye',
      lose: (line) => {
        line.send('* BYE [UNAVAILABLE] I am restarted');
        end(line);
      },
    },
    {
      of: 'of which one was answered',
      lose: (line, tag) => {
        line.send(`${tag} OK done`);
        end(line);
      },
    },
    { of: 'that was ended on purpose', lose: (_line, _tag, session) => session.close() },
  ])('waits for nothing after the end of a connection $of', async ({ capability, lose }) => {
    let lost: SourceSession | undefined;
    let isLost = false;
    await using server = await FakeImap.start({
      ...(capability && { capability }),
      replies: {
        ...EXAMINE,
        'UID FETCH': (command, line) => {
          if (isLost) return found(command);
          isLost = true;
          if (lost) lose(line, command.tag, lost);
          return undefined;
        },
      },
    });
    const account = fakeAccount('source', server.port);
    lost = await watching(server, {}, account);
    await idling(lost);
    await lost.fetch(scattered).catch(() => undefined);
    await lost.closed;
    const session = await watching(server, {}, account);
    await idling(session);
    const asked = () => count(server, 'IDLE') + count(server, 'NOOP');
    await server.until(() => asked() === 2);
    expect(await session.listFrom(9)).toMatchObject([{ uid: 9 }]);
    expect(asked()).toBe(2);
    session.close();
  });
});

describe.each(['NO', 'BAD'])('a server that refuses IDLE with %s', (no) => {
  it('is not asked again, and the session can no longer be told', async () => {
    await using server = await FakeImap.start({
      replies: { ...EXAMINE, IDLE: ({ tag }) => `${tag} ${no} not here` },
    });
    const session = await watching(server, { idleRenew: 50 });
    expect(session.abilities.idle).toBe(true);
    await vi.waitFor(() => expect(session.abilities.idle).toBe(false));
    const before = count(server, 'NOOP');
    await server.until(() => count(server, 'NOOP') >= before + 3);
    expect(count(server, 'IDLE')).toBe(1);
    await session.noop();
    session.close();
  });
});

it('a server without IDLE is not asked to', async () => {
  await using server = await FakeImap.start({ capability: 'IMAP4rev1', replies: EXAMINE });
  const session = await watching(server, { idleRenew: 50 });
  expect(session.abilities.idle).toBe(false);
  await server.until(() => count(server, 'NOOP') >= 3);
  expect(count(server, 'IDLE')).toBe(0);
  session.close();
});

it('a folder that is opened without idling does not idle any more', async () => {
  await using server = await FakeImap.start({ replies: EXAMINE });
  const session = await watching(server, { idleRenew: 50 });
  await server.until(() => count(server, 'IDLE') >= 1);
  await session.open('INBOX', { readOnly: true, idle: false });
  const before = server.commands.length;
  // Longer than IDLE would need to be taken up, and to be renewed.
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(server.commands).toHaveLength(before);
  session.close();
});
