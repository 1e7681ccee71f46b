/** Servers that mean no good: what each sends, and when. Else they are polite, and have one message in INBOX. */
import { type FakeOptions, flood, type Line, type Reply } from '../support/fake-imap.ts';

export interface Fault {
  /** What the server does, as the end of a sentence that begins with "a server that". */
  readonly does: string;
  /** Called once for each server; `struck` is to be called each time the server did it. */
  readonly server: (struck: () => void) => FakeOptions;
  /** What becomes of a connection: it is ended, and begun anew; or it is borne. */
  readonly is: 'ended' | 'borne';
  /** Has the route carry all folders, not INBOX alone. */
  readonly allFolders?: true;
  /** Only as a source. */
  readonly onlySource?: true;
  /** It is not noticed by anything but silence: what of that is borne, in milliseconds. */
  readonly silence?: number;
  /** MAX_MESSAGE_SIZE, where what is borne by default takes longer than a test should. */
  readonly largest?: number;
  /** How many connections are to be seen, where they take their time: 4 if left out. */
  readonly knocks?: number;
}

const MB = 1024 * 1024;

/** What people have been attacked with: colours, a title, a cleared screen, text that runs backwards, lines of a log. */
export const NASTY =
  '\x1b[31mred\x1b]0;owned\x07\x1b[2J\x00\x08\x7f\x9b5m \xe2\x80\xaeevil\xe2\x81\xa6 \xc2\x9b31m {"level":"error","event":"forged"}';

export const LETTER = 'Message-ID: <polite@example.org>\r\nSubject: Polite\r\n\r\nHello\r\n';
const UID = 9;

const row = (uid: number | string, body = LETTER, seq = 1) =>
  `* ${seq} FETCH (UID ${uid} FLAGS () RFC822.SIZE ${body.length} INTERNALDATE "01-Jan-2026 00:00:00 +0000" BODY[] {${body.length}}\r\n${body})\r\n`;

/** A server with a message, and room for others. */
const POLITE: Readonly<Record<string, Reply>> = {
  SELECT: ({ tag }) => selected(tag),
  EXAMINE: ({ tag }) => selected(tag),
  'UID SEARCH': ({ tag }) => `* SEARCH ${UID}\r\n${tag} OK done`,
  'UID FETCH': ({ tag }) => `${row(UID)}${tag} OK done`,
  'UID STORE': ({ tag }) => `* 1 FETCH (UID ${UID} FLAGS (\\Deleted))\r\n${tag} OK done`,
  'UID EXPUNGE': ({ tag }) => `${tag} OK done`,
  APPEND: ({ tag }) => `${tag} OK [APPENDUID 7 ${UID}] done`,
  CREATE: ({ tag }) => `${tag} OK done`,
  SUBSCRIBE: ({ tag }) => `${tag} OK done`,
};

function selected(
  tag: string,
  changes: { exists?: number; more?: string; validity?: string } = {},
) {
  const { exists = 1, more = '', validity = '7' } = changes;
  return (
    `* FLAGS (\\Seen \\Deleted)\r\n* ${exists} EXISTS\r\n* OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] ok\r\n` +
    `* OK [UIDVALIDITY ${validity}] ok\r\n* OK [UIDNEXT 10] ok\r\n${more}${tag} OK [READ-WRITE] done`
  );
}

type Strike = (line: Line, tag: string) => void;

/** Says it in place of a greeting. */
const greets =
  (strike: (line: Line) => void): Fault['server'] =>
  (struck) => ({
    greeting: null,
    onConnect: (line) => {
      strike(line);
      struck();
    },
    replies: POLITE,
  });

/** Says it when one of these commands comes, in place of the answer. */
const answers =
  (names: readonly string[], strike: Strike): Fault['server'] =>
  (struck) => ({
    replies: {
      ...POLITE,
      ...Object.fromEntries(
        names.map((name) => [
          name,
          ({ tag }: { tag: string }, line: Line) => {
            if (name === 'IDLE') line.server.idleTag = tag;
            strike(line, tag);
            struck();
            return undefined;
          },
        ]),
      ),
    },
  });

