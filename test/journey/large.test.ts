/**
 * Messages that are too large for memory, between real servers: carried as they are, whatever happens in the middle, with
 * no more of them in memory than some pieces, and nothing of them left on the disk.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { large } from '../support/content.ts';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';
import { Wire } from '../support/wire.ts';
import { overWires, Place, Program, type Settings } from './program.ts';

const MB = 1024 * 1024;
const users = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`user${i}`, `secret-${i}`]));
let source: Dovecot;
let destination: Dovecot;
let used = 0;

beforeAll(async () => {
  [source, destination] = await Promise.all([startDovecot({ users }), startDovecot({ users })]);
});
afterAll(() => Promise.all([source?.stop(), destination?.stop()]));

class Scene implements AsyncDisposable {
  readonly place = new Place();
  readonly old: Mail;
  readonly fresh: Mail;
  readonly up: Wire;
  readonly down: Wire;
  readonly settings: Settings;

  private constructor(nth: number, [old, fresh, down, up]: [Mail, Mail, Wire, Wire]) {
    this.old = old;
    this.fresh = fresh;
    this.down = down;
    this.up = up;
    const password = this.place.file('password', `${users[`user${nth}`]}\n`);
    const {
      SOURCE_CA_FILE: _,
      DEST_CA_FILE: __,
      ...settings
    } = this.place.settings(source, destination, overWires(down, up));
    this.settings = {
      ...settings,
      SOURCE_USER: `user${nth}`,
      DEST_USER: `user${nth}`,
      SOURCE_PASSWORD_FILE: password,
      DEST_PASSWORD_FILE: password,
    };
  }

  static async set(): Promise<Scene> {
    const nth = used++;
    const name = `user${nth}`;
    const open = (port: number) => Mail.login(port, name, users[name] ?? '');
    return new Scene(
      nth,
      await Promise.all([
        open(source.port),
        open(destination.port),
        Wire.between({ to: source.port }),
        Wire.between({ to: destination.port }),
      ]),
    );
  }

  get spool(): string {
    return join(this.place.stateDir, 'spool');
  }

  start(command: 'run' | 'sweep' = 'run', changes: Settings = {}): Program {
    return new Program(this.place, { ...this.settings, ...changes }, [command]);
  }

  /** Each message arrived once, as it was, and is nowhere else any more. */
  async carried(...messages: readonly Buffer[]): Promise<void> {
    expect(await this.old.count('INBOX')).toBe(0);
    const copies = await this.fresh.dump('INBOX');
    expect(copies).toHaveLength(messages.length);
    for (const each of messages) expect(copies.some(({ bytes }) => bytes.equals(each))).toBe(true);
    expect(readdirSync(this.spool)).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of [this.old, this.fresh, this.up, this.down])
      await each[Symbol.asyncDispose]();
    this.place[Symbol.dispose]();
  }
}

/** Megabytes of memory that a process has, or has had at most. */
function memory({ pid }: Program, what: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

it('carries 20 MB and 50 MB as they are, in pieces either way, in little memory', async () => {
  await using scene = await Scene.set();
  await using program = scene.start();
  await program.saw('watcher.idling');
  const rest = memory(program, 'VmRSS');
  const letters = [large(20 * MB), message(), large(50 * MB)];
  for (const letter of letters) await scene.old.put('INBOX', letter);
  await program.saw('delivery.done', 3);
  // Held as a whole, the larger one alone would take 150 MB.
  expect(memory(program, 'VmHWM') - rest).toBeLessThan(120);
  for (const { lines } of [scene.up, scene.down]) {
    const pieces = lines.flatMap((line) => /UID FETCH .*\]<\d+\.(\d+)>\)/.exec(line)?.[1] ?? []);
    expect(pieces.length).toBe(20 + 50);
    for (const piece of pieces) expect(Number(piece)).toBeLessThanOrEqual(MB + 1);
  }
  expect(statSync(scene.spool).mode & 0o777).toBe(0o700);
  expect(program.log.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  await program.kill('SIGTERM');
  await scene.carried(...letters);
}, 60_000);

