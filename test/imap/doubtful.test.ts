import { describe, expect, it } from 'vitest';
import { NOTHING } from '../../src/domain/content.ts';
import type { Copy } from '../../src/domain/message.ts';
import type { DestinationSession, SourceSession } from '../../src/domain/ports.ts';
import { destinationAccount } from '../../src/imap/destination.ts';
import { sourceAccount } from '../../src/imap/source.ts';
import { bytesOf, small } from '../support/content.ts';
import { FakeImap, fakeAccount, type Reply } from '../support/fake-imap.ts';

const CAPABILITY = 'IMAP4rev1 IDLE UIDPLUS LITERAL+ MULTIAPPEND';

interface Answers {
  readonly capability?: string;
  readonly replies: Readonly<Record<string, Reply>>;
}

async function start({ capability = CAPABILITY, replies }: Answers): Promise<FakeImap> {
  return FakeImap.start({ capability, replies });
}

const never = new AbortController().signal;

async function source(server: FakeImap): Promise<SourceSession> {
  const options = { idleRenew: 60_000, silence: 2_000 };
  const session = await sourceAccount(fakeAccount('source', server.port), options).connect(never);
  await session.open('INBOX', { readOnly: false, idle: false });
  return session;
}

async function destination(server: FakeImap): Promise<DestinationSession> {
  const options = { emit: () => undefined, route: 'default', silence: 2_000 };
  const account_ = destinationAccount(fakeAccount('destination', server.port), options);
  const session = await account_.connect(never);
  await session.open('INBOX', { fresh: true });
  return session;
}

/** `lines` and a tagged OK. */
const ok =
  (...lines: string[]): Reply =>
  ({ tag }) =>
    [...lines, `${tag} OK done`].join('\r\n');

const no =
  (text: string): Reply =>
  ({ tag }) =>
    `${tag} NO ${text}`;

const select = (...lines: string[]) => ok('* FLAGS (\\Seen \\Deleted)', ...lines);
const STANDING = ['* 3 EXISTS', '* OK [UIDVALIDITY 7] ok', '* OK [UIDNEXT 10] ok'];
const SELECT = select(...STANDING, '* OK [PERMANENTFLAGS (\\Seen \\Flagged \\Deleted \\*)] ok');

/** Commands without their tags. */
const commands = (server: FakeImap) => server.commands.map((line) => line.replace(/^\S+ /, ''));
/** What would change something at the source. */
const changes = (server: FakeImap) =>
  commands(server).filter((line) => /^(UID (STORE|EXPUNGE|MOVE)|EXPUNGE|CLOSE)/.test(line));

describe('a folder that opens', () => {
  it.each([
    { of: 'without UIDVALIDITY', lines: ['* 3 EXISTS', '* OK [UIDNEXT 10] ok'] },
    { of: 'with UIDVALIDITY 0', lines: ['* 3 EXISTS', '* OK [UIDVALIDITY 0] ok'] },
    { of: 'with words for UIDVALIDITY', lines: ['* 3 EXISTS', '* OK [UIDVALIDITY x] ok'] },
  ])('$of is not carried', async ({ lines }) => {
    await using server = await start({ replies: { SELECT: select(...lines) } });
    await expect(source(server)).rejects.toMatchObject({
      step: 'open',
      scope: 'folder',
      lasting: true,
    });
  });

  it('without UIDNEXT is asked for its last message', async () => {
    await using server = await start({
      replies: {
        SELECT: select('* 2 EXISTS', '* OK [UIDVALIDITY 7] ok'),
        'UID FETCH': ok('* 1 FETCH (UID 4)', '* 2 FETCH (UID 9)'),
      },
    });
    const session = await destination(server);
    expect(await session.open('INBOX', { fresh: true })).toMatchObject({ uidNext: 10 });
    session.close();
  });

  it.each([
    { of: 'READ-ONLY', code: '[READ-ONLY]', lines: [], readOnly: true, uidNotSticky: false },
    {
      of: 'UIDNOTSTICKY',
      code: '[READ-WRITE]',
      lines: ['* NO [UIDNOTSTICKY] no lasting UIDs'],
      readOnly: false,
      uidNotSticky: true,
    },
  ])('$of says so', async ({ code, lines, readOnly, uidNotSticky }) => {
    await using server = await start({
      replies: {
        SELECT: ({ tag }) => [...STANDING, ...lines, `${tag} OK ${code} done`].join('\r\n'),
      },
    });
    const session = await source(server);
    const view = await session.open('INBOX', { readOnly: false, idle: false });
    expect(view).toMatchObject({ readOnly, uidNotSticky });
    session.close();
  });
});

