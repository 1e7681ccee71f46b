import { describe, expect, it } from 'vitest';
import { Failure, type Step } from '../../src/domain/failure.ts';
import { failureOf, must, readable } from '../../src/imap/answers.ts';
import { Client } from '../../src/imap/client.ts';
import { connectFailure } from '../../src/imap/connect-failure.ts';
import { FakeImap } from '../support/fake-imap.ts';

const message = (more: object) => ({ kind: 'other', scope: 'message', ...more });
const never = { lasting: true };
const throttled = { kind: 'throttled', scope: 'account', lasting: false };
const full = { kind: 'full', scope: 'account', lasting: false };
const missing = { kind: 'folder-missing', scope: 'folder', lasting: false };

/** What a server answers to APPEND, and what is made of it. */
const TO_APPEND: readonly (readonly [string, object])[] = [
  ['NO [OVERQUOTA] Mailbox is full', full],
  ['NO Quota exceeded', full],
  ['NO Mailbox full', full],
  ['NO Not enough disk space', full],
  ['NO Server Unavailable. 15', full],
  ['NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)', throttled],
  ['BAD Request is throttled. Suggested Backoff Time: 2 milliseconds', throttled],
  ['NO [LIMIT] Too many messages', throttled],
  ['NO Too many simultaneous connections. (Failure)', { ...throttled, kind: 'crowded' }],
  ['NO [UNAVAILABLE] Temporary problem', { scope: 'account', lasting: false, kind: 'other' }],
  ['NO [SERVERBUG] Internal error', { scope: 'account', lasting: false, kind: 'other' }],
  ['NO [CONTACTADMIN] Please call', { scope: 'account', lasting: false }],
  ['NO [INUSE] Mailbox is locked', { scope: 'folder', lasting: false }],
  ['NO [CORRUPTION] Index is broken', { scope: 'folder', lasting: false }],
  ['NO [NOPERM] Permission denied', { scope: 'folder', lasting: false }],
  ['NO [READ-ONLY] Folder is read-only', { scope: 'folder', lasting: false }],
  ['NO [TRYCREATE] No such mailbox', missing],
  ['NO [NONEXISTENT] No such mailbox', missing],
  ['NO [TOOBIG] Message is too large', message(never)],
  ['NO Message size exceeds fixed maximum message size', message(never)],
  ['NO Maximum size of appendable message has been exceeded', message(never)],
  ['NO [CANNOT] Not this one', message(never)],
  ['NO Message contains invalid header', message(never)],
  ['NO Message contains NUL characters', message(never)],
  ['NO Message contains bare newlines', message(never)],
  ['NO Message contains a virus', message(never)],
  ['NO Can not save a zero byte message', message(never)],
  ['BAD Command Argument Error. 11', message({ lasting: false })],
  ['BAD [CLIENTBUG] What is this', message({ lasting: false })],
  ['NO [EXPUNGEISSUED] Some are gone', message({ lasting: false })],
  ['NO [ALERT] Mind the gap', message({ lasting: false })],
  ['NO', message({ lasting: false })],
  ['NO Something nobody has heard of', message({ lasting: false })],
  ['BAD Something nobody has heard of', message({ lasting: false })],
  ['NO [AUTHENTICATIONFAILED] Who are you', { kind: 'login-refused', scope: 'account' }],
  ['NO [EXPIRED] Your password has', { kind: 'login-refused', scope: 'account' }],
];

async function connected(server: FakeImap): Promise<Client> {
  const signal = new AbortController().signal;
  return Client.connect(accountOn(server), { signal, silence: 5_000 });
}

function accountOn(server: FakeImap, user = 'anna', pass = 'a secret of hers') {
  return {
    side: 'destination',
    host: 'localhost',
    port: server.port,
    security: 'none',
    user,
    auth: 'password',
    secret: async () => pass,
  } as const;
}

