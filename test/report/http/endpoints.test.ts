/** Every path of the status page's server as a new user meets it, over real sockets. */

import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { HOSTILE, routeOf, STATES, statusOf } from '../../support/boards.ts';
import { Serving } from '../../support/serving.ts';

const ALL = [
  '/livez',
  '/readyz',
  '/healthz',
  '/metrics',
  '/api/status',
  '/',
  '/page.css',
  '/page.js',
  '/favicon.svg',
  '/nowhere',
];
const metrics = {
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
  render: async () => 'imapferry_up 1\n',
};

describe('/livez', () => {
  it('says ok as long as the process works, whatever is wrong with mail', async () => {
    await using serving = await Serving.of(STATES.refused());
    expect(await serving.ask('/livez')).toMatchObject({ status: 200, body: 'ok\n' });
  });
});

describe('/readyz', () => {
  it('is 200 once every route is ready', async () => {
    await using serving = await Serving.of();
    expect(await serving.ask('/readyz')).toMatchObject({ status: 200, body: 'ready\n' });
  });

  it('is 503 until then, and names the routes that are not, and why', async () => {
    const { accounts } = routeOf('mum');
    const mum = routeOf('mum', {
      ready: false,
      accounts: accounts.map((account) => ({ ...account, is: 'connecting' })),
    });
    const dad = routeOf('dad', { ready: false });
    await using serving = await Serving.of({
      ...STATES.flowing(),
      status: statusOf([routeOf('home'), mum, dad]),
    });
    expect(await serving.ask('/readyz')).toMatchObject({
      status: 503,
      body: 'not ready\nmum: source connecting, destination connecting\ndad: the plan is being made\n',
    });
  });
});

