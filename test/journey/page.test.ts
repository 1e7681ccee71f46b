/** The program itself with its status page: what it shows of real mail, and that mail does not mind it. */
import { once } from 'node:events';
import { createConnection, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';
import { freePorts } from '../support/ports.ts';
import { Place, Program } from './program.ts';

let source: Dovecot;
let destination: Dovecot;
beforeAll(async () => {
  [source, destination] = await Promise.all([startDovecot(), startDovecot()]);
});
afterAll(() => Promise.all([source, destination].map((server) => server?.stop())));

/** A port that is in use until its server is closed. */
async function taken(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as { port: number }).port };
}

it('shows a message that was carried, and ends as soon as it is told to, whoever looks', async () => {
  using place = new Place();
  const [port] = await freePorts(1);
  await using program = new Program(
    place,
    place.settings(source, destination, {
      HTTP_PORT: String(port),
      HTTP_PASSWORD_FILE: place.file('http_password', 'open sesame\n'),
    }),
  );
  await program.saw('http.listening');
  const headers = {
    Authorization: `Basic ${Buffer.from('me:open sesame').toString('base64')}`,
  };
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`, { headers });
  expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(401);
  expect((await ask('/')).status).toBe(200);
  await vi.waitFor(async () => expect((await ask('/readyz')).status).toBe(200), 20_000);

  await using old = await Mail.login(source.port, 'anna', source.users.anna ?? '');
  await old.put('INBOX', message());
  await program.saw('delivery.done');
  await vi.waitFor(async () => {
    const told = (await (await ask('/api/status')).json()) as {
      version: string;
      healthy: boolean;
      routes: { carriedAt?: number }[];
      histories: { today: { messages: number } }[];
    };
    expect(told).toMatchObject({ healthy: true, verdict: { says: 'Mail is flowing.' } });
    expect(told.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(told.routes[0]?.carriedAt).toBeGreaterThan(Date.now() - 60_000);
    expect(told.histories[0]?.today.messages).toBe(1);
  }, 20_000);
  expect(await (await ask('/healthz')).text()).toMatch(/^Mail is flowing\.\ndefault: source conn/);
  expect(await (await ask('/metrics')).text()).toContain(
    'imapferry_delivered_messages_total{route="default",folder="INBOX"} 1\n',
  );

  const reader = createConnection(port, '127.0.0.1');
  reader.on('error', () => undefined);
  reader.write(
    `GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${headers.Authorization}\r\n\r\n`,
  );
  await once(reader, 'data');
  const began = performance.now();
  expect((await program.kill('SIGTERM')).code).toBe(0);
  expect(performance.now() - began).toBeLessThan(8_000);
  expect(program.log.at(-1)?.event).toBe('imapferry.stopped');
});

it('carries mail where its port is in use, and says so once', async () => {
  using place = new Place();
  const { server, port } = await taken();
  await using program = new Program(
    place,
    place.settings(source, destination, { HTTP_PORT: String(port) }),
  );
  await program.saw('http.failed');
  await using old = await Mail.login(source.port, 'anna', source.users.anna ?? '');
  await old.put('INBOX', message());
  await program.saw('delivery.done');
  const told = program.log.filter(({ event }) => event === 'http.failed');
  expect(told).toMatchObject([{ level: 'error' }]);
  expect(told[0]?.msg).toContain('another program uses that port. Mail is carried all the same');
  expect((await program.kill('SIGTERM')).code).toBe(0);
  server.close();
});

it('points out a page that is open to others without a password', async () => {
  using place = new Place();
  const [port] = await freePorts(1);
  await using program = new Program(
    place,
    place.settings(source, destination, { HTTP_PORT: String(port), HTTP_HOST: '0.0.0.0' }),
  );
  await program.saw('http.listening');
  const [doubt] = program.log.filter(({ event }) => event === 'config.doubtful');
  expect(doubt?.msg).toContain('HTTP_HOST is not this machine alone');
});
