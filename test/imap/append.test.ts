import { describe, expect, it } from 'vitest';
import type { Sendable } from '../../src/domain/message.ts';
import type { Batching, DestinationSession, Placement } from '../../src/domain/ports.ts';
import { destinationAccount } from '../../src/imap/destination.ts';
import { bytesOf, sendable } from '../support/content.ts';
import { FakeImap, type FakeOptions, fakeAccount, type Line } from '../support/fake-imap.ts';
import { Wire } from '../support/wire.ts';

const CAPABILITY: Readonly<Record<Batching, string>> = {
  multi: 'IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND',
  literal: 'IMAP4rev1 UIDPLUS LITERAL+',
  single: 'IMAP4rev1 UIDPLUS',
};
const ALL: readonly Batching[] = ['multi', 'literal', 'single'];

/** What an APPEND asked for: its flags, date and literal's mark in front of each message's bytes. */
interface Sent {
  readonly head: string;
  readonly bytes: string;
}

/** Answers the nth APPEND (from 0), after whose OK its messages count as stored. Nothing: it says nothing. */
type Answer = (append: {
  readonly tag: string;
  readonly nth: number;
  readonly messages: readonly Sent[];
  /** UIDs for these messages, as a right APPENDUID names them. */
  readonly uids: string;
  readonly line: Line;
}) => string | undefined;

const fine: Answer = ({ tag, uids }) => `${tag} OK [APPENDUID 7 ${uids}] done`;

class Folder {
  readonly appends: (readonly Sent[])[] = [];
  readonly stored: string[] = [];
  readonly server: FakeImap;

  private constructor(server: FakeImap) {
    this.server = server;
  }

  static async start(capability: string, answer: Answer, more: FakeOptions = {}): Promise<Folder> {
    let folder: Folder;
    const server = await FakeImap.start({
      capability,
      ...more,
      replies: {
        APPEND: ({ tag, args }, line) => folder.#append(tag, args, line, answer),
        ...more.replies,
      },
    });
    folder = new Folder(server);
    return folder;
  }

  #append(tag: string, args: string, line: Line, answer: Answer): string | undefined {
    const messages = literals(args.replace(/^"?INBOX"? /, ''));
    const nth = this.appends.push(messages) - 1;
    const first = this.stored.length + 1;
    const uids = Array.from(messages, (_, i) => first + i).join(',');
    const said = answer({ tag, nth, messages, uids, line });
    if (said?.toUpperCase().includes(`${tag} OK`))
      this.stored.push(...messages.map(({ bytes }) => bytes));
    return said;
  }
}

function literals(args: string): Sent[] {
  const sent: Sent[] = [];
  let rest = args;
  for (;;) {
    const match = /^ ?([^\r\n]*\{(\d+)\+?\})\r\n/.exec(rest);
    if (match === null) {
      expect(rest).toBe('');
      return sent;
    }
    const start = match[0].length;
    const end = start + Number(match[2]);
    sent.push({ head: match[1] ?? '', bytes: rest.slice(start, end) });
    rest = rest.slice(end);
  }
}

async function session(
  port: number,
  { silence = 5_000, told = [] as string[] } = {},
): Promise<DestinationSession> {
  const account = destinationAccount(fakeAccount('destination', port), {
    emit: (_event, fields) => told.push(String(fields?.why)),
    route: 'default',
    silence,
  });
  const opened = await account.connect(new AbortController().signal);
  await opened.open('INBOX', { fresh: false });
  return opened;
}

const DATE = new Date('2011-02-03T04:05:06Z');

function original(text: string, more: Partial<Omit<Sendable, 'content'>> = {}): Sendable {
  return sendable(Buffer.from(text, 'latin1'), { internalDate: DATE, ...more });
}

const letters = (count: number) =>
  Array.from({ length: count }, (_, i) => original(`Subject: ${i + 1}\r\n\r\nx\r\n`));

const is = (placements: readonly Placement[]) => placements.map((placement) => placement.is);

/** How often each message was sent; what was stored, exactly once each and in order. */
function storedOnce(folder: Folder, messages: readonly Sendable[]): void {
  expect(folder.stored).toEqual(messages.map((each) => bytesOf(each).toString('latin1')));
}

interface Row {
  readonly of: string;
  readonly answer: Answer;
  /** What becomes of three messages, by how they are sent. */
  readonly becomes: Partial<Record<Batching, readonly Placement['is'][]>>;
  /** How many APPENDs that takes. */
  readonly appends: Partial<Record<Batching, number>>;
}