/** What the program asks soon after a login on either side: a list of folders on both. */
const SOON = ['LIST'];
/** What it asks in an open folder: listing at the source, the copy at the destination. */
const IN_FOLDER = ['UID FETCH', 'UID SEARCH'];

const says = (text: string) => (line: Line) => line.send(text);
const usual = (line: Line, tag: string, name: string) => {
  const reply = POLITE[name]?.({ tag, args: '' }, line);
  if (reply !== undefined) line.send(reply);
};
const LISTED = '* LIST (\\HasNoChildren) "/" INBOX\r\n';

/** Lines, each with another number. */
const lines = (count: number, lineOf: (nth: number) => string) =>
  Array.from({ length: count }, (_, i) => lineOf(i + 1)).join('');

const A_MILLION = lines(1_000_000, (i) => ` ${i}`);

/** So that lines without end are given up sooner. */
const SOONER = { largest: MB, knocks: 2 } as const;

const EXISTS = lines(1000, (i) => `* ${i} EXISTS\r\n* ${i} RECENT\r\n`);
const STORMS = {
  'EXISTS, RECENT and EXPUNGE': `${EXISTS}${lines(1000, (i) => `* ${i} EXPUNGE\r\n`)}`,
  'FETCH with and without UID': lines(
    1000,
    (i) =>
      `* ${i} FETCH (UID ${i + 100} FLAGS (\\Seen))\r\n* ${i} FETCH (FLAGS (\\Seen $${i}))\r\n`,
  ),
};

const RANDOM = Buffer.from(
  Array.from({ length: 65_536 }, (_, i) => (i * 7919 + (i >> 8) * 104_729) & 0xff),
).toString('latin1');

const EVIL = [
  'a\r\nx9 LOGOUT\r\n* 1 EXISTS',
  NASTY,
  '&AA-&AAoAGw-&ZZZZ&&-',
  '..',
  '../../../evil',
  '%n%s%*',
  'a'.repeat(65_536),
  '@'.repeat(65_536),
  '\xe2\x80\xae/\xe2\x80\xae',
  '__proto__',
  'constructor',
  '',
  ' ',
  '"\\"',
];

const listOf = (names: readonly string[]) =>
  names.map((name) => `* LIST () "/" {${name.length}}\r\n${name}\r\n`).join('');

/** Before anybody has logged in. */
const GREETINGS: readonly Fault[] = [
  {
    does: 'greets with garbage',
    is: 'ended',
    silence: 1000,
    server: greets(says(`SSH-2.0-${NASTY}\r\n\x00\xff\xfe\r\n`)),
  },
  {
    does: 'greets without end',
    is: 'ended',
    server: greets((line) => {
      line.socket.write('* OK ');
      flood(line, NASTY);
    }),
  },
  {
    does: 'greets with a literal of 2 GB',
    is: 'ended',
    server: greets((line) => {
      line.socket.write('* OK {2147483647}\r\n');
      flood(line, 'a');
    }),
  },
  {
    does: 'greets with goodbyes without end',
    is: 'ended',
    server: greets((line) => flood(line, `* BYE ${NASTY}\r\n`)),
  },
  { does: 'accepts and closes at once', is: 'ended', server: greets((line) => line.socket.end()) },
  {
    does: 'accepts and breaks off at once',
    is: 'ended',
    server: greets((line) => line.socket.resetAndDestroy()),
  },
  { does: 'accepts and says nothing', is: 'ended', silence: 1000, server: greets(() => undefined) },
  {
    does: 'greets with capabilities without end',
    is: 'ended',
    server: greets((line) => {
      line.socket.write('* OK [CAPABILITY IMAP4rev1');
      flood(line, ' X-CAPABILITY');
    }),
  },
  {
    does: 'greets with 7 MB of capabilities',
    is: 'ended',
    server: greets((line) => {
      line.socket.write('* OK [CAPABILITY IMAP4rev1');
      flood(line, ' X-CAPABILITY', 7 * MB, () => line.send('] hello'));
    }),
  },
  {
    does: 'has 40 000 capabilities',
    is: 'borne',
    server: (struck) => ({
      replies: {
        ...POLITE,
        LOGIN: ({ tag }) => {
          struck();
          const odd = lines(40_000, (i) => ` X-\x1b[${i}`);
          return `* CAPABILITY IMAP4rev1 IDLE UIDPLUS${odd}\r\n${tag} OK done`;
        },
      },
    }),
  },
  {
    does: 'refuses the login with control characters',
    is: 'ended',
    server: answers(['LOGIN'], (line, tag) =>
      line.send(`* OK [ALERT] ${NASTY}\r\n${tag} NO [UNAVAILABLE] ${NASTY}`),
    ),
  },
];

