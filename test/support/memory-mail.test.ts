import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/domain/failure.ts';
import type { Copy, Sendable } from '../../src/domain/message.ts';
import type { DestinationSession } from '../../src/domain/ports.ts';
import { spoolIn } from '../../src/spool/spool.ts';
import { sendable, small } from './content.ts';
import {
  afterwards,
  closesAfter,
  closesBefore,
  fails,
  hangs,
  type Lie,
  lies,
  loginRefused,
  MemoryServer,
  meanwhile,
  memoryDestination,
  memorySource,
  unanswered,
  watchCrossing,
} from './memory-mail.ts';

const never = new AbortController().signal;
const ONE = 'Message-ID: <one@example.org>\r\n\r\none one one\r\n';
const TWO = 'Message-ID: <two@example.org>\r\n\r\ntwo two two\r\n';

function servers() {
  const source = new MemoryServer();
  const destination = new MemoryServer();
  return { source, destination, oracle: watchCrossing(source, destination) };
}

async function sourceOf(server: MemoryServer) {
  const session = await memorySource(server).connect(never);
  await session.open('INBOX', { readOnly: false, idle: true });
  return session;
}

describe('where folders stand, on the memory server', () => {
  it.each([true, false])('is asked, not of the open one: LIST-STATUS %s', async (listStatus) => {
    const server = new MemoryServer('A', 'B');
    server.manners.abilities.listStatus = listStatus;
    const session = await sourceOf(server);
    server.put(ONE, { folder: 'A' });
    const found = await session.statuses(['INBOX', 'A', 'B', 'C']);
    expect([...found.keys()]).toEqual(['A', 'B']);
    const { uidValidity } = server.folder('A');
    expect(found.get('A')).toEqual({ messages: 1, uidNext: 2, uidValidity });
    expect([server.count('statuses'), server.count('status')]).toEqual(
      listStatus ? [1, 0] : [0, 4],
    );
  });

  it('is told of all others by NOTIFY', async () => {
    const server = new MemoryServer('A');
    server.manners.abilities.notify = true;
    const session = await sourceOf(server);
    const told: (string | undefined)[] = [];
    await session.notify((folder) => told.push(folder));
    server.put(ONE);
    server.put(ONE, { folder: 'A' });
    expect(told).toEqual(['A']);
  });
});

async function destinationOf(server: MemoryServer) {
  const session = await memoryDestination(server).connect(never);
  await session.open('INBOX', { fresh: true });
  return session;
}

async function readBack(session: DestinationSession, ...uids: number[]): Promise<Copy[]> {
  const copies: Copy[] = [];
  await session.read(small(...uids), (copy) => copies.push(copy));
  return copies;
}

/** All that memory servers have is small. */
const spool = spoolIn('/nowhere');

function sent(bytes: string, uid = 1): Sendable {
  return sendable(bytes, { uid, internalDate: new Date() });
}

describe('the oracle', () => {
  it('is content when an original goes after its copy was read back', async () => {
    const { source, destination, oracle } = servers();
    source.put(ONE);
    const from = await sourceOf(source);
    const to = await destinationOf(destination);
    await to.append(await from.fetch(small(1), spool));
    await readBack(to, 1);
    await from.mark([1]);
    await from.expunge([1]);
    expect(() => oracle.assert({ carried: true })).not.toThrow();
  });

  it('notices an original that goes before its copy was read back', async () => {
    const { source, destination, oracle } = servers();
    source.put(ONE);
    const from = await sourceOf(source);
    await (await destinationOf(destination)).append(await from.fetch(small(1), spool));
    await from.mark([1]);
    await from.expunge([1]);
    expect(oracle.violations).toHaveLength(1);
    expect(oracle.lost()).toEqual([]);
  });

  it('notices that two equal originals went on one copy', async () => {
    const { source, destination, oracle } = servers();
    source.put(ONE);
    source.put(ONE);
    const from = await sourceOf(source);
    const to = await destinationOf(destination);
    await to.append(await from.fetch(small(1), spool));
    await readBack(to, 1);
    await from.mark([1, 2]);
    await from.expunge([1, 2]);
    expect(oracle.violations).toHaveLength(1);
    expect(oracle.lost()).toHaveLength(1);
  });

  it('notices a copy too many, and lets an original be that is still there', async () => {
    const { source, destination, oracle } = servers();
    source.put(ONE);
    const from = await sourceOf(source);
    const to = await destinationOf(destination);
    const originals = await from.fetch(small(1), spool);
    await to.append(originals);
    expect(oracle.surplus()).toEqual([]);
    await to.append(originals);
    expect(oracle.surplus()).toHaveLength(1);
    expect(() => oracle.assert()).toThrow('one copy too many');
  });

  it('counts a message that another client removed as nobody’s loss', () => {
    const { source, oracle } = servers();
    source.put(ONE);
    source.expunge([1]);
    expect(() => oracle.assert({ carried: true })).not.toThrow();
  });
});

