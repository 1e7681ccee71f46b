/** Messages as they go out, in memory or not: as fast as they are taken, and nothing comes in between. */
import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { type Content, InMemory } from '../../src/domain/content.ts';
import type { Sendable } from '../../src/domain/message.ts';
import type { DestinationSession, Placement } from '../../src/domain/ports.ts';
import type { Client } from '../../src/imap/client.ts';
import { destinationAccount } from '../../src/imap/destination.ts';
import { large, sendable } from '../support/content.ts';
import { FakeImap, type FakeOptions, fakeAccount, type Line } from '../support/fake-imap.ts';
import { Wire } from '../support/wire.ts';

const MB = 1024 * 1024;
const BYTES = large(4 * MB);
const PLAIN: readonly string[] = ['', ' LITERAL+', ' LITERAL+ MULTIAPPEND'];

/** What comes from a disk that is asked for one piece after another; `read` is told how much was read by then. */
function streamed(read: (at: number) => void = () => undefined, bytes = BYTES): Content {
  const whole = new InMemory(BYTES);
  const { length, sha256, head, headIsWhole, canonical, rewritten, hasNul, endsLine } = whole;
  const facts = { length, sha256, head, headIsWhole, canonical, rewritten, hasNul, endsLine };
  return {
    ...facts,
    bytes: undefined,
    async *pieces() {
      for (let at = 0; at < bytes.length; at += 100_000) {
        await new Promise((resolve) => setImmediate(resolve));
        read(at);
        yield bytes.subarray(at, at + 100_000);
      }
    },
  };
}

function letters(content: Content): Sendable[] {
  const flags = new Set<string>();
  return [{ uid: 1, size: content.length, flags, content }, sendable('A: 1\r\n\r\n', { uid: 2 })];
}

let stored: string[] = [];

function server(capability: string, more: FakeOptions = {}): Promise<FakeImap> {
  stored = [];
  return FakeImap.start({
    capability: `IMAP4rev1 UIDPLUS${capability}`,
    ...more,
    replies: {
      APPEND: ({ tag, args }) => {
        stored.push(args.slice(args.indexOf('\r\n') + 2));
        return `${tag} OK [APPENDUID 7 ${stored.length}] done`;
      },
      ...more.replies,
    },
  });
}

async function session(port: number, silence = 20_000): Promise<DestinationSession> {
  const account = destinationAccount(fakeAccount('destination', port), {
    emit: () => undefined,
    route: 'default',
    silence,
  });
  const opened = await account.connect(new AbortController().signal);
  await opened.open('INBOX', { fresh: false });
  return opened;
}

const is = (placements: readonly Placement[]) => placements.map((placement) => placement.is);

it.each(PLAIN)(
  'arrives as it is, and the next one behind it (capabilities:%s)',
  async (capability) => {
    await using fake = await server(capability);
    const opened = await session(fake.port);
    expect(is(await opened.append(letters(streamed())))).toEqual(['stored', 'stored']);
    expect(stored.map(({ length }) => length)).toEqual([BYTES.length, 8]);
    expect(stored[0] === BYTES.toString('latin1')).toBe(true);
    opened.close();
  },
);

it('is read no faster than it is taken', async () => {
  let heard = 0;
  let ahead = 0;
  await using fake = await server(' LITERAL+', {
    onConnect: ({ socket }) => {
      socket.on('data', (chunk) => {
        heard += chunk.length;
        // A slow line: it takes nothing for a moment, again and again.
        socket.pause();
        setTimeout(() => socket.resume(), 2);
      });
    },
  });
  const opened = await session(fake.port);
  const bytes = Buffer.concat(Array.from({ length: 4 }, () => BYTES));
  const content = {
    ...streamed((at) => {
      ahead = Math.max(ahead, at - heard);
    }, bytes),
    length: bytes.length,
  };
  expect(is(await opened.append(letters(content)))).toEqual(['stored', 'stored']);
  // What the buffers of both kernels take is not ours.
  expect(ahead).toBeLessThan(10 * MB);
  opened.close();
});

/** In memory; `read` is called for each part that is read. */
function inMemory(read: () => void = () => undefined, whole = BYTES): InMemory {
  const bytes = Buffer.from(whole);
  bytes.subarray = (start, end) => {
    read();
    return Buffer.prototype.subarray.call(bytes, start, end);
  };
  return new InMemory(bytes);
}

it.each(PLAIN)(
  'waits for room where it is in memory, too (capabilities:%s)',
  async (capability) => {
    await using fake = await server(capability);
    const opened = await session(fake.port);
    const { client } = opened as unknown as { readonly client: Client };
    let held = 0;
    // More than the buffers of both kernels take.
    const bytes = Buffer.concat(Array.from({ length: 8 }, () => BYTES));
    const content = inMemory(() => {
      held = Math.max(held, client.writable.writableLength);
    }, bytes);
    expect(is(await opened.append(letters(content)))).toEqual(['stored', 'stored']);
    expect(stored[0]?.startsWith(bytes.toString('latin1'))).toBe(true);
    expect(held).toBeLessThan(MB / 4);
    opened.close();
  },
);