describe('a server that is asked what is there', () => {
  it.each([
    { finds: 'nothing in a folder that has mail', search: '* SEARCH' },
    { finds: 'less than it says is there', search: '* SEARCH 4 9' },
    { finds: 'more than it says is there', search: '* SEARCH 4 5 9 77' },
  ])('and finds $finds is asked another way', async ({ search }) => {
    await using server = await start({
      replies: {
        SELECT,
        'UID SEARCH': ok(search),
        'UID FETCH': ok(
          ...[4, 5, 9].map(
            (uid, i) =>
              `* ${i + 1} FETCH (UID ${uid} FLAGS () RFC822.SIZE 5 INTERNALDATE " 3-Feb-2011 04:05:06 +0000")`,
          ),
        ),
      },
    });
    const session = await source(server);
    expect(await session.uids()).toEqual([4, 5, 9]);
    session.close();
  });

  it.each([
    { answer: 'NO', reply: no('not now') },
    { answer: 'BAD', reply: ({ tag }: { tag: string }) => `${tag} BAD what` },
  ])('and answers SEARCH with $answer has not said that there is nothing', async ({ reply }) => {
    await using server = await start({ replies: { SELECT, 'UID SEARCH': reply } });
    const session = await source(server);
    await expect(session.uids()).rejects.toMatchObject({ name: 'Failure', step: 'look' });
    session.close();
  });

  it('may tell of a message in several answers, and of others', async () => {
    await using server = await start({
      replies: {
        SELECT,
        'UID FETCH': ok(
          '* 1 FETCH (UID 4 FLAGS (\\Seen))',
          '* 2 FETCH (FLAGS (\\Flagged))',
          '* 3 FETCH (UID 99 FLAGS () RFC822.SIZE 7 INTERNALDATE NIL)',
          '* 1 FETCH (UID 4 RFC822.SIZE 5)',
          '* 1 FETCH (UID 4 INTERNALDATE NIL)',
          '* 2 FETCH (UID 5 FLAGS ())',
        ),
      },
    });
    const session = await source(server);
    const rows = await session.list([4, 5]);
    expect(rows.map(({ uid, size, flags }) => [uid, size, [...flags]])).toEqual([
      [4, 5, ['\\Seen']],
    ]);
    expect(rows[0]).not.toHaveProperty('internalDate');
    session.close();
  });
});

