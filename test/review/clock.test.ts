/** A laptop that slept, and a small computer whose clock is set after the start. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { run } from '../../src/commands/run.ts';
import { loadConfig } from '../../src/config/config.ts';
import { type EventFields, type EventName, eventStream } from '../../src/domain/events.ts';
import { Place } from '../journey/program.ts';
import { startDovecot } from '../support/dovecot.ts';
import { Mail } from '../support/mail.ts';

afterEach(() => vi.restoreAllMocks());

it('after eight hours of sleep nothing is told in the INBOX before it had time to look', async () => {
  await using source = await startDovecot();
  await using destination = await startDovecot();
  using place = new Place();
  const told: [EventName, EventFields][] = [];
  const stream = eventStream();
  stream.subscribe((...each) => told.push(each));
  const settings = place.settings(source, destination, { ALERT_AFTER: '1h' });
  const config = loadConfig({ PATH: process.env.PATH, ...settings }, { envFiles: ['/dev/null'] });
  const stop = new AbortController();
  const life = run(config, { signal: stop.signal, stream, look: 100 });
  try {
    const deadline = Date.now() + 20_000;
    while (!told.some(([name]) => name === 'route.ready') && Date.now() < deadline) await wait(20);
    await wait(1500);
    expect(told.filter(([name]) => name === 'health.degraded')).toEqual([]);
    const real = Date.now.bind(Date);
    vi.spyOn(Date, 'now').mockImplementation(() => real() + 8 * 3_600_000);
    await wait(3000);
    await using fresh = await Mail.login(destination.port, 'bert', destination.users.bert ?? '');
    const letters = (await fresh.dump('INBOX')).map(({ bytes }) => bytes.toString());
    expect(told.filter(([name]) => name === 'alert.sent')).toEqual([]);
    expect(letters).toEqual([]);
    expect(told.filter(([name]) => name === 'health.degraded')).toEqual([]);
  } finally {
    stop.abort(new Error('the test stops it'));
    await life;
  }
});
