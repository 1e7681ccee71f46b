/** Servers that send without end: none of it is gathered in memory. */
import { expect, it } from 'vitest';
import type { Failure } from '../../src/domain/failure.ts';
import type { Account } from '../../src/domain/route.ts';
import { Client } from '../../src/imap/client.ts';
import { sourceAccount } from '../../src/imap/source.ts';
import { FakeImap, flood, type Line } from '../support/fake-imap.ts';

const MB = 1024 * 1024;
const LARGEST = 4 * MB;

function account(port: number): Account {
  return {
    side: 'source',
    host: '127.0.0.1',
    port,
    security: 'none',
    user: 'anna',
    auth: 'password',
    secret: async () => 'a secret of hers',
  };
}

/** The bytes that the server got rid of on its busiest connection, those in the buffers of both kernels included. */
function taken(server: FakeImap): number {
  return Math.max(...server.lines.map(({ socket }) => socket.bytesWritten - socket.writableLength));
}

interface Row {
  readonly of: string;
  readonly begins: string;
  readonly goesOn: string;
}

const ENDLESS: readonly Row[] = [
  { of: 'a line without end', begins: '* OK ', goesOn: 'a' },
  { of: 'a search without end', begins: '* SEARCH', goesOn: ' 1234567890' },
  { of: 'a list without end', begins: '* LIST (', goesOn: '\\a ' },
  { of: 'a literal of 2 GB', begins: '* OK {2147483648}\r\n', goesOn: 'a' },
  { of: 'a literal of 900 MB', begins: '* OK {900000000}\r\n', goesOn: 'a' },
  {
    of: 'a message never asked for, far larger than any wanted',
    begins: '* 1 FETCH (UID 9 BODY[] {50000000}\r\n',
    goesOn: 'a',
  },
  {
    of: 'what nobody asked for without end',
    begins: '',
    goesOn: 'A999 OK what you wanted\r\n+ go on\r\n* 7 EXISTS\r\n* 8 FETCH (FLAGS ())\r\n(((\r\n',
  },
  {
    of: 'one answer of many literals',
    begins: '* 1 FETCH (UID 9',
    goesOn: ` BODY[1] {1048576}\r\n${'a'.repeat(MB)}`,
  },
];

it.each(ENDLESS)('ends a connection that sends $of', async ({ begins, goesOn }) => {
  await using server = await FakeImap.start({
    replies: {
      NOOP: (_, line) => {
        line.socket.write(begins, 'latin1');
        flood(line, goesOn);
        return undefined;
      },
    },
  });
  const signal = new AbortController().signal;
  const session = await sourceAccount(account(server.port), {
    idleRenew: 60_000,
    largest: LARGEST,
  }).connect(signal);
  const failure = await session.noop().then(
    () => undefined,
    (thrown: Failure) => thrown,
  );
  expect(failure).toMatchObject({ name: 'Failure', kind: 'lost', outcomeUnknown: true });
  expect(taken(server)).toBeLessThan(40 * MB);
});

it('ends a connection whose greeting has no end', async () => {
  await using server = await FakeImap.start({ greeting: null });
  const connecting = Client.connect(account(server.port), {
    signal: new AbortController().signal,
    silence: 20_000,
  });
  connecting.catch(() => undefined);
  while (server.lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
  server.lines[0]?.socket.write('* OK ');
  flood(server.lines[0] as Line, 'a');
  await expect(connecting).rejects.toMatchObject({ name: 'Failure', kind: 'lost' });
  expect(taken(server)).toBeLessThan(40 * MB);
});

it('takes a message of the largest size that is wanted, and what its size was underrated by', async () => {
  const bytes = 'a'.repeat(Math.floor(LARGEST * 1.1));
  await using server = await FakeImap.start({
    replies: {
      SELECT: ({ tag }) =>
        `* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 10] ok\r\n${tag} OK [READ-WRITE] done`,
      'UID FETCH': ({ tag }) =>
        `* 1 FETCH (UID 9 FLAGS () RFC822.SIZE ${LARGEST} INTERNALDATE "01-Jan-2026 00:00:00 +0000" BODY[] {${bytes.length}}\r\n${bytes})\r\n${tag} OK done`,
    },
  });
  const session = await sourceAccount(account(server.port), {
    idleRenew: 60_000,
    largest: LARGEST,
  }).connect(new AbortController().signal);
  await session.open('INBOX', { readOnly: false, idle: false });
  const [original] = await session.fetch([{ uid: 9, size: LARGEST }]);
  expect(original?.content.length).toBe(bytes.length);
  await session.logout();
});
