/** A trial under keep with two names of one account, and then the mail is to go to another folder. */
import { expect, it } from 'vitest';
import { startDovecot } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';
import { Place, Program } from './program.ts';

it('loses nothing after a trial under keep with two names of one account', async () => {
  await using server = await startDovecot();
  using place = new Place();
  await using anna = await Mail.login(server.port, 'anna', server.users.anna ?? '');
  for (let i = 0; i < 3; i++) await anna.put('INBOX', message());
  const settings = (changes: Record<string, string>) => ({
    ...place.settings(server, server),
    SOURCE_HOST: 'localhost',
    SOURCE_PORT: String(server.port),
    SOURCE_TLS: 'none',
    DEST_HOST: '127.0.0.1',
    DEST_PORT: String(server.port),
    DEST_TLS: 'none',
    DEST_USER: 'anna',
    DEST_PASSWORD_FILE: place.file('again', `${server.users.anna}\n`),
    ...changes,
  });
  const sweep = async (changes: Record<string, string>) => {
    await using program = new Program(place, settings(changes), ['sweep']);
    const ended = await program.ended;
    return { ended, told: program.log.map(({ event, msg, why }) => `${event}: ${why ?? msg}`) };
  };
  const first = await sweep({ FOLDERS: 'INBOX', AFTER_DELIVERY: 'keep' });
  expect(first.ended.code, first.told.join('\n')).toBe(0);
  expect(await anna.count('INBOX')).toBe(3);
  await anna.put('INBOX', message());
  const second = await sweep({ FOLDERS: 'INBOX=Archive' });
  const third = await sweep({ FOLDERS: 'INBOX=Archive' });
  const left = (await anna.count('INBOX')) + (await anna.count('Archive'));
  expect(left, [...second.told, ...third.told].join('\n')).toBeGreaterThanOrEqual(4);
});
