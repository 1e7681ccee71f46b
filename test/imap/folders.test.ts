/** What is asked of a server that has CREATE-SPECIAL-USE, and what its greeting says of its folders. */
import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/domain/route.ts';
import { destinationAccount } from '../../src/imap/destination.ts';
import { surveyAccount } from '../../src/imap/survey.ts';
import { FakeImap, type FakeOptions, fakeAccount } from '../support/fake-imap.ts';

const CAPABILITY = 'IMAP4rev1 UIDPLUS LITERAL+ CREATE-SPECIAL-USE';
const never = new AbortController().signal;

const accountOf = (server: FakeImap): Account => fakeAccount('destination', server.port);

function connect(server: FakeImap) {
  const options = { emit: () => undefined, route: 'default', silence: 2_000 };
  return destinationAccount(accountOf(server), options).connect(never);
}

const creates = (server: FakeImap) =>
  server.commands.flatMap((line) => / (CREATE .*)$/.exec(line)?.[1] ?? []);

describe('a server that makes no folder of a use', () => {
  const without: FakeOptions = {
    capability: CAPABILITY,
    replies: {
      CREATE: ({ tag, args }) =>
        `${tag} ${args.includes('USE') ? 'NO [USEATTR] no folder of that use' : 'OK made'}`,
      SUBSCRIBE: ({ tag }) => `${tag} OK done`,
    },
  };

  it.each(['\\Sent', '\\Drafts', '\\Archive'] as const)(
    'is asked for one without %s',
    async (use) => {
      await using server = await FakeImap.start(without);
      const session = await connect(server);
      await session.create('Folder', use);
      expect(creates(server)).toEqual([`CREATE Folder (USE (${use}))`, 'CREATE Folder']);
      await session.logout();
    },
  );

  it.each(['\\Junk', '\\Trash'] as const)('is not asked for one without %s', async (use) => {
    await using server = await FakeImap.start(without);
    const session = await connect(server);
    await expect(session.create('Folder', use)).rejects.toMatchObject({
      kind: 'use-refused',
      lasting: true,
    });
    expect(creates(server)).not.toContain('CREATE Folder');
    await session.logout();
  });
});

it.each([
  ['* OK The Microsoft Exchange IMAP4 service is ready.', true],
  ['* OK Dovecot ready.', false],
])('knows Exchange by its greeting: %s', async (greeting, isExchange) => {
  await using server = await FakeImap.start({ greeting });
  const { survey, end } = await surveyAccount(accountOf(server), { signal: never });
  expect(survey.isExchange).toBe(isExchange);
  await end();
});