describe('a message that is fetched', () => {
  const items = 'FLAGS () INTERNALDATE " 3-Feb-2011 04:05:06 +0000" RFC822.SIZE';

  it('comes without bytes where the server tells of it and shows no body', async () => {
    await using server = await start({
      replies: { SELECT, 'UID FETCH': ok(`* 1 FETCH (UID 4 ${items} 5 BODY[] NIL)`) },
    });
    const session = await source(server);
    const [original] = await session.fetch(small(4));
    expect(original).toMatchObject({ uid: 4, size: 5, content: NOTHING });
    session.close();
  });

  it('may come as a quoted string, with the same bytes', async () => {
    await using server = await start({
      replies: { SELECT, 'UID FETCH': ok(`* 1 FETCH (UID 4 ${items} 5 BODY[] "a \\"b\\"")`) },
    });
    const session = await source(server);
    expect((await session.fetch(small(4))).map((each) => bytesOf(each).toString())).toEqual([
      'a "b"',
    ]);
    session.close();
  });

  it('comes without bytes where the library could not read them', async () => {
    await using server = await start({
      replies: { SELECT, 'UID FETCH': ok(`* 1 FETCH (UID 4 ${items} 4 BODY[] "caf\xe9")`) },
    });
    const session = await source(server);
    const [original] = await session.fetch(small(4));
    expect(original).toMatchObject({ uid: 4, size: 4, content: NOTHING });
    session.close();
  });

  it('comes once where the server shows it twice', async () => {
    const row = `* 1 FETCH (UID 4 ${items} 5 BODY[] {5}\r\nhello)`;
    await using server = await start({ replies: { SELECT, 'UID FETCH': ok(row, row) } });
    const session = await source(server);
    expect(await session.fetch(small(4))).toHaveLength(1);
    session.close();
  });

  it.each([
    { answer: 'NO [SERVERBUG] disk', reply: no('[SERVERBUG] disk') },
    {
      answer: 'one row and then NO',
      reply: ({ tag }: { tag: string }) =>
        `* 1 FETCH (UID 4 ${items} 5 BODY[] {5}\r\nhello)\r\n${tag} NO [SERVERBUG] disk`,
    },
  ])('fails where the server answers $answer', async ({ reply }) => {
    await using server = await start({ replies: { SELECT, 'UID FETCH': reply } });
    const session = await source(server);
    await expect(session.fetch(small(4, 5))).rejects.toMatchObject({
      step: 'fetch',
      scope: 'account',
      outcomeUnknown: false,
    });
    session.close();
  });
});

describe('a copy that is read back', () => {
  const read = async (session: DestinationSession, uids: readonly number[]) => {
    const copies: Copy[] = [];
    await session.read(small(...uids), (copy) => copies.push(copy));
    return copies;
  };

  it('is not missing where the server names it and does not show it', async () => {
    await using server = await start({
      replies: { SELECT, 'UID FETCH': ok('* 1 FETCH (UID 4 FLAGS () BODY[] NIL)') },
    });
    const session = await destination(server);
    await expect(read(session, [4])).rejects.toMatchObject({ step: 'verify', lasting: false });
    session.close();
  });

  it('is missing where it went meanwhile', async () => {
    await using server = await start({
      replies: {
        SELECT,
        'UID FETCH': ({ tag, args }) =>
          `${args.includes('BODY') ? '* 1 FETCH (UID 4 FLAGS () BODY[] NIL)\r\n' : ''}${tag} OK done`,
      },
    });
    const session = await destination(server);
    expect(await read(session, [4])).toEqual([]);
    session.close();
  });
});

describe('messages that are marked', () => {
  it('are those alone, whatever the server says of others', async () => {
    await using server = await start({
      replies: {
        SELECT,
        'UID STORE': ok(
          '* 1 FETCH (UID 4 FLAGS (\\Deleted \\Seen))',
          '* 2 FETCH (UID 5 FLAGS (\\Deleted))',
          '* 3 FETCH (FLAGS (\\Deleted))',
          '* 3 FETCH (UID 9 MODSEQ (7))',
        ),
        'UID FETCH': ok(),
      },
    });
    const session = await source(server);
    expect(await session.mark([4, 9])).toEqual(new Map([[4, new Set(['\\Deleted', '\\Seen'])]]));
    expect(changes(server)).toEqual(['UID STORE 4,9 +FLAGS (\\Deleted)']);
    session.close();
  });

  it.each([
    'NO [READ-ONLY] not here',
    'NO Some of the requested messages no longer exist',
    'BAD what',
  ])('are not, where the server answers %s', async (answer) => {
    await using server = await start({
      replies: { SELECT, 'UID STORE': ({ tag }) => `${tag} ${answer}` },
    });
    const session = await source(server);
    await expect(session.mark([4])).rejects.toMatchObject({
      name: 'Failure',
      step: expect.any(String),
    });
    session.close();
  });
});

