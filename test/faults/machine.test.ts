/** The machine under the program fails: its disk, its journal, its clock, its names, and its life stands still. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noMounts } from '../journal/support.ts';
import { message } from '../support/mail.ts';
import { record } from '../support/results.ts';
import { ChildWorld } from './child-world.ts';
import {
  failingDisk,
  fullDisk,
  lostNames,
  smallFiles,
  type Tampering,
  WallClock,
} from './tampering.ts';
import { Servers } from './world.ts';

let servers: Servers;

beforeAll(async () => {
  servers = await Servers.start();
});

afterAll(async () => {
  await servers?.[Symbol.asyncDispose]();
});

describe('a disk', () => {
  interface Trouble {
    readonly trouble: string;
    readonly on: (world: ChildWorld) => Tampering;
    readonly says: RegExp;
    readonly not?: string | undefined;
  }
  const cantWrite = /reports an error \(disk I\/O error\): it may have turned read-only/;
  const troubles: readonly Trouble[] = [
    {
      trouble: 'has no space left',
      on: (world) => failingDisk(world, 'ENOSPC'),
      says: /No space is left/,
    },
    {
      trouble: 'of 1 MB is full to the last byte',
      on: fullDisk,
      says: /No space is left/,
      not: noMounts(),
    },
    {
      trouble: 'has turned read-only',
      on: (world) => failingDisk(world, 'EROFS'),
      says: cantWrite,
    },
    {
      trouble: 'has no quota left',
      on: (world) => failingDisk(world, 'EDQUOT'),
      says: cantWrite,
    },
    { trouble: 'lets no file grow (ulimit -f)', on: smallFiles, says: cantWrite },
    { trouble: 'is broken', on: (world) => failingDisk(world, 'EIO'), says: cantWrite },
    {
      trouble: 'takes what is written and flushes nothing',
      on: (world) => failingDisk(world, 'EIO', 'flush'),
      says: cantWrite,
    },
  ];

  for (const { trouble, on, says, not } of troubles) {
    it.skipIf(not)(
      `that ${trouble}: nothing is appended that can't be noted, it says so, and goes on by itself`,
      async () => {
        await using world = await ChildWorld.between(servers);
        const disk = on(world);
        await world.start(disk);
        await world.oracle.put('INBOX', message());
        await world.left();
        const before = world.sent('APPEND');
        disk.on();
        for (let i = 0; i < 3; i++) await world.oracle.put('INBOX', message());
        await world.program.saw('journal.failed', 3);
        expect(world.sent('APPEND')).toBe(before);
        expect(await world.old.count('INBOX')).toBe(3);
        const told = world.log.find(({ event }) => event === 'journal.failed');
        expect(`${told?.why}`).toMatch(says);
        expect(`${told?.why}`).toContain(world.stateDir);
        disk.off();
        await world.left();
        expect(await world.oracle.end()).toEqual([]);
        await world.stop();
        record({
          part: 'the machine',
          point: `a disk that ${trouble}`,
          outcome: 'nothing appended, told, each message once after it',
        });
      },
    );
  }

  const moments: readonly {
    readonly moment: string;
    readonly command: string;
    readonly side: 'source' | 'destination';
    /** Commands that must not come while nothing can be noted. */
    readonly never: readonly string[];
  }[] = [
    {
      moment: 'right after an APPEND',
      command: 'APPEND',
      side: 'destination',
      never: ['APPEND', 'UID STORE', 'UID EXPUNGE'],
    },
    {
      moment: 'while a copy is read back',
      command: 'UID FETCH',
      side: 'destination',
      never: ['APPEND', 'UID STORE', 'UID EXPUNGE'],
    },
    {
      moment: 'right after the mark, before the expunge',
      command: 'UID STORE',
      side: 'source',
      never: ['APPEND'],
    },
    {
      moment: 'right after the expunge, before it is noted',
      command: 'UID EXPUNGE',
      side: 'source',
      never: ['APPEND'],
    },
  ];

  it.each(moments)(
    'that fills up $moment: each message arrives once, when there is space again',
    async ({ moment, command, side, never }) => {
      await using world = await ChildWorld.between(servers);
      const disk = failingDisk(world, 'ENOSPC');
      // What was expunged and could not be noted is told by the next sweep.
      await world.start({ ...disk, settings: { ...disk.settings, SWEEP_INTERVAL: '2s' } });
      let struck = false;
      const since = { source: 0, destination: 0 };
      world[side].at = ({ when, command: { name } }) => {
        if (struck || when !== 'after' || name !== command) return undefined;
        struck = true;
        disk.on();
        since.source = world.source.commands.length;
        since.destination = world.destination.commands.length;
        return undefined;
      };
      for (let i = 0; i < 3; i++) await world.oracle.put('INBOX', message());
      await world.program.saw('journal.failed');
      await world.oracle.put('INBOX', message());
      await world.program.saw('journal.failed', 2);
      const sent = [
        ...world.source.commands.slice(since.source),
        ...world.destination.commands.slice(since.destination),
      ].map(({ name }) => name);
      for (const name of never) expect(sent).not.toContain(name);
      expect(await world.oracle.now()).toEqual([]);
      disk.off();
      await world.left();
      await world.program.saw('delivery.done', 4);
      expect(await world.oracle.end()).toEqual([]);
      await world.stop();
      expect(world.program.count('delivery.done')).toBe(4);
      record({
        part: 'the machine',
        point: `a disk that fills up ${moment}`,
        outcome: 'nothing appended, told, each message once after it',
      });
    },
  );

  it('that is full keeps no login from being counted, and none that works from being used', async () => {
    await using world = await ChildWorld.between(servers);
    const disk = failingDisk(world, 'ENOSPC');
    await world.start({ ...disk, pace: { refusedLogin: 60_000 } });
    const knocks = () =>
      world.sent('LOGIN', world.source) + world.sent('AUTHENTICATE', world.source);
    const before = knocks();
    disk.on();
    world.source.at = ({ when, command: { name } }) => {
      if (when !== 'before' || !/^(LOGIN|AUTHENTICATE)$/.test(name)) return undefined;
      return knocks() - before <= 3
        ? { say: 'TAG NO [AUTHENTICATIONFAILED] Who are you?' }
        : undefined;
    };
    world.source.cut();
    await world.program.saw('account.refused');
    await world.program.saw('journal.failed');
    expect(knocks() - before).toBe(3);
    await world.stop();
    world.source.at = undefined;
    await world.again({ pace: {} });
    world.source.at = ({ when, command: { name } }) =>
      when === 'before' &&
      /^(LOGIN|AUTHENTICATE)$/.test(name) &&
      world.program.count('account.reconnecting') === 0
        ? { say: 'TAG NO [AUTHENTICATIONFAILED] Who are you?' }
        : undefined;
    world.source.cut();
    await world.program.saw('account.reconnecting');
    disk.on();
    await world.program.saw('account.connected', 3);
    disk.off();
    await world.oracle.put('INBOX', message());
    await world.left();
    expect(world.source.open).toBe(1);
    expect(await world.oracle.end()).toEqual([]);
    record({
      part: 'the machine',
      point: 'a disk that is full while logins are refused',
      outcome: 'no more knocks than ever, each message once',
    });
  });

  it('that is full while a folder is made anew: it is taken up soon after, not at the next sweep', async () => {
    await using world = await ChildWorld.between(servers);
    const disk = failingDisk(world, 'ENOSPC');
    await world.old.create('Box');
    await world.start({ ...disk, settings: { ...disk.settings, FOLDERS: 'Box' } });
    await world.oracle.put('Box', message());
    await world.program.saw('delivery.done');
    disk.on();
    await world.old.command('DELETE Box');
    await world.old.create('Box');
    await world.oracle.put('Box', message());
    world.source.cut();
    await world.program.saw('journal.failed');
    disk.off();
    await world.program.saw('delivery.done', 2);
    expect(world.program.count('folder.left-out')).toBe(0);
    expect(await world.oracle.end()).toEqual([]);
    record({
      part: 'the machine',
      point: 'a disk that is full while a folder is made anew',
      outcome: 'each message once after it',
    });
  });
});

