import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { overWires, Place, Program } from '../journey/program.ts';
import { startDovecot } from './dovecot.ts';
import { FakeImap } from './fake-imap.ts';
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
      ...overWires(up, down),
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

it('holds an answer back, and what comes behind it, until it may go on', async () => {
  await using server = await FakeImap.start();
  await using wire = await ImapWire.between({ to: server.port });
  const may = Promise.withResolvers<void>();
  wire.at = ({ when, command }) =>
    when === 'after' && command.tag === 'a1' ? { first: () => may.promise } : undefined;
  const client = connect(wire.port, '127.0.0.1');
  let heard = '';
  client.on('data', (chunk) => {
    heard += chunk.toString();
  });
  client.write('a1 NOOP\r\na2 NOOP\r\na3 LOGOUT\r\n');
  const gone = new Promise((resolve) => client.on('end', resolve));
  await server.until(() => server.text.includes('LOGOUT'));
  // What the server has sent is at the wire by the time that it greets somebody else.
  const other = connect(wire.port, '127.0.0.1');
  await new Promise((resolve) => other.once('data', resolve));
  other.destroy();
  expect(wire.commands.map(({ tag }) => tag)).toEqual(['a1', 'a2', 'a3']);
  expect(heard).not.toContain('a1 OK');
  may.resolve();
  await gone;
  expect(heard.match(/^a\d OK/gm)).toEqual(['a1 OK', 'a2 OK', 'a3 OK']);
});

it('waits at a moment until something is done', async () => {
  const order: string[] = [];
  const { code, sent, arrived } = await swept(ALL, ({ when, command: { name } }) => {
    order.push(`${when} ${name}`);
    const first = async () => {
      await wait(50);
      order.push(`done ${when} ${name}`);
    };
    return name === 'APPEND' ? { first } : undefined;
  });
  expect(code).toBe(0);
  expect(arrived).toEqual(sent);
  // What was held goes on in order, and nothing of it before all is done.
  const done = order.indexOf('done before APPEND');
  expect(done).toBeGreaterThan(order.indexOf('before APPEND'));
  expect(order.indexOf('after APPEND')).toBeGreaterThan(order.lastIndexOf('done up APPEND'));
  expect(order.lastIndexOf('before UID FETCH')).toBeGreaterThan(order.indexOf('done after APPEND'));
});
