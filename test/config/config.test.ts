import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { VARIABLES } from '../../src/config/variables.ts';
import { type Environment, folderWith, GOOD, load, mistakesOf, rejection } from './support.ts';

describe('settings without a mistake', () => {
  test('make one route with the defaults', async () => {
    const { routes, ...rest } = load();
    expect(rest).toEqual({
      stateDir: './state',
      historyDays: 90,
      keepSenders: false,
      logLevel: 'info',
      logFormat: undefined,
      doubts: [],
      remarks: [],
    });
    expect(routes).toEqual([
      {
        name: 'default',
        source: {
          side: 'source',
          host: 'imap.example.org',
          port: 993,
          security: 'implicit',
          user: 'old@example.org',
          auth: 'password',
          secret: expect.any(Function),
        },
        destination: {
          side: 'destination',
          host: 'imap.example.net',
          port: 993,
          security: 'implicit',
          user: 'new@example.net',
          auth: 'password',
          secret: expect.any(Function),
        },
        folders: [{ kind: 'pattern', pattern: '*' }],
        createFolders: true,
        afterDelivery: { kind: 'expunge' },
        verify: 'bytes',
        sweepInterval: 600_000,
        idleRenew: 270_000,
        concurrency: 4,
        maxWatchers: 3,
        dryRun: false,
      },
    ]);
    expect(await routes[0]?.source.secret()).toBe('first-secret');
    expect(await routes[0]?.destination.secret()).toBe('other-secret');
  });

  test('are taken where they differ from the defaults', () => {
    const { routes, ...rest } = load({
      SOURCE_TLS: 'starttls',
      DEST_PORT: '1993',
      DEST_TLS_NAME: 'mail.example.com',
      DEST_TLS_FINGERPRINT: Array(32).fill('AB').join(':'),
      DEST_AUTH: 'oauth2',
      FOLDERS: 'INBOX, Sent=Sent Messages',
      CREATE_FOLDERS: 'false',
      AFTER_DELIVERY: 'move:Carried Mail',
      VERIFY: 'bytes',
      SWEEP_INTERVAL: '1s',
      IDLE_RENEW: '1s',
      CONCURRENCY: '1',
      MAX_WATCHERS: '0',
      MAX_MESSAGE_SIZE: '25MB',
      STATE_DIR: '/data',
      HISTORY_DAYS: '7',
      KEEP_SENDERS: 'true',
      LOG_LEVEL: 'debug',
      LOG_FORMAT: 'pretty',
      SOURCE_RATE_LIMIT: '60/min',
      DEST_RATE_LIMIT: '2000/hour, 500MB/day',
    });
    expect(rest).toMatchObject({
      stateDir: '/data',
      historyDays: 7,
      keepSenders: true,
      logLevel: 'debug',
      logFormat: 'pretty',
      doubts: [],
      remarks: [],
    });
    expect(routes[0]).toMatchObject({
      source: {
        port: 143,
        security: 'starttls',
        rateLimits: [{ of: 'messages', most: 60, within: 60_000 }],
      },
      destination: {
        port: 1993,
        tlsName: 'mail.example.com',
        fingerprint: 'ab'.repeat(32),
        auth: 'oauth2',
        rateLimits: [
          { of: 'messages', most: 2000, within: 3_600_000 },
          { of: 'bytes', most: 500 * 1024 * 1024, within: 86_400_000 },
        ],
      },
      folders: [
        { kind: 'folder', name: 'INBOX' },
        { kind: 'folder', name: 'Sent', to: 'Sent Messages' },
      ],
      createFolders: false,
      afterDelivery: { kind: 'move', folder: 'Carried Mail' },
      sweepInterval: 1000,
      idleRenew: 1000,
      concurrency: 1,
      maxWatchers: 0,
      maxMessageSize: 25 * 1024 * 1024,
    });
  });

  test('an empty variable counts as not set', () => {
    expect(load({ SOURCE_PORT: '', SWEEP_INTERVAL: ' ', SOURCE_PASSWORD_FILE: '' }).doubts).toEqual(
      [],
    );
  });
});