describe('a clock', () => {
  /** A pause of the program in these rows (ms): shorter than any test may last, and far from a day. */
  const PAUSE = 700;

  interface Shift {
    readonly title: string;
    readonly pace?: Record<string, number>;
    readonly settings?: Record<string, string>;
    readonly happens: (world: ChildWorld, clock: WallClock) => Promise<void>;
  }

  /** The destination refuses each APPEND until told otherwise. */
  const refusing = (world: ChildWorld) => {
    world.destination.at = ({ when, command: { name } }) =>
      when === 'before' && name === 'APPEND' ? { say: 'TAG NO [TOOBIG] Not this one' } : undefined;
  };

  /** The source lets nobody in until told otherwise. Dovecot itself would answer slower and slower. */
  const barred = (world: ChildWorld) => {
    world.source.at = ({ when, command: { name } }) =>
      when === 'before' && /^(LOGIN|AUTHENTICATE)$/.test(name)
        ? { say: 'TAG NO [AUTHENTICATIONFAILED] Who are you?' }
        : undefined;
  };

  const shifts: readonly Shift[] = [
    {
      title: 'set back a day makes no refused message wait longer',
      pace: { refusedFirst: PAUSE, refusedLongest: PAUSE },
      happens: async (world, clock) => {
        refusing(world);
        await world.oracle.put('INBOX', message());
        await world.program.saw('delivery.refused');
        clock.set(-1);
        world.destination.at = undefined;
      },
    },
    {
      title: 'set back a day between two lives makes no refused message wait longer',
      pace: { refusedFirst: PAUSE, refusedLongest: PAUSE },
      happens: async (world, clock) => {
        refusing(world);
        await world.oracle.put('INBOX', message());
        await world.program.saw('delivery.refused');
        await world.stop();
        clock.set(-1);
        world.destination.at = undefined;
        await world.again();
      },
    },
    {
      title: 'set back a day makes no differing copy wait longer for its next look',
      pace: { unverified: PAUSE },
      happens: async (world, clock) => {
        world.destination.untagged = (answer) =>
          Buffer.from(answer.toString('latin1').replace('Hello', 'Jello'), 'latin1');
        await world.oracle.put('INBOX', message());
        await world.program.saw('delivery.unverified');
        clock.set(-1);
        world.destination.untagged = undefined;
      },
    },
    {
      title: 'set back a day makes no interrupted APPEND wait longer',
      pace: { settle: PAUSE },
      happens: async (world, clock) => {
        const [cut] = cutOnce(world);
        await world.oracle.put('INBOX', message());
        await cut;
        await world.program.saw('account.lost');
        clock.set(-1);
      },
    },
    {
      title: 'set forward a day does not shorten the wait after an interrupted APPEND',
      pace: { settle: PAUSE },
      happens: async (world, clock) => {
        const [cut, again] = cutOnce(world);
        await world.oracle.put('INBOX', message());
        const began = await cut;
        await world.program.saw('account.lost');
        clock.set(1);
        // A dying connection may store the message until then, and a second one would be a double.
        expect((await again) - began).toBeGreaterThanOrEqual(PAUSE - 1);
      },
    },
    {
      title: 'set back a day makes no refused login wait longer',
      pace: { refusedLogin: PAUSE },
      happens: async (world, clock) => {
        await world.stop();
        barred(world);
        await world.again({ ready: false });
        await world.program.saw('account.refused');
        clock.set(-1);
        await world.oracle.put('INBOX', message());
        world.source.at = undefined;
      },
    },
    {
      title: 'set back a day between two lives makes no refused login wait longer',
      pace: { refusedLogin: PAUSE },
      happens: async (world, clock) => {
        await world.stop();
        barred(world);
        await world.again({ ready: false });
        await world.program.saw('account.refused');
        await world.stop();
        clock.set(-1);
        world.source.at = undefined;
        await world.oracle.put('INBOX', message());
        await world.again({ ready: false });
      },
    },
    ...[-1, 1].map((days) => ({
      title: `set ${days < 0 ? 'back' : 'forward'} a day at rest keeps no push, no sweep, no renewal and no sign of life from coming`,
      settings: { SWEEP_INTERVAL: '1s', IDLE_RENEW: '1s' },
      happens: async (world: ChildWorld, clock: WallClock) => {
        await world.oracle.put('INBOX', message());
        await world.left();
        clock.set(days);
        const seen = () => [
          world.program.count('sweep.finished'),
          world.sent('IDLE', world.source),
          world.sent('NOOP'),
        ];
        const before = seen();
        await world.program.until('all go on', () =>
          seen().every((now, i) => now >= (before[i] ?? 0) + 2),
        );
        await world.oracle.put('INBOX', message());
      },
    })),
  ];

  /** The first APPEND is broken off before the server hears of it. Resolves with when, and with when the next one came. */
  function cutOnce(world: ChildWorld): [Promise<number>, Promise<number>] {
    const moments = [Promise.withResolvers<number>(), Promise.withResolvers<number>()] as const;
    let nth = 0;
    world.destination.at = ({ when, command: { name } }) => {
      if (when !== 'before' || name !== 'APPEND') return undefined;
      moments[nth++]?.resolve(performance.now());
      return nth === 1 ? 'reset' : undefined;
    };
    return [moments[0].promise, moments[1].promise];
  }

  it.each(shifts)('$title', async ({ title, pace = {}, settings = {}, happens }) => {
    await using world = await ChildWorld.between(servers);
    const clock = new WallClock(world);
    await world.start({ pace, settings: { ...clock.settings, ...settings } });
    await happens(world, clock);
    await world.left();
    expect(await world.oracle.end()).toEqual([]);
    await world.stop();
    record({
      part: 'the machine',
      point: `a clock ${title}`,
      outcome: 'each message once, in time',
    });
  });
});

