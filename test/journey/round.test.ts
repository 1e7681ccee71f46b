/** Two routes that send mail back to each other, where each account has one name as a source and another as a destination. */
import { expect, it } from 'vitest';
import { startDovecot } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';
import { Place, Program } from './program.ts';

it('carry one message round once, and stop', async () => {
  await using one = await startDovecot();
  await using other = await startDovecot();
  using place = new Place();
  await using anna = await Mail.login(one.port, 'anna', one.users.anna ?? '');
  await anna.put('INBOX', message());
  const plain = { FOLDERS: 'INBOX', SWEEP_INTERVAL: '1s', SOURCE_TLS: 'none', DEST_TLS: 'none' };
  const account = (side: string, host: string, port: number, user: string, secret = '') => ({
    [`${side}_HOST`]: host,
    [`${side}_PORT`]: String(port),
    [`${side}_USER`]: user,
    [`${side}_PASSWORD`]: secret,
  });
  const { STATE_DIR, LOG_LEVEL, LOG_FORMAT } = place.settings(one, other);
  const settings = {
    ...({ STATE_DIR, LOG_LEVEL, LOG_FORMAT } as Record<string, string>),
    ...plain,
    ROUTES: 'there,back',
    ...account('THERE_SOURCE', 'localhost', one.port, 'anna', one.users.anna),
    ...account('THERE_DEST', 'localhost', other.port, 'bert', other.users.bert),
    ...account('BACK_SOURCE', '127.0.0.1', other.port, 'bert', other.users.bert),
    ...account('BACK_DEST', '127.0.0.1', one.port, 'anna', one.users.anna),
  };
  await using program = new Program(place, settings);
  await program.saw('route.blocked');
  await program.saw('sweep.finished', program.count('sweep.finished') + 4);
  expect(program.count('delivery.done')).toBe(2);
  expect(program.log.find(({ event }) => event === 'route.blocked')?.why).toMatch(
    /^The mail of INBOX would go round in a circle.*: INBOX → INBOX, .*: INBOX → INBOX/,
  );
  expect(await anna.count('INBOX')).toBe(1);
});
