/** "The old mailbox can go", said while mail is still in it. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Place, Program, type Settings } from '../journey/program.ts';
import { openPage, startChromium } from '../support/browser.ts';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { Mail } from '../support/mail.ts';
import { Serving } from '../support/serving.ts';
import { STATES } from '../support/boards.ts';

const DAY = 86_400_000;
let source: Dovecot;
let destination: Dovecot;
beforeAll(async () => {
  [source, destination] = await Promise.all([startDovecot(), startDovecot()]);
});
afterAll(() => Promise.all([source?.stop(), destination?.stop()]));

async function free(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

async function said(place: Place, settings: Settings): Promise<string> {
  await using program = new Program(place, settings, ['senders']);
  await program.ended;
  return program.plain.join(' ').replaceAll(/ +/g, ' ');
}

it('senders does not say that the mailbox can go while mail of this week waits in it', async () => {
  using place = new Place();
  const settings = place.settings(source, destination);
  await using old = await Mail.login(source.port, 'anna', source.users.anna ?? '');
  {
    // A first life, long ago.
    await using program = new Program(place, settings);
    await program.saw('route.ready');
    await program.kill('SIGTERM');
  }
  {
    using db = new DatabaseSync(join(place.stateDir, 'journal.sqlite'), { timeout: 5000 });
    db.exec(`UPDATE route SET since = since - ${200 * DAY}, opened_at = opened_at - ${100 * DAY}`);
    db.exec(`UPDATE heartbeat SET at = at - ${100 * DAY}, begun_at = begun_at - ${100 * DAY}`);
  }
  for (const from of ['ann@family.example', 'taxes@authority.example'])
    await old.put('INBOX', Buffer.from(`From: ${from}\r\nSubject: x\r\n\r\nHello\r\n`), {
      internalDate: new Date(Date.now() - 3 * DAY),
    });
  // It is started again, and the new mailbox can not be reached just now.
  const away = { ...settings, DEST_PORT: String(await free()) };
  await using program = new Program(place, away);
  await program.saw('account.reconnecting', 2);
  await wait(300);
  expect(await said(place, settings)).not.toContain('it can go');
});

it('senders does not say so while the mail that is there can not be appended', async () => {
  using place = new Place();
  // Whatever is appended ends the connection: nothing is refused, nothing is set aside.
  const wire = await cutting(destination.port);
  const settings = place.settings(source, destination, {
    DEST_HOST: '127.0.0.1',
    DEST_PORT: String(wire.port),
    DEST_TLS: 'none',
  });
  await using _ = wire;
  await using old = await Mail.login(source.port, 'anna', source.users.anna ?? '');
  if ((await old.count('INBOX')) === 0)
    await old.put('INBOX', Buffer.from('From: ann@family.example\r\n\r\nHello\r\n'));
  await using program = new Program(place, settings);
  await program.saw('delivery.retried', 2);
  {
    using db = new DatabaseSync(join(place.stateDir, 'journal.sqlite'), { timeout: 5000 });
    db.exec(`UPDATE route SET since = since - ${200 * DAY}`);
  }
  await wait(500);
  const told = await said(place, settings);
  await using health = new Program(place, settings, ['health']);
  const { code } = await health.ended;
  expect(code).toBe(0);
  expect(told).not.toContain('it can go');
});

it('senders does not say so of folders that FOLDERS leaves out', async () => {
  using place = new Place();
  const settings = place.settings(source, destination, {
    FOLDERS: 'Club',
    AFTER_DELIVERY: 'keep',
  });
  await using old = await Mail.login(source.port, 'anna', source.users.anna ?? '');
  await old.create('Club');
  await old.put('INBOX', Buffer.from('From: ann@family.example\r\n\r\nHello\r\n'));
  await using program = new Program(place, settings);
  await program.saw('route.ready');
  await wait(500);
  {
    using db = new DatabaseSync(join(place.stateDir, 'journal.sqlite'), { timeout: 5000 });
    db.exec(`UPDATE route SET since = since - ${200 * DAY}`);
  }
  expect(await said(place, settings)).not.toContain('it can go');
});

/** A wire to a server that ends the connection when an APPEND comes. */
async function cutting(port: number) {
  const { connect } = await import('node:net');
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    upstream.pipe(client);
    client.on('data', (bytes) => {
      if (/ APPEND /i.test(bytes.toString('latin1'))) {
        client.destroy();
        upstream.destroy();
      } else upstream.write(bytes);
    });
    client.on('close', () => upstream.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: own } = server.address() as { port: number };
  return {
    port: own,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

it('the page does not say so while mail does not flow, waits, or is stuck', async () => {
  const browser = await startChromium();
  const state = STATES.flowing();
  const [route] = state.status.routes;
  if (!route) throw new Error('no route');
  await using serving = await Serving.of({
    ...state,
    status: {
      ...state.status,
      healthy: false,
      troubles: [
        {
          cause: 'account-refused',
          side: 'source',
          route: route.route,
          since: Date.now() - 30 * DAY,
          says: 'The source server refuses the login.',
          help: 'Check SOURCE_PASSWORD.',
          unhealthy: true,
        },
      ],
    },
    senders: { since: Date.now() - 100 * DAY, days: 90, domains: [] },
  });
  try {
    await using watched = await openPage(browser, serving.url);
    await watched.page.locator('#live[data-is=live]').waitFor();
    expect(await watched.page.locator('#verdict').innerText()).toContain('Mail is not flowing');
    expect(await watched.page.locator('#senders').innerText()).not.toContain('can go');
  } finally {
    await browser.close();
  }
});