describe('messages that are expunged', () => {
  it.each([
    { answer: 'OK, and they are still there', reply: ok(), gone: [] },
    { answer: 'OK, and one is still there', reply: ok('* 1 EXPUNGE'), gone: [4] },
  ])('are gone only where the server no longer shows them: $answer', async ({ reply, gone }) => {
    const left = [4, 5].filter((uid) => !(gone as number[]).includes(uid));
    await using server = await start({
      replies: {
        SELECT,
        'UID EXPUNGE': reply,
        'UID SEARCH': ok('* SEARCH'),
        'UID FETCH': ok(...left.map((uid, i) => `* ${i + 1} FETCH (UID ${uid})`)),
      },
    });
    const session = await source(server);
    expect(await session.expunge([4, 5])).toEqual(new Set(gone));
    expect(changes(server)).toEqual(['UID EXPUNGE 4:5']);
    session.close();
  });

  it.each(['NO not now', 'NO Some of the requested messages no longer exist', 'BAD what'])(
    'are not taken for gone where the server answers %s',
    async (answer) => {
      await using server = await start({
        replies: { SELECT, 'UID EXPUNGE': ({ tag }) => `${tag} ${answer}` },
      });
      const session = await source(server);
      await expect(session.expunge([4])).rejects.toMatchObject({ name: 'Failure' });
      session.close();
    },
  );

  it('are not taken for gone where looking fails', async () => {
    await using server = await start({
      replies: { SELECT, 'UID EXPUNGE': ok('* 1 EXPUNGE'), 'UID FETCH': no('not now') },
    });
    const session = await source(server);
    await expect(session.expunge([4])).rejects.toMatchObject({ name: 'Failure' });
    session.close();
  });

  it('are none where nothing is named, and nothing is sent', async () => {
    await using server = await start({ replies: { SELECT } });
    const session = await source(server);
    expect(await session.expunge([])).toEqual(new Set());
    expect(await session.mark([])).toEqual(new Map());
    expect(await session.list([])).toEqual([]);
    expect(await session.fetch([])).toEqual([]);
    expect(changes(server)).toEqual([]);
    expect(commands(server).filter((line) => line.startsWith('UID'))).toEqual([]);
    session.close();
  });
});

describe('an EXPUNGE of everything', () => {
  it.each([
    { of: 'a stranger is marked', reply: ok('* SEARCH 4 6') },
    { of: 'SEARCH names what is no UID', reply: ok('* SEARCH 4 x') },
    { of: 'SEARCH answers in two lines', reply: ok('* SEARCH 4', '* SEARCH 6') },
    { of: 'SEARCH finds nothing marked', reply: ok('* SEARCH') },
    { of: 'SEARCH does not answer', reply: ok() },
  ])('is not sent where $of', async ({ reply }) => {
    await using server = await start({
      capability: 'IMAP4rev1',
      replies: { SELECT, 'UID SEARCH': reply, 'UID FETCH': ok('* 1 FETCH (UID 4)') },
    });
    const session = await source(server);
    expect((await session.expungeAlone([4])).gone).toEqual(new Set());
    expect(changes(server)).toEqual([]);
    session.close();
  });

  it.each(['NO not now', 'BAD what'])('is not sent where SEARCH is answered %s', async (answer) => {
    await using server = await start({
      capability: 'IMAP4rev1',
      replies: { SELECT, 'UID SEARCH': ({ tag }) => `${tag} ${answer}` },
    });
    const session = await source(server);
    await expect(session.expungeAlone([4])).rejects.toMatchObject({ step: 'retire' });
    expect(changes(server)).toEqual([]);
    session.close();
  });

  it('is not sent where a stranger is marked while SEARCH is under way', async () => {
    await using server = await start({
      capability: 'IMAP4rev1',
      replies: {
        SELECT,
        'UID SEARCH': ok('* SEARCH 4', '* 2 FETCH (UID 6 FLAGS (\\Deleted))'),
        'UID FETCH': ok('* 1 FETCH (UID 4)'),
      },
    });
    const session = await source(server);
    expect(await session.expungeAlone([4])).toEqual({ gone: new Set(), strangers: true });
    expect(changes(server)).toEqual([]);
    session.close();
  });

  it('is not sent where a stranger without a UID is marked while SEARCH is under way', async () => {
    await using server = await start({
      capability: 'IMAP4rev1',
      replies: {
        SELECT,
        'UID SEARCH': ok('* SEARCH 4', '* 2 FETCH (FLAGS (\\deleted))'),
        'UID FETCH': ok('* 1 FETCH (UID 4)'),
      },
    });
    const session = await source(server);
    expect(await session.expungeAlone([4])).toEqual({ gone: new Set(), strangers: true });
    expect(changes(server)).toEqual([]);
    session.close();
  });
});

