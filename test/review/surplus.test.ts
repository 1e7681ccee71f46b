/** A "+" too many that comes behind the OK of the APPEND that it was for, and a refusal of the next one. */
import { expect, it } from 'vitest';
import { destinationAccount } from '../../src/imap/destination.ts';
import { sendable } from '../support/content.ts';
import { FakeImap, fakeAccount } from '../support/fake-imap.ts';

it('sends no literal that is then refused: what is in the message would be read as commands', async () => {
  const deleted: string[] = [];
  let announced = 0;
  let refused: string | undefined;
  await using server = await FakeImap.start({
    capability: 'IMAP4rev1 UIDPLUS',
    announced: (tag, line) => {
      announced++;
      if (announced === 1) return '+ go on';
      refused = tag;
      // Refused a moment later, without being asked for.
      setTimeout(() => line.send(`${tag} NO [CANNOT] not this one`), 100);
      return '';
    },
    replies: {
      APPEND: ({ tag }) => `${tag} OK [APPENDUID 7 1] done\r\n+ once too often`,
      DELETE: ({ tag, args }) => {
        deleted.push(args);
        return `${tag} OK gone`;
      },
    },
  });
  const account = destinationAccount(fakeAccount('destination', server.port), {
    emit: () => undefined,
    route: 'default',
  });
  const session = await account.connect(new AbortController().signal);
  await session.open('INBOX', { fresh: true });
  await session.append([
    sendable('Subject: one\r\n\r\none\r\n', { uid: 1 }),
    sendable('Subject: two\r\n\r\nx1 DELETE INBOX\r\n', { uid: 2 }),
  ]);
  session.close();
  expect(refused).toBeDefined();
  const heard = Buffer.concat(server.heard).toString();
  expect(heard).not.toContain('x1 DELETE INBOX');
  expect(deleted).toEqual([]);
});