describe('faults', () => {
  it('meet one attempt each, in order', async () => {
    const { source } = servers();
    source.put(ONE);
    source.plan('fetch', fails(loginRefused()), {}, lies('empty'));
    const from = await sourceOf(source);
    await expect(from.fetch(small(1))).rejects.toThrow('refused the login');
    expect((await from.fetch(small(1)))[0]?.content.length).toBe(ONE.length);
    expect((await from.fetch(small(1)))[0]?.content.length).toBe(0);
    expect((await from.fetch(small(1)))[0]?.content.length).toBe(ONE.length);
  });

  it.each([
    ['before its effect', closesBefore, 1],
    ['after its effect', closesAfter, 0],
  ])('end the connection of an expunge %s', async (_when, fault, left) => {
    const { source } = servers();
    source.put(ONE);
    source.plan('expunge', fault);
    const from = await sourceOf(source);
    await from.mark([1]);
    await expect(from.expunge([1])).rejects.toMatchObject({ kind: 'lost', outcomeUnknown: true });
    expect((await from.closed)?.kind).toBe('lost');
    expect(source.folder().messages).toHaveLength(left);
    await expect(from.noop()).rejects.toMatchObject({ kind: 'lost', outcomeUnknown: false });
  });

  it.each<[Lie, string[]]>([
    ['truncated', [ONE.slice(0, Math.floor(ONE.length / 2)), TWO]],
    ['empty', ['', TWO]],
    ['other', [TWO, TWO]],
    ['nothing', [TWO]],
    ['twice', [ONE, TWO, ONE]],
    ['no-uid', [ONE, TWO]],
    ['wrong-uid', [ONE, TWO]],
    ['wrong-validity', [ONE, TWO]],
  ])('have an append say OK although %s', async (lie, there) => {
    const { destination } = servers();
    destination.plan('append', lies(lie));
    const to = await destinationOf(destination);
    const placements = await to.append([sent(ONE), sent(TWO, 2)]);
    expect(placements.map(({ is }) => is)).toEqual(['stored', 'stored']);
    const { messages, uidValidity } = destination.folder();
    expect(messages.map(({ bytes }) => bytes.toString())).toEqual(there);
    const [first] = placements;
    if (['no-uid', 'wrong-uid', 'wrong-validity'].includes(lie)) {
      expect(first).not.toMatchObject({ copy: { uidValidity, uid: messages[0]?.uid } });
    }
  });

  it('change one byte and no more', async () => {
    const { destination } = servers();
    destination.plan('append', lies('changed'));
    await (await destinationOf(destination)).append([sent(ONE)]);
    const stored = destination.find(1)?.bytes ?? Buffer.alloc(0);
    const differing = [...Buffer.from(ONE)].filter((byte, i) => byte !== stored[i]);
    expect([stored.length, differing.length]).toEqual([ONE.length, 1]);
  });

  it('leave an append unknown that was stored, or was not', async () => {
    const { destination } = servers();
    destination.plan('append', unanswered, closesBefore);
    const to = await destinationOf(destination);
    expect((await to.append([sent(ONE)]))[0]?.is).toBe('unknown');
    expect((await to.append([sent(TWO)]))[0]?.is).toBe('unknown');
    expect(destination.folder().messages).toHaveLength(1);
  });

  it('hold what was not sent after an interrupted single append', async () => {
    const { destination } = servers();
    destination.manners.batching = 'single';
    destination.plan('append', {}, closesAfter);
    const to = await destinationOf(destination);
    const placements = await to.append([sent(ONE), sent(TWO, 2), sent(ONE, 3)]);
    expect(placements.map(({ is }) => is)).toEqual(['stored', 'unknown', 'held']);
    expect(destination.folder().messages).toHaveLength(2);
  });

  it('let another client act before and after a call', async () => {
    const { source } = servers();
    source.put(ONE);
    source.plan(
      'fetch',
      afterwards(() => source.flag(1, ['\\Flagged'])),
    );
    source.plan(
      'mark',
      meanwhile(() => source.expunge([1])),
    );
    const from = await sourceOf(source);
    expect((await from.fetch(small(1)))[0]?.flags).toEqual(new Set());
    expect(source.find(1)?.flags).toEqual(new Set(['\\Flagged']));
    expect(await from.mark([1])).toEqual(new Map());
  });

  it('keep a connect waiting until it is given up', async () => {
    const { source } = servers();
    source.plan('connect', hangs);
    const given = new AbortController();
    const connecting = memorySource(source).connect(given.signal);
    given.abort();
    await expect(connecting).rejects.toMatchObject({ step: 'connect', kind: 'lost' });
    expect(source.connections.size).toBe(0);
  });
});

