/** A rate limit between real servers: old mail waits for it, new mail does not, and being killed changes nothing about it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';
import { Place, Program } from './program.ts';

const users = { anna: 'secret-of-anna', bert: 'secret-of-bert' };
let source: Dovecot;
let destination: Dovecot;

beforeAll(async () => {
  [source, destination] = await Promise.all([startDovecot({ users }), startDovecot({ users })]);
});
afterAll(() => Promise.all([source?.stop(), destination?.stop()]));

it('holds over a kill -9 in the middle, lets new mail go first, and has sweep say what is left', async () => {
  using place = new Place();
  const settings = place.settings(source, destination, { DEST_RATE_LIMIT: '20/hour' });
  await using old = await Mail.login(source.port, 'anna', users.anna);
  await using fresh = await Mail.login(destination.port, 'bert', users.bert);
  for (let i = 0; i < 30; i++) await old.put('INBOX', message());

  await using first = new Program(place, settings);
  await first.saw('delivery.paced');
  await first.saw('delivery.done', 18);
  expect(first.log.find(({ event }) => event === 'delivery.paced')).toMatchObject({
    level: 'info',
    side: 'destination',
    left: 12,
  });
  await first.kill('SIGKILL');
  expect(await fresh.count('INBOX')).toBe(18);

  await using second = new Program(place, settings);
  await second.saw('watcher.idling');
  await second.saw('delivery.paced');
  const late = message();
  await old.put('INBOX', late);
  await second.saw('delivery.done');
  expect(await fresh.count('INBOX')).toBe(19);
  const arrived = await fresh.dump('INBOX');
  expect(arrived.map(({ bytes }) => bytes.toString())).toContain(late.toString());
  expect(await second.kill('SIGTERM')).toEqual({ code: 0, signal: null });

  await using swept = new Program(place, settings, ['sweep']);
  expect((await swept.ended).code).toBe(1);
  expect(swept.plain.join('\n')).toContain(
    '12 messages stay at the source for now: DEST_RATE_LIMIT leaves no room for them before',
  );
  // Nothing is drawn where nobody looks.
  expect(swept.stderr).toBe('');
  expect([await old.count('INBOX'), await fresh.count('INBOX')]).toEqual([12, 19]);

  const { DEST_RATE_LIMIT: _, ...unlimited } = settings;
  await using rest = new Program(place, unlimited, ['sweep']);
  expect((await rest.ended).code).toBe(0);
  expect([await old.count('INBOX'), await fresh.count('INBOX')]).toEqual([0, 31]);
});