describe('several sources', () => {
  const pathOf = folderWith({
    first: "SOURCE_HOST=first.example.org\nDEST_HOST=first.example.net\nSOURCE_PASSWORD='pa#ss'\n",
    second:
      'SOURCE_HOST=second.example.org\nDEST_HOST=second.example.net\nexport LOG_LEVEL=warn # calm\n',
  });

  test('the environment wins over files, and an earlier file over a later one', () => {
    const { routes, logLevel } = load(
      { SOURCE_HOST: 'real.example.org', DEST_HOST: undefined, SOURCE_PASSWORD: undefined },
      [pathOf('first'), pathOf('second')],
    );
    expect(routes[0]?.source.host).toBe('real.example.org');
    expect(routes[0]?.destination.host).toBe('first.example.net');
    expect(logLevel).toBe('warn');
  });

  test('a named file that is missing is a mistake, and its name is told', () => {
    const [first] = mistakesOf({}, [pathOf('third')]);
    expect(first).toBe(
      `--env-file ${pathOf('third')} names a file that does not exist (the nearest directory that does is ${pathOf('.')})`,
    );
  });

  test('a line that names a variable without = is told with its number', () => {
    const file = folderWith({ '.env': '# mine\nLOG_LEVEL debug\n' })('.env');
    const error = rejection(() => load({}, [file]));
    expect(error.mistakes).toEqual([
      {
        variable: 'LOG_LEVEL',
        where: `${file}, line 2`,
        wrong: 'has no `=` behind its name',
        example: 'LOG_LEVEL=info',
      },
    ]);
  });
});

const NUMBER = (least: number, most: number) => `must be a whole number from ${least} to ${most}`;
const DURATION = 'must be a duration: whole numbers, each with its unit h, m, s or ms';
const SIZE = 'must be a size above 0: a whole number with its unit KB, MB or GB';
const HEX = "must be the certificate's SHA-256: 64 hex digits, colons between them or not";
const WEARS = 'still wears its quotation marks: leave them out';
const RATE =
  'must be a number of messages or a size, each per sec, min, hour or day, or both with a comma between';
const URL = 'must be a whole URL that begins with `https://` or `http://`';
const SECRET = 'is needed, or SOURCE_PASSWORD_FILE or SOURCE_PASSWORD_COMMAND: they deliver the';