describe('a process that stands still for longer than every timeout', () => {
  const STILL = 2500;
  const pace = { silence: 500, rest: 300, settle: 200 };
  const settings = { IDLE_RENEW: '1s' };

  interface Standstill {
    readonly when: string;
    /** The moment at which it is stopped; none: while it idles. */
    readonly at?: {
      readonly side: 'source' | 'destination';
      readonly when: 'before' | 'up' | 'after';
      readonly name: string;
    };
    readonly cut?: true;
  }

  const standstills: readonly Standstill[] = [
    { when: 'while it idles' },
    { when: 'while it idles, and all its connections end', cut: true },
    { when: 'before an APPEND', at: { side: 'destination', when: 'before', name: 'APPEND' } },
    { when: 'after an APPEND', at: { side: 'destination', when: 'after', name: 'APPEND' } },
    {
      when: 'after an APPEND, and all its connections end',
      at: { side: 'destination', when: 'after', name: 'APPEND' },
      cut: true,
    },
    {
      when: 'before an expunge, and all its connections end',
      at: { side: 'source', when: 'before', name: 'UID EXPUNGE' },
      cut: true,
    },
  ];

  it.concurrent.each(standstills)('$when: goes on when it is woken', async ({ when, at, cut }) => {
    await using world = await ChildWorld.between(servers);
    await world.start({ pace, settings });
    const stopped = Promise.withResolvers<void>();
    const stop = () => {
      process.kill(world.program.pid, 'SIGSTOP');
      stopped.resolve();
    };
    let done = false;
    if (at) {
      world[at.side].at = (moment) => {
        if (done || moment.when !== at.when || moment.command.name !== at.name) return undefined;
        done = true;
        stop();
        return undefined;
      };
    } else stop();
    await world.oracle.put('INBOX', message());
    await stopped.promise;
    await wait(STILL);
    if (cut) for (const wire of [world.source, world.destination]) wire.cut();
    await world.oracle.put('INBOX', message());
    expect(await world.oracle.now()).toEqual([]);
    process.kill(world.program.pid, 'SIGCONT');
    await world.left();
    await world.oracle.put('INBOX', message());
    await world.left();
    expect(await world.oracle.end()).toEqual([]);
    await world.stop();
    record({
      part: 'the machine',
      point: `stopped and continued ${when}`,
      outcome: 'each message once',
    });
  });
});