async function failure(of: Promise<unknown>): Promise<Failure> {
  const outcome = await of.then(
    () => new Error('it worked, and should not have'),
    (thrown: unknown) => thrown,
  );
  expect(outcome).toBeInstanceOf(Failure);
  return outcome as Failure;
}

describe('an APPEND answered with', () => {
  it.each(TO_APPEND)('%s', async (answer, verdict) => {
    await using server = await FakeImap.start({
      replies: { APPEND: ({ tag }) => `${tag} ${answer}` },
    });
    const client = await connected(server);
    const ways: (() => Promise<unknown>)[] = [
      () =>
        client.command('APPEND', [{ type: 'TEXT', value: 'INBOX {2+}' }], {
          onSend: () => client.flow.write('hi'),
        }),
      () => client.flow.append('INBOX', Buffer.from('hi')),
    ];
    for (const way of ways) {
      const refused = await failure(client.step('append', way));
      // A tagged NO or BAD says that nothing was stored.
      expect(refused).toMatchObject({ step: 'append', outcomeUnknown: false, ...verdict });
      expect(refused.message).toMatch(/^The server refused/);
      expect(refused.message).toMatch(/[^.\s]\.$/);
      const code = /\[(\S+)\]/.exec(answer)?.[1];
      expect(refused.code).toBe(code);
    }
    client.close();
  });
});

describe('a login answered with', () => {
  const REFUSED = [
    'NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)',
    'NO [AUTHORIZATIONFAILED] Not for you',
    'NO [EXPIRED] The password is too old',
    'NO [ALERT] Application-specific password required (Failure)',
    'NO [ALERT] Please log in via your web browser (Failure)',
    'NO LOGIN failed.',
    'BAD Invalid login',
    'NO',
  ];
  const NOT_NOW = [
    'NO [UNAVAILABLE] Temporary authentication failure',
    'NO [INUSE] Account is locked',
    'NO [LIMIT] Slow down',
    'NO [SERVERBUG] Internal error',
    'NO [CONTACTADMIN] Call us',
    'NO [ALERT] Too many simultaneous connections. (Failure)',
    'NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded',
    'NO [AUTHENTICATIONFAILED] Too many simultaneous connections',
    'NO User is authenticated but not connected.',
    'BAD Request is throttled. Suggested Backoff Time: 2 milliseconds',
    'NO Account exceeded command or bandwidth limits',
  ];

  it.each(REFUSED)('%s is a refusal', async (answer) => {
    await using server = await FakeImap.start({
      replies: { LOGIN: ({ tag }) => `${tag} ${answer}` },
    });
    const refused = await failure(connected(server));
    expect(refused).toMatchObject({
      step: 'login',
      scope: 'account',
      kind: 'login-refused',
      lasting: true,
      code: /\[(\S+)\]/.exec(answer)?.[1],
    });
    expect(refused.message).toMatch(/^The destination server \S+ refuses the login/);
  });

  it.each(NOT_NOW)('%s is none', async (answer) => {
    await using server = await FakeImap.start({
      replies: { LOGIN: ({ tag }) => `${tag} ${answer}` },
    });
    const busy = await failure(connected(server));
    expect(busy).toMatchObject({
      step: 'login',
      scope: 'account',
      kind: /connections/.test(answer) ? 'crowded' : 'throttled',
      lasting: false,
    });
    expect(busy.message).toMatch(/^The destination server \S+ lets nobody in just now: /);
  });

  it('OK, and then by Exchange that one is not connected, is none', async () => {
    await using server = await FakeImap.start({
      capability: 'IMAP4rev1 NAMESPACE',
      replies: { NAMESPACE: ({ tag }) => `${tag} BAD User is authenticated but not connected.` },
    });
    expect(await failure(connected(server))).toMatchObject({
      step: 'login',
      scope: 'account',
      kind: 'throttled',
      lasting: false,
      message: expect.stringContaining('User is authenticated but not connected'),
    });
  });

  it('BYE Too many connections, in place of a greeting, is none', async () => {
    await using server = await FakeImap.start({ greeting: '* BYE Too many connections' });
    expect(await failure(connected(server))).toMatchObject({ kind: 'crowded', lasting: false });
  });

  it('names and secrets of ours tells neither', async () => {
    await using server = await FakeImap.start({
      replies: { LOGIN: ({ tag }) => `${tag} NO Bad login ann-a with s3cret for a.b@example.org` },
    });
    const signal = new AbortController().signal;
    const refused = await failure(Client.connect(accountOn(server, 'ann-a', 's3cret'), { signal }));
    expect(refused.message).toContain('Bad login (hidden) with (hidden) for (address).');
  });

  const WAYLESS = [
    ['LOGINDISABLED', 'IMAP4rev1 LOGINDISABLED'],
    ['only mechanisms we do not know', 'IMAP4rev1 LOGINDISABLED AUTH=GSSAPI'],
  ] as const;
  it.each(WAYLESS)('%s is told, and nothing secret is sent', async (_, capability) => {
    await using server = await FakeImap.start({ capability });
    const wayless = await failure(connected(server));
    expect(server.text).not.toContain('secret');
    expect(wayless).toMatchObject({ step: 'login', scope: 'account', lasting: true });
    expect(wayless.message).toContain('does not take a password this way');
    expect(wayless.message).toContain('DEST_TLS');
  });
});

