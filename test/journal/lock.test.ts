import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { lockStateDir } from '../../src/journal/lock.ts';
import { child, folder, noMounts, OWN_MOUNTS } from './support.ts';

const IN_USE = /Another imapferry uses STATE_DIR/;

function refusal(stateDir: string): Failure {
  try {
    lockStateDir(stateDir).release();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(Failure);
    expect(thrown).toMatchObject({ step: 'journal', scope: 'account', lasting: true });
    return thrown as Failure;
  }
  throw new Error('it was locked');
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('the lock on STATE_DIR', () => {
  it('makes the folder where it is missing, for its owner alone', () => {
    const stateDir = join(folder(), 'a', 'state');
    lockStateDir(stateDir).release();
    expect(mode(stateDir)).toBe('700');
    expect(mode(join(stateDir, 'lock'))).toBe('600');
  });

  it('keeps a second process out, and lets one in once the first was killed', async () => {
    const stateDir = folder();
    const first = child(['lock', stateDir]);
    expect(await first.line()).toBe('done');
    expect(refusal(stateDir).message).toMatch(IN_USE);
    expect(refusal(stateDir).message).toContain(stateDir);
    const second = child(['lock', stateDir]);
    expect(await second.line()).toMatch(IN_USE);
    await first.kill();
    const third = child(['lock', stateDir]);
    expect(await third.line()).toBe('done');
    expect(refusal(stateDir).message).toMatch(IN_USE);
  });

  it('keeps out a second one of the same process, which does not free the first', async () => {
    const stateDir = folder();
    using _lock = lockStateDir(stateDir);
    expect(refusal(stateDir).message).toMatch(IN_USE);
    expect(await child(['lock', stateDir]).line()).toMatch(IN_USE);
  });

  it('can be had again after release, which may be said twice', async () => {
    const stateDir = folder();
    const lock = lockStateDir(stateDir);
    lock.release();
    lock.release();
    expect(await child(['lock', stateDir]).line()).toBe('done');
    lock.release();
    expect(refusal(stateDir).message).toMatch(IN_USE);
  });

  it('says so where STATE_DIR is not a folder', () => {
    const file = join(folder(), 'file');
    writeFileSync(file, 'mine');
    for (const stateDir of [file, join(file, 'below')]) {
      const { message } = refusal(stateDir);
      expect(message).toContain(`STATE_DIR (${stateDir}) is not a folder`);
      expect(message).toContain(`user id ${process.getuid?.()}`);
    }
  });

  describe('as a user who may not write there', () => {
    const root = process.getuid?.() === 0;
    const uid = root ? 65534 : process.getuid?.();
    const cases: [string, (base: string) => { stateDir: string; command: string }][] = [
      [
        'names the command for a folder of another user',
        (base) => {
          chmodSync(base, 0o555);
          return { stateDir: base, command: `chown ${uid} ${base}` };
        },
      ],
      [
        'names the commands for a folder that can not be made',
        (base) => {
          chmodSync(base, 0o555);
          const stateDir = join(base, 'state');
          return { stateDir, command: `mkdir -p ${stateDir} && chown ${uid} ${stateDir}` };
        },
      ],
      [
        'names the command for a journal of another user in a folder of ours',
        (base) => {
          const file = join(base, 'journal.sqlite');
          writeFileSync(file, '');
          chmodSync(file, root ? 0o600 : 0);
          chmodSync(base, 0o777);
          return { stateDir: base, command: `chown ${uid} ${file}` };
        },
      ],
    ];
    for (const [name, prepare] of cases) {
      it(name, async () => {
        const base = join(folder(), 'base');
        chmodSync(join(base, '..'), 0o755);
        mkdirSync(base);
        const { stateDir, command } = prepare(base);
        const answer = JSON.parse((await child(['lockAs', stateDir, `${uid}`]).line()) ?? '');
        expect(answer).toMatchObject({ step: 'journal', scope: 'account', lasting: true });
        expect(answer.message).toContain(`user id ${uid}`);
        expect(answer.message).toContain(stateDir);
        expect(answer.message.endsWith(command)).toBe(true);
        chmodSync(base, 0o755);
      });
    }
  });

  const reason = noMounts();
  it.skipIf(reason)(
    `says so where the file system is read-only${reason ? ` (not tried: ${reason})` : ''}`,
    async () => {
      const stateDir = folder();
      const script = 'mount -t tmpfs -o ro tmpfs "$1" && shift && exec "$@"';
      const program = child(
        ['readOnly', stateDir],
        [...OWN_MOUNTS, 'sh', '-c', script, 'sh', stateDir],
      );
      const answer = JSON.parse((await program.line()) ?? '');
      expect(answer).toMatchObject({ step: 'journal', lasting: true });
      expect(answer.message).toContain(`STATE_DIR (${stateDir}) is on a read-only file system`);
      expect(answer.message).toContain('user id 0');
      expect(answer.message).toContain('mount a writable volume');
    },
  );
});
