/** What measures is measured: the wire of the benches is as long as it says, as wide as the machine, and reads what it carries. */
import { createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lines } from '../../bench/wire/lines.ts';
import { noNotes, Trace } from '../../bench/wire/trace.ts';
import { type Strand, Wires } from '../../bench/wire/wires.ts';

describe('lines', () => {
  const spoken =
    'a1 APPEND INBOX () {12+}\r\nMessage-ID:\r (\\Seen) ~{3}\r\na\r\n\r\na2 NOOP\r\na3 SELECT {0}\r\n\r\n';
  const heard = [
    ['a1 APPEND INBOX () {12+}', false],
    ['Message-ID:\r'],
    [' (\\Seen) ~{3}', true],
    ['a\r\n'],
    ['', true],
    ['a2 NOOP', false],
    ['a3 SELECT {0}', false],
    ['', true],
  ];

  it.each([1, 2, 3, 5, 7, 1000])('are the same in pieces of %i bytes', (size) => {
    const came: unknown[] = [];
    const lines = new Lines({
      line: (text, goesOn) => came.push([text, goesOn]),
      literal: (beginning) => came.push([beginning]),
    });
    const bytes = Buffer.from(spoken);
    for (let at = 0; at < bytes.length; at += size) lines.feed(bytes.subarray(at, at + size));
    expect(came).toEqual(heard);
  });
});

it('notes which messages an APPEND carries, and when it was answered', () => {
  const wire = { notes: noNotes() };
  const trace = new Trace(wire);
  const letter = (id: string) => `Message-ID: <${id}>\r\n\r\n`;
  trace.up(
    Buffer.from(
      `x1 APPEND INBOX () {${letter('1@a').length}+}\r\n${letter('1@a')} () {${letter('2@a').length}+}\r\n${letter('2@a')}\r\n`,
    ),
  );
  expect(trace.down(Buffer.from('* 2 EXISTS\r\n'))).toEqual([]);
  const [command] = trace.down(Buffer.from('x1 OK done\r\n'));
  expect(command).toMatchObject({ name: 'APPEND', ids: ['1@a', '2@a'], ok: true, connection: 1 });
  expect(wire.notes.exists).toMatchObject([{ count: 2 }]);
});

describe('a wire of 40 ms', () => {
  const MB = 1024 * 1024;
  const server = createServer((socket: Socket) => socket.pipe(socket));
  let wires: Wires;
  let wire: Strand;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    wires = new Wires();
    wire = await wires.open(typeof address === 'object' ? (address?.port ?? 0) : 0, 40);
  });

  afterAll(async () => {
    await wires[Symbol.asyncDispose]();
    server.close();
  });

  /** Milliseconds until so many bytes have come back. */
  async function echo(bytes: number): Promise<number> {
    const socket = connectTls({ port: wire.port, host: 'localhost', ca: wire.ca });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const began = performance.now();
    socket.write(Buffer.alloc(bytes, 'x'));
    let back = 0;
    for await (const chunk of socket) {
      back += (chunk as Buffer).length;
      if (back === bytes) break;
    }
    return performance.now() - began;
  }

  it('takes 40 ms for a byte there and back', async () => {
    const took = await Promise.all(Array.from({ length: 5 }, () => echo(1)));
    expect(Math.min(...took)).toBeGreaterThan(38);
  });

  it('takes the delay once for a literal of many megabytes, not once for each of its pieces', async () => {
    expect(await echo(16 * MB)).toBeLessThan(40 * 50);
  });

  it('lets the last bytes through before it ends', async () => {
    const last = createServer((socket) => socket.end('* BYE\r\n'));
    await new Promise<void>((resolve) => last.listen(0, '127.0.0.1', resolve));
    const address = last.address();
    const short = await wires.open(typeof address === 'object' ? (address?.port ?? 0) : 0, 40);
    const socket = connectTls({ port: short.port, host: 'localhost', ca: short.ca });
    let said = '';
    for await (const chunk of socket) said += String(chunk);
    expect(said).toBe('* BYE\r\n');
    last.close();
  });
});