describe('names', () => {
  const ways = ['ENOTFOUND', 'EAI_AGAIN', 'silent'] as const;
  const says = {
    ENOTFOUND: /its name can not be found/,
    EAI_AGAIN: /its name can not be looked up just now/,
    silent: /it does not answer/,
  };
  const rows = ways.flatMap((how) =>
    (['source', 'destination'] as const).map((side) => ({ how, side })),
  );

  it.each(rows)(
    'of hosts that worked before are not found any more ($how) when the $side is gone: says so, waits, and goes on by itself',
    async ({ how, side }) => {
      await using world = await ChildWorld.between(servers);
      const names = lostNames(world, how);
      await world.start({ settings: names.settings, pace: { silence: 500 } });
      await world.oracle.put('INBOX', message());
      await world.left();
      names.on();
      world[side].cut();
      if (side === 'destination') await world.oracle.put('INBOX', message());
      await world.program.saw('account.reconnecting', 2);
      const told = world.log.findLast(({ event }) => event === 'account.reconnecting');
      expect(`${told?.why}`).toMatch(says[how]);
      if (side === 'source') await world.oracle.put('INBOX', message());
      expect(await world.oracle.now()).toEqual([]);
      expect(await world.old.count('INBOX')).toBe(1);
      names.off();
      await world.left();
      expect(await world.oracle.end()).toEqual([]);
      await world.stop();
      record({
        part: 'the machine',
        point: `names not found (${how}), ${side} gone`,
        outcome: 'told, each message once after it',
      });
    },
  );
});

