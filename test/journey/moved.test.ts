/** AFTER_DELIVERY=move:FOLDER never leads back into a source folder, whatever names and routes there are. */
import { expect, it } from 'vitest';
import { startDovecot } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';
import { Place, Program } from './program.ts';

/** What hosts set up that came from Courier: the old names, hidden, lead to the same folders. */
const OLD_NAMES = `
namespace compat {
  prefix = INBOX.
  separator = .
  alias_for =
  hidden = yes
  list = no
}
`;

async function counts(mail: Mail): Promise<Record<string, number>> {
  const all: Record<string, number> = {};
  for (const folder of await mail.folders()) all[folder] = await mail.count(folder);
  return all;
}

it('a folder named by its hidden old name stops the route, and check says why', async () => {
  await using source = await startDovecot({ separator: '.', extra: OLD_NAMES });
  await using destination = await startDovecot();
  using place = new Place();
  await using old = await Mail.login(source.port, 'anna', source.users.anna ?? '');
  await using fresh = await Mail.login(destination.port, 'bert', destination.users.bert ?? '');
  await old.create('Carried');
  await old.put('INBOX', message());
  const settings = place.settings(source, destination, {
    AFTER_DELIVERY: 'move:INBOX.Carried',
    SWEEP_INTERVAL: '1s',
  });
  const why = /move:INBOX\.Carried names a folder that the source has and does not list/;
  await using looked = new Program(place, settings, ['check']);
  expect((await looked.ended).code).toBe(1);
  expect(looked.plain.join(' ').replaceAll(/\s+/g, ' ')).toMatch(why);
  await using program = new Program(place, settings);
  await program.saw('route.blocked');
  await program.saw('sweep.finished', program.count('sweep.finished') + 3);
  expect(program.log.find(({ event }) => event === 'route.blocked')?.why).toMatch(why);
  expect(await counts(old)).toEqual({ INBOX: 1, Carried: 0 });
  expect(Object.values(await counts(fresh))).toEqual([1]);
  expect(program.count('delivery.done')).toBe(0);
});

it('a folder to which another route of the account moves is no source', async () => {
  await using source = await startDovecot();
  await using destination = await startDovecot();
  using place = new Place();
  await using old = await Mail.login(source.port, 'anna', source.users.anna ?? '');
  await using fresh = await Mail.login(destination.port, 'bert', destination.users.bert ?? '');
  await old.create('Carried');
  const settings = place.settings(source, destination, {
    ROUTES: 'mail,rest',
    MAIL_FOLDERS: 'INBOX',
    MAIL_AFTER_DELIVERY: 'move:Carried',
    REST_FOLDERS: '*, !INBOX',
    SWEEP_INTERVAL: '1s',
  });
  await using program = new Program(place, settings);
  await program.saw('route.ready', 2);
  await old.put('INBOX', message());
  await program.saw('delivery.done', 1);
  await program.saw('sweep.finished', program.count('sweep.finished') + 6);
  expect(await counts(old)).toEqual({ INBOX: 0, Carried: 1 });
  expect(await counts(fresh)).toEqual({ INBOX: 1 });
});
