/**
 * Tells systemd how imapferry is (sd_notify(3)), where it was started by it. Node.js has no datagram sockets of the kind that
 * systemd listens on, so the program `systemd-notify` speaks for it; the unit has to take its word by NotifyAccess=all.
 * READY means that the program runs and its routes have begun: an account that refuses it must not keep systemd waiting,
 * since a restart would only knock again. WATCHDOG is told while the event loop turns, whatever the servers do.
 */
import { execFile } from 'node:child_process';
import type { Emit } from '../domain/events.ts';

export interface Supervisor {
  /** NOTIFY_SOCKET. */
  readonly socket: string;
  /** Without a sign within so many ms, systemd restarts it; absent: it does not watch. */
  readonly watchdog?: number;
  /** The variable PATH. */
  readonly path: string;
}

export interface Systemd {
  ready(): void;
  /** One line for `systemctl status`. Told where it has changed. */
  status(line: string): void;
  /** Nothing is told after this. */
  stopping(): void;
}

const LIMIT = 5_000;
const LONGEST = 200;

/** Speaks to systemd; without a supervisor it is silent. What can't be told is said once, and never in the way. */
export function systemd(supervisor: Supervisor | undefined, emit: Emit): Systemd {
  if (!supervisor)
    return { ready: () => undefined, status: () => undefined, stopping: () => undefined };
  const { socket, watchdog, path } = supervisor;
  let turn = Promise.resolve();
  let unreached = false;
  let said = '';
  let alive: NodeJS.Timeout | undefined;
  // In turn, so that what was said last is what holds.
  const tell = (...words: string[]) => {
    turn = turn.then(async () => {
      const wrong = await notify({ NOTIFY_SOCKET: socket, PATH: path }, words);
      if (wrong === undefined || unreached) return;
      unreached = true;
      emit('systemd.unreached', { why: wrong });
    });
  };
  return {
    ready() {
      tell('READY=1');
      if (watchdog !== undefined) alive = setInterval(() => tell('WATCHDOG=1'), watchdog / 2);
    },
    status(line) {
      const short = line.replaceAll(/\s+/g, ' ').slice(0, LONGEST);
      if (short === said) return;
      said = short;
      tell(`STATUS=${short}`);
    },
    stopping() {
      clearInterval(alive);
      tell('STOPPING=1', 'STATUS=stops in order');
    },
  };
}

/** Why it did not work, or `undefined`. Never rejects. */
function notify(
  env: Record<string, string>,
  words: readonly string[],
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { env, timeout: LIMIT, killSignal: 'SIGKILL' } as const;
    execFile('systemd-notify', ['--', ...words], options, (error) => resolve(reason(error)));
  });
}

function reason(error: Error | null): string | undefined {
  if (error === null) return undefined;
  const { code, killed } = error as { code?: string | number; killed?: boolean };
  if (code === 'ENOENT')
    return 'the program systemd-notify was not found; without it use Type=exec in the unit, and no WatchdogSec';
  return killed ? 'systemd-notify did not come to its end' : 'systemd-notify failed';
}
