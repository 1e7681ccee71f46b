/** What every DestinationSession promises, asked of one server. */
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InMemory } from '../../src/domain/content.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Candidate, Copy, Sendable } from '../../src/domain/message.ts';
import type { DestinationSession } from '../../src/domain/ports.ts';
import { spoolIn } from '../../src/spool/spool.ts';
import { bytesOf, large, sendable } from '../support/content.ts';
import { type Mail, message } from '../support/mail.ts';
import type { Can, TestServer } from './servers.ts';

const DATE = new Date('2011-02-03T04:05:06Z');

let uid = 0;

function original(bytes: Buffer, flags: readonly string[] = [], internalDate = DATE): Sendable {
  return sendable(bytes, { uid: ++uid, flags: new Set(flags), internalDate });
}

export function destinationContract(
  name: string,
  can: Can,
  start: () => Promise<TestServer>,
): void {
  describe(`a destination session on ${name}`, () => {
    let server: TestServer;
    let mail: Mail;
    let session: DestinationSession;
    let folder: string;
    let nth = 0;

    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server?.[Symbol.asyncDispose]());
    beforeEach(async () => {
      mail = await server.mail();
      session = await server.destination();
      folder = `${server.prefix}Box${++nth}`;
      await mail.create(folder);
    });
    afterEach(async () => {
      session.close();
      await mail[Symbol.asyncDispose]();
    });

    const open = (fresh = false) => session.open(folder, { fresh });
    const read = async (uids: readonly number[]) => {
      const copies: Copy[] = [];
      const wanted = uids.map((uid) => ({ uid }));
      await session.read(wanted, (copy) => copies.push(copy));
      return copies.sort((a, b) => a.uid - b.uid);
    };
    const placedUids = (placements: Awaited<ReturnType<DestinationSession['append']>>) =>
      placements.map((placement) => placement.is === 'stored' && placement.copy?.uid);

    it('says how it takes several messages', () => {
      expect(session.batching).toBe(can.multi ? 'multi' : can.literalPlus ? 'literal' : 'single');
      expect(session.appendLimit).toBeUndefined();
    });

    it('opens a folder and says where it stands', async () => {
      await mail.put(folder, message());
      expect(await open()).toEqual({
        folder,
        uidValidity: await mail.uidValidity(folder),
        uidNext: 2,
        messages: 1,
        readOnly: false,
        uidNotSticky: false,
      });
    });

    it('shows with a fresh open what others appended', async () => {
      await open();
      await mail.put(folder, message());
      expect(await open(true)).toMatchObject({ messages: 1, uidNext: 2 });
      expect(await session.listFrom(1)).toHaveLength(1);
      expect(await read([1])).toHaveLength(1);
    });

    it('says that a folder is missing, makes it once, and subscribes it', async () => {
      const made = `${folder}-new`;
      await expect(session.open(made, { fresh: false })).rejects.toMatchObject({
        name: 'Failure',
        kind: 'folder-missing',
        scope: 'folder',
        outcomeUnknown: false,
      });
      expect(await session.create(made)).toBe(true);
      expect(await session.create(made)).toBe(false);
      expect(await session.open(made, { fresh: false })).toMatchObject({ messages: 0 });
      const subscribed = Buffer.concat(await mail.command('LSUB "" "*"')).toString();
      expect(subscribed).toContain(made);
    });

    it('appends bytes, flags, keywords and dates as they are, in their order', async () => {
      await open();
      const messages = [
        original(message(), ['\\Seen', '\\Answered', '$Forwarded']),
        original(message({ size: 10_000 }), ['\\Flagged', '\\Draft', 'NonJunk']),
        original(Buffer.from('Subject: caf\xe9\r\n\r\nna\xefve\r\n', 'latin1'), []),
        original(message({ size: 1_100_000 }), [], new Date('2024-02-29T23:59:59Z')),
        original(message(), [], new Date('1999-12-31T00:00:00Z')),
      ];
      const placements = await session.append(messages);
      const stored = await mail.dump(folder);
      expect(placements.map(({ is }) => is)).toEqual(messages.map(() => 'stored'));
      expect(stored).toHaveLength(messages.length);
      for (const [i, { bytes, flags, internalDate }] of stored.entries()) {
        expect(bytes.equals(bytesOf(messages[i] as Sendable))).toBe(true);
        expect(flags).toEqual([...(messages[i]?.flags ?? [])].sort());
        expect(internalDate).toEqual(messages[i]?.internalDate);
      }
      if (can.uidPlus) {
        expect(placedUids(placements)).toEqual(stored.map(({ uid }) => uid));
        const uidValidity = await mail.uidValidity(folder);
        expect(placements[0]).toEqual({ is: 'stored', copy: { uid: 1, uidValidity } });
      }
    });

    it('appends a message that is too large for memory, and reads it back in pieces', async () => {
      await open();
      const bytes = large();
      await using spool = spoolIn(tmpdir());
      const incoming = await spool.receive();
      for (let at = 0; at < bytes.length; at += 1_000_001)
        await incoming.write(bytes.subarray(at, at + 1_000_001));
      const content = incoming.end();
      const flags = new Set(['\\Seen']);
      const before = original(message());
      const spooled = { uid: 99, size: content.length, internalDate: DATE, flags, content };
      const placements = await session.append([before, spooled, original(message())]);
      expect(placements.map(({ is }) => is)).toEqual(['stored', 'stored', 'stored']);
      if (can.uidPlus) expect(placedUids(placements)).toEqual([1, 2, 3]);
      if (!can.uidPlus) await open(true);
      const [row] = await session.listFrom(2);
      const copies: Copy[] = [];
      await session.read(row ? [row] : [], (copy) => copies.push(copy));
      expect(copies.map((copy) => copy.content.sha256)).toEqual([new InMemory(bytes).sha256]);
      expect(row).toMatchObject({ uid: 2, size: bytes.length, internalDate: DATE });
      expect(row?.flags.has('\\Seen')).toBe(true);
      const [, stored] = await mail.dump(folder);
      expect(stored?.bytes.equals(bytes)).toBe(true);
    });

    it('appends neither \\Recent nor \\Deleted', async () => {
      await open();
      await session.append([original(message(), ['\\Recent', '\\Deleted', '\\DELETED', '\\Seen'])]);
      expect((await mail.dump(folder)).map(({ flags }) => flags)).toEqual([['\\Seen']]);
    });

    it('appends nothing where there is nothing', async () => {
      await open();
      expect(await session.append([])).toEqual([]);
    });

    it('appends the same bytes as often as they come', async () => {
      await open();
      const bytes = message();
      const placements = await session.append([original(bytes), original(bytes)]);
      expect(await mail.dump(folder)).toHaveLength(2);
      if (can.uidPlus) expect(placedUids(placements)).toEqual([1, 2]);
    });

    it.runIf(can.refusesEmpty)('sets the one apart that the server refuses', async () => {
      await open();
      const messages = Array.from({ length: 7 }, () => original(message()));
      messages[4] = original(Buffer.alloc(0));
      const placements = await session.append(messages);
      expect(placements.map(({ is }) => is)).toEqual([
        'stored',
        'stored',
        'stored',
        'stored',
        'refused',
        'stored',
        'stored',
      ]);
      const stored = await mail.dump(folder);
      expect(stored.map(({ bytes }) => bytes.toString())).toEqual(
        messages.filter((_, i) => i !== 4).map((each) => bytesOf(each).toString()),
      );
      expect(placements[4]).toMatchObject({ failure: { scope: 'message', outcomeUnknown: false } });
      if (can.uidPlus) expect(placedUids(placements)).toEqual([1, 2, 3, 4, false, 5, 6]);
    });

    it.runIf(can.holdsMissing)('holds messages back where the folder is gone', async () => {
      await open();
      const [first] = await session.append([original(message())]);
      expect(first?.is).toBe('stored');
      await mail.command(`DELETE "${folder}"`);
      const placements = await session.append([original(message()), original(message())]);
      const held = { is: 'held', failure: { outcomeUnknown: false } };
      expect(placements).toMatchObject([held, held]);
    });

    it('lists from a UID on, with size, date, flags and Message-ID', async () => {
      await mail.put(folder, message({ id: '<one@example.org>' }), { internalDate: DATE });
      await mail.put(folder, Buffer.from('Subject: none\r\n\r\nx\r\n'), { flags: ['\\Seen'] });
      await mail.put(folder, Buffer.from('Message-ID:\r\n <folded@example.org>\r\n\r\nx\r\n'));
      await open(true);
      const rows = await session.listFrom(1);
      const of = ({ uid, messageId, size }: Candidate) => [uid, messageId, size > 0];
      expect(rows.map(of)).toEqual([
        [1, '<one@example.org>', true],
        [2, undefined, true],
        [3, '<folded@example.org>', true],
      ]);
      expect(rows[0]?.internalDate).toEqual(DATE);
      expect(rows[1]?.flags.has('\\Seen')).toBe(true);
      expect((await session.listFrom(3)).map(({ uid }) => uid)).toEqual([3]);
      expect(await session.listFrom(4)).toEqual([]);
    });

    it('reads back the very bytes on the connection that appended, and marks nothing as seen', async () => {
      await open();
      const messages = [original(message({ size: 1_000_000 })), original(message(), ['\\Flagged'])];
      await session.append(messages);
      // Without UIDPLUS the view is only sure to be current after a fresh open.
      if (!can.uidPlus) await open(true);
      const copies = await read([1, 2, 77]);
      expect(copies.map(({ uid }) => uid)).toEqual([1, 2]);
      for (const [i, copy] of copies.entries())
        expect(bytesOf(copy).equals(bytesOf(messages[i] as Sendable))).toBe(true);
      expect(copies[1]?.flags.has('\\Flagged')).toBe(true);
      expect((await mail.dump(folder)).map(({ flags }) => flags)).toEqual([[], ['\\Flagged']]);
      expect(await read([])).toEqual([]);
    });

    it('puts flags on a copy and takes them off, and leaves others alone', async () => {
      await mail.put(folder, message(), { flags: ['\\Flagged'] });
      await mail.put(folder, message(), { flags: ['\\Flagged'] });
      await open(true);
      await session.reflag(2, ['\\Seen', '\\Deleted', '\\Recent'], ['\\Flagged', 'NeverThere']);
      await session.reflag(2, [], []);
      expect((await mail.dump(folder)).map(({ flags }) => flags)).toEqual([
        ['\\Flagged'],
        ['\\Seen'],
      ]);
    });

    it('makes nothing of flags that a folder can not keep', async () => {
      await mail.put(folder, message());
      await open(true);
      await session.reflag(1, ['bad keyword', '\\*'], ['bad keyword', '(']);
      expect((await mail.dump(folder)).map(({ flags }) => flags)).toEqual([[]]);
    });

    it('expunges nothing, whatever it does', async () => {
      await mail.put(folder, message(), { flags: ['\\Deleted'] });
      await open(true);
      await session.append([original(message())]);
      await session.open('INBOX', { fresh: true });
      await session.logout();
      expect(await mail.dump(folder)).toHaveLength(2);
    });

    it('holds every message back once the connection has ended', async () => {
      await open();
      session.close();
      await session.closed;
      const placements = await session.append([original(message()), original(message())]);
      expect(placements).toMatchObject([
        { is: 'held', failure: { name: 'Failure', kind: 'lost', outcomeUnknown: false } },
        { is: 'held' },
      ]);
      for (const call of [
        () => open(true),
        () => session.create('Other'),
        () => session.listFrom(1),
        () => read([1]),
        () => session.reflag(1, ['\\Seen'], []),
        () => session.listFolders(),
        () => session.noop(),
      ]) {
        await expect(call()).rejects.toBeInstanceOf(Failure);
      }
      expect(await mail.dump(folder)).toEqual([]);
    });

    it('never sent CLOSE or EXPUNGE', ({ skip }) => {
      const { sent } = server;
      skip(sent === undefined, 'what TLS carries is not overheard');
      const commands = (sent ?? []).map((line) => line.replace(/^\S+ /, ''));
      expect(commands.filter((line) => /^(UID )?(CLOSE|EXPUNGE)\b/.test(line))).toEqual([]);
    });
  });
}
