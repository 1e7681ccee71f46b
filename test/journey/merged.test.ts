/** Folders at the source that must not end in one folder at the destination, since nobody asked for it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';
import { Place, Program } from './program.ts';

const users = { anna: 'secret-of-anna', bert: 'secret-of-bert', carl: 'secret-of-carl' };
const SENT =
  'namespace inbox {\n  mailbox Sent {\n    special_use = \\Sent\n    auto = subscribe\n  }\n}';
let source: Dovecot;
let plain: Dovecot;
let said: Dovecot;

beforeAll(async () => {
  [source, plain, said] = await Promise.all([
    startDovecot({ users }),
    startDovecot({ users }),
    startDovecot({ users, extra: SENT }),
  ]);
});
afterAll(() => Promise.all([source?.stop(), plain?.stop(), said?.stop()]));

/** Which source folders the mail in each destination folder is from. */
async function origins(mail: Mail): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const folder of await mail.folders()) {
    const bodies = (await mail.dump(folder)).map(({ bytes }) =>
      bytes.toString().trim().split('\r\n').at(-1),
    );
    found[folder] = [...new Set(bodies)].map(String);
  }
  return found;
}

it('two for spam and two for sent mail, to a new account that has none', {
  timeout: 60_000,
}, async () => {
  using place = new Place();
  await using old = await Mail.login(source.port, 'anna', users.anna);
  await using fresh = await Mail.login(plain.port, 'bert', users.bert);
  const folders = ['Junk', 'Spam', 'Sent', 'Gesendete Objekte'];
  for (const folder of folders) {
    await old.create(folder);
    await old.put(folder, message({ body: folder }));
  }
  const settings = place.settings(source, plain, { SWEEP_INTERVAL: '1s' });
  await using program = new Program(place, settings);
  await program.saw('delivery.done', 2);
  await program.saw('sweep.finished', 3);
  for (const folder of folders) await old.put(folder, message({ body: folder }));
  await program.saw('delivery.done', 4);
  await program.saw('sweep.finished', 5);
  expect(await origins(fresh)).toEqual({
    INBOX: [],
    Sent: ['Sent'],
    'Gesendete Objekte': ['Gesendete Objekte'],
  });
  for (const folder of ['Junk', 'Spam']) expect(await old.count(folder)).toBe(2);
  expect(program.count('route.blocked')).toBe(0);
});

it('a second one for sent mail, which another program makes', { timeout: 60_000 }, async () => {
  using place = new Place();
  await using old = await Mail.login(source.port, 'carl', users.carl);
  await using fresh = await Mail.login(said.port, 'carl', users.carl);
  await old.create('Gesendete Objekte');
  await old.put('Gesendete Objekte', message({ body: 'Gesendete Objekte' }));
  const password = place.file('carl', users.carl);
  const settings = place.settings(source, said, {
    SOURCE_USER: 'carl',
    DEST_USER: 'carl',
    SOURCE_PASSWORD_FILE: password,
    DEST_PASSWORD_FILE: password,
    SWEEP_INTERVAL: '1s',
  });
  await using program = new Program(place, settings);
  await program.saw('delivery.done');
  await old.create('Sent');
  await old.put('Sent', message({ body: 'Sent' }));
  await program.saw('route.blocked');
  await program.saw('sweep.finished', 5);
  expect((await origins(fresh)).Sent).toEqual(['Gesendete Objekte']);
  expect(await old.count('Sent')).toBe(1);
});