describe('/healthz', () => {
  it('is 200 while mail flows, and tells every folder in plain lines', async () => {
    await using serving = await Serving.of();
    const { status, headers, body } = await serving.ask('/healthz');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    const lines = body.split('\n');
    expect(lines[0]).toBe('Mail is flowing.');
    expect(lines[1]).toMatch(/^default: source connected since .*; destination connected since /);
    expect(lines[3]).toMatch(
      /^ {2}Sent → Sent Messages: watched by IDLE since .*; looked through 4 min ago; last message carried 2 h ago; nothing waits$/,
    );
  });

  it('is 503 while it does not, and says what is wrong and what to do', async () => {
    await using serving = await Serving.of(STATES.refused());
    const { status, body } = await serving.ask('/healthz');
    expect(status).toBe(503);
    expect(body).toMatch(
      /^Mail is not flowing\.\n! The new mailbox refuses the login\. .*\(Since /,
    );
    expect(body).toContain('Look whether the password has changed');
    expect(body).toMatch(
      /INBOX → INBOX: .*; 4 at the source still, the oldest UID 4021: the destination refuses the login\n/,
    );
  });

  it('counts what was refused and what differs', async () => {
    await using serving = await Serving.of(STATES.stuck());
    const { status, body } = await serving.ask('/healthz');
    expect(status).toBe(200);
    expect(body).toMatch(/^Mail is flowing, but 3 messages could not be carried\.\n/);
    expect(body).toMatch(/Archive → Archive: .*; 2 refused; 1 unverified\n/);
  });

  it('names the route that is concerned', async () => {
    await using serving = await Serving.of(STATES.two());
    const { body } = await serving.ask('/healthz');
    expect(body).toMatch(/^Mail is not flowing for dad\.\n! dad: The route dad delivers nothing/);
  });

  it.each([
    ['/healthz?format=json', {}],
    ['/healthz', { Accept: 'application/json' }],
  ])('is JSON where that is asked for: %s %j', async (path, headers) => {
    await using serving = await Serving.of(STATES.refused());
    const reply = await serving.ask(path, { headers });
    expect(reply.status).toBe(503);
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(reply.body)).toMatchObject({
      healthy: false,
      verdict: { tone: 'bad', says: 'Mail is not flowing.' },
      troubles: [{ cause: 'account-refused' }],
    });
  });

  it('stays plain for a browser', async () => {
    await using serving = await Serving.of();
    const headers = { Accept: 'text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8' };
    const reply = await serving.ask('/healthz', { headers });
    expect(reply.headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it('lets no name of a server steer a terminal or begin a line', async () => {
    await using serving = await Serving.of(STATES.hostile());
    const { body } = await serving.ask('/healthz');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that must not be there
    expect(body).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect(body).not.toMatch(/^event: status/m);
    expect(body).toContain('مجلد البريد');
  });
});

describe('/metrics', () => {
  it('passes on what the metrics say', async () => {
    await using serving = await Serving.of(STATES.flowing(), {}, { metrics });
    expect(await serving.ask('/metrics')).toMatchObject({
      status: 200,
      body: 'imapferry_up 1\n',
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    });
  });

  it('is 404 where there are none, and 500 where they fail', async () => {
    await using none = await Serving.of();
    expect((await none.ask('/metrics')).status).toBe(404);
    const failing = {
      metrics: { contentType: 'text/plain', render: () => Promise.reject(new Error('no')) },
    };
    await using broken = await Serving.of(STATES.flowing(), {}, failing);
    expect(await broken.ask('/metrics')).toMatchObject({
      status: 500,
      body: 'imapferry can not tell that just now.\n',
    });
  });
});

describe('/api/status', () => {
  it('is the status, what was carried and who still writes, as JSON', async () => {
    await using serving = await Serving.of();
    const { status, headers, body } = await serving.ask('/api/status');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    const told = JSON.parse(body);
    expect(told).toMatchObject({
      healthy: true,
      verdict: { tone: 'good', says: 'Mail is flowing.' },
      routes: [{ route: 'default', ready: true }],
      histories: [{ route: 'default' }],
      senders: { days: 90 },
    });
    expect(told.histories[0].days.length).toBe(30);
  });

  it('tells what is wrong also while the journal can not be read', async () => {
    await using serving = await Serving.of();
    const { histories } = serving.board;
    const unreadable = () => {
      throw new Error('the journal is locked');
    };
    serving.board.histories = unreadable;
    serving.board.senders = unreadable;
    const { status, body } = await serving.ask('/api/status');
    expect(status).toBe(200);
    const told = JSON.parse(body);
    expect(told).toMatchObject({
      verdict: { says: 'Mail is flowing.' },
      routes: [{ route: 'default' }],
    });
    expect(told).not.toHaveProperty('histories');
    expect(told).not.toHaveProperty('senders');
    serving.board.histories = histories;
    const again = JSON.parse((await serving.ask('/api/status')).body);
    expect(again.histories).toHaveLength(1);
  });

  it('is 500 where the board can not tell, and works again when it can', async () => {
    await using serving = await Serving.of();
    const { status } = serving.board;
    serving.board.status = () => {
      throw new Error('not now');
    };
    expect((await serving.ask('/api/status')).status).toBe(500);
    serving.board.status = status;
    expect((await serving.ask('/api/status')).status).toBe(200);
  });
});

describe('the page', () => {
  it.each([
    ['/', 'text/html; charset=utf-8', '<h1'],
    ['/page.css', 'text/css; charset=utf-8', 'prefers-color-scheme'],
    ['/page.js', 'text/javascript; charset=utf-8', 'EventSource'],
    ['/favicon.svg', 'image/svg+xml', '<svg'],
  ])('%s is served as %s', async (path, type, holds) => {
    await using serving = await Serving.of();
    const { status, headers, body } = await serving.ask(path);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe(type);
    expect(body).toContain(holds);
  });

  it.each([
    '/nowhere',
    '/page.html',
    '/../package.json',
    '/%2e%2e/package.json',
    '//etc/passwd',
    '/__proto__',
    '/constructor',
    '/tsconfig.json',
    '/livez/',
  ])('nothing else can be asked for: %s', async (path) => {
    await using serving = await Serving.of();
    expect((await serving.ask(path)).status).toBe(404);
  });
});

describe('every answer', () => {
  it.each(ALL)('%s bears the headers that keep the page to itself', async (path) => {
    await using serving = await Serving.of(STATES.flowing(), {}, { metrics });
    const { headers } = await serving.ask(path);
    expect(headers).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it.each(ALL)('%s answers HEAD as GET, without a body', async (path) => {
    await using serving = await Serving.of(STATES.flowing(), {}, { metrics });
    const [get, head] = [await serving.ask(path), await serving.ask(path, { method: 'HEAD' })];
    expect(head).toMatchObject({ status: get.status, body: '' });
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(get.body)));
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])('%s is 405', async (method) => {
    await using serving = await Serving.of();
    for (const path of ['/livez', '/', '/nowhere'])
      expect(await serving.ask(path, { method })).toMatchObject({
        status: 405,
        headers: { allow: 'GET, HEAD' },
      });
  });

  it('takes no body', async () => {
    await using serving = await Serving.of();
    expect((await serving.ask('/healthz', { body: 'x' })).status).toBe(400);
  });
});

describe('the server', () => {
  /** What a connection answers to this, until it ends. */
  async function raw(port: number, text: string): Promise<string> {
    const socket = createConnection(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1').on('data', (piece) => {
      answer += piece;
    });
    socket.on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    return answer;
  }

  it('refuses what is no request, and what is far too long', async () => {
    await using serving = await Serving.of();
    expect(await raw(serving.port, 'hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    const long = `GET /${'x'.repeat(10_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    expect(await raw(serving.port, long)).toMatch(/^HTTP\/1\.1 431 /);
    expect((await serving.ask('/livez')).status).toBe(200);
  });

  it('tells once that its port is in use, and serves as soon as it is free', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const serving = Serving.of(STATES.flowing(), { port });
    await wait(300);
    other.close();
    await using served = await serving;
    expect((await served.ask('/livez')).status).toBe(200);
    expect(served.events.map(([event]) => event)).toEqual(['http.failed', 'http.listening']);
    expect(served.events[0]?.[1].msg).toBe(
      `The status page can't be served at 127.0.0.1, port ${port}: another program uses that port. Mail is carried all the same, and it is tried again every 0 s. Stop that program, or set HTTP_PORT to another port.`,
    );
    expect(served.events[1]?.[1].msg).toBe(`The status page is at http://127.0.0.1:${port}/`);
  });

  it('tells what an address is that this machine does not have', async () => {
    const { serve } = await import('../../../src/report/http.ts');
    const { HandBoard } = await import('../../support/boards.ts');
    const told = Promise.withResolvers<string>();
    await using _ = serve(
      new HandBoard(STATES.flowing()),
      { port: 0, host: '192.0.2.1' },
      { emit: (_event, fields) => told.resolve(fields?.msg ?? '') },
    );
    expect(await told.promise).toContain('this machine has no such address. Mail is carried');
  });

  it('ends at once, whoever is connected, and lets go of the board', async () => {
    const serving = await Serving.of();
    const sockets: Socket[] = [];
    for (const path of ['/api/events', '/api/events', '/livez']) {
      const socket = createConnection(serving.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await once(socket, 'data');
      sockets.push(socket);
    }
    const closed = sockets.map((socket) => once(socket.resume(), 'close'));
    const began = performance.now();
    await serving[Symbol.asyncDispose]();
    await Promise.all(closed);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(serving.board.readers).toBe(0);
  });

  it('does not keep a process alive', async () => {
    const { execFile } = await import('node:child_process');
    const { promisify } = await import('node:util');
    const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const script = `
      const { serve } = await import(${at('../../../src/report/http.ts')});
      const { HandBoard, STATES } = await import(${at('../../support/boards.ts')});
      const served = serve(new HandBoard(STATES.flowing()), { port: 0, host: '127.0.0.1' }, { emit() {} });
      const keep = setTimeout(() => {}, 5000);
      await served.listening;
      clearTimeout(keep);
      console.log('listens');`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { timeout: 20_000 },
    );
    expect(stdout).toBe('listens\n');
  });
});

it('the hostile names are told as they are in JSON', async () => {
  await using serving = await Serving.of(STATES.hostile());
  const told = JSON.parse((await serving.ask('/api/status')).body);
  expect(told.routes[0].folders.map(({ folder }: { folder: string }) => folder)).toEqual(HOSTILE);
});
