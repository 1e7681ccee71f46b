import { expect, it } from 'vitest';
import { Place, Program } from '../journey/program.ts';
import { startDovecot } from './dovecot.ts';
import { type Deed, ImapWire, type Moment } from './imap-wire.ts';
import { Mail } from './mail.ts';

async function swept(capability: string, at: (moment: Moment) => Deed) {
  await using source = await startDovecot();
  await using destination = await startDovecot({ capability });
  await using old = await Mail.login(source.port, 'anna', 'secret-of-anna');
  const letters = ['one', 'two'].map((body) =>
    Buffer.from(`Subject: ${body}\r\nMessage-ID: <${body}@example.org>\r\n\r\na1 OK ${body}\r\n`),
  );
  for (const letter of letters) await old.put('INBOX', letter);
  await using up = await ImapWire.between({ to: source.port });
  await using down = await ImapWire.between({ to: destination.port, at });
  using place = new Place();
  await using program = new Program(
    place,
    place.settings(source, destination, {
      SOURCE_HOST: '127.0.0.1',
      SOURCE_PORT: String(up.port),
      SOURCE_TLS: 'none',
      DEST_HOST: '127.0.0.1',
      DEST_PORT: String(down.port),
      DEST_TLS: 'none',
      FOLDERS: 'INBOX',
    }),
    ['sweep'],
  );
  const { code } = await program.ended;
  await using fresh = await Mail.login(destination.port, 'bert', 'secret-of-bert');
  const arrived = (await fresh.dump('INBOX')).map(({ bytes }) => bytes.toString());
  const names = (wire: ImapWire) => wire.commands.map(({ name }) => name);
  return { code, sent: letters.map(String), arrived, source: names(up), destination: names(down) };
}

const ALL = 'IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND IDLE';

it.each([ALL, 'IMAP4rev1'])('lets all through, and sees every command (%s)', async (capability) => {
  const moments: string[] = [];
  const seen = await swept(capability, ({ when, command }) => {
    moments.push(`${when} ${command.name}`);
    return undefined;
  });
  expect(seen.code).toBe(0);
  expect(seen.arrived).toEqual(seen.sent);
  expect(seen.source).toContain('UID EXPUNGE');
  const appends = capability === ALL ? 1 : 2;
  expect(seen.destination.filter((name) => name === 'APPEND')).toHaveLength(appends);
  for (const when of ['before', 'after'])
    expect(moments.filter((moment) => moment === `${when} APPEND`)).toHaveLength(appends);
  expect(moments.filter((moment) => moment === 'up APPEND')).toHaveLength(2);
  expect(moments.filter((moment) => moment === 'down UID FETCH').length).toBeGreaterThan(1);
});

it.each([ALL, 'IMAP4rev1'])('answers in the place of the server (%s)', async (capability) => {
  const seen = await swept(capability, ({ when, command }) =>
    when === 'before' && command.name === 'APPEND' ? { say: 'TAG NO [OVERQUOTA] full' } : undefined,
  );
  expect(seen.destination).toContain('APPEND');
  expect(seen.code).toBe(1);
  expect(seen.arrived).toEqual([]);
});

it.each([ALL, 'IMAP4rev1'])('sends something else in the place of a command (%s)', async (cap) => {
  const seen = await swept(cap, ({ when, command }) =>
    when === 'before' && command.name === 'APPEND'
      ? { send: (whole) => Buffer.from(whole.toString('latin1').replace('a1 OK two', 'a1 NO two')) }
      : undefined,
  );
  expect(seen.code).toBe(1);
  expect(seen.arrived[1]).toContain('a1 NO two');
});