describe('a journal', () => {
  interface Spoiled {
    readonly what: string;
    readonly spoil: (file: string) => void;
  }
  const spoiled: readonly Spoiled[] = [
    { what: 'cut off in the midst', spoil: (file) => truncateSync(file, statSync(file).size / 2) },
    { what: 'that is empty', spoil: (file) => truncateSync(file, 0) },
    { what: 'that is a text', spoil: (file) => writeFileSync(file, 'Dear diary\n'.repeat(500)) },
    {
      what: 'that is another program’s database',
      spoil: (file) => {
        rmSync(file);
        using db = new DatabaseSync(file);
        db.exec('PRAGMA application_id = 42; CREATE TABLE diary (day TEXT)');
      },
    },
    {
      what: 'that is a folder',
      spoil: (file) => {
        rmSync(file);
        mkdirSync(file);
        writeFileSync(`${file}/diary`, 'Dear diary');
      },
    },
  ];

  it.each(spoiled)(
    '$what is set aside as it was, named in the log, and nothing goes twice',
    async ({ what, spoil }) => {
      await using world = await ChildWorld.between(servers);
      const settings = { AFTER_DELIVERY: 'keep' };
      await world.start({ settings });
      for (let i = 0; i < 3; i++) await world.oracle.put('INBOX', message());
      await world.program.saw('delivery.done', 3);
      await world.stop();
      const file = join(world.stateDir, 'journal.sqlite');
      spoil(file);
      const before = bytesOf(file);
      await world.again({ ready: false });
      await world.program.saw('journal.torn');
      const told = world.log.find(({ event }) => event === 'journal.torn');
      const aside = readdirSync(world.stateDir).filter((name) => name.includes('-torn-'));
      expect(aside.length).toBe(1);
      expect(`${told?.msg}`).toContain(join(world.stateDir, aside[0] ?? ''));
      expect(bytesOf(join(world.stateDir, aside[0] ?? ''))).toBe(before);
      await world.oracle.put('INBOX', message());
      await world.program.saw('delivery.recovered', 3);
      await world.program.until(
        '4 are carried',
        async () => (await world.fresh.count('INBOX')) === 4,
      );
      await world.stop();
      expect(await world.oracle.now()).toEqual([]);
      record({
        part: 'the machine',
        point: `a journal ${what}`,
        outcome: 'set aside, named in the log, each message once',
      });
    },
  );

  /** A file's bytes; a folder's names. */
  function bytesOf(path: string): string {
    return statSync(path).isDirectory() ? readdirSync(path).join() : readFileSync(path, 'latin1');
  }

  it('that is written over while it is in use: nothing is appended, it says so, and the next start goes on', async () => {
    await using world = await ChildWorld.between(servers);
    await world.start();
    await world.oracle.put('INBOX', message());
    // Told once it is noted: what is being written now would be written over the garbage.
    await world.program.saw('delivery.done');
    const file = join(world.stateDir, 'journal.sqlite');
    for (const name of [file, `${file}-wal`]) {
      const { size } = statSync(name);
      const fd = openSync(name, 'r+');
      writeSync(fd, Buffer.alloc(size, 0xa5), 0, size, 0);
      closeSync(fd);
    }
    // What SQLite knows of the -wal lies in the -shm: garbage there makes it read both again.
    const shm = openSync(`${file}-shm`, 'r+');
    writeSync(shm, Buffer.alloc(136), 0, 136, 0);
    closeSync(shm);
    const before = world.sent('APPEND');
    await world.oracle.put('INBOX', message());
    await world.program.saw('journal.failed');
    expect(`${world.log.find(({ event }) => event === 'journal.failed')?.why}`).toMatch(
      /is damaged.*start imapferry again/,
    );
    expect(world.sent('APPEND')).toBe(before);
    await world.stop();
    await world.again({ ready: false });
    await world.program.saw('journal.torn');
    await world.left();
    expect(await world.oracle.end()).toEqual([]);
    record({
      part: 'the machine',
      point: 'a journal written over while in use',
      outcome: 'nothing appended, told, each message once after a start',
    });
  });
});