const three = (what: Placement['is']) => [what, what, what];
const heldAll = { multi: three('held'), literal: three('held'), single: three('held') };
const refusedAll = { multi: three('refused'), literal: three('refused'), single: three('refused') };
const doubt = {
  multi: three('unknown'),
  literal: ['unknown', 'held', 'held'] as const,
  single: ['unknown', 'held', 'held'] as const,
};
const once = { multi: 1, literal: 1, single: 1 };
const oneByOne = { multi: 5, literal: 3, single: 3 };

/** An OK whose APPENDUID can't be right for three messages, nor for one. */
const says =
  (code: string): Answer =>
  ({ tag }) =>
    `${tag} OK ${code} done`;
const multiOnly = (of: string, code: string): Row => ({
  of,
  answer: says(code),
  becomes: { multi: three('stored') },
  appends: { multi: 1 },
});

const ROWS: readonly Row[] = [
  {
    of: 'OK with APPENDUID',
    answer: fine,
    becomes: { multi: three('stored'), literal: three('stored'), single: three('stored') },
    appends: { multi: 1, literal: 3, single: 3 },
  },
  {
    of: 'OK without APPENDUID',
    answer: ({ tag }) => `${tag} OK done`,
    becomes: { multi: three('stored'), literal: three('stored'), single: three('stored') },
    appends: { multi: 1, literal: 3, single: 3 },
  },
  multiOnly('too few UIDs', '[APPENDUID 7 1:2]'),
  multiOnly('too many UIDs', '[APPENDUID 7 1:4]'),
  multiOnly('one UID', '[APPENDUID 7 1]'),
  multiOnly('the same UID twice', '[APPENDUID 7 1,2,2]'),
  multiOnly('ranges that overlap', '[APPENDUID 7 1:2,2]'),
  multiOnly('a range that goes down', '[APPENDUID 7 3:1]'),
  multiOnly('a UID that is none', '[APPENDUID 7 0:2]'),
  multiOnly('a range without end', '[APPENDUID 7 1:*]'),
  multiOnly('a range of four thousand million', '[APPENDUID 7 1:4294967295]'),
  multiOnly('words', '[APPENDUID 7 one,two,three]'),
  multiOnly('no UIDVALIDITY', '[APPENDUID x 1:3]'),
  multiOnly('no more than its name', '[APPENDUID]'),
  multiOnly('another code', '[COPYUID 7 1:3 1:3]'),
  {
    of: 'two UIDs for one message',
    answer: says('[APPENDUID 7 1:2]'),
    // The library leaves such a UID out: the copy is looked for.
    becomes: { literal: three('stored'), single: three('stored') },
    appends: { literal: 3, single: 3 },
  },
  ...['OVERQUOTA', 'LIMIT', 'UNAVAILABLE', 'NOPERM', 'TRYCREATE', 'SERVERBUG', 'INUSE'].map(
    (code): Row => ({
      of: `NO [${code}]`,
      answer: ({ tag }) => `${tag} NO [${code}] not now`,
      becomes: heldAll,
      appends: once,
    }),
  ),
  {
    of: 'NO of a reason that nobody knows',
    answer: ({ tag }) => `${tag} NO I do not like it`,
    becomes: refusedAll,
    appends: oneByOne,
  },
  {
    of: 'BAD',
    answer: ({ tag }) => `${tag} BAD what is that`,
    becomes: refusedAll,
    appends: oneByOne,
  },
  {
    of: 'an end without a word',
    answer: ({ line }) => void line.socket.end(),
    becomes: doubt,
    appends: once,
  },
  {
    of: 'a sudden end',
    answer: ({ line }) => void line.socket.resetAndDestroy(),
    becomes: doubt,
    appends: once,
  },
  {
    of: 'BYE',
    answer: ({ line }) => {
      line.send('* BYE I am going down');
      line.socket.end();
      return undefined;
    },
    becomes: doubt,
    appends: once,
  },
  {
    of: 'BYE on a connection that stays open',
    answer: () => '* BYE I am going down',
    becomes: doubt,
    appends: once,
  },
  {
    of: 'BYE where OK should be',
    answer: ({ tag }) => `${tag} BYE no more`,
    becomes: doubt,
    appends: once,
  },
  {
    of: 'PREAUTH where OK should be',
    answer: ({ tag }) => `${tag} PREAUTH what`,
    becomes: doubt,
    appends: once,
  },
  {
    of: "the OK of another command's tag",
    answer: () => 'ZZ9 OK [APPENDUID 7 1:3] done',
    becomes: doubt,
    appends: once,
  },
  {
    of: 'NO without a tag',
    answer: () => 'NO I do not like it',
    becomes: doubt,
    appends: once,
  },
  {
    of: 'BAD without a tag',
    answer: () => 'BAD what',
    becomes: doubt,
    appends: once,
  },
  {
    of: 'a warning, and then OK',
    answer: (append) => `* NO [ALERT] nearly full\r\n* BAD hm\r\n${fine(append)}`,
    becomes: { multi: three('stored'), literal: three('stored'), single: three('stored') },
    appends: { multi: 1, literal: 3, single: 3 },
  },
  {
    of: 'a + that nobody waits for, and then OK',
    answer: (append) => `+ go on\r\n${fine(append)}`,
    becomes: { multi: three('stored'), literal: three('stored'), single: three('stored') },
    appends: { multi: 1, literal: 3, single: 3 },
  },
  {
    of: 'OK in small letters',
    answer: (append) => fine(append)?.replace('OK', 'ok').replace('APPENDUID', 'appenduid'),
    becomes: { multi: three('stored'), literal: three('stored'), single: three('stored') },
    appends: { multi: 1, literal: 3, single: 3 },
  },
  { of: 'silence', answer: () => undefined, becomes: doubt, appends: once },
];

