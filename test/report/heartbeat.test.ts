import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventStream } from '../../src/domain/events.ts';
import { systemClock } from '../../src/forward/clock.ts';
import { heartbeat } from '../../src/report/heartbeat.ts';
import { subscribeLog } from '../../src/report/log.ts';
import { HandClock } from '../support/hand-clock.ts';
import { freePorts, listening } from '../support/ports.ts';

const TOKEN = 'a-token-that-is-secret';

type Answer = (asked: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback, and what it was asked for. */
async function serverOf(answer: Answer = (_, response) => response.end('OK')) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  const port = await listening(server);
  return {
    asked,
    port,
    url: new URL(`http://127.0.0.1:${port}/ping/${TOKEN}?status=up`),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function heart(
  url: URL,
  options: { clock?: HandClock; every?: number; limit?: number } = {},
) {
  const stream = eventStream();
  const told: string[] = [];
  const lines: string[] = [];
  const said = (line: string) => lines.push(line);
  await subscribeLog(stream, { level: 'trace', format: 'json', destination: { write: said } });
  stream.subscribe((event, { why }) => told.push(why === undefined ? event : `${event}: ${why}`));
  const look = heartbeat({ url, clock: systemClock, every: 0, ...options, emit: stream.emit });
  const beat = async (healthy = true) => {
    look({ healthy });
    await wait(60);
  };
  return { look, beat, told, lines };
}

describe('the heartbeat', () => {
  it('is a GET of the URL as it is', async () => {
    await using server = await serverOf();
    const { beat, told } = await heart(server.url);
    await beat();
    expect(server.asked).toEqual([`GET /ping/${TOKEN}?status=up`]);
    expect(told).toEqual([]);
  });

  it('comes once a minute while mail flows, and stops while it does not', async () => {
    await using server = await serverOf();
    const clock = new HandClock();
    const { beat } = await heart(server.url, { clock, every: 60_000 });
    const passes = async (seconds: number, healthy: boolean) => {
      for (let i = 0; i < seconds / 10; i++) {
        await beat(healthy);
        clock.advance(10_000);
      }
      return server.asked.length;
    };
    expect(await passes(300, true)).toBe(5);
    expect(await passes(300, false)).toBe(5);
    expect(await passes(60, true)).toBe(6);
  });

  it('that fails is told once, and once that it works again', async () => {
    let status = 200;
    await using server = await serverOf((_, response) => response.writeHead(status).end());
    const { beat, told } = await heart(server.url);
    for (status of [200, 404, 503, 500, 204, 200]) await beat();
    expect(told).toEqual(['heartbeat.failed: the server answered 404', 'heartbeat.resumed']);
  });

  it('does not wait for ever, nor ask twice at a time', async () => {
    await using server = await serverOf(() => undefined);
    const { look, told } = await heart(server.url, { limit: 100 });
    for (let i = 0; i < 5; i++) look({ healthy: true });
    await wait(300);
    expect(server.asked).toHaveLength(1);
    expect(told).toEqual(['heartbeat.failed: the server did not answer within 0.1 s']);
  });

  it('follows the same host', async () => {
    await using server = await serverOf(({ url }, response) => {
      if (url === '/there') response.end('OK');
      else response.writeHead(302, { location: '/there' }).end();
    });
    const { beat, told } = await heart(server.url);
    await beat();
    expect(server.asked.at(-1)).toBe('GET /there');
    expect(told).toEqual([]);
  });

  it('follows nobody to another host, nor in a circle', async () => {
    await using server = await serverOf(({ url = '' }, response) => {
      const { port } = server;
      const location = url.includes('round')
        ? '/round'
        : `http://localhost:${port}/stolen/${TOKEN}`;
      response.writeHead(307, { location }).end();
    });
    const elsewhere = await heart(server.url);
    await elsewhere.beat();
    expect(server.asked).toHaveLength(1);
    expect(elsewhere.told[0]).toContain('sends imapferry on to another one');
    const round = await heart(new URL('/round', server.url));
    await round.beat();
    expect(server.asked).toHaveLength(5);
    expect(round.told).toEqual(['heartbeat.failed: the server sends imapferry in a circle']);
  });

  it('logs in where the URL holds a login', async () => {
    let header: string | undefined;
    await using server = await serverOf(({ headers }, response) => {
      header = headers.authorization;
      response.end();
    });
    const url = new URL(server.url);
    url.username = 'mum';
    url.password = 'pä:ss';
    const { beat, told } = await heart(url);
    await beat();
    expect(header).toBe(`Basic ${Buffer.from('mum:pä:ss').toString('base64')}`);
    expect(told).toEqual([]);
  });

  it.each<[string, string]>([
    ['http://127.0.0.1:PORT', 'ECONNREFUSED'],
    ['http://nowhere.invalid', 'the server can not be reached'],
    ['https://mum:pass-of-mum@127.0.0.1:PORT', 'ECONNREFUSED'],
  ])('shows nothing of the URL where %s fails', async (origin, why) => {
    const [port] = await freePorts(1);
    const { look, told, lines } = await heart(
      new URL(`${origin.replace('PORT', `${port}`)}/${TOKEN}`),
    );
    look({ healthy: true });
    for (let i = 0; i < 200 && told.length === 0; i++) await wait(20);
    expect(told[0]).toContain(why);
    expect(lines).toHaveLength(1);
    expect(lines.join()).not.toMatch(/secret|nowhere|pass-of-mum|127\.0\.0/);
  });
});