/** In answer to LIST, which comes first. */
const LISTS: readonly Fault[] = [
  {
    does: 'ends each connection that has logged in',
    is: 'ended',
    server: answers(SOON, (line) => line.socket.end()),
  },
  {
    does: 'nests parentheses 20 000 deep',
    is: 'borne',
    server: answers(SOON, (line, tag) =>
      line.send(
        `* LIST ${'('.repeat(20_000)}${')'.repeat(20_000)} "/" a\r\n${LISTED}${tag} OK done`,
      ),
    ),
  },
  {
    does: 'answers with wrong tags',
    is: 'ended',
    silence: 1000,
    server: answers(SOON, (line) => line.send(`${LISTED}ZZZ9 OK ${NASTY}`)),
  },
  {
    does: 'answers without end what nobody asked',
    is: 'ended',
    ...SOONER,
    server: answers(SOON, (line) => flood(line, `ZZZ9 OK ${NASTY}\r\n`)),
  },
  {
    does: 'asks to go on without end',
    is: 'ended',
    ...SOONER,
    server: answers(SOON, (line) => flood(line, `+ ${NASTY}\r\n`)),
  },
  {
    does: 'says a line without end',
    is: 'ended',
    server: answers(SOON, (line) => {
      line.socket.write('* LIST () "/" ');
      flood(line, 'a');
    }),
  },
  {
    does: 'names a folder by a literal of 2 GB',
    is: 'ended',
    server: answers(SOON, (line) => {
      line.socket.write('* LIST () "/" {2147483647}\r\n');
      flood(line, 'a');
    }),
  },
  {
    does: 'sends random bytes without end',
    is: 'ended',
    ...SOONER,
    server: answers(SOON, (line) => flood(line, RANDOM)),
  },
  {
    does: 'says goodbye without end',
    is: 'ended',
    server: answers(SOON, (line) => flood(line, `* BYE ${NASTY}\r\n`)),
  },
  {
    does: 'has folders with evil names',
    is: 'borne',
    allFolders: true,
    server: answers(SOON, (line, tag) => line.send(`${LISTED}${listOf(EVIL)}${tag} OK done`)),
  },
  {
    does: 'has ten thousand folders',
    is: 'borne',
    allFolders: true,
    server: answers(SOON, (line, tag) => {
      const folders = lines(10_000, (i) => `* LIST () "/" "Folder ${i}"\r\n`);
      line.send(`${LISTED}${folders}${tag} OK done`);
    }),
  },
];

