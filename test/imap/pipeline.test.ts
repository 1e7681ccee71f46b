/** How many APPENDs are on the wire at one time. */
import { describe, expect, it } from 'vitest';
import type { Sendable } from '../../src/domain/message.ts';
import type { DestinationAccount, DestinationSession, Placement } from '../../src/domain/ports.ts';
import { destinationAccount } from '../../src/imap/destination.ts';
import { sendable } from '../support/content.ts';
import { FakeImap, fakeAccount, type Line } from '../support/fake-imap.ts';

interface Waiting {
  readonly tag: string;
  readonly line: Line;
}

/** A server that answers an APPEND when it is told to, and asks for no literal before all that came earlier are answered. */
class Slow implements AsyncDisposable {
  readonly server: FakeImap;
  readonly waiting: Waiting[];
  /** Where a literal is announced that was not asked for yet. */
  readonly #unasked: Line[];
  #uid = 0;

  private constructor(server: FakeImap, waiting: Waiting[], unasked: Line[]) {
    this.server = server;
    this.waiting = waiting;
    this.#unasked = unasked;
  }

  static async start(capability: string): Promise<Slow> {
    const waiting: Waiting[] = [];
    const unasked: Line[] = [];
    const server = await FakeImap.start({
      capability: `IMAP4rev1 UIDPLUS ${capability}`,
      announced: (_, line) => {
        if (waiting.length === 0) return undefined;
        unasked.push(line);
        return '';
      },
      replies: {
        APPEND: ({ tag }, line) => {
          waiting.push({ tag, line });
          return undefined;
        },
      },
    });
    return new Slow(server, waiting, unasked);
  }

  /** Resolves once so many APPENDs wait for their answers, and no more come of themselves. */
  async hears(count: number): Promise<void> {
    await this.server.until(() => this.waiting.length >= count);
    // A command that was sent along would be heard before the answer to this one is.
    await new Promise((resolve) => setImmediate(resolve));
  }

  answer(count = this.waiting.length, status = 'OK'): void {
    for (const { tag, line } of this.waiting.splice(0, count)) {
      const code = status === 'OK' ? `[APPENDUID 7 ${++this.#uid}] ` : '';
      line.send(`${tag} ${status} ${code}done`);
    }
    if (this.waiting.length === 0) this.#unasked.splice(0, 1)[0]?.send('+ go on');
  }

