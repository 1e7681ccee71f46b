/** What a rate limit counts of a batch that a server refuses for the sake of one message. */
import { expect, it } from 'vitest';
import { destinationAccount } from '../../src/imap/destination.ts';
import { sendable } from '../support/content.ts';
import { FakeImap, fakeAccount } from '../support/fake-imap.ts';

it('sends no more bytes than are counted where one of a hundred messages is refused', async () => {
  let appends = 0;
  await using server = await FakeImap.start({
    capability: 'IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND',
    replies: {
      APPEND: ({ tag, args }) => {
        appends++;
        if (args.includes('culprit')) return `${tag} NO I do not like one of these`;
        return `${tag} OK done`;
      },
    },
  });
  const account = destinationAccount(fakeAccount('destination', server.port), {
    emit: () => undefined,
    route: 'default',
  });
  const session = await account.connect(new AbortController().signal);
  await session.open('INBOX', { fresh: true });
  const body = 'x'.repeat(10_000);
  const messages = Array.from({ length: 100 }, (_, i) =>
    sendable(`Subject: ${i === 37 ? 'culprit' : i}\r\n\r\n${body}\r\n`, { uid: i + 1 }),
  );
  const before = server.heard.reduce((sum, { length }) => sum + length, 0);
  const placements = await session.append(messages);
  const sent = server.heard.reduce((sum, { length }) => sum + length, 0) - before;
  const counted = messages.reduce((sum, { content }) => sum + content.length, 0);
  session.close();
  expect(placements.filter(({ is }) => is === 'refused').length).toBe(1);
  expect({ appends, ratio: sent / counted }).toEqual({ appends, ratio: expect.closeTo(1, 1) });
});