/** One row a mistake: the variables, and what is said. */
const MISTAKES: readonly (readonly [env: Environment, ...said: string[]])[] = [
  [{ SOURCE_HOST: undefined }, 'SOURCE_HOST is needed: the name of the IMAP server'],
  [{ DEST_HOST: '' }, 'DEST_HOST is needed: the name of the IMAP server'],
  [{ SOURCE_USER: undefined }, 'SOURCE_USER is needed: the login name'],
  [{ SOURCE_HOST: 'imaps://x.example.org' }, 'SOURCE_HOST must be a server name alone, not a URL'],
  [
    { SOURCE_HOST: 'x.example.org:993' },
    'SOURCE_HOST must be a server name alone: the port has a variable of its own',
  ],
  [{ DEST_HOST: 'me@example.org' }, 'DEST_HOST must be a server name alone, without a login name'],
  [{ DEST_HOST: 'two words' }, 'DEST_HOST must be a server name alone'],
  [
    { DEST_HOST: '"imap.example.org"' },
    'DEST_HOST must be a server name alone; it still wears its quotation marks: leave them out',
  ],
  [{ SOURCE_PORT: '0' }, `SOURCE_PORT ${NUMBER(1, 65535)}`],
  [{ SOURCE_PORT: '65536' }, `SOURCE_PORT ${NUMBER(1, 65535)}`],
  [{ DEST_PORT: 'imaps' }, `DEST_PORT ${NUMBER(1, 65535)}`],
  [
    { DEST_PORT: '"993"' },
    `DEST_PORT ${NUMBER(1, 65535)}; it still wears its quotation marks: leave them out`,
  ],
  [{ SOURCE_TLS: 'ssl' }, 'SOURCE_TLS must be `implicit`, `starttls` or `none`'],
  [
    { SOURCE_TLS: 'STARTTLS' },
    'SOURCE_TLS must be `implicit`, `starttls` or `none`; probably `starttls` was meant',
  ],
  [{ DEST_AUTH: 'xoauth2' }, 'DEST_AUTH must be `password` or `oauth2`'],
  [{ DEST_TLS_FINGERPRINT: 'AA:BB' }, `DEST_TLS_FINGERPRINT ${HEX}`],
  [
    { DEST_TLS_FINGERPRINT: 'ab'.repeat(20) },
    `DEST_TLS_FINGERPRINT ${HEX}; a SHA-1 fingerprint is too weak`,
  ],
  [{ CREATE_FOLDERS: 'yes' }, 'CREATE_FOLDERS must be `true` or `false`'],
  [
    { AFTER_DELIVERY: 'expung' },
    'AFTER_DELIVERY must be `expunge`, `mark`, `keep` or `move:FOLDER`; probably `expunge` was meant',
  ],
  [{ AFTER_DELIVERY: 'move:' }, 'AFTER_DELIVERY must name a folder after `move:`'],
  [{ AFTER_DELIVERY: 'move:"Done"' }, `AFTER_DELIVERY ${WEARS}`],
  [{ AFTER_DELIVERY: 'move' }, 'AFTER_DELIVERY must name a folder after `move:`'],
  [{ VERIFY: 'none' }, 'VERIFY must be `bytes` or `headers`'],
  [{ SWEEP_INTERVAL: '10' }, `SWEEP_INTERVAL ${DURATION}`],
  [{ SWEEP_INTERVAL: '10 minutes' }, `SWEEP_INTERVAL ${DURATION}`],
  [{ SWEEP_INTERVAL: '500ms' }, 'SWEEP_INTERVAL must be a duration from 1s to 24h'],
  [{ IDLE_RENEW: '30m' }, 'IDLE_RENEW must be a duration from 1s to 29m'],
  [{ CONCURRENCY: '0' }, `CONCURRENCY ${NUMBER(1, 32)}`],
  [{ CONCURRENCY: '4.5' }, `CONCURRENCY ${NUMBER(1, 32)}`],
  [{ MAX_WATCHERS: '-1' }, `MAX_WATCHERS ${NUMBER(0, 50)}`],
  [{ MAX_MESSAGE_SIZE: '25' }, `MAX_MESSAGE_SIZE ${SIZE}`],
  [{ MAX_MESSAGE_SIZE: '0MB' }, `MAX_MESSAGE_SIZE ${SIZE}`],
  [{ HISTORY_DAYS: '90d' }, `HISTORY_DAYS ${NUMBER(1, 36_500)}`],
  [{ HISTORY_DAYS: '0' }, `HISTORY_DAYS ${NUMBER(1, 36_500)}`],
  [
    { LOG_LEVEL: 'warning' },
    'LOG_LEVEL must be `fatal`, `error`, `warn`, `info`, `debug` or `trace`',
  ],
  [{ LOG_FORMAT: 'text' }, 'LOG_FORMAT must be `json` or `pretty`'],
  [{ SOURCE_USER: '"me"' }, `SOURCE_USER ${WEARS}`],
  [{ STATE_DIR: "'/data'" }, `STATE_DIR ${WEARS}`],
  [{ DEST_PASSWORD: undefined, DEST_PASSWORD_FILE: '"/run/p"' }, `DEST_PASSWORD_FILE ${WEARS}`],
  [{ STATE_DIR: 'a\nb' }, 'STATE_DIR holds a line break: is a quotation mark left open?'],
  [{ SOURCE_RATE_LIMIT: '60' }, `SOURCE_RATE_LIMIT ${RATE}`],
  [{ DEST_RATE_LIMIT: '60/min, 500/MB' }, `DEST_RATE_LIMIT ${RATE} (entry 2 is not)`],
  [
    { DEST_RATE_LIMIT: '60/min,1/day,70/min' },
    'DEST_RATE_LIMIT limits the same twice: entry 3 is of a kind that stands before it',
  ],
  [{ ALERT_AFTER: '1' }, `ALERT_AFTER ${DURATION}`],
  [{ ALERT_AFTER: '30d' }, `ALERT_AFTER ${DURATION}`],
  [{ ALERT_AFTER: '500ms' }, 'ALERT_AFTER must be a duration from 1s to 168h'],
  [
    { ALERT_COMMAND: '/nowhere/at-all' },
    'ALERT_COMMAND begins with a program that was not found or may not be run',
  ],
  [
    { ALERT_COMMAND: "'open" },
    'ALERT_COMMAND leaves a quotation mark open, or ends with a backslash',
  ],
  [{ HEARTBEAT_URL: 'example.org/token' }, `HEARTBEAT_URL ${URL}`],
  [{ HEARTBEAT_URL: 'ftp://example.org/token' }, `HEARTBEAT_URL ${URL}`],
  [
    { HEARTBEAT_URL: '"https://example.org/token"' },
    `HEARTBEAT_URL ${URL}; it still wears its quotation marks: leave them out`,
  ],
  [{ HTTP_PORT: '80800' }, `HTTP_PORT ${NUMBER(0, 65_535)}`],
  [
    { HTTP_HOST: 'localhost:8080' },
    'HTTP_HOST must be a server name alone: the port has a variable of its own',
  ],
  [{ KEEP_SENDERS: 'all' }, 'KEEP_SENDERS must be `true` or `false`'],
  [{ SOURCE_PASSWORD: undefined }, `SOURCE_PASSWORD ${SECRET} password`],
  [{ SOURCE_PASSWORD: undefined, SOURCE_PASSWORD_FILE: ' ' }, `SOURCE_PASSWORD ${SECRET} password`],
  [{ SOURCE_PASSWORD: '', SOURCE_AUTH: 'oauth2' }, `SOURCE_PASSWORD ${SECRET} access token`],
  [
    { SOURCE_PASSWORD_COMMAND: 'true' },
    'SOURCE_PASSWORD stands beside SOURCE_PASSWORD_COMMAND: exactly one of them delivers the password',
  ],
  [
    { DEST_PASSWORD_FILE: 'x', DEST_PASSWORD_COMMAND: 'true', DEST_AUTH: 'oauth2' },
    'DEST_PASSWORD stands beside DEST_PASSWORD_FILE and DEST_PASSWORD_COMMAND: exactly one of them delivers the access token',
  ],
  [
    { AFTER_DELIVERY: 'move:Done', FOLDERS: 'INBOX, Done' },
    "FOLDERS names in entry 2 the folder to which AFTER_DELIVERY moves what was carried: it can't be a source",
  ],
  [
    { AFTER_DELIVERY: 'move:inbox', FOLDERS: 'INBOX' },
    "FOLDERS names in entry 1 the folder to which AFTER_DELIVERY moves what was carried: it can't be a source",
  ],
  [
    { CONCURRENCY: 'many', LOG_LEVEL: 'loud', SOURCE_HOST: undefined },
    'SOURCE_HOST is needed: the name of the IMAP server',
    `CONCURRENCY ${NUMBER(1, 32)}`,
    'LOG_LEVEL must be `fatal`, `error`, `warn`, `info`, `debug` or `trace`',
  ],
];