  session(): Promise<DestinationSession> {
    return sessionOf(accountOf(this.server));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

function accountOf({ port }: FakeImap): DestinationAccount {
  const options = { emit: () => undefined, route: 'default', silence: 5000 };
  return destinationAccount(fakeAccount('destination', port), options);
}

async function sessionOf(account: DestinationAccount): Promise<DestinationSession> {
  const session = await account.connect(new AbortController().signal);
  await session.open('INBOX', { fresh: false });
  return session;
}

const is = (placements: readonly Placement[]) => placements.map((placement) => placement.is);

const letters = (count: number): Sendable[] =>
  Array.from({ length: count }, (_, i) =>
    sendable(`Subject: ${i}\r\n\r\n${'x'.repeat(5000)}\r\n`, { uid: i + 1 }),
  );

it('doubles what is under way with each round of answers, up to a hundred', async () => {
  await using slow = await Slow.start('LITERAL+');
  const session = await slow.session();
  const done = session.append(letters(400));
  const rounds: number[] = [];
  for (let left = 400; left > 0; left -= rounds.at(-1) ?? 0) {
    const size = Math.min(left, 100, 2 ** rounds.length);
    await slow.hears(size);
    rounds.push(slow.waiting.length);
    slow.answer();
  }
  const placements = await done;
  expect(rounds).toEqual([1, 2, 4, 8, 16, 32, 64, 100, 100, 73]);
  expect(placements.map((each) => each.is === 'stored' && each.copy?.uid)).toEqual(
    placements.map((_, i) => i + 1),
  );
  // The next batch on this connection begins with all that is open by now.
  const next = session.append(letters(50));
  await slow.hears(50);
  slow.answer();
  await next;
  session.close();
});

it('sends nothing more after a refusal until what is under way is answered, and then one at a time', async () => {
  await using slow = await Slow.start('LITERAL+');
  const session = await slow.session();
  const done = session.append(letters(10));
  for (const size of [1, 2]) {
    await slow.hears(size);
    slow.answer();
  }
  await slow.hears(4);
  slow.answer(1, 'NO');
  await slow.hears(3);
  expect(slow.waiting).toHaveLength(3);
  slow.answer();
  await slow.hears(1);
  expect(slow.waiting).toHaveLength(1);
  slow.answer();
  await slow.hears(2);
  slow.answer();
  const placements = await done;
  expect(placements.map(({ is }) => is)).toEqual([
    ...Array<string>(3).fill('stored'),
    'refused',
    ...Array<string>(6).fill('stored'),
  ]);
  session.close();
});

it('announces the next message together with a literal that was asked for', async () => {
  await using slow = await Slow.start('');
  const session = await slow.session();
  const done = session.append(letters(4));
  await slow.hears(1);
  slow.answer();
  for (const nth of [1, 2, 3]) {
    await slow.hears(1);
    // Its successor's announcement has come before it was answered.
    if (nth < 3) await slow.server.until(() => slow.server.text.includes(`P${nth + 2} APPEND`));
    expect(slow.waiting.map(({ tag }) => tag).at(0)).toBe(`P${nth + 1}`);
    slow.answer(1);
  }
  expect((await done).map(({ is }) => is)).toEqual(Array(4).fill('stored'));
  session.close();
});

it('waits for no answer with a short literal under LITERAL-, and for one with a long literal', async () => {
  await using slow = await Slow.start('LITERAL-');
  const session = await slow.session();
  const [long] = letters(1);
  const short = sendable('A: 1\r\n\r\n', { uid: 2 });
  const done = session.append([short, long as Sendable]);
  await slow.hears(1);
  slow.answer();
  await slow.hears(1);
  slow.answer();
  await done;
  expect(slow.server.text).toMatch(/P1 APPEND INBOX \(\) \{8\+\}\r\n/);
  expect(slow.server.text).toMatch(/P2 APPEND INBOX \(\) \{\d+\}\r\n/);
  session.close();
});

it('ends the connection where the server may still wait for a literal', async () => {
  await using slow = await Slow.start('');
  const session = await slow.session();
  const done = session.append(letters(3));
  await slow.hears(1);
  slow.answer();
  await slow.hears(1);
  // Whose answer this is nobody knows; the third message is announced by now.
  slow.waiting[0]?.line.send('BAD what?');
  expect((await done).slice(0, 2).map(({ is }) => is)).toEqual(['stored', 'unknown']);
  await session.closed;
  await expect(session.noop()).rejects.toThrow();
});

describe('a server that is out of turn', () => {
  it.each([
    { often: 'always', asks: () => true, third: 'full' },
    { often: 'once in a while', asks: (nth: number) => nth === 2, third: 'other' },
  ])('and says "+" once too often, $often, takes no message for commands', async (row) => {
    let nth = 0;
    await using server = await FakeImap.start({
      capability: 'IMAP4rev1 UIDPLUS',
      announced: (tag) => (nth === 2 ? `${tag} NO [OVERQUOTA] full` : undefined),
      replies: {
        APPEND: ({ tag }) =>
          `${row.asks(++nth) ? '+ hm\r\n' : ''}${tag} OK [APPENDUID 7 ${nth}] done`,
      },
    });
    const session = await sessionOf(accountOf(server));
    const trap = 'Subject: a trap\r\n\r\nx1 DELETE "Everything"\r\n';
    const placements = await session.append([1, 2, 3, 4].map((uid) => sendable(trap, { uid })));
    expect(is(placements)).toEqual(['stored', 'stored', 'held', 'held']);
    expect(placements[2]).toMatchObject({ failure: { kind: row.third, outcomeUnknown: false } });
    await session.noop().catch(() => undefined);
    session.close();
    expect(server.commands.filter((each) => each.startsWith('x1 '))).toEqual([]);
  });

  it('and asks for a literal before it has answered has its next connection announce none', async () => {
    await using server = await FakeImap.start({
      capability: 'IMAP4rev1 UIDPLUS',
      replies: {
        APPEND: ({ tag }, line) => {
          setTimeout(() => line.send(`${tag} OK done`), 20);
          return undefined;
        },
      },
    });
    const account = accountOf(server);
    const session = await sessionOf(account);
    expect(is(await session.append(letters(4)))).toEqual(['stored', 'stored', 'held', 'held']);
    await session.closed;
    const next = await sessionOf(account);
    expect(is(await next.append(letters(4)))).toEqual(Array(4).fill('stored'));
    next.close();
  });

  it('and says OK to a message that was not sent has stored nothing', async () => {
    await using server = await FakeImap.start({
      capability: 'IMAP4rev1 UIDPLUS',
      announced: (tag) => `${tag} OK [APPENDUID 7 1] done\r\n+ go on`,
    });
    const session = await sessionOf(accountOf(server));
    const placements = await session.append(letters(2));
    expect(placements).toMatchObject([
      { is: 'held', failure: { scope: 'connection', outcomeUnknown: false } },
      { is: 'held' },
    ]);
    await session.closed;
    expect(server.text).not.toContain('Subject');
  });
});