describe.each(ALL)('sent as %s', (batching) => {
  const rows = ROWS.filter(({ becomes }) => becomes[batching]);

  it.each(rows)('three messages answered with $of', async ({ answer, becomes, appends }) => {
    const folder = await Folder.start(CAPABILITY[batching], answer);
    await using server = folder.server;
    const opened = await session(server.port, { silence: 300 });
    expect(opened.batching).toBe(batching);
    const messages = letters(3);
    const placements = await opened.append(messages);
    expect(is(placements)).toEqual(becomes[batching]);
    expect(folder.appends).toHaveLength(appends[batching] ?? Number.NaN);
    for (const placement of placements) {
      if (placement.is === 'stored') continue;
      expect(placement.failure.name).toBe('Failure');
      if (placement.is === 'refused') expect(placement.failure.outcomeUnknown).toBe(false);
      if (placement.is === 'unknown') expect(placement.failure.outcomeUnknown).toBe(true);
    }
    opened.close();
  });

  it('sends flags, date and length in front of the very bytes', async () => {
    const folder = await Folder.start(CAPABILITY[batching], fine);
    await using server = folder.server;
    const opened = await session(server.port);
    const messages = [
      original('Subject: \xe9\r\n\r\n', { flags: new Set(['\\Seen', '$Work', '\\Recent']) }),
      original('no header {3}\r\na1 OK'),
    ];
    const placements = await opened.append(messages);
    const plus = batching === 'single' ? '' : '+';
    const date = '" 3-Feb-2011 04:05:06 +0000"';
    expect(folder.appends.flat()).toEqual([
      { head: `($Work \\Seen) ${date} {14${plus}}`, bytes: 'Subject: \xe9\r\n\r\n' },
      { head: `() ${date} {20${plus}}`, bytes: 'no header {3}\r\na1 OK' },
    ]);
    expect(placements).toEqual([
      { is: 'stored', copy: { uidValidity: 7, uid: 1 } },
      { is: 'stored', copy: { uidValidity: 7, uid: 2 } },
    ]);
    opened.close();
  });

  it.each([1, 2, 3, 4, 5, 6, 7])('one bad message of seven stands alone: the %i.', async (nth) => {
    const folder = await Folder.start(CAPABILITY[batching], (append) =>
      append.messages.some(({ bytes }) => bytes.startsWith(`Subject: ${nth}\r\n`))
        ? `${append.tag} NO I do not like it`
        : fine(append),
    );
    await using server = folder.server;
    const opened = await session(server.port);
    const messages = letters(7);
    const placements = await opened.append(messages);
    const rest = messages.filter((_, i) => i !== nth - 1);
    storedOnce(folder, rest);
    expect(placements[nth - 1]).toMatchObject({
      is: 'refused',
      failure: { step: 'append', scope: 'message', outcomeUnknown: false },
    });
    const uids = placements.flatMap((placement) =>
      placement.is === 'stored' ? [placement.copy?.uid] : [],
    );
    expect(uids).toEqual([1, 2, 3, 4, 5, 6]);
    opened.close();
  });

  it('bad messages in a row keep no other one from being stored', async () => {
    const isBad = ({ bytes }: Sent) => /^Subject: (11|12|13|14|15|16)\r/.test(bytes);
    const folder = await Folder.start(CAPABILITY[batching], (append) =>
      append.messages.some(isBad) ? `${append.tag} NO I do not like it` : fine(append),
    );
    await using server = folder.server;
    const opened = await session(server.port);
    const placements = await opened.append(letters(40));
    const refused = placements.flatMap((each, i) => (each.is === 'stored' ? [] : [i + 1, each.is]));
    expect(refused).toEqual([11, 12, 13, 14, 15, 16].flatMap((nth) => [nth, 'refused']));
    expect(folder.stored).toHaveLength(34);
    opened.close();
  });

  it('a folder that takes nothing any more is put to a test with the last message before the others are held', async () => {
    const folder = await Folder.start(CAPABILITY[batching], (append) =>
      append.messages.every(({ bytes }) => /^Subject: .\r/.test(bytes))
        ? fine(append)
        : `${append.tag} NO I do not like it`,
    );
    await using server = folder.server;
    const opened = await session(server.port);
    const placements = is(await opened.append(letters(40)));
    expect(placements.slice(0, 9)).toEqual(Array(9).fill('stored'));
    const refused = placements.filter((each) => each === 'refused').length;
    expect(placements.slice(9, 9 + refused)).toEqual(Array(refused).fill('refused'));
    expect(refused).toBeGreaterThanOrEqual(3);
    expect(placements.slice(9 + refused)).toEqual(Array(31 - refused).fill('held'));
    const alone = folder.appends.filter((sent) => sent.length === 1).flat();
    expect(alone.filter(({ bytes }) => bytes.startsWith('Subject: 40'))).toHaveLength(1);
    opened.close();
  });

  it('what comes after the folder is full is not sent', async () => {
    let room = 2;
    const folder = await Folder.start(CAPABILITY[batching], (append) => {
      if (append.messages.length > room) {
        // A server that has room for some refuses all of a batch, and some say no more than that.
        return `${append.tag} NO ${append.messages.length > 1 ? 'too many' : '[OVERQUOTA] full'}`;
      }
      room -= append.messages.length;
      return fine(append);
    });
    await using server = folder.server;
    const opened = await session(server.port);
    const messages = letters(4);
    const placements = await opened.append(messages);
    expect(placements.slice(0, 2).map((placement) => placement.is)).toEqual(['stored', 'stored']);
    expect(placements.slice(2)).toMatchObject([
      { is: 'held', failure: { kind: 'full' } },
      { is: 'held', failure: { kind: 'full' } },
    ]);
    storedOnce(folder, messages.slice(0, 2));
    opened.close();
  });

  it('a message without a final line end, where the server wants one, is sent with it', async () => {
    const folder = await Folder.start(CAPABILITY[batching], (append) =>
      append.messages.every(({ bytes }) => bytes.endsWith('\r\n'))
        ? fine(append)
        : `${append.tag} NO [CANNOT] Line end missing`,
    );
    await using server = folder.server;
    const opened = await session(server.port);
    const messages = [original('A: 1\r\n\r\nx\r\n'), original('B: 2\r\n\r\ny'), original('C: 3')];
    expect(is(await opened.append(messages))).toEqual(three('stored'));
    expect(folder.stored).toEqual(['A: 1\r\n\r\nx\r\n', 'B: 2\r\n\r\ny\r\n', 'C: 3\r\n']);
    opened.close();
  });

  it('a message without a final line end goes as it is, where the server takes it', async () => {
    const folder = await Folder.start(CAPABILITY[batching], fine);
    await using server = folder.server;
    const opened = await session(server.port);
    await opened.append([original('B: 2\r\n\r\ny')]);
    expect(folder.stored).toEqual(['B: 2\r\n\r\ny']);
    opened.close();
  });

  it.each([
    { second: '[OVERQUOTA] full', becomes: 'held' },
    { second: 'I do not like it, either', becomes: 'refused' },
  ])('a second try with a line end answered NO $second', async ({ second, becomes }) => {
    const folder = await Folder.start(CAPABILITY[batching], ({ tag, nth }) =>
      nth === 0 ? `${tag} NO I do not like it` : `${tag} NO ${second}`,
    );
    await using server = folder.server;
    const opened = await session(server.port);
    expect(is(await opened.append([original('x')]))).toEqual([becomes]);
    expect(folder.appends.flat().map(({ bytes }) => bytes)).toEqual(['x', 'x\r\n']);
    opened.close();
  });

  it('a second try with a line end that is cut off is in doubt', async () => {
    const folder = await Folder.start(CAPABILITY[batching], ({ tag, nth, line }) =>
      nth === 0 ? `${tag} NO I do not like it` : void line.socket.end(),
    );
    await using server = folder.server;
    const opened = await session(server.port);
    expect(is(await opened.append([original('x')]))).toEqual(['unknown']);
    opened.close();
  });

  it.each([
    { binary: ' BINARY', mark: '~' },
    { binary: '', mark: '' },
  ])(
    'a NUL travels as it is, in the literal that may hold it:$binary',
    async ({ binary, mark }) => {
      const folder = await Folder.start(CAPABILITY[batching] + binary, fine);
      await using server = folder.server;
      const opened = await session(server.port);
      const messages = [original('A: 1\r\n\r\n\0\r\n'), original('B: 2\r\n\r\n\r\n')];
      expect(is(await opened.append(messages))).toEqual(['stored', 'stored']);
      storedOnce(folder, messages);
      const marks = folder.appends.flat().map(({ head }) => / (~?)\{/.exec(head)?.[1]);
      expect(marks).toEqual([mark, '']);
      opened.close();
    },
  );

  it('a keyword that would bend the command is dropped, and told once', async () => {
    const folder = await Folder.start(CAPABILITY[batching], fine);
    await using server = folder.server;
    const told: string[] = [];
    const opened = await session(server.port, { told });
    const bad = [
      'two words',
      'x)',
      '{5}',
      '"',
      'caf\u00e9',
      'a\r\nb',
      '\\',
      '\\*',
      '\\Important',
      '',
    ];
    const flags = new Set([...bad, '$Good', '\\Seen']);
    const placements = await opened.append([original('A: 1', { flags }), original('B', { flags })]);
    expect(is(placements)).toEqual(['stored', 'stored']);
    for (const { head } of folder.appends.flat()) expect(head).toMatch(/^\(\$Good \\Seen\) /);
    expect(told.sort()).toEqual([...bad].sort());
    opened.close();
  });

  it('a date that APPEND can not say is left out', async () => {
    const folder = await Folder.start(CAPABILITY[batching], fine);
    await using server = folder.server;
    const opened = await session(server.port);
    const dates = [
      new Date('0999-12-31T23:59:59Z'),
      new Date(Number.NaN),
      new Date(253402300800000),
    ];
    const messages = dates.map((internalDate) => original('A: 1', { internalDate }));
    const { internalDate: _, ...undated } = original('A: 1');
    expect(is(await opened.append([...messages, undated]))).toEqual([...three('stored'), 'stored']);
    for (const { head } of folder.appends.flat()) expect(head).toMatch(/^(\(\) )?\{4\+?\}$/);
    opened.close();
  });

  it.each([
    { where: 'in the middle of the first message', bytes: 100_000 },
    { where: 'in the middle of the second message', bytes: 300_000 },
  ])('a connection that is cut $where', async ({ bytes }) => {
    const folder = await Folder.start(CAPABILITY[batching], fine);
    await using server = folder.server;
    await using wire = await Wire.between({ to: server.port });
    const opened = await session(wire.port);
    let passed = 0;
    wire.onUp = (chunk) => {
      passed += chunk.length;
      return passed > bytes ? 'cut' : undefined;
    };
    const long = `A: 1\r\n\r\n${'x'.repeat(200_000)}\r\n`;
    const messages = [original(long), original(long), original(long)];
    const placements = await opened.append(messages);
    if (batching === 'multi') expect(is(placements)).toEqual(three('unknown'));
    else if (bytes < 200_000) expect(is(placements)).toEqual(['unknown', 'held', 'held']);
    // The third is on the wire, too, or its literal was not asked for yet.
    else
      expect(is(placements)).toEqual([
        'stored',
        'unknown',
        batching === 'literal' ? 'unknown' : 'held',
      ]);
    await expect(opened.closed).resolves.toMatchObject({ kind: 'lost' });
  });

  it('nothing is sent on a connection that is gone already', async () => {
    const folder = await Folder.start(CAPABILITY[batching], fine);
    await using server = folder.server;
    const opened = await session(server.port);
    for (const line of server.lines) line.socket.destroy();
    await opened.closed;
    expect(await opened.append(letters(2))).toMatchObject([
      { is: 'held', failure: { kind: 'lost', outcomeUnknown: false } },
      { is: 'held' },
    ]);
    expect(folder.appends).toEqual([]);
  });
});

it('flags that the folder does not keep are dropped, and told once for all connections', async () => {
  const folder = await Folder.start(CAPABILITY.multi, fine, {
    replies: {
      SELECT: ({ tag }) =>
        '* 0 EXISTS\r\n* FLAGS (\\Seen \\Flagged Known)\r\n* OK [PERMANENTFLAGS (\\SEEN known)] some\r\n' +
        `* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 1] ok\r\n${tag} OK [READ-WRITE] done`,
    },
  });
  await using server = folder.server;
  const told: string[] = [];
  const opened = await session(server.port, { told });
  const flags = new Set(['\\Seen', '\\Flagged', 'Known', '$Work']);
  await opened.append([original('A', { flags }), original('B', { flags })]);
  await opened.append([original('C', { flags })]);
  await opened.open('INBOX', { fresh: true });
  await opened.append([original('D', { flags })]);
  for (const { head } of folder.appends.flat()) expect(head).toMatch(/^\(Known \\Seen\) /);
  expect(told).toEqual(['$Work', '\\Flagged']);
  opened.close();
});

it('a folder that does not say what it keeps is given the flags that every server knows', async () => {
  const folder = await Folder.start(CAPABILITY.multi, fine, {
    replies: {
      SELECT: ({ tag }) =>
        `* 0 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 1] ok\r\n${tag} OK done`,
    },
  });
  await using server = folder.server;
  const opened = await session(server.port);
  const flags = new Set(['\\Seen', '\\FLAGGED', '\\Important', '$Work']);
  await opened.append([original('A', { flags })]);
  expect(folder.appends.flat()[0]?.head).toMatch(/^\(\$Work \\FLAGGED \\Seen\) /);
  opened.close();
});

it('a message above APPENDLIMIT is refused, and not sent', async () => {
  const folder = await Folder.start(`${CAPABILITY.single} APPENDLIMIT=10`, fine);
  await using server = folder.server;
  const opened = await session(server.port);
  expect(opened.appendLimit).toBe(10);
  const placements = await opened.append([original('0123456789'), original('0123456789A')]);
  expect(placements).toMatchObject([
    { is: 'stored' },
    { is: 'refused', failure: { lasting: true, outcomeUnknown: false } },
  ]);
  expect(folder.appends).toHaveLength(1);
  opened.close();
});

it.each([
  ['imap4REV1 uidplus literal+ multiappend', 'multi'],
  ['IMAP4rev1 LITERAL+ MULTIAPPEND', 'literal'],
  ['IMAP4rev1 UIDPLUS LITERAL- MULTIAPPEND', 'single'],
] as const)('a server that says %s is sent %s', async (capability, batching) => {
  const folder = await Folder.start(capability, fine);
  await using server = folder.server;
  const opened = await session(server.port);
  expect(opened.batching).toBe(batching);
  const long = original(`A: 1\r\n\r\n${'x'.repeat(5000)}\r\n`);
  expect(is(await opened.append([long]))).toEqual(['stored']);
  expect(/\+\}\r\n/.test(server.text.slice(server.text.indexOf('APPEND')))).toBe(
    batching !== 'single',
  );
  opened.close();
});

