/** Who hears how imapferry is: the household by alerts, somebody far away by a heartbeat, and systemd. */
import type { Mistake } from './mistakes.ts';
import { canStart } from './password.ts';
import type { Environment } from './settings.ts';
import { type CommonValues, variableOf } from './variables.ts';

export interface AlertSettings {
  /** How long a trouble lasts before it is told, in ms. */
  readonly after: number;
  readonly command?: {
    /** The program and its arguments. */
    readonly words: readonly string[];
    /** The environment without what is ours: other programs need no password of a mailbox. */
    readonly environment: Environment;
  };
}

/** systemd, where it started this process and wants to hear of it (sd_notify(3)). */
export interface Supervisor {
  readonly socket: string;
  /** Without a sign within so many ms, it starts imapferry anew. */
  readonly watchdog?: number;
  /** The variable PATH. */
  readonly path: string;
}

/** The alerts that checked values describe; absent: off. */
export function alertsOf(values: CommonValues, env: Environment): AlertSettings | undefined {
  const { ALERT_AFTER: after, ALERT_COMMAND: words } = values;
  if (after === undefined) return undefined;
  const others = Object.entries(env).filter(([name]) => !isOurs(name));
  return { after, ...(words && { command: { words, environment: Object.fromEntries(others) } }) };
}

function isOurs(name: string): boolean {
  return variableOf(name) !== undefined || name === 'NOTIFY_SOCKET' || name.startsWith('WATCHDOG_');
}

export function alertMistakes(
  { ALERT_COMMAND: words }: Partial<CommonValues>,
  env: Environment,
): Mistake[] {
  if (words === undefined || canStart(words[0] ?? '', env.PATH)) return [];
  return [
    {
      variable: 'ALERT_COMMAND',
      wrong: 'begins with a program that was not found or may not be run',
      example: 'ALERT_COMMAND=/usr/local/bin/tell-me',
    },
  ];
}

export function alertDoubts({ ALERT_AFTER: after, ALERT_COMMAND: words }: CommonValues): string[] {
  if (words === undefined || after !== undefined) return [];
  return [
    'ALERT_COMMAND has no effect, because ALERT_AFTER is off: set ALERT_AFTER=1h to be told of trouble that lasts an hour.',
  ];
}

/** Whom systemd's variables name; none in a child of the process that they were meant for. */
export function supervisorOf(env: Environment): Supervisor | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: span = '', WATCHDOG_PID: pid, PATH = '' } = env;
  if (!socket) return undefined;
  const isOfOurs = pid === undefined || pid === String(process.pid);
  const watchdog = isOfOurs && /^\d{1,15}$/.test(span) ? Number(span) / 1000 : 0;
  return { socket, path: PATH, ...(watchdog > 0 && { watchdog }) };
}