it.each([
  ...PLAIN.map((capability) => ({
    capability,
    content: () => streamed(),
    fates: ['unknown', 'held'],
  })),
  // Both are in memory, and in one command.
  { capability: ' LITERAL+ MULTIAPPEND', content: () => inMemory(), fates: ['unknown', 'unknown'] },
])(
  'is of unknown fate where the connection is cut: $fates (capabilities:$capability)',
  async ({ capability, content, fates }) => {
    await using fake = await server(capability);
    await using wire = await Wire.between({ to: fake.port });
    const opened = await session(wire.port);
    let passed = 0;
    wire.onUp = (chunk) => {
      passed += chunk.length;
      return passed > MB ? 'cut' : undefined;
    };
    expect(is(await opened.append(letters(content())))).toEqual(fates);
    await expect(opened.closed).resolves.toMatchObject({ kind: 'lost' });
    expect(stored).toEqual([]);
  },
);

it.each([
  {
    of: 'can not be read to its end',
    content: streamed((at) => {
      if (at > MB) throw new Error('EIO');
    }),
  },
  { of: 'is shorter than announced', content: streamed(undefined, BYTES.subarray(0, -1)) },
  { of: 'is longer than announced', content: streamed(undefined, Buffer.concat([BYTES, BYTES])) },
])('that $of ends the connection, and nothing is stored', async ({ content }) => {
  await using fake = await server(' LITERAL+');
  const opened = await session(fake.port);
  expect(is(await opened.append(letters(content)))).toEqual(['unknown', 'held']);
  await opened.closed;
  expect(stored).toEqual([]);
});

it('that is refused before all of it was sent is sent to its end, and then the next one', async () => {
  let heard = 0;
  await using fake = await server(' LITERAL+', {
    onConnect: (line) => {
      line.socket.on('data', (chunk) => {
        if (heard < MB && heard + chunk.length >= MB) line.send('P1 NO [TOOBIG] far too much');
        heard += chunk.length;
      });
    },
    replies: {
      APPEND: ({ tag, args }) => {
        stored.push(args);
        return stored.length === 1 ? undefined : `${tag} OK [APPENDUID 7 1] done`;
      },
    },
  });
  const opened = await session(fake.port);
  expect(is(await opened.append(letters(streamed())))).toEqual(['refused', 'stored']);
  expect(heard).toBeGreaterThan(BYTES.length);
  expect(stored).toHaveLength(2);
  opened.close();
});

it('several in one command that are refused before all of them were sent are sent to their end, and then again', async () => {
  const commands: string[] = [];
  let heard = 0;
  await using fake = await server(' LITERAL+ MULTIAPPEND', {
    onConnect: (line) => {
      line.socket.on('data', (chunk) => {
        const [, tag] = /^(\S+) APPEND /m.exec(chunk.toString('latin1')) ?? [];
        if (heard === 0 && tag !== undefined) line.send(`${tag} NO [TOOBIG] far too much`);
        if (heard > 0 || tag !== undefined) heard += chunk.length;
      });
    },
    replies: {
      APPEND: ({ tag, args }) => {
        commands.push(args);
        return commands.length === 1
          ? undefined
          : `${tag} OK [APPENDUID 7 ${commands.length}] done`;
      },
    },
  });
  const opened = await session(fake.port);
  const both = [
    { ...sendable(''), content: inMemory() },
    { ...sendable('', { uid: 2 }), content: inMemory() },
  ];
  expect(is(await opened.append(both))).toEqual(['stored', 'stored']);
  // Nothing came in between: each command was read as what it is.
  const sizes = commands.map((args) => Math.round(args.length / MB));
  expect(sizes).toEqual([8, 4, 4]);
  expect(heard).toBeGreaterThan(4 * BYTES.length);
  opened.close();
});

describe.each(PLAIN.slice(1))(
  'refused before all of it was sent (capabilities:%s)',
  (capability) => {
    it.each([
      ['the server ends the connection', (line: Line) => line.socket.destroy()],
      ['says goodbye', (line: Line) => line.send('* BYE too much')],
      ['reads no more', () => undefined],
    ])('it stays so where %s', async (_, then) => {
      await using fake = await server(capability, {
        onConnect: (line) => {
          line.socket.on('data', (chunk) => {
            const [, tag] = /^(\S+) APPEND /m.exec(chunk.toString('latin1')) ?? [];
            if (tag === undefined) return;
            line.socket.pause();
            line.send(`${tag} NO [TOOBIG] far too much`);
            setImmediate(() => then(line));
          });
        },
        replies: { APPEND: () => undefined },
      });
      const opened = await session(fake.port, 500);
      const bytes = Buffer.concat([BYTES, BYTES, BYTES]);
      const content = inMemory(undefined, bytes);
      const [placement] = await opened.append([{ ...sendable(''), content }]);
      expect(placement).toMatchObject({ is: 'refused', failure: { code: 'TOOBIG' } });
      opened.close();
    });
  },
);