describe('each mistake is named', () => {
  test.each(MISTAKES.map(([env, ...said]) => [JSON.stringify(env), env, said] as const))(
    '%s',
    (_, env, said) => {
      expect(mistakesOf(env)).toEqual(said);
    },
  );

  test('and they are told together, with where each is set and an example', () => {
    const file = folderWith({ '.env': 'CONCURRENCY=many\n' })('.env');
    const { message } = rejection(() =>
      load({ SOURCE_PORT: 'imaps', DEST_HOST: undefined }, [file]),
    );
    expect(message.split('\n')).toEqual([
      "imapferry can't start: 3 settings are wrong.",
      '  SOURCE_PORT (in the environment) must be a whole number from 1 to 65535.',
      '    Example: SOURCE_PORT=993',
      '  DEST_HOST is needed: the name of the IMAP server.',
      '    Example: DEST_HOST=imap.example.org',
      `  CONCURRENCY (in ${file}) must be a whole number from 1 to 32.`,
      '    Example: CONCURRENCY=4',
    ]);
  });
});

describe('source and destination on one account', () => {
  const same = { DEST_HOST: 'IMAP.example.org', DEST_USER: 'Old@example.org' };
  const said = (entry: number) => [
    `FOLDERS sends mail round in a circle by entry ${entry}: source and destination are the same account, and what is carried comes back to the folder it came from`,
  ];

  test.each([
    ['*', 1],
    ['INBOX', 1],
    ['Sent=Archive, INBOX=inbox', 2],
    ['A=B, B=C, C=A', 1],
    ['X=A, A=B, B=A', 2],
  ])('FOLDERS=%s is a mistake', (folders, entry) => {
    expect(mistakesOf({ ...same, FOLDERS: folders })).toEqual(said(entry));
  });

  test.each(['INBOX=Archive', 'A=B, B=C'])('FOLDERS=%s is carried', (folders) => {
    expect(load({ ...same, FOLDERS: folders }).doubts).toEqual([]);
  });

  test('an account of another server with the same login name is another', () => {
    expect(load({ DEST_USER: GOOD.SOURCE_USER }).doubts).toEqual([]);
  });
});

