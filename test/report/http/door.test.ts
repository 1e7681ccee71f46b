/** Who may read the status page: by password, or by the name that is asked for. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { STATES } from '../../support/boards.ts';
import { basic, Serving } from '../../support/serving.ts';

const PATHS = ['/', '/page.js', '/readyz', '/healthz', '/metrics', '/api/status', '/api/events'];
const locked = (password = 'sésame:1') =>
  Serving.of(STATES.flowing(), { password: () => password });

describe('with a password', () => {
  it.each([...PATHS, '/nowhere'])('%s asks for it', async (path) => {
    await using serving = await locked();
    const { status, headers, body } = await serving.ask(path);
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe('Basic realm="imapferry", charset="UTF-8"');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(body).not.toContain('INBOX');
  });

  it('/livez does not: restarts hang on it', async () => {
    await using serving = await locked();
    expect((await serving.ask('/livez')).status).toBe(200);
  });

  it.each(['', 'anyone', 'me@example.org'])('any user name will do: %j', async (user) => {
    await using serving = await locked();
    expect((await serving.ask('/', { headers: basic('sésame:1', user) })).status).toBe(200);
  });

  it.each([
    basic('wrong'),
    basic(''),
    basic('sésame:1 '),
    basic('sésame'),
    { Authorization: 'Basic !!!' },
    { Authorization: `Basic ${Buffer.from('no colon').toString('base64')}` },
    { Authorization: 'Bearer sésame'.normalize('NFD').replace(/[^ -~]/g, '') },
    { Authorization: '' },
  ])('%j does not open', async (headers) => {
    await using serving = await locked();
    expect((await serving.ask('/healthz', { headers })).status).toBe(401);
  });

  it('a password that has changed counts from the next request on', async () => {
    let password = 'old';
    await using serving = await Serving.of(STATES.flowing(), { password: () => password });
    expect((await serving.ask('/', { headers: basic('old') })).status).toBe(200);
    password = 'new';
    expect((await serving.ask('/', { headers: basic('old') })).status).toBe(401);
    expect((await serving.ask('/', { headers: basic('new') })).status).toBe(200);
  });

  it('one that can not be read lets nobody in, and is told once', async () => {
    let readable = false;
    const password = () => {
      if (!readable) throw new Error('HTTP_PASSWORD_FILE names a file that does not exist');
      return 'secret';
    };
    await using serving = await Serving.of(STATES.flowing(), { password });
    for (let i = 0; i < 3; i++)
      expect((await serving.ask('/', { headers: basic('secret') })).status).toBe(503);
    expect(serving.events.filter(([event]) => event === 'http.failed')).toMatchObject([
      [
        'http.failed',
        {
          msg: 'The status page lets nobody in, because HTTP_PASSWORD_FILE names a file that does not exist. Mail is carried all the same; the file is read again at the next request.',
        },
      ],
    ]);
    readable = true;
    expect((await serving.ask('/', { headers: basic('secret') })).status).toBe(200);
  });

  it('guessing is slowed down, and slows nobody else down', async () => {
    await using serving = await locked('right');
    const began = performance.now();
    const took: number[] = [];
    for (let i = 0; i < 4; i++) {
      const from = performance.now();
      await serving.ask('/', { headers: basic(`wrong ${i}`), from: '127.0.0.2' });
      took.push(performance.now() - from);
    }
    // 20, 40, 80, 160 ms.
    expect(performance.now() - began).toBeGreaterThan(290);
    expect(took[3]).toBeGreaterThan(150);
    const many = Array.from({ length: 20 }, (_, i) =>
      serving.ask('/', { headers: basic(`guess ${i}`), from: '127.0.0.2' }),
    );
    const elsewhere = await serving.ask('/', { headers: basic('right'), from: '127.0.0.3' });
    expect(elsewhere.status).toBe(200);
    const statuses = (await Promise.all(many)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(10);
    expect(statuses.filter((status) => status === 401).length).toBeGreaterThan(0);
    expect((await serving.ask('/', { headers: basic('right'), from: '127.0.0.2' })).status).toBe(
      200,
    );
  });

  it('who knows it gets in while somebody behind the same address guesses', async () => {
    await using serving = await locked('right');
    // The first guesses make the next ones wait.
    for (let i = 0; i < 4; i++) await serving.ask('/', { headers: basic('wrong') });
    let over = false;
    const guesses = Array.from({ length: 8 }, () =>
      serving.ask('/', { headers: basic('wrong') }).then(({ status }) => {
        over ||= status === 401;
        return status;
      }),
    );
    await wait(50);
    expect((await serving.ask('/healthz', { headers: basic('right') })).status).toBe(200);
    expect(over).toBe(false);
    expect(await Promise.all(guesses)).toContain(429);
    // Nor does that make the next guess a first one.
    const began = performance.now();
    await serving.ask('/', { headers: basic('wrong') });
    expect(performance.now() - began).toBeGreaterThan(150);
  });
});

describe('without a password, on loopback', () => {
  it.each(['localhost', 'localhost:8080', '127.0.0.1:1', '[::1]:80', 'ferry.localhost'])(
    'it answers to %s',
    async (host) => {
      await using serving = await Serving.of();
      expect((await serving.ask('/api/status', { headers: { Host: host } })).status).toBe(200);
    },
  );

  it.each(['rebound.example', 'localhost.example.org', '192.0.2.1:8080', '127.0.0.1.example.org'])(
    'it does not answer to %s: a website may have its name lead here',
    async (host) => {
      await using serving = await Serving.of();
      for (const path of PATHS) {
        const { status, body } = await serving.ask(path, { headers: { Host: host } });
        expect(status).toBe(403);
        expect(body).toContain('set HTTP_PASSWORD_FILE');
      }
      expect((await serving.ask('/livez', { headers: { Host: host } })).status).toBe(200);
    },
  );

  it('with one, the name does not matter: nobody knows it but who typed it', async () => {
    await using serving = await locked('secret');
    const headers = { Host: 'ferry.example.org', ...basic('secret') };
    expect((await serving.ask('/', { headers })).status).toBe(200);
  });
});