it.each(PLAIN)('is not cut by a goodbye of ours (capabilities:%s)', async (capability) => {
  let heard = 0;
  let goodbye = (): void => undefined;
  await using fake = await server(capability, {
    onConnect: ({ socket }) => {
      socket.on('data', (chunk) => {
        heard += chunk.length;
        // In the middle of it: once.
        if (heard > MB) goodbye();
        if (heard > MB) goodbye = () => undefined;
      });
    },
  });
  const opened = await session(fake.port);
  goodbye = () => void opened.logout();
  expect(is(await opened.append([{ ...sendable(''), content: inMemory() }]))).toEqual(['stored']);
  await opened.closed;
  expect(stored[0] === BYTES.toString('latin1')).toBe(true);
  expect(fake.commands.at(-1)).toMatch(/ LOGOUT$/);
});

it.each(PLAIN)(
  'keeps no goodbye where it is never answered (capabilities:%s)',
  async (capability) => {
    let begun = (): undefined => undefined;
    const isBegun = new Promise<void>((resolve) => {
      begun = () => {
        resolve();
      };
    });
    await using fake = await server(capability, { replies: { APPEND: () => begun() } });
    const opened = await session(fake.port);
    const appended = opened.append([sendable('A: 1\r\n\r\nx')]);
    await isBegun;
    await opened.logout();
    expect(is(await appended)).toEqual(['unknown']);
  },
);

it.each(PLAIN)(
  'keeps no goodbye where the server hung up (capabilities:%s)',
  async (capability) => {
    await using fake = await server(capability, {
      replies: {
        APPEND: (_, line) => {
          line.socket.destroy();
          return undefined;
        },
      },
    });
    const opened = await session(fake.port);
    expect(is(await opened.append([sendable('A: 1\r\n\r\nx')]))).toEqual(['unknown']);
    await opened.logout();
  },
);

it.each(PLAIN)('is held where we said goodbye before (capabilities:%s)', async (capability) => {
  await using fake = await server(capability);
  const opened = await session(fake.port);
  const gone = opened.logout();
  expect(is(await opened.append([sendable('A: 1\r\n\r\nx')]))).toEqual(['held']);
  await gone;
  expect(fake.commands.join()).not.toContain('APPEND');
});

it.each(PLAIN.slice(1))(
  'is not stored before all of it is out, whatever the server says (capabilities:%s)',
  async (capability) => {
    await using fake = await server(capability);
    const opened = await session(fake.port);
    const { client } = opened as unknown as { readonly client: Client };
    const socket = client.writable;
    let out: (() => void) | undefined;
    // The server has it, and the buffer that it came from is still in use.
    const slow = new Writable({
      write: (chunk, _encoding, taken) => {
        socket.write(chunk);
        if (stored.length > 0 || !chunk.includes('the end')) taken();
        else out = taken;
      },
    });
    Object.defineProperty(client, 'writable', { value: slow });
    let isOver = false;
    const appended = opened.append([sendable('A: 1\r\n\r\nthe end')]).finally(() => {
      isOver = true;
    });
    await vi.waitFor(() => expect(out).toBeDefined());
    socket.write('\r\n');
    await vi.waitFor(() => expect(stored).toHaveLength(1));
    await client.step('look', () => client.flow.noop()).catch(() => undefined);
    expect(isOver).toBe(false);
    out?.();
    expect(is(await appended)).toEqual(['stored']);
    opened.close();
  },
);

it('tries a message that was refused for its end once more, with a line end behind it', async () => {
  const bytes = Buffer.concat([BYTES.subarray(0, -2), Buffer.from('xx')]);
  await using fake = await server(' LITERAL+', {
    replies: {
      APPEND: ({ tag, args }) => {
        if (!args.endsWith('\r\n')) return `${tag} NO no line end`;
        stored.push(args);
        return `${tag} OK [APPENDUID 7 1] done`;
      },
    },
  });
  const opened = await session(fake.port);
  const content = { ...streamed(undefined, bytes), endsLine: false };
  const flags = new Set<string>();
  const sent = { uid: 1, size: content.length, flags, content };
  expect(is(await opened.append([sent]))).toEqual(['stored']);
  expect(stored[0]?.endsWith('xx\r\n')).toBe(true);
  opened.close();
});
