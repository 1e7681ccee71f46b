/** What every SourceSession promises, asked of one server. */
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { InMemory } from '../../src/domain/content.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { SourceSession } from '../../src/domain/ports.ts';
import { spoolIn } from '../../src/spool/spool.ts';
import { bytesOf, large, small } from '../support/content.ts';
import { type Mail, message } from '../support/mail.ts';
import type { Can, TestServer } from './servers.ts';

const WAIT = { timeout: 10_000, interval: 10 };
const DATE = new Date('2011-02-03T04:05:06Z');

export function sourceContract(name: string, can: Can, start: () => Promise<TestServer>): void {
  describe(`a source session on ${name}`, () => {
    let server: TestServer;
    let mail: Mail;
    let session: SourceSession;
    let folder: string;
    let nth = 0;

    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server?.[Symbol.asyncDispose]());
    beforeEach(async () => {
      mail = await server.mail();
      session = await server.source();
      folder = `${server.prefix}Box${++nth}`;
      await mail.create(folder);
    });
    afterEach(async () => {
      session.close();
      await mail[Symbol.asyncDispose]();
    });

    const put = async (count: number, put = {}) => {
      const all = Array.from({ length: count }, () => message());
      for (const each of all) await mail.put(folder, each, put);
      return all;
    };
    const open = (how: { readOnly?: boolean; idle?: boolean } = {}) =>
      session.open(folder, { readOnly: false, idle: false, ...how });
    const stored = () => mail.dump(folder);
    /** Another client expunges a message. */
    const vanish = async (uid: number) => {
      await mail.command(`SELECT "${folder}"`);
      await mail.command(`UID STORE ${uid} +FLAGS (\\Deleted)`);
      await mail.command('EXPUNGE');
      await mail.command('UNSELECT');
    };
    const uidsLeft = async () => (await stored()).map(({ uid }) => uid);
    const marked = async () =>
      (await stored()).filter(({ flags }) => flags.includes('\\Deleted')).map(({ uid }) => uid);

    it('says what the server can', () => {
      const { idle, uidPlus, move, notify, listStatus } = can;
      const all = { idle, uidPlus, move, notify, listStatus, estimatesSizes: false };
      expect(session.abilities).toEqual(all);
    });

    it('opens a folder and says where it stands', async () => {
      await put(3);
      const view = await open();
      expect(view).toEqual({
        folder,
        uidValidity: await mail.uidValidity(folder),
        uidNext: Math.max(...(await uidsLeft())) + 1,
        messages: 3,
        readOnly: false,
        uidNotSticky: false,
      });
    });

    it('opens afresh: what came since is in the view', async () => {
      await open();
      await put(2);
      expect(await open()).toMatchObject({ messages: 2 });
      expect(await session.uids()).toEqual(await uidsLeft());
    });

    it('opens for reading only, and then changes nothing', async () => {
      await put(1);
      expect(await open({ readOnly: true })).toMatchObject({ messages: 1, readOnly: false });
      await session.fetch(small(...(await session.uids())));
      expect((await stored()).map(({ flags }) => flags)).toEqual([[]]);
    });

    it('says that a folder is missing, and then has none open', async () => {
      await put(1);
      await open();
      const missing = session.open(`${server.prefix}Nowhere`, { readOnly: false, idle: false });
      await expect(missing).rejects.toMatchObject({
        name: 'Failure',
        kind: 'folder-missing',
        scope: 'folder',
        outcomeUnknown: false,
      });
      await expect(session.uids()).rejects.toBeInstanceOf(Failure);
      await expect(session.listFrom(1)).rejects.toBeInstanceOf(Failure);
      await expect(session.mark([1])).rejects.toBeInstanceOf(Failure);
      await expect(session.expungeAlone([1])).rejects.toBeInstanceOf(Failure);
    });

    it('lists every folder with its delimiter, names with letters of any language', async () => {
      const odd = `${server.prefix}Entwürfe & Söhne (日本) %${can.readsQuotes ? ' "x"' : ''}`;
      await session.ensureFolder(odd);
      const { folders } = await session.listFolders();
      const paths = folders.map(({ path }) => path);
      expect(paths).toEqual(expect.arrayContaining(['INBOX', folder, odd]));
      const listed = folders.find(({ path }) => path === odd);
      expect(listed?.delimiter).toMatch(/^[./]$/);
      await session.open(odd, { readOnly: false, idle: false });
      expect(await session.uids()).toEqual([]);
    });

    it('puts no prefix in front of a folder name', async ({ skip }) => {
      skip(server.prefix === '', 'only where folders have one');
      const bare = folder.slice(server.prefix.length);
      const missing = session.open(bare, { readOnly: false, idle: false });
      await expect(missing).rejects.toMatchObject({ scope: 'folder' });
      expect(server.sent?.some((line) => line.endsWith(` SELECT ${bare}`))).toBe(true);
    });

    it('answers a NOOP', async () => {
      await expect(session.noop()).resolves.toBeUndefined();
    });

    it.runIf(can.idle)('tells of new mail while it idles, and idles again after work', async () => {
      const heard = vi.fn();
      session.onExists(heard);
      await open({ idle: true });
      await put(1);
      await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(1), WAIT);
      expect(await session.uids()).toHaveLength(1);
      const commands = server.sent?.length ?? 0;
      await put(1);
      await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(2), WAIT);
      const since = server.sent?.slice(commands).map((line) => line.replace(/^\S+ /, ''));
      if (since) expect(since.every((line) => line === 'IDLE')).toBe(true);
      expect(await session.uids()).toHaveLength(2);
    });

    it.runIf(can.idle)('tells of mail that came where another went', async () => {
      const heard = vi.fn();
      await put(1);
      await open({ idle: true });
      session.onExists(heard);
      const [first] = await session.uids();
      await put(1);
      await vanish(first as number);
      await vi.waitFor(() => expect(heard).toHaveBeenCalled(), WAIT);
      await vi.waitFor(async () => expect(await session.uids()).toEqual(await uidsLeft()), WAIT);
    });

    it('tells of new mail that a NOOP brings', async () => {
      const heard = vi.fn();
      await open();
      session.onExists(heard);
      await put(1);
      await session.noop();
      expect(heard).toHaveBeenCalled();
    });

    describe('of other folders', () => {
      let other: string;

      beforeEach(async () => {
        other = `${server.prefix}Söhne & ${nth}`;
        await session.ensureFolder(other);
      });

      it('says where they stand, and nothing of the open one or of one that is not there', async () => {
        await put(3);
        const names = [folder, other, `${server.prefix}Nowhere`, 'INBOX'];
        const standing = {
          messages: 3,
          uidNext: Math.max(...(await uidsLeft())) + 1,
          uidValidity: await mail.uidValidity(folder),
        };
        const before = await session.statuses(names);
        expect([...before.keys()].sort()).toEqual(['INBOX', folder, other].sort());
        expect(before.get(folder)).toEqual(standing);
        expect(before.get(other)).toMatchObject({ messages: 0 });
        await open();
        expect([...(await session.statuses(names)).keys()].sort()).toEqual(['INBOX', other].sort());
        await session.open(other, { readOnly: false, idle: false });
        await put(1);
        const after = await session.statuses([folder, other]);
        expect(after.get(folder)).toMatchObject({
          messages: 4,
          uidNext: Math.max(...(await uidsLeft())) + 1,
        });
        expect(await session.statuses([])).toEqual(new Map());
      });

      it('asks for them all at once where it can, else one by one', async ({ skip }) => {
        const { sent } = server;
        skip(sent === undefined, 'only where the session can be overheard');
        const before = sent?.length ?? 0;
        await session.statuses([folder, other, 'INBOX']);
        const lines = sent?.slice(before).map((line) => line.split(' ')[1]);
        expect(lines).toEqual(can.listStatus ? ['LIST'] : ['STATUS', 'STATUS', 'STATUS']);
      });

      it.runIf(can.notify)('is told by the server what changes there', async () => {
        const told = vi.fn();
        const heard = vi.fn();
        session.onExists(heard);
        await session.open(other, { readOnly: false, idle: false });
        await session.notify(told);
        await put(1);
        const messages = (count: number) =>
          expect(told).toHaveBeenCalledWith(folder, expect.objectContaining({ messages: count }));
        await vi.waitFor(() => messages(1), WAIT);
        await put(1);
        await vi.waitFor(() => messages(2), WAIT);
        expect(heard).not.toHaveBeenCalled();
        await open();
        const [first = 0] = await session.uids();
        await put(1);
        await session.noop();
        expect(heard).toHaveBeenCalled();
        expect(await session.uids()).toHaveLength(3);
        await session.mark([first]);
        if (can.uidPlus) expect(await session.expunge([first])).toEqual(new Set([first]));
        await session.open(other, { readOnly: false, idle: false });
        told.mockClear();
        await put(1);
        await vi.waitFor(() => expect(told).toHaveBeenCalledWith(folder, expect.anything()), WAIT);
        expect((await session.statuses([folder])).get(folder)).toMatchObject({
          messages: (await stored()).length,
        });
      });
    });

    it('gives every UID in order, and none of an empty folder', async () => {
      await open();
      expect(await session.uids()).toEqual([]);
      await put(4);
      await open();
      const uids = await session.uids();
      expect(uids).toEqual(await uidsLeft());
      expect(uids).toHaveLength(4);
    });

    it('lists flags, size and date of what is asked for, and nothing else', async () => {
      const [bytes] = await put(1, { flags: ['\\Seen', '$Forwarded'], internalDate: DATE });
      await put(2);
      await open();
      const [first = 0, second = 0] = await session.uids();
      await mail.flag(folder, `${second}`, '+FLAGS (\\Flagged)');
      expect(await session.list([first, 4_000_000])).toEqual([
        {
          uid: first,
          size: bytes?.length,
          flags: expect.toSatisfy((flags: Set<string>) =>
            ['\\Seen', '$Forwarded'].every((flag) => flags.has(flag)),
          ),
          internalDate: DATE,
        },
      ]);
      expect(await session.list([])).toEqual([]);
    });

    it('lists from a UID on, and does not take the last message for a later one', async () => {
      await put(3);
      await open();
      const uids = await session.uids();
      const last = uids.at(-1) as number;
      expect((await session.listFrom(1)).map(({ uid }) => uid)).toEqual(uids);
      expect((await session.listFrom(last)).map(({ uid }) => uid)).toEqual([last]);
      expect(await session.listFrom(last + 1)).toEqual([]);
      expect(await session.listFrom(last + 1000)).toEqual([]);
    });

    it('fetches the very bytes, however many and whatever they are, and marks nothing as seen', async () => {
      const every = Buffer.from(Array.from({ length: 253 }, (_, i) => (i < 9 ? i + 1 : i + 3)));
      const bytes = [
        message(),
        Buffer.concat([message(), every.filter((byte) => byte !== 13), Buffer.from('\r\n')]),
        message({ size: 1_100_000 }),
        Buffer.from('Subject: no end of line'),
        Buffer.from('X: {3}\r\n\r\n) a1 OK FETCH done\r\n* 1 EXPUNGE\r\n'),
      ];
      for (const each of bytes) await mail.put(folder, each);
      await open();
      const uids = await session.uids();
      const fetched = await session.fetch(uids.toReversed().map((uid) => ({ uid })));
      expect(fetched.map(({ uid }) => uid)).toEqual(uids);
      for (const [i, original] of fetched.entries()) {
        expect(bytesOf(original).equals(bytes[i] as Buffer)).toBe(true);
        expect(original.size).toBe(original.content.length);
      }
      expect((await stored()).flatMap(({ flags }) => flags)).toEqual([]);
    });

    it('fetches a message that is too large for memory, in pieces', async () => {
      const bytes = large();
      await mail.put(folder, bytes);
      await open();
      const [listed] = await session.listFrom(1);
      await using spool = spoolIn(tmpdir());
      const [spooled] = await session.fetch(listed ? [listed] : [], spool);
      const [measured] = await session.fetch(listed ? [listed] : []);
      const { sha256 } = new InMemory(bytes);
      expect([spooled?.content.sha256, measured?.content.sha256]).toEqual([sha256, sha256]);
      expect(spooled?.internalDate).toEqual(listed?.internalDate);
      expect((await mail.dump(folder)).map(({ flags }) => flags)).toEqual([[]]);
    });

    it.each([
      { noticed: 'just now', notice: async () => undefined },
      { noticed: 'and the session knows', notice: () => session.noop() },
    ])('leaves out what has vanished, $noticed', async ({ notice }) => {
      await put(3);
      await open();
      const [first = 0, second = 0, third = 0] = await session.uids();
      await vanish(second);
      await notice();
      const all = [first, second, third];
      expect((await session.fetch(small(...all))).map(({ uid }) => uid)).toEqual([first, third]);
      expect((await session.list(all)).map(({ uid }) => uid)).toEqual([first, third]);
      expect([...(await session.mark(all)).keys()]).toEqual([first, third]);
      expect(await session.fetch(small(second))).toEqual([]);
    });

    it('does not take what is said of other messages for an answer', async () => {
      await put(3);
      await open();
      const [first = 0, second = 0, third = 0] = await session.uids();
      await mail.flag(folder, `${first},${third}`, '+FLAGS (\\Flagged)');
      expect((await session.fetch(small(second))).map(({ uid }) => uid)).toEqual([second]);
      await mail.flag(folder, `${first},${third}`, '-FLAGS (\\Flagged)');
      expect((await session.list([second])).map(({ uid }) => uid)).toEqual([second]);
      await mail.flag(folder, `${first},${third}`, '+FLAGS (\\Flagged)');
      expect([...(await session.mark([second])).keys()]).toEqual([second]);
      expect(await marked()).toEqual([second]);
    });

    it('sets a flag and takes it off again, and no other, of what is there', async () => {
      await put(3);
      await open();
      const [first = 0, second = 0] = await session.uids();
      await session.mark([first, second]);
      const flagged = async () =>
        (await stored()).filter(({ flags }) => flags.includes('\\Flagged')).map(({ uid }) => uid);
      for (const uid of [first, second, 99]) await session.setFlag(uid, '\\Flagged', true);
      expect(await flagged()).toEqual([first, second]);
      for (const uid of [first, first, 99]) await session.setFlag(uid, '\\Flagged', false);
      expect(await flagged()).toEqual([second]);
      expect(await marked()).toEqual([first, second]);
    });

    it('marks, and says which flags another client changed meanwhile', async () => {
      await put(2);
      await open();
      const [first = 0, second = 0] = await session.uids();
      await mail.flag(folder, `${first}`, '+FLAGS (\\Flagged $Work)');
      const after = await session.mark([first]);
      expect([...after.keys()]).toEqual([first]);
      const flags = [...(after.get(first) ?? [])].filter((flag) => flag !== '\\Recent').sort();
      expect(flags).toEqual(['$Work', '\\Deleted', '\\Flagged']);
      expect(await marked()).toEqual([first]);
      // Again, and now with what is marked already.
      expect((await session.mark([first, second])).size).toBe(2);
      expect((await session.mark([])).size).toBe(0);
    });

    it.runIf(can.uidPlus)('expunges exactly what it is told to', async () => {
      await put(4);
      await open();
      const [ours = 0, unmarked = 0, theirs = 0, other = 0] = await session.uids();
      await mail.flag(folder, `${theirs}`, '+FLAGS (\\Deleted)');
      await session.mark([ours]);
      const named = can.expungesMarkedOnly ? [ours, unmarked] : [ours];
      expect(await session.expunge(named)).toEqual(new Set([ours]));
      expect(await uidsLeft()).toEqual([unmarked, theirs, other]);
      expect(await marked()).toEqual([theirs]);
      // Again: it is still gone.
      expect(await session.expunge([ours])).toEqual(new Set([ours]));
      expect(await session.expunge([])).toEqual(new Set());
      expect(await uidsLeft()).toHaveLength(3);
    });

    it.runIf(!can.uidPlus)('does not expunge by UID where the server can not', async () => {
      await put(1);
      await open();
      const uids = await session.uids();
      await session.mark(uids);
      await expect(session.expunge(uids)).rejects.toMatchObject({ lasting: true });
      expect(await uidsLeft()).toEqual(uids);
    });

    it('expunges alone where nothing else is marked', async () => {
      await put(3);
      await open();
      const [first = 0, second = 0, third = 0] = await session.uids();
      await session.mark([first, second]);
      const outcome = await session.expungeAlone([first, second, third]);
      expect(outcome).toEqual({ gone: new Set([first, second]), strangers: false });
      expect(await uidsLeft()).toEqual([third]);
    });

    it('expunges nothing where another client has marked something, be it just now', async () => {
      await put(3);
      await open();
      const [first = 0, theirs = 0] = await session.uids();
      await session.mark([first]);
      await mail.flag(folder, `${theirs}`, '+FLAGS (\\Deleted)');
      expect(await session.expungeAlone([first])).toEqual({ gone: new Set(), strangers: true });
      expect(await uidsLeft()).toHaveLength(3);
      await mail.flag(folder, `${theirs}`, '-FLAGS (\\Deleted)');
      const outcome = await session.expungeAlone([first]);
      expect(outcome).toEqual({ gone: new Set([first]), strangers: false });
    });

    it.runIf(can.move || can.uidPlus)('moves exactly what it is told to', async () => {
      const to = `${folder}-done`;
      await session.ensureFolder(to);
      const bytes = await put(4, { flags: ['\\Seen'] });
      await open();
      const [first = 0, second = 0, third = 0, theirs = 0] = await session.uids();
      await mail.flag(folder, `${theirs}`, '+FLAGS (\\Deleted)');
      const copied: unknown[] = [];
      const gone = await session.move([first, third], to, (copies) => copied.push(copies));
      expect(gone).toEqual(new Set([first, third]));
      expect(await uidsLeft()).toEqual([second, theirs]);
      const moved = await mail.dump(to);
      const uidValidity = await mail.uidValidity(to);
      const uids = moved.map(({ uid }) => uid);
      expect(copied).toEqual(can.uidPlus ? [{ uidValidity, uids }] : []);
      expect(moved.map((each) => each.bytes.toString('latin1'))).toEqual([
        bytes[0]?.toString('latin1'),
        bytes[2]?.toString('latin1'),
      ]);
      expect(moved.map(({ flags }) => flags)).toEqual([['\\Seen'], ['\\Seen']]);
      // Again: nothing is there any more to move.
      expect(await session.move([first], to)).toEqual(new Set([first]));
      expect(await mail.dump(to)).toHaveLength(2);
    });

    it.runIf(can.move || can.uidPlus)('moves nothing to a folder that is missing', async () => {
      await put(1);
      await open();
      const uids = await session.uids();
      await expect(session.move(uids, `${server.prefix}Nowhere`)).rejects.toMatchObject({
        kind: 'folder-missing',
      });
      expect(await uidsLeft()).toEqual(uids);
      expect(await marked()).toEqual([]);
    });

    it.runIf(!can.move && !can.uidPlus)('does not move where the server can not', async () => {
      await put(1);
      await open();
      const uids = await session.uids();
      await expect(session.move(uids, 'INBOX')).rejects.toMatchObject({ lasting: true });
      expect(await uidsLeft()).toEqual(uids);
    });

    it('makes a folder once, and subscribes it', async () => {
      const made = `${folder}-new`;
      await session.ensureFolder(made);
      await session.ensureFolder(made);
      expect(await mail.folders()).toContain(made);
      const subscribed = Buffer.concat(await mail.command('LSUB "" "*"')).toString();
      expect(subscribed).toContain(made);
    });

    it('expunges nothing when it leaves: another folder, a goodbye, a sudden end', async () => {
      await put(2, { flags: ['\\Deleted'] });
      await open();
      await session.open('INBOX', { readOnly: false, idle: false });
      expect(await uidsLeft()).toHaveLength(2);
      await open();
      await session.logout();
      expect(await uidsLeft()).toHaveLength(2);
      session = await server.source();
      await open({ idle: can.idle });
      session.close();
      await session.closed;
      expect(await uidsLeft()).toHaveLength(2);
    });

    it('after the end every method rejects', async () => {
      await open({ idle: can.idle });
      await session.logout();
      await expect(session.closed).resolves.toBeUndefined();
      session.close();
      await session.logout();
      for (const call of [
        () => open(),
        () => session.uids(),
        () => session.list([1]),
        () => session.listFrom(1),
        () => session.fetch(small(1)),
        () => session.mark([1]),
        () => session.expunge([1]),
        () => session.expungeAlone([1]),
        () => session.move([1], 'INBOX'),
        () => session.ensureFolder('Other'),
        () => session.listFolders(),
        () => session.noop(),
      ]) {
        await expect(call()).rejects.toBeInstanceOf(Failure);
      }
    });

    it('serves callers that overlap in turn', async () => {
      const bytes = await put(3);
      await open({ idle: can.idle });
      const uids = await uidsLeft();
      const [all, listed, fetched] = await Promise.all([
        session.uids(),
        session.list(uids),
        session.fetch(small(...uids)),
        session.noop(),
      ]);
      expect(all).toEqual(uids);
      expect(listed).toHaveLength(3);
      expect(fetched.map((each) => each.content.length)).toEqual(bytes.map((each) => each.length));
    });

    it('tells when the connection is lost, and what was under way fails at once', async ({
      skip,
    }) => {
      skip(server.sent === undefined, 'only a wire in between can be cut');
      await open();
      const under = session.listFrom(1).then(
        () => session.fetch(small(1)),
        (failure: unknown) => failure,
      );
      server.cut();
      await expect(session.closed).resolves.toMatchObject({ name: 'Failure', kind: 'lost' });
      await under.catch((failure) => expect(failure).toBeInstanceOf(Failure));
      await expect(session.noop()).rejects.toMatchObject({ kind: 'lost', outcomeUnknown: false });
    });

    it('never sent CLOSE, nor an EXPUNGE of everything but when asked to expunge alone', ({
      skip,
    }) => {
      const { sent } = server;
      skip(sent === undefined, 'what TLS carries is not overheard');
      const commands = (sent ?? []).map((line) => line.replace(/^\S+ /, ''));
      expect(commands.filter((line) => /^CLOSE/i.test(line))).toEqual([]);
      // Twice in the tests of expungeAlone that found nothing strange.
      expect(commands.filter((line) => /^EXPUNGE/i.test(line))).toHaveLength(2);
    });
  });
}