it('tells what is sent once more where one of a hundred messages is refused', async () => {
  let appends = 0;
  await using server = await FakeImap.start({
    capability: 'IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND',
    replies: {
      APPEND: ({ tag, args }) => {
        appends++;
        if (args.includes('culprit')) return `${tag} NO I do not like one of these`;
        return `${tag} OK done`;
      },
    },
  });
  const account = destinationAccount(fakeAccount('destination', server.port), {
    emit: () => undefined,
    route: 'default',
  });
  const session = await account.connect(new AbortController().signal);
  await session.open('INBOX', { fresh: true });
  const body = 'x'.repeat(10_000);
  const messages = Array.from({ length: 100 }, (_, i) =>
    sendable(`Subject: ${i === 37 ? 'culprit' : i}\r\n\r\n${body}\r\n`, { uid: i + 1 }),
  );
  const before = server.heard.reduce((sum, { length }) => sum + length, 0);
  let again = 0;
  const placements = await session.append(messages, (more) => {
    for (const { size } of more) again += size;
  });
  const sent = server.heard.reduce((sum, { length }) => sum + length, 0) - before;
  const counted = messages.reduce((sum, { content }) => sum + content.length, again);
  session.close();
  expect(placements.filter(({ is }) => is === 'refused').length).toBe(1);
  expect({ appends, ratio: sent / counted }).toEqual({ appends, ratio: expect.closeTo(1, 1) });
});