describe('what works, but perhaps not as meant, is a doubt', () => {
  const plain = (side: string) =>
    `${side}_TLS is none: the password and all mail travel in plain text to a server that is not this machine. Set it to implicit or starttls if the server has either.`;

  test.each([
    [{ SOURCE_TLS: 'none' }, [plain('SOURCE')]],
    [{ DEST_TLS: 'none', DEST_HOST: '10.0.0.1' }, [plain('DEST')]],
    [{ DEST_TLS: 'none', DEST_HOST: '127.0.0.2' }, []],
    [{ DEST_TLS: 'none', DEST_HOST: 'localhost' }, []],
    [{ DEST_TLS: 'none', DEST_HOST: '::1' }, []],
    [
      { DEST_TLS: 'none', DEST_HOST: '::1', DEST_TLS_NAME: 'x.example.org' },
      ['DEST_TLS_NAME has no effect, because DEST_TLS is none.'],
    ],
    [
      { FOLDERS: '"INBOX, Sent"' },
      [
        'FOLDERS names a single folder, whose name holds a comma: if a list was meant, leave out the quotation marks around it.',
      ],
    ],
    [{ FOLDERS: '"INBOX, Sent"=x, INBOX' }, []],
    [
      { DRY_RUN: 'true' },
      [
        'DRY_RUN is true: imapferry says what it would do with each message and carries none. Leave it out to have mail carried.',
      ],
    ],
    [
      { VERIFY: 'headers' },
      [
        'VERIFY is headers: an original is removed once the main header fields of its copy are the same; its body is not compared. Use it only for servers that rebuild messages.',
      ],
    ],
  ] as [Environment, string[]][])('%j', (env, doubts) => {
    expect(load(env).doubts).toEqual(doubts);
  });
});

describe('a value that dotenv ends at a # within it', () => {
  const cut = (name: string) =>
    `${name} looks cut: in a .env file \`#\` begins a comment. If it is part of the value, put the value in single quotation marks.`;

  test.each([
    ['FOLDERS=C#, INBOX', [cut('FOLDERS')]],
    ['AFTER_DELIVERY=move:C# # mine', [cut('AFTER_DELIVERY')]],
    ['AFTER_DELIVERY=move:C #1', []],
    ["FOLDERS='C#, INBOX'", []],
    ['FOLDERS="C#, INBOX" # see issue #1', []],
    ['LOG_LEVEL=info # calm', []],
    ['FOLDERS=# all of them', []],
    ['OTHER_PROGRAM=a#b', []],
  ])('%s', (line, doubts) => {
    expect(load({}, [folderWith({ '.env': `${line}\n` })('.env')]).doubts).toEqual(doubts);
  });
});

describe('a secret in any variable is never shown', () => {
  const secrets = [
    'hunter2',
    '90210666',
    'Tr0ub4dor&3',
    '/x9/kqzv/w7',
    './zq81kd',
    'zq#81, kd=vv',
    '"qz quoted 81"',
    '!qzb%81*',
    'move qzb81',
    'imaps://qzb81kk@x:993',
    'qzb81kk\nvvx77',
    'ya29.qzb81kk-_~+/==',
  ];
  const names = [...VARIABLES.keys(), 'SOURCE_PASSWROD', 'DEST_SECRET', 'SWEEP_INTERVALL'];

  /** All that loading these settings says to anyone. */
  function told(env: Environment, envFiles?: string[]): string {
    try {
      return load(env, envFiles).doubts.join('\n');
    } catch (thrown) {
      return `${thrown instanceof Error ? thrown.stack : ''}${inspect(thrown, { depth: 9 })}`;
    }
  }

  test.each(secrets)('%j', (secret) => {
    for (const name of names) {
      const text = told({ [name]: secret });
      for (const part of secret.split('\n')) expect(text, name).not.toContain(part);
    }
    const everywhere = told(Object.fromEntries(names.map((name) => [name, secret])));
    for (const part of secret.split('\n')) expect(everywhere).not.toContain(part);
  });

  test.each(secrets)('%j in a .env file', (secret) => {
    for (const name of names) {
      const file = folderWith({ '.env': `${name}=${secret}\n` })('.env');
      const text = told({ [name]: undefined }, [file]);
      for (const part of secret.split('\n')) expect(text, name).not.toContain(part);
    }
  });

  test('a Config shows none when it is printed', () => {
    expect(inspect(load(), { depth: 9 })).not.toMatch(/first-secret|other-secret/);
  });
});
