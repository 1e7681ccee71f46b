import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failure } from '../../src/domain/failure.ts';
import type { Account, Security } from '../../src/domain/route.ts';
import { Client, type ClientOptions } from '../../src/imap/client.ts';
import { authority, type Issued } from '../support/certificates.ts';
import { FakeImap, type FakeOptions, type Reply } from '../support/fake-imap.ts';

const folder = mkdtempSync(join(tmpdir(), 'imapferry-client-'));
let issued: Issued;

beforeAll(() => {
  issued = authority(folder);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const never = () => new AbortController().signal;

function account(port: number, more: Partial<Account> = {}): Account {
  return {
    side: 'destination',
    host: 'localhost',
    port,
    security: 'none',
    ca: issued.ca,
    user: 'anna',
    auth: 'password',
    secret: async () => 'a secret of hers',
    ...more,
  };
}

function connect(server: FakeImap, options: Partial<ClientOptions> = {}): Promise<Client> {
  return Client.connect(account(server.port), { signal: never(), silence: 5_000, ...options });
}

async function failure(of: Promise<unknown>): Promise<Failure> {
  const outcome = await of.then(
    () => new Error('it worked, and should not have'),
    (thrown: Failure) => thrown,
  );
  expect(outcome).toMatchObject({ name: 'Failure' });
  return outcome as Failure;
}

const silent: Reply = () => undefined;
const noop = (client: Client) => client.step('look', () => client.command('NOOP', false));

function secured(security: Security): FakeOptions {
  const tls = { cert: readFileSync(issued.certFile), key: readFileSync(issued.keyFile) };
  const capability = 'IMAP4rev1 LITERAL+ UIDPLUS STARTTLS';
  return { tls, implicit: security === 'implicit', capability };
}

const LENGTH = 48_000_000;

/** Begins an APPEND of `LENGTH` bytes, to a server that takes them as `take` lets it. */
async function upload(security: Security, take: (socket: Socket, got: number) => void) {
  const server = await FakeImap.start(secured(security));
  const silence = 800;
  const client = await Client.connect(account(server.port, { security }), {
    signal: never(),
    silence,
  });
  const socket = server.lines[0]?.socket as Socket;
  let got = 0;
  let tag = '';
  socket.removeAllListeners('data');
  socket.on('data', (chunk: Buffer) => {
    tag ||= chunk.toString('latin1').split(' ')[0] ?? '';
    got += chunk.length;
    if (got > LENGTH) socket.write(`${tag} OK stored\r\n`);
    else take(socket, got);
  });
  const node = { type: 'TEXT', value: `INBOX {${LENGTH}+}` } as const;
  const onSend = () => {
    if (client.flow.writeSocket) client.flow.writeSocket.write(Buffer.alloc(LENGTH));
    client.flow.write('');
  };
  const began = performance.now();
  const answer = client.step('append', () => client.command('APPEND', [node], { onSend }));
  return { server, client, answer, silence, lasted: () => performance.now() - began };
}

describe.each<Security>(['none', 'implicit', 'starttls'])('an upload (%s)', (security) => {
  it('may take many times the silence that is borne, as long as bytes leave', async () => {
    // 1 MB each 50 ms. What the operating system takes at once, some MB, leaves in less than the silence.
    let next = 1_000_000;
    const { server, client, answer, silence, lasted } = await upload(security, (socket, got) => {
      if (got < next) return;
      next += 1_000_000;
      socket.pause();
      setTimeout(() => socket.resume(), 50);
    });
    await using _ = server;
    expect((await answer).command).toBe('OK');
    expect(lasted()).toBeGreaterThan(2 * silence);
    client.close();
  });

  it('that no longer moves is given up, and what became of it is not known', async () => {
    const { server, client, answer } = await upload(security, (socket, got) => {
      if (got > 3_000_000) socket.pause();
    });
    await using _ = server;
    expect(await failure(answer)).toMatchObject({
      step: 'append',
      kind: 'lost',
      outcomeUnknown: true,
      message: expect.stringContaining('it has fallen silent'),
    });
    expect((await client.closed)?.message).toContain('it has fallen silent');
  });
});

describe('a step', () => {
  it('is given up where the server is silent', async () => {
    await using server = await FakeImap.start({ replies: { NOOP: silent } });
    const client = await connect(server, { silence: 200 });
    expect(await failure(noop(client))).toMatchObject({
      message: 'The connection to the destination server localhost ended: it has fallen silent.',
      step: 'look',
      kind: 'lost',
      outcomeUnknown: true,
    });
  });

  it('may wait for ever on a server that keeps talking', async () => {
    let words = 0;
    await using server = await FakeImap.start({
      replies: {
        NOOP: ({ tag }, line) => {
          const timer = setInterval(() => {
            line.send(++words < 12 ? '* OK still at it' : `${tag} OK done`);
            if (words >= 12) clearInterval(timer);
          }, 50);
          return undefined;
        },
      },
    });
    const client = await connect(server, { silence: 300 });
    await noop(client);
    expect(words).toBe(12);
    client.close();
  });

  const ENDS: readonly (readonly [string, Reply, string])[] = [
    [
      'a goodbye with words',
      () => '* BYE [UNAVAILABLE] down for anna@example.org',
      'it said goodbye (down for (address))',
    ],
    ['a goodbye without any', () => '* BYE', 'it said goodbye'],
    [
      'an end without a word',
      (_, { socket }) => {
        socket.end();
        return undefined;
      },
      'it closed the connection',
    ],
    [
      'a reset',
      (_, { socket }) => {
        socket.resetAndDestroy();
        return undefined;
      },
      'it broke the connection off',
    ],
    ['a tagged goodbye', ({ tag }) => `${tag} BYE [SERVERBUG] oh`, '(oh)'],
  ];

  it.each(ENDS)('ends at once with the connection: %s', async (_, reply, says) => {
    await using server = await FakeImap.start({ replies: { NOOP: reply } });
    const client = await connect(server);
    const lost = await failure(noop(client));
    expect(lost).toMatchObject({ step: 'look', kind: 'lost', outcomeUnknown: true });
    expect(lost.message).toContain(says);
    expect((await client.closed)?.message).toContain(says);
    expect(client.flow.usable).toBe(false);
  });

  it('ends at once with the connection, whatever the work waits for', async () => {
    await using server = await FakeImap.start();
    const client = await connect(server);
    const step = failure(client.step('fetch', () => new Promise(() => undefined)));
    server.lines[0]?.socket.destroy();
    expect(await step).toMatchObject({ step: 'fetch', kind: 'lost', outcomeUnknown: true });
  });

  it('is not begun on a connection that has ended', async () => {
    await using server = await FakeImap.start();
    const client = await connect(server);
    client.close();
    let begun = false;
    const work = async () => {
      begun = true;
    };
    expect(await failure(client.step('append', work))).toMatchObject({
      step: 'append',
      kind: 'lost',
      outcomeUnknown: false,
    });
    expect(begun).toBe(false);
  });

  it('keeps the connection where the server refuses', async () => {
    await using server = await FakeImap.start({
      replies: { NOOP: ({ tag }) => `${tag} NO [UNAVAILABLE] later` },
    });
    const client = await connect(server);
    expect(await failure(noop(client))).toMatchObject({
      kind: 'other',
      code: 'UNAVAILABLE',
      outcomeUnknown: false,
    });
    expect(client.flow.usable).toBe(true);
    client.close();
  });

  it('does not take a NO for an OK, as the library does with one wording', async () => {
    await using server = await FakeImap.start({
      replies: { NOOP: ({ tag }) => `${tag} NO Some of the requested messages no longer exist` },
    });
    const client = await connect(server);
    expect(await failure(noop(client))).toMatchObject({ outcomeUnknown: true });
    client.close();
  });
});

describe('connecting', () => {
  it('asks for the secret afresh each time', async () => {
    await using server = await FakeImap.start();
    let asked = 0;
    const secret = async () => `secret ${++asked}`;
    for (const n of [1, 2]) {
      const client = await Client.connect(account(server.port, { secret }), { signal: never() });
      expect(server.text).toContain(`"secret ${n}"`);
      client.close();
    }
  });

  it('sends an access token as such', async () => {
    await using server = await FakeImap.start({
      capability: 'IMAP4rev1 AUTH=XOAUTH2 SASL-IR',
      replies: { AUTHENTICATE: ({ tag }) => `${tag} OK welcome` },
    });
    const client = await Client.connect(
      account(server.port, { auth: 'oauth2', secret: async () => 'a-token' }),
      { signal: never() },
    );
    const sent = /AUTHENTICATE XOAUTH2 (\S+)/.exec(server.text)?.[1] ?? '';
    expect(Buffer.from(sent, 'base64').toString()).toBe(
      'user=anna\u0001auth=Bearer a-token\u0001\u0001',
    );
    client.close();
  });

  it('is stopped by the signal while the secret is fetched', async () => {
    const stop = new AbortController();
    const secret = () => new Promise<string>(() => undefined);
    const connecting = failure(Client.connect(account(1, { secret }), { signal: stop.signal }));
    stop.abort();
    expect((await connecting).message).toBe('Connecting was stopped.');
  });

  it('is stopped by the signal while the server is waited for', async () => {
    await using server = await FakeImap.start({ replies: { LOGIN: silent } });
    const stop = new AbortController();
    const connecting = failure(connect(server, { signal: stop.signal }));
    await server.until(() => server.commands.some((each) => / LOGIN /.test(each)));
    stop.abort();
    expect((await connecting).message).toBe('Connecting was stopped.');
  });

  it('does not begin once the signal is given', async () => {
    await using server = await FakeImap.start();
    await failure(connect(server, { signal: AbortSignal.abort() }));
    expect(server.lines).toHaveLength(0);
  });

  it('is given up where the server is silent at the login', async () => {
    await using server = await FakeImap.start({ replies: { LOGIN: silent } });
    expect(await failure(connect(server, { silence: 200 }))).toMatchObject({
      kind: 'lost',
      lasting: false,
      message: `The destination server localhost:${server.port} can not be used: it has fallen silent.`,
    });
  });
});

describe('a connection that idles', () => {
  it('is idling soon after work, and renewed', async () => {
    await using server = await FakeImap.start();
    const client = await connect(server, { idleRenew: 150 });
    client.idling(true);
    await client.flow.mailboxOpen('INBOX');
    await noop(client);
    const names = () => server.commands.map((each) => each.replace(/^\w+ /, ''));
    await server.until(() => names().filter((name) => name === 'IDLE').length === 3);
    const idling = names().slice(names().indexOf('IDLE'));
    expect(idling).toEqual(['IDLE', 'DONE', 'NOOP', 'IDLE', 'DONE', 'NOOP', 'IDLE']);
    client.close();
  });

  it('may be quiet for longer than the silence that a step bears', async () => {
    await using server = await FakeImap.start();
    const client = await connect(server, { silence: 100, idleRenew: 800 });
    client.idling(true);
    await client.flow.mailboxOpen('INBOX');
    await noop(client);
    await server.until(() => server.commands.filter((each) => / NOOP$/.test(each)).length === 2);
    expect(client.flow.usable).toBe(true);
    client.close();
  });

  it('is given up where a renewal is not answered', async () => {
    await using server = await FakeImap.start({ replies: { DONE: silent } });
    const client = await connect(server, { silence: 200, idleRenew: 150 });
    client.idling(true);
    await client.flow.mailboxOpen('INBOX');
    await noop(client);
    expect((await client.closed)?.message).toContain('it has fallen silent');
  });

  it('is given up where IDLE itself is not answered', async () => {
    await using server = await FakeImap.start({ replies: { IDLE: silent } });
    const client = await connect(server, { silence: 200, idleRenew: 60_000 });
    client.idling(true);
    await client.flow.mailboxOpen('INBOX');
    await noop(client);
    expect((await client.closed)?.message).toContain('it has fallen silent');
  });
});

describe('the end', () => {
  it('has no reason where we asked for it', async () => {
    await using server = await FakeImap.start();
    const client = await connect(server);
    client.close();
    client.close();
    expect(await client.closed).toBeUndefined();
  });

  it('is said politely, and never by CLOSE, which expunges', async () => {
    await using server = await FakeImap.start();
    const client = await connect(server);
    await client.flow.mailboxOpen('INBOX');
    await client.logout();
    expect(await client.closed).toBeUndefined();
    expect(server.commands.at(-1)).toMatch(/ LOGOUT$/);
    expect(server.text).not.toMatch(/ CLOSE\r\n/);
  });

  it('comes by itself where the server does not answer the goodbye', async () => {
    await using server = await FakeImap.start({ replies: { LOGOUT: silent } });
    const client = await connect(server);
    await client.logout();
    expect(await client.closed).toBeUndefined();
  });

  it('comes by itself where a command is still under way', async () => {
    await using server = await FakeImap.start({ replies: { NOOP: silent } });
    const client = await connect(server);
    const step = failure(noop(client));
    await server.until(() => / NOOP$/.test(server.commands.at(-1) ?? ''));
    await client.logout();
    expect(await step).toMatchObject({ kind: 'lost', outcomeUnknown: true });
  });

  it('is told once nobody listens any more, too: a goodbye on a dead connection does not reject', async () => {
    await using server = await FakeImap.start();
    const client = await connect(server);
    server.lines[0]?.socket.destroy();
    await client.closed;
    await client.logout();
  });
});