describe('thrown', () => {
  const error = (message: string, fields: object) => Object.assign(new Error(message), fields);
  const lost = { kind: 'lost', scope: 'connection', outcomeUnknown: true, lasting: false };
  const THROWN: readonly (readonly [string, unknown, object])[] = [
    ['no connection', error('Connection not available', { code: 'NoConnection' }), lost],
    ['a reset', error('read ECONNRESET', { code: 'ECONNRESET' }), lost],
    ['a broken pipe', error('write EPIPE', { code: 'EPIPE' }), lost],
    ['TCP without answer', error('read ETIMEDOUT', { code: 'ETIMEDOUT' }), lost],
    ['silence', error('Socket timeout', { code: 'ETIMEOUT' }), lost],
    ['a literal too large', error('Literal', { code: 'LiteralTooLarge' }), lost],
    [
      'a tagged BYE, even with a code',
      error('Connection not available', {
        code: 'NoConnection',
        responseStatus: 'BYE',
        serverResponseCode: 'OVERQUOTA',
      }),
      lost,
    ],
    ['a mistake of ours', new TypeError('x is not a function'), { ...lost, kind: 'other' }],
    ['no Error at all', 'oh', { ...lost, kind: 'other' }],
    ['nothing', undefined, { ...lost, kind: 'other' }],
  ];

  it.each(THROWN)('%s leaves the outcome unknown, and may be tried again', (_, thrown, verdict) => {
    const failed = failureOf(thrown, 'append');
    expect(failed).toMatchObject({ step: 'append', ...verdict });
    expect(failed.cause).toBe(thrown);
  });

  it('a Failure stays the one it is', () => {
    const one = new Failure('So it is.', { step: 'fetch', scope: 'message' });
    expect(failureOf(one, 'append')).toBe(one);
    expect(connectFailure(one, { side: 'source', host: 'h', port: 1 })).toBe(one);
  });
});