describe('killed', () => {
  it.each([
    { where: 'in mid-download', wire: 'down', direction: 'onDown' },
    { where: 'in mid-upload', wire: 'up', direction: 'onUp' },
    { where: 'while the copy is read back', wire: 'up', direction: 'onDown' },
  ] as const)(
    '$where, loses nothing and doubles nothing',
    async ({ wire, direction }) => {
      await using scene = await Scene.set();
      const letter = large(20 * MB);
      await scene.old.put('INBOX', letter);
      const program = scene.start();
      let passed = 0;
      scene[wire][direction] = (chunk) => {
        passed += chunk.length;
        if (passed > 9 * MB) void program.kill('SIGKILL');
        return passed > 9 * MB ? 'cut' : undefined;
      };
      await program.ended;
      scene[wire][direction] = undefined;
      // What an imapferry leaves that dies before it has taken a file's name away.
      mkdirSync(scene.spool, { recursive: true });
      expect(readdirSync(scene.spool)).toEqual([]);
      writeFileSync(join(scene.spool, 'left'), 'of a letter');
      await using again = scene.start('sweep');
      expect(await again.ended, again.plain.join('\n')).toMatchObject({ code: 0 });
      await scene.carried(letter);
    },
    60_000,
  );
});

it('goes on with other mail where the disk has no room, says so, and carries it when there is', async () => {
  await using scene = await Scene.set();
  const letters = [large(20 * MB), message(), message()];
  await using program = scene.start();
  await program.saw('watcher.idling');
  execFileSync('prlimit', [`--pid=${program.pid}`, `--fsize=${10 * MB}:`]);
  for (const letter of letters) await scene.old.put('INBOX', letter);
  await program.saw('delivery.done', 2);
  await program.saw('delivery.postponed');
  expect(program.log.find(({ event }) => event === 'delivery.postponed')).toMatchObject({
    level: 'warn',
    why: expect.stringContaining('can not be put into STATE_DIR'),
  });
  expect(await scene.old.count('INBOX')).toBe(1);
  expect(readdirSync(scene.spool)).toEqual([]);
  await program.kill('SIGTERM');
  await using again = scene.start('sweep');
  expect(await again.ended, again.plain.join('\n')).toMatchObject({ code: 0 });
  await scene.carried(...letters);
}, 60_000);

it('a dry run reads it all the same, and writes nothing', async () => {
  await using scene = await Scene.set();
  await scene.old.put('INBOX', large(20 * MB));
  await using program = scene.start('sweep', { DRY_RUN: 'true' });
  expect(await program.ended, program.plain.join('\n')).toMatchObject({ code: 0 });
  expect(program.log.filter(({ event }) => event === 'delivery.planned')).toMatchObject([
    { plan: 'carry', bytes: 20 * MB },
  ]);
  expect(existsSync(scene.place.stateDir)).toBe(false);
}, 60_000);

it('what was carried and kept is known again, in pieces', async () => {
  await using scene = await Scene.set();
  const letter = large(20 * MB);
  await scene.old.put('INBOX', letter);
  await using first = scene.start('sweep', { AFTER_DELIVERY: 'keep' });
  expect(await first.ended).toMatchObject({ code: 0 });
  expect(await scene.old.count('INBOX')).toBe(1);
  await using second = scene.start('sweep');
  expect(await second.ended).toMatchObject({ code: 0 });
  await scene.carried(letter);
}, 60_000);

it('without a journal its copy is found, in pieces', async () => {
  await using scene = await Scene.set();
  const letter = large(20 * MB);
  await scene.old.put('INBOX', letter);
  await scene.fresh.put('INBOX', letter);
  await using program = scene.start('sweep');
  expect(await program.ended, program.plain.join('\n')).toMatchObject({ code: 0 });
  expect(program.count('delivery.recovered')).toBe(1);
  expect(await scene.old.count('INBOX')).toBe(0);
  expect(await scene.fresh.count('INBOX')).toBe(1);
}, 60_000);
