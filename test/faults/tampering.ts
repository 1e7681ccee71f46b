/**
 * What is done to a running program from outside, without privileges: its disk fails (libfiu), its files may not grow
 * (RLIMIT_FSIZE), its clock is set (libfaketime), names are not found any more (a module loaded before it).
 * libfiu and libfaketime are Debian's, unpacked.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../journey/program.ts';
import { libraryPath, unpacked } from '../support/debian.ts';
import type { ChildWorld } from './child-world.ts';

/** What the settings of a program have to hold so that it can be tampered with, and how that is done and undone. */
export interface Tampering {
  readonly settings: Settings;
  readonly wrap?: readonly string[];
  on(): void;
  off(): void;
}

/** What writing answers on a disk that is in trouble: errno of Linux. */
export const ERRNO = { EIO: 5, ENOSPC: 28, EROFS: 30, EDQUOT: 122 } as const;

/** Every file that the program writes at an offset or flushes, which is the journal alone, fails with that error. */
export function failingDisk(
  world: ChildWorld,
  error: keyof typeof ERRNO,
  calls: 'write' | 'flush' = 'write',
): Tampering {
  const root = unpacked('libfiu', ['fiu-utils', 'libfiu0']);
  const preloaded = ['run', 'posix'].map((name) =>
    join(root, `usr/lib/fiu/fiu_${name}_preload.so`),
  );
  const fifo = join(world.place.home, 'fiu');
  const points = calls === 'write' ? ['posix/io/rw/pwrite'] : ['posix/io/sync/*'];
  const order = (words: string) => {
    writeFileSync(`${fifo}-${world.program.pid}.in`, `${words}\n`);
    const answer = readFileSync(`${fifo}-${world.program.pid}.out`, 'utf8').trim();
    if (answer !== '0') throw new Error(`libfiu answers ${answer} to ${words}`);
  };
  return {
    settings: {
      ...libraryPath(root),
      LD_PRELOAD: preloaded.join(' '),
      FIU_CTRL_FIFO: fifo,
    },
    on: () => {
      for (const name of points) order(`enable name=${name},failinfo=${ERRNO[error]}`);
    },
    off: () => {
      for (const name of points) order(`disable name=${name}`);
    },
  };
}

/** `ulimit -f`, there and gone: the hard limit stays, so that whoever runs the program may lift the other again. */
export function smallFiles(world: ChildWorld): Tampering {
  const limit = (bytes: string) =>
    execFileSync('prlimit', [`--pid=${world.program.pid}`, `--fsize=${bytes}:`]);
  return { settings: {}, on: () => limit('1'), off: () => limit('unlimited') };
}

/** STATE_DIR on a file system of 1 MB of its own, filled to the last byte. */
export function fullDisk(world: ChildWorld): Tampering {
  const script = 'mkdir -p "$1" && mount -t tmpfs -o size=1m tmpfs "$1" && shift && exec "$@"';
  // The program's own mounts are seen through its /proc entry.
  const filler = () => join(`/proc/${world.program.pid}/root`, world.stateDir, 'filler');
  return {
    settings: {},
    wrap: ['unshare', '--mount', '--map-root-user', 'sh', '-c', script, 'sh', world.stateDir],
    on: () => {
      for (const block of [4096, 1]) {
        try {
          for (;;) writeFileSync(filler(), Buffer.alloc(block), { flag: 'a' });
        } catch (thrown) {
          if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown;
        }
      }
    },
    off: () => rmSync(filler()),
  };
}

const DAY = 24 * 60 * 60;

/** The clock on the wall as the program sees it; what counts time only goes on as ever. */
export class WallClock {
  readonly settings: Settings;
  readonly #file: string;

  constructor(world: ChildWorld) {
    const root = unpacked('libfaketime', ['libfaketime']);
    this.#file = world.place.file('clock', '+0\n');
    this.settings = {
      LD_PRELOAD: join(root, 'usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'),
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_RESET: '1',
    };
  }

  /** Sets it so many days away from the truth. */
  set(days: number): void {
    writeFileSync(this.#file, `${days < 0 ? '' : '+'}${days * DAY}\n`);
  }
}

/** No name but those of the loopback addresses themselves is found while it lasts. `silent`: there is no answer at all. */
export function lostNames(world: ChildWorld, how: 'ENOTFOUND' | 'EAI_AGAIN' | 'silent'): Tampering {
  const sign = join(world.place.home, 'names-are-lost');
  const hook = world.place.file(
    'names.mjs',
    `import dns from 'node:dns';
import { existsSync } from 'node:fs';
const lookup = dns.lookup;
dns.lookup = (name, ...rest) => {
  const done = rest.at(-1);
  if (!name.endsWith('.example.org')) return lookup(name, ...rest);
  if (!existsSync(${JSON.stringify(sign)})) return lookup('127.0.0.1', ...rest);
  if (${JSON.stringify(how)} === 'silent') return;
  const error = Object.assign(new Error('getaddrinfo ${how} ' + name), { code: '${how}', hostname: name });
  process.nextTick(() => done(error));
};
`,
  );
  return {
    settings: {
      NODE_OPTIONS: `--import ${hook}`,
      SOURCE_HOST: 'old.example.org',
      DEST_HOST: 'new.example.org',
    },
    on: () => writeFileSync(sign, ''),
    off: () => rmSync(sign),
  };
}