describe('how long to wait', () => {
  const asked = (words: string, more: object = {}) =>
    failureOf(
      Object.assign(new Error('Command failed'), {
        responseStatus: 'BAD',
        responseText: words,
        ...more,
      }),
      'fetch',
    ).retryAfter;

  it('is what the server asks, in milliseconds', () => {
    expect(asked('Request is throttled. Suggested Backoff Time: 92415 milliseconds')).toBe(92_415);
  });

  it('is less by what the library has waited already', () => {
    const words = 'Request is throttled. Suggested Backoff Time: 92415 milliseconds';
    expect(asked(words, { code: 'ETHROTTLE', throttleWaited: 45_000 })).toBe(47_415);
    expect(asked(words, { code: 'ETHROTTLE', throttleWaited: 100_000 })).toBe(0);
  });

  it('is at most six hours, whatever a server asks', () => {
    expect(asked('Request is throttled. Suggested Backoff Time: 99999999999999')).toBe(21_600_000);
  });

  it('is not said where the server does not say it', () => {
    expect(asked('Request is throttled')).toBeUndefined();
  });
});

describe('the message of a refusal other than of an APPEND', () => {
  const steps: readonly Step[] = ['open', 'look', 'fetch', 'verify', 'retire'];
  it.each(steps)('%s: no single message is to blame', (step) => {
    const thrown = Object.assign(new Error('Command failed'), {
      responseStatus: 'NO',
      responseText: 'Can not do this one',
      serverResponseCode: 'CANNOT',
    });
    const failed = failureOf(thrown, step);
    expect(failed.scope).not.toBe('message');
    expect(failed.lasting).toBe(false);
  });
});

describe('words of a server', () => {
  const WORDS: readonly (readonly [string, string])[] = [
    ['as they are', 'as they are'],
    ['They end with a full stop.', 'They end with a full stop'],
    ['a\u0000b\r\nc\u001b[31md\u202ee', 'a b  c [31md e'],
    ['to <anna.b+c@mail.example.org>, "x y"@example.com', 'to <(address)>, (address)'],
    ['für änna@exämple.org', 'für (address)'],
    ['x'.repeat(500), 'x'.repeat(200)],
  ];
  it.each(WORDS)('%j', (words, shown) => {
    const said = readable(words);
    expect(said).not.toMatch(/[\p{C}]|\S@\S/u);
    expect(said).toBe(shown);
  });
});

it.each([
  ['one word', 'a'],
  ['what is looked for', 'exceed '],
  ['quotation marks', '"'],
])('a line full of %s is read within the time of a test', (_what, words) => {
  const thrown = Object.assign(new Error('Command failed'), {
    responseStatus: 'NO',
    responseText: words.repeat(500_000 / words.length),
    serverResponseCode: words.repeat(500_000 / words.length),
  });
  expect(failureOf(thrown, 'append').message.length).toBeLessThan(500);
});

describe('what the library resolves with', () => {
  it.each([false, undefined, null])('%s is no success', (value) => {
    expect(() => must(value, 'retire', 'STORE')).toThrow(Failure);
    expect(() => must(value, 'retire', 'STORE')).toThrow('STORE was not answered as it should be.');
  });

  it('anything else is handed on', () => {
    for (const value of [true, 0, '', [], {}]) expect(must(value, 'look', 'LIST')).toBe(value);
  });
});

describe('what a server quotes of a message that it refuses', () => {
  const toldOf = (responseText: string, step: Step = 'append') =>
    failureOf(
      Object.assign(new Error('Command failed'), { responseStatus: 'NO', responseText }),
      step,
    ).message;

  it.each([
    ['Message "Your test result: positive" rejected as spam', 'Message "…" rejected as spam'],
    ['Spam: “Your test result”, by rule "R_17"', 'Spam: "…", by rule "R_17"'],
    ['Spam: "Your test result: posit', 'Spam: "…"'],
    ["This can't be, and doesn't go", "This can't be, and doesn't go"],
  ])('%s', (words, told) => {
    expect(toldOf(words)).toBe(`The server refused: ${told}.`);
  });

  it('is told where it refuses something else', () => {
    expect(toldOf('No folder "Sent Messages"', 'open')).toContain('"Sent Messages"');
  });

  it('takes no time', () => {
    const began = performance.now();
    toldOf('" '.repeat(1_000_000));
    toldOf(`"${' '.repeat(2_000_000)}`);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
