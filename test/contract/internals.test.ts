import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client } from '../../src/imap/client.ts';
import type { Answer, Tokens } from '../../src/imap/internals.ts';
import { codeOf } from '../../src/imap/untagged.ts';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';
import { Wire } from '../support/wire.ts';

let server: Dovecot;
let wire: Wire;

beforeAll(async () => {
  server = await startDovecot();
  wire = await Wire.between({ to: server.port });
});

afterAll(async () => {
  await wire?.[Symbol.asyncDispose]();
  await server?.stop();
});

async function connected(): Promise<Client> {
  const account = server.account('source', 'anna', {
    host: '127.0.0.1',
    port: wire.port,
    security: 'none',
  });
  const client = await Client.connect(account, {
    signal: new AbortController().signal,
    idleRenew: 60_000,
  });
  await client.flow.mailboxOpen('INBOX');
  return client;
}

it('exec sends a TEXT node as it is, onSend may write what follows, and APPENDUID comes back in parts', async () => {
  const client = await connected();
  const bytes = message();
  const attributes: Tokens = [
    { type: 'ATOM', value: 'INBOX' },
    { type: 'TEXT', value: `(\\Seen) {${bytes.length}+}` },
  ];
  const answer = await client.step('append', () =>
    client.command('APPEND', attributes, { onSend: () => client.flow.write(bytes) }),
  );
  const [code, validity, uid] = codeOf(answer);
  expect(code).toBe('APPENDUID');
  expect(client.flow.mailbox).toMatchObject({ uidValidity: BigInt(String(validity)) });
  await using mail = await Mail.login(server.port, 'anna', 'secret-of-anna');
  const stored = (await mail.dump('INBOX')).find((each) => each.uid === Number(uid));
  expect(stored?.bytes.equals(bytes)).toBe(true);
  await client.logout();
});

it('exec hands untagged answers of the named kind to the command that asked', async () => {
  const client = await connected();
  await client.step('append', () => client.flow.append('INBOX', message()));
  const rows: Answer[] = [];
  await client.step('look', () =>
    client.command(
      'UID STORE',
      [
        { type: 'SEQUENCE', value: '1:*' },
        { type: 'ATOM', value: '+FLAGS' },
        [{ type: 'ATOM', value: '\\Flagged' }],
      ],
      {
        untagged: { FETCH: (row) => rows.push(row) },
      },
    ),
  );
  expect(rows.length).toBeGreaterThan(0);
  await client.logout();
});

it('a command of ours ends IDLE first, by DONE alone, and IDLE is taken up again after it', async () => {
  const client = await connected();
  client.idling(true);
  const idles = () => wire.lines.filter((line) => / IDLE$/.test(line)).length;
  const before = idles();
  await client.step('look', () => client.command('NOOP', false));
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await until(() => idles() === before + 1 && client.flow.idling);
  const from = wire.lines.length;
  await client.step('look', () => client.command('NOOP', false));
  await until(() => idles() === before + 2);
  const sent = wire.lines.slice(from).map((line) => line.replace(/^\S+ /, ''));
  expect(sent).toEqual(['DONE', 'NOOP', 'IDLE']);
  await client.logout();
});

it('a tagged NO rejects with the response code', async () => {
  const client = await connected();
  const refused = client.step('open', () =>
    client.command('SELECT', [{ type: 'ATOM', value: 'nowhere' }]),
  );
  await expect(refused).rejects.toMatchObject({
    name: 'Failure',
    step: 'open',
    outcomeUnknown: false,
  });
  await client.logout();
});