describe('the server', () => {
  it('pushes EXISTS at once, or only at a NOOP where it is deaf', async () => {
    const { source } = servers();
    const from = await sourceOf(source);
    let heard = 0;
    from.onExists(() => heard++);
    source.put(ONE);
    expect(heard).toBe(1);
    source.manners.deaf = true;
    source.put(TWO);
    expect(heard).toBe(1);
    await from.noop();
    expect(heard).toBe(2);
  });

  it('shows a stale view what others appended only after a fresh open', async () => {
    const { destination } = servers();
    destination.manners.staleViews = true;
    const to = await destinationOf(destination);
    destination.put(ONE);
    expect(await to.listFrom(1)).toEqual([]);
    await to.open('INBOX', { fresh: false });
    expect(await to.listFrom(1)).toEqual([]);
    await to.open('INBOX', { fresh: true });
    expect(await to.listFrom(1)).toHaveLength(1);
  });

  it('ends the connections of a folder that is renumbered', async () => {
    const { source } = servers();
    source.put(ONE);
    source.put(TWO);
    source.expunge([1]);
    const from = await sourceOf(source);
    const before = source.folder().uidValidity;
    source.renumber();
    expect((await from.closed)?.kind).toBe('lost');
    expect(source.folder().uidValidity).not.toBe(before);
    expect(source.folder().messages.map(({ uid }) => uid)).toEqual([1]);
  });

  it('refuses one message of a batch and takes the others', async () => {
    const { destination } = servers();
    const refusal = { message: 'no', scope: 'message', outcomeUnknown: false } as Failure;
    destination.manners.refuses = (bytes) => (bytes.includes('two') ? refusal : undefined);
    const to = await destinationOf(destination);
    const placements = await to.append([sent(ONE), sent(TWO, 2), sent(ONE, 3)]);
    expect(placements.map(({ is }) => is)).toEqual(['stored', 'refused', 'stored']);
    expect(destination.folder().messages).toHaveLength(2);
  });

  it('says no to an expunge while somebody else has marked a message', async () => {
    const { source } = servers();
    source.manners.abilities.uidPlus = false;
    source.put(ONE);
    source.put(TWO, { flags: ['\\Deleted'] });
    const from = await sourceOf(source);
    await from.mark([1]);
    expect(await from.expungeAlone([1])).toEqual({ gone: new Set(), strangers: true });
    source.flag(2, [], ['\\Deleted']);
    expect(await from.expungeAlone([1])).toEqual({ gone: new Set([1]), strangers: false });
  });
});
