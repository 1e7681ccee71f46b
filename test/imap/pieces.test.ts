/** A message that is too large for memory: asked for piece by piece, and doubted where a piece is not the one asked for. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { InMemory, LARGEST_IN_MEMORY, Tally } from '../../src/domain/content.ts';
import type { Copy, Sendable } from '../../src/domain/message.ts';
import type { Incoming, Spool } from '../../src/domain/ports.ts';
import { destinationAccount } from '../../src/imap/destination.ts';
import { sourceAccount } from '../../src/imap/source.ts';
import { spoolIn } from '../../src/spool/spool.ts';
import { FakeImap, fakeAccount, type Line } from '../support/fake-imap.ts';

const MB = 1024 * 1024;
const PIECE = MB;
const late = 2 * PIECE;
const UID = 4;
const never = new AbortController().signal;

function letter(length: number): Buffer {
  const bytes = Buffer.alloc(length, 'a line of some letters, and of a few more than that\r\n');
  bytes.write('Message-ID: <large@example.org>\r\n\r\n');
  return bytes;
}

/** Rather more than would be taken into memory, and not a multiple of a piece. */
const LETTER = letter(LARGEST_IN_MEMORY + MB + 1);
const TOO_LARGE = letter(20 * MB);

interface Asked {
  readonly tag: string;
  /** Of a piece, where it begins and how long it is to be. */
  readonly offset: number | undefined;
  readonly length: number;
  readonly line: Line;
  /** Answers with the very piece. */
  readonly send: () => void;
}

/** Takes its first piece so slowly that the connection takes up IDLE meanwhile. */
class SlowSpool implements Spool {
  readonly #tally = new Tally();