describe('a COPY in place of a MOVE', () => {
  it.each([
    { of: 'says nothing', code: '' },
    { of: 'says another thing', code: '[APPENDUID 8 1:2]' },
    { of: 'names fewer copies', code: '[COPYUID 8 4:5 1]' },
    { of: 'names more copies', code: '[COPYUID 8 4:5 1:3]' },
    { of: 'names a copy twice', code: '[COPYUID 8 4:5 1,1]' },
    { of: 'names a stranger', code: '[COPYUID 8 4,6 1:2]' },
    { of: 'names what is no UID', code: '[COPYUID 8 4:* 1:2]' },
    { of: 'has no more than its name', code: '[COPYUID]' },
  ])('that $of expunges nothing', async ({ code }) => {
    await using server = await start({
      replies: {
        SELECT,
        'UID COPY': ({ tag }) => `${tag} OK ${code} done`,
        'UID FETCH': ok('* 1 FETCH (UID 4)', '* 2 FETCH (UID 5)'),
      },
    });
    const session = await source(server);
    await expect(session.move([4, 5], 'Done')).rejects.toMatchObject({ step: 'retire' });
    expect(changes(server)).toEqual([]);
    session.close();
  });

  it('expunges what it says it copied, and no more', async () => {
    await using server = await start({
      replies: {
        SELECT,
        'UID COPY': ({ tag }) => `${tag} OK [COPYUID 8 5 1] done`,
        'UID STORE': ok('* 2 FETCH (UID 5 FLAGS (\\Deleted))'),
        'UID EXPUNGE': ok('* 2 EXPUNGE'),
        'UID FETCH': ({ tag, args }) =>
          `${args.startsWith('5 ') ? '' : '* 1 FETCH (UID 4)\r\n'}${tag} OK done`,
      },
    });
    const session = await source(server);
    expect(await session.move([4, 5], 'Done')).toEqual(new Set([5]));
    expect(changes(server)).toEqual(['UID STORE 5 +FLAGS (\\Deleted)', 'UID EXPUNGE 5']);
    session.close();
  });
});

it('a server that asks to go slower while fetching is heard at once', async () => {
  const words = 'Request is throttled. Suggested Backoff Time: 200000 milliseconds';
  await using server = await start({
    replies: { SELECT, 'UID FETCH': ({ tag }) => `${tag} BAD ${words}` },
  });
  const session = await source(server);
  const failure = session.fetch(small(4));
  await expect(failure).rejects.toMatchObject({ kind: 'throttled', scope: 'account' });
  await expect(failure).rejects.toHaveProperty(
    'retryAfter',
    expect.toSatisfy((ms) => ms > 190_000),
  );
  session.close();
});
