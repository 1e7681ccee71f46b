/** The program with a page that many look at, some of them slowly: it stops in time all the same. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Place, Program } from '../journey/program.ts';
import { startDovecot } from '../support/dovecot.ts';
import { Mail } from '../support/mail.ts';

async function free(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

it('delivers and stops while slow readers hold every connection', async () => {
  await using source = await startDovecot();
  await using destination = await startDovecot();
  using place = new Place();
  const port = await free();
  const settings = place.settings(source, destination, { HTTP_PORT: String(port) });
  await using program = new Program(place, settings);
  await program.saw('route.ready');
  const sockets: Socket[] = [];
  for (let i = 0; i < 200; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      i % 2 ? 'GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n' : 'GET / HTTP/1.1\r\nX:',
    );
    socket.pause();
    sockets.push(socket);
  }
  await wait(300);
  await using old = await Mail.login(source.port, 'anna', source.users.anna ?? '');
  const began = Date.now();
  await old.put('INBOX', Buffer.from('From: a@b.example\r\n\r\nHello\r\n'));
  await program.saw('delivery.done');
  const took = Date.now() - began;
  const before = Date.now();
  const { code } = await program.kill('SIGTERM');
  const stop = Date.now() - before;
  for (const socket of sockets) socket.destroy();
  console.log({ took, stop });
  expect(code).toBe(0);
  expect(stop).toBeLessThan(3000);
});