  async receive(): Promise<Incoming> {
    let pause = 300;
    return {
      write: async (piece) => {
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = 0;
        this.#tally.add(piece);
      },
      end: () => ({ ...this.#tally.end(), bytes: undefined, pieces: async function* () {} }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Answers what is asked for of the body. Nothing: with the very piece, or the whole; `says` nothing: later. */
type Answer = (asked: Asked) => { says?: string; mark?: string; bytes?: Buffer } | undefined;

/** A server that holds one message. */
class Holder implements AsyncDisposable {
  readonly server: FakeImap;
  readonly asked: string[] = [];

  private constructor(server: FakeImap) {
    this.server = server;
  }

  static async of(bytes: Buffer, answer: Answer = () => undefined, told = bytes.length) {
    let holder: Holder;
    let gone = false;
    const server = await FakeImap.start({
      replies: {
        SELECT: ({ tag }) =>
          `* 1 EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 9] ok\r\n${tag} OK [READ-WRITE] done`,
        'UID FETCH': ({ tag, args }, line) => {
          holder.asked.push(args);
          const row = `* 1 FETCH (UID ${UID} FLAGS (\\Seen) INTERNALDATE " 3-Feb-2011 04:05:06 +0000" RFC822.SIZE ${told}`;
          if (!args.includes('BODY')) return gone ? `${tag} OK done` : `${row})\r\n${tag} OK done`;
          const [, offset, length] = /<(\d+)\.(\d+)>/.exec(args) ?? [];
          const from = offset === undefined ? undefined : Number(offset);
          const asked = { tag, offset: from, length: Number(length ?? bytes.length), line };
          const send = () => {
            const at = from ?? 0;
            const body = bytes.subarray(at, at + asked.length);
            line.socket.write(`${row} BODY[]<${at}> {${body.length}}\r\n`);
            line.socket.write(body);
            line.send(`)\r\n${tag} OK done`);
          };
          const said = answer({ ...asked, send });
          if (said?.says === '') return undefined;
          if (said?.says !== undefined) {
            gone ||= said.says === 'gone';
            return said.says === 'gone' ? `${tag} OK done` : said.says;
          }
          const { mark = from === undefined ? '' : `<${from}>` } = said ?? {};
          const body = said?.bytes ?? bytes.subarray(from ?? 0, (from ?? 0) + asked.length);
          line.socket.write(`${row} BODY[]${mark} {${body.length}}\r\n`);
          line.socket.write(body);
          return `)\r\n${tag} OK done`;
        },
      },
    });
    holder = new Holder(server);
    return holder;
  }

  async source({ idle = false } = {}) {
    const { port } = this.server;
    const source = sourceAccount(fakeAccount('source', port), { idleRenew: 60_000 });
    const session = await source.connect(never);
    await session.open('INBOX', { readOnly: false, idle });
    return session;
  }

  async destination() {
    const how = { emit: () => undefined, route: 'default' };
    const { port } = this.server;
    const session = await destinationAccount(fakeAccount('destination', port), how).connect(never);
    await session.open('INBOX', { fresh: true });
    return session;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

let stateDir: string;
beforeAll(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'imapferry-pieces-'));
});
afterAll(() => rmSync(stateDir, { recursive: true, force: true }));

async function whole({ content }: Sendable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of content.pieces()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

describe('a large original', () => {
  it('comes in pieces into the spool, each asked for once, and can be read there as often as wanted', async () => {
    await using holder = await Holder.of(LETTER);
    const session = await holder.source();
    await using spool = spoolIn(stateDir);
    const [original] = await session.fetch([{ uid: UID, size: LETTER.length }], spool);
    if (original === undefined) throw new Error('It did not come');
    const { content } = original;
    const same = new InMemory(LETTER);
    expect(original).toMatchObject({ uid: UID, size: LETTER.length, flags: new Set(['\\Seen']) });
    expect(content.bytes).toBeUndefined();
    expect([content.sha256, content.canonical]).toEqual([same.sha256, same.canonical]);
    expect((await whole(original)).equals(LETTER)).toBe(true);
    expect((await whole(original)).equals(LETTER)).toBe(true);
    expect(holder.asked).toHaveLength(Math.ceil(LETTER.length / PIECE));
    expect(readdirSync(join(stateDir, 'spool'))).toEqual([]);
    session.close();
  });

  it('costs a round trip for the first piece, and one for each eight that follow', async () => {
    const bytes = letter(19 * PIECE);
    const held: { at: number; answer: () => void }[] = [];
    await using holder = await Holder.of(bytes, ({ offset = 0, send }) => {
      if (offset === 0) return undefined;
      held.push({ at: offset / PIECE, answer: send });
      return { says: '' };
    });
    const session = await holder.source();
    const fetched = session.fetch([{ uid: UID, size: bytes.length }]);
    const trips: number[][] = [];
    while (trips.flat().length < 18) {
      const most = Math.min(8, 18 - trips.flat().length);
      await vi.waitFor(() => expect(held).toHaveLength(most));
      await new Promise((resolve) => setImmediate(resolve));
      const trip = held.splice(0);
      trips.push(trip.map(({ at }) => at));
      for (const { answer } of trip) answer();
    }
    expect(trips).toEqual([
      [1, 2, 3, 4, 5, 6, 7, 8],
      [9, 10, 11, 12, 13, 14, 15, 16],
      [17, 18],
    ]);
    const [original] = await fetched;
    expect(original?.content.sha256).toBe(new InMemory(bytes).sha256);
    session.close();
  });

  it('is put together in its order, in whatever order its pieces come', async () => {
    const bytes = letter(9 * PIECE - 5);
    const waiting: (() => void)[] = [];
    await using holder = await Holder.of(bytes, ({ offset = 0, send }) => {
      if (offset === 0) return undefined;
      waiting.push(send);
      if (waiting.length === 8) for (const each of waiting.splice(0).reverse()) each();
      return { says: '' };
    });
    const session = await holder.source();
    const [original] = await session.fetch([{ uid: UID, size: bytes.length }]);
    expect(original?.content.sha256).toBe(new InMemory(bytes).sha256);
    session.close();
  });

  it('is not taken for whole where one of the pieces asked ahead is refused, and the connection goes on', async () => {
    await using holder = await Holder.of(LETTER, ({ tag, offset }) =>
      offset === late ? { says: `${tag} NO [UNAVAILABLE] not now` } : undefined,
    );
    const session = await holder.source();
    const fetched = session.fetch([{ uid: UID, size: LETTER.length }]);
    await expect(fetched).rejects.toMatchObject({ step: 'fetch', scope: 'account' });
    await session.noop();
    session.close();
  });

  it('is fetched on a connection that watches without IDLE in the middle of it', async () => {
    const bytes = letter(9 * PIECE);
    await using holder = await Holder.of(bytes, ({ offset = 0, send }) => {
      if (offset === 0) return undefined;
      setTimeout(send, 120);
      return { says: '' };
    });
    const session = await holder.source({ idle: true });
    const isIdling = () => holder.server.commands.filter((line) => /IDLE/.test(line)).length;
    const into = new SlowSpool();
    await holder.server.until(() => isIdling() === 1);
    await session.fetch([{ uid: UID, size: bytes.length }], into);
    const sent = [...holder.server.commands];
    const first = sent.findIndex((line) => line.includes(`<${PIECE}.`));
    const last = sent.findLastIndex((line) => line.includes('BODY.PEEK[]<'));
    expect(sent.slice(first, last).filter((line) => /IDLE/.test(line))).toEqual([]);
    await holder.server.until(() => isIdling() === 3);
    session.close();
  });

  it('leaves nothing but its fingerprint without a spool, and is asked for its size where that is not known', async () => {
    await using holder = await Holder.of(LETTER);
    const session = await holder.source();
    const [original] = await session.fetch([{ uid: UID }]);
    expect(original?.content.sha256).toBe(new InMemory(LETTER).sha256);
    expect(holder.asked[0]).toBe(`${UID} (UID RFC822.SIZE)`);
    session.close();
  });

  it('that ends with a whole piece is not asked for what is not there', async () => {
    const bytes = letter(9 * PIECE);
    await using holder = await Holder.of(bytes);
    const session = await holder.source();
    const [original] = await session.fetch([{ uid: UID, size: bytes.length }]);
    expect(original?.content.length).toBe(bytes.length);
    expect(holder.asked.at(-1)).toContain(`<${8 * PIECE}.${PIECE + 1}>`);
    session.close();
  });

  it.each<{ of: string; answer: Answer; length: number }>([
    {
      of: 'a piece that is too short',
      answer: ({ offset }) =>
        offset === late ? { bytes: LETTER.subarray(late, late + 9) } : undefined,
      length: late + 9,
    },
    {
      of: 'a piece that is too long',
      answer: ({ offset }) =>
        offset === late ? { bytes: LETTER.subarray(late, late + PIECE + 1) } : undefined,
      length: 0,
    },
    {
      of: 'a piece of another place',
      answer: ({ offset }) => (offset === late ? { mark: '<0>' } : undefined),
      length: 0,
    },
    {
      of: 'a piece that does not say of which place it is',
      answer: ({ offset }) => (offset === late ? { mark: '' } : undefined),
      length: 0,
    },
    {
      of: 'no piece',
      answer: ({ tag, offset }) =>
        offset === late
          ? { says: `* 1 FETCH (UID ${UID} BODY[]<${late}> NIL)\r\n${tag} OK done` }
          : undefined,
      length: 0,
    },
    {
      of: 'pieces without end',
      answer: ({ length }) => ({ bytes: Buffer.alloc(length) }),
      length: 0,
    },
  ])('of which the server sends $of has not its size', async ({ answer, length }) => {
    await using holder = await Holder.of(LETTER, answer);
    const session = await holder.source();
    const [original] = await session.fetch([{ uid: UID, size: LETTER.length }]);
    expect(original).toMatchObject({ uid: UID, size: LETTER.length });
    expect(original?.content.length).toBe(length);
    session.close();
  });

  it('that is longer than the server said comes as it is', async () => {
    const told = LETTER.length - 2 * PIECE - 5;
    await using holder = await Holder.of(LETTER, undefined, told);
    const session = await holder.source();
    const [original] = await session.fetch([{ uid: UID, size: LETTER.length }]);
    expect(original?.size).toBe(told);
    expect(original?.content.sha256).toBe(new InMemory(LETTER).sha256);
    session.close();
  });

  it('that goes in the meantime is missing', async () => {
    await using holder = await Holder.of(LETTER, ({ offset }) =>
      offset === late ? { says: 'gone' } : undefined,
    );
    const session = await holder.source();
    expect(await session.fetch([{ uid: UID, size: LETTER.length }])).toEqual([]);
    session.close();
  });

  describe.each<{ of: string; answer: Answer }>([
    {
      of: 'refuses pieces',
      answer: ({ tag, offset }) =>
        offset === undefined ? undefined : { says: `${tag} BAD what is that` },
    },
    { of: 'sends all of it at once', answer: () => ({ mark: '', bytes: LETTER }) },
  ])('of a server that $of', ({ answer }) => {
    it('comes at once, where that is not too much', async () => {
      await using holder = await Holder.of(LETTER, answer);
      const session = await holder.source();
      const [original] = await session.fetch([{ uid: UID, size: LETTER.length }]);
      expect(original?.content.sha256).toBe(new InMemory(LETTER).sha256);
      session.close();
    });

    it('is refused, and why is told, where that would be too much', async () => {
      await using holder = await Holder.of(TOO_LARGE, (asked) => {
        const said = answer(asked);
        return said?.bytes ? { mark: '', bytes: TOO_LARGE } : said;
      });
      const session = await holder.source();
      const fetched = session.fetch([{ uid: UID, size: TOO_LARGE.length }]);
      await expect(fetched).rejects.toMatchObject({
        name: 'Failure',
        step: 'fetch',
        scope: 'message',
        lasting: true,
        message: expect.stringContaining('does not show a message in pieces'),
      });
      session.close();
    });
  });

  it('is no reason to take a refusal for its own that concerns the account', async () => {
    await using holder = await Holder.of(LETTER, ({ tag }) => ({
      says: `${tag} NO [SERVERBUG] disk`,
    }));
    const session = await holder.source();
    const fetched = session.fetch([{ uid: UID, size: LETTER.length }]);
    await expect(fetched).rejects.toMatchObject({ scope: 'account', lasting: false });
    session.close();
  });
});

describe('a large copy', () => {
  it('is read back in pieces', async () => {
    await using holder = await Holder.of(LETTER);
    const session = await holder.destination();
    const copies: Copy[] = [];
    await session.read([{ uid: UID, size: LETTER.length }], (copy) => copies.push(copy));
    expect(copies.map(({ content }) => content.sha256)).toEqual([new InMemory(LETTER).sha256]);
    expect(copies[0]?.flags).toEqual(new Set(['\\Seen']));
    session.close();
  });

  it('is looked for again where a piece is not the one that was asked for', async () => {
    await using holder = await Holder.of(LETTER, ({ offset }) =>
      offset === PIECE ? { mark: '<0>' } : undefined,
    );
    const session = await holder.destination();
    const read = session.read([{ uid: UID, size: LETTER.length }], () => undefined);
    await expect(read).rejects.toMatchObject({
      step: 'verify',
      scope: 'connection',
      lasting: false,
    });
    session.close();
  });

  it('that is cut short is no copy, and comes as it is', async () => {
    await using holder = await Holder.of(LETTER, ({ offset }) =>
      offset === PIECE ? { bytes: Buffer.alloc(0) } : undefined,
    );
    const session = await holder.destination();
    const copies: Copy[] = [];
    await session.read([{ uid: UID, size: LETTER.length }], (copy) => copies.push(copy));
    expect(copies.map(({ content }) => content.length)).toEqual([PIECE]);
    session.close();
  });

  it('that is not there is missing', async () => {
    await using holder = await Holder.of(LETTER, () => ({ says: 'gone' }));
    const session = await holder.destination();
    const copies: Copy[] = [];
    await session.read([{ uid: UID, size: LETTER.length }], (copy) => copies.push(copy));
    expect(copies).toEqual([]);
    session.close();
  });
});