/** In an open folder. */
const FOLDERS: readonly Fault[] = [
  {
    does: 'ends each connection that has opened its folder',
    is: 'ended',
    server: answers(['SELECT', 'EXAMINE'], (line, tag) => {
      line.send(selected(tag));
      line.socket.end();
    }),
  },
  {
    does: 'announces mail a hundred thousand times while idled on',
    is: 'borne',
    onlySource: true,
    server: answers(['IDLE'], (line) => {
      line.send('+ idling');
      // Once: what is announced is looked for, and then it is idled again.
      if (line.server.commands.filter((command) => command.includes('IDLE')).length === 1) {
        flood(line, EXISTS, 50 * EXISTS.length);
      }
    }),
  },
  {
    does: 'announces mail without end while idled on',
    is: 'ended',
    onlySource: true,
    ...SOONER,
    server: answers(['IDLE'], (line) => {
      line.send('+ idling');
      flood(line, EXISTS);
    }),
  },
  ...Object.entries(STORMS).map(
    ([of, storm]): Fault => ({
      does: `sends ${of} without end in place of an answer`,
      is: 'ended',
      ...SOONER,
      server: answers(IN_FOLDER, (line) => flood(line, storm)),
    }),
  ),
  {
    does: 'shows ever new messages without end',
    is: 'ended',
    ...SOONER,
    server: answers(IN_FOLDER, (line) => {
      let uid = 100;
      const more = () => {
        const rows = lines(5000, () => row(uid++, ''));
        flood(line, rows, rows.length, more);
      };
      more();
    }),
  },
  {
    does: 'shows messages of 15 MB never asked for',
    is: 'borne',
    server: answers(IN_FOLDER, (line, tag) => {
      const one = (left: number) => {
        line.socket.write(`* 1 FETCH (UID 100 FLAGS () BODY[] {${15 * MB}}\r\n`);
        flood(line, 'a', 15 * MB, () => {
          line.send(')');
          if (left > 1) one(left - 1);
          else usual(line, tag, 'UID FETCH');
        });
      };
      one(3);
    }),
  },
  {
    does: 'shows a message of 2 GB',
    is: 'ended',
    server: answers(IN_FOLDER, (line) => {
      line.socket.write(`* 1 FETCH (UID ${UID} BODY[] {2147483647}\r\n`);
      flood(line, 'a');
    }),
  },
  {
    does: 'shows a message of 2 GB as literal8',
    is: 'ended',
    server: answers(IN_FOLDER, (line) => {
      line.socket.write(`* 1 FETCH (UID ${UID} BINARY[] ~{2147483647}\r\n`);
      flood(line, '\0');
    }),
  },
  {
    does: 'numbers messages 0, -1, and over 2^32',
    is: 'borne',
    server: answers(IN_FOLDER, (line, tag) => {
      for (const uid of [0, -1, 4_294_967_296, 1e21, 'NIL', '"9"']) line.send(row(uid).trimEnd());
      line.send(`* SEARCH 0 -1 4294967296 1000000000000000000000 ${UID}\r\n${tag} OK done`);
    }),
  },
  {
    does: 'gives UIDVALIDITY 0',
    is: 'borne',
    server: answers(['SELECT', 'EXAMINE'], (line, tag) =>
      line.send(selected(tag, { validity: '0' })),
    ),
  },
  {
    does: 'gives UIDVALIDITY -1 and UIDNEXT 99999999999999999999',
    is: 'borne',
    server: answers(['SELECT', 'EXAMINE'], (line, tag) =>
      line.send(
        selected(tag, { validity: '-1', more: '* OK [UIDNEXT 99999999999999999999] ok\r\n' }),
      ),
    ),
  },
  {
    does: 'finds a million messages',
    is: 'borne',
    server: answers(IN_FOLDER, (line, tag) => {
      line.socket.write(`* SEARCH${A_MILLION}\r\n`);
      usual(line, tag, 'UID FETCH');
    }),
  },
  {
    does: 'finds messages without end',
    is: 'ended',
    server: answers(IN_FOLDER, (line) => {
      line.socket.write('* SEARCH');
      flood(line, ' 1234567890');
    }),
  },
  {
    does: 'has flags and texts with control characters',
    is: 'borne',
    server: (struck) => ({
      replies: {
        ...POLITE,
        SELECT: ({ tag }) => {
          struck();
          const flags = NASTY.replaceAll(/[ "{}]/g, '');
          return selected(tag, {
            more: `* FLAGS (${flags})\r\n* OK [PERMANENTFLAGS (\\Seen)] ${NASTY}\r\n* NO [ALERT] ${NASTY}\r\n`,
          });
        },
        'UID FETCH': ({ tag }) =>
          `${row(UID).replace('FLAGS ()', 'FLAGS (\\Seen $a\x1b[31m \\\x9b5m)')}${tag} OK ${NASTY}`,
        'UID STORE': ({ tag }) => `${tag} NO [X-${NASTY.slice(0, 8)}] ${NASTY}`,
        APPEND: ({ tag }) => `${tag} NO [X-${NASTY.slice(0, 8)}] ${NASTY}`,
      },
    }),
  },
];

export const FAULTS: readonly Fault[] = [...GREETINGS, ...LISTS, ...FOLDERS];
