/**
 * A process of its own for the journal's tests. Says one line for each thing done; where it says `waits`, it goes on
 * when a line comes on standard input.
 */
import { existsSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Failure } from '../../src/domain/failure.ts';
import { lockStateDir } from '../../src/journal/lock.ts';
import { readJournal } from '../../src/journal/read-journal.ts';
import { openJournal } from '../../src/journal/sqlite-journal.ts';
import { CALLS, FOLDER, routeOf } from './calls.ts';

const [role, stateDir = '', detail] = process.argv.slice(2);

/** At once and to the end, so that what was said was done before a kill. */
function say(line: unknown): void {
  writeSync(1, `${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
}

function pause(): void {
  readSync(0, Buffer.alloc(1));
}

function attempt(work: () => unknown): void {
  try {
    work();
    say('done');
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const { step, scope, lasting, message } = thrown;
    say({ step, scope, lasting, message });
  }
}

const ROLES: Record<string, () => void> = {
  /** Locks, and lives until it is ended. */
  lock() {
    attempt(() => {
      lockStateDir(stateDir);
      // Nobody holds what it returned: that must not let a second process in.
      setFlagsFromString('--expose-gc');
      runInNewContext('gc')();
    });
    setTimeout(() => undefined, 1 << 30);
  },
  /** Locks as another user. */
  lockAs() {
    process.setuid?.(Number(detail));
    attempt(() => lockStateDir(stateDir));
  },
  /** Makes the calls one by one; with `steps` it waits after each. */
  calls() {
    const { journal } = openJournal(stateDir);
    for (const [nth, call] of CALLS.entries()) {
      call(journal);
      say(String(nth + 1));
      if (detail === 'steps') pause();
    }
  },
  /** Beats for ever, with rows in between. */
  beats() {
    lockStateDir(stateDir);
    const { journal } = openJournal(stateDir);
    const route = routeOf(journal);
    let at = 0;
    const turn = () => {
      journal.beat(++at);
      route.setAside(
        FOLDER,
        [{ uid: at, sha256: '', size: at }],
        'refused',
        { why: 'no', dest: { folder: 'INBOX', uidValidity: 1, uidNext: 1 }, retryAt: at },
        at,
      );
      say(String(at));
      setTimeout(turn);
    };
    turn();
  },
  /** Takes a message in hand, and lives until it is ended. */
  hand() {
    const { journal } = openJournal(stateDir);
    journal.begin();
    routeOf(journal).takeUp(FOLDER, [1]);
    say('1');
    setTimeout(() => undefined, 1 << 30);
  },
  /** The whole life of a journal, for what it says on standard error. */
  life() {
    const lock = lockStateDir(stateDir);
    const { journal } = openJournal(stateDir);
    journal.beat(1);
    say(String(readJournal(stateDir).lastBeat()));
    journal.close();
    lock.release();
  },
  /** On a small file system: fills it, tries, makes room, tries again. */
  full() {
    const lock = lockStateDir(stateDir);
    const { journal } = openJournal(stateDir);
    const route = routeOf(journal);
    const intents = (from: number) =>
      Array.from({ length: 100 }, (_, i) => ({ uid: from + i, sha256: 'f'.repeat(64), size: 1 }));
    const dest = { folder: 'INBOX', uidValidity: 1, uidNext: 1 };
    attempt(() => route.intend(FOLDER, dest, intents(1)));
    const filler = `${stateDir}/filler`;
    try {
      writeFileSync(filler, Buffer.alloc(1 << 26));
    } catch (thrown) {
      say((thrown as NodeJS.ErrnoException).code);
    }
    let noted = 100;
    let failed = false;
    while (!failed) {
      try {
        route.intend(FOLDER, dest, intents(noted + 1));
        noted += 100;
      } catch {
        failed = true;
      }
    }
    attempt(() => route.intend(FOLDER, dest, intents(noted + 1)));
    say({ noted, rows: route.count('appending') });
    rmSync(filler);
    attempt(() => route.intend(FOLDER, dest, intents(noted + 1)));
    say({ noted: noted + 100, rows: route.count('appending') });
    journal.close();
    lock.release();
  },
  /** On a read-only file system. */
  readOnly() {
    attempt(() => lockStateDir(stateDir));
    say(String(existsSync(stateDir)));
  },
};

ROLES[role ?? '']?.();
