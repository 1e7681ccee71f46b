/** What the mail servers of the tests have in common: a child that greets on loopback, and ends with its test. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Account } from '../../src/domain/route.ts';

/** A mail server that a test has started. */
export interface MailServer extends AsyncDisposable {
  readonly host: 'localhost';
  /** Plain text and STARTTLS. */
  readonly port: number;
  readonly tlsPort: number;
  /** The authority of its certificate, as PEM text and as a file. */
  readonly ca: string;
  readonly caFile: string;
  /** Login names and their passwords. */
  readonly users: Readonly<Record<string, string>>;
  /** The account of a user over implicit TLS; `changes` say otherwise. */
  account(side: Account['side'], user: string, changes?: Partial<Account>): Account;
  stop(): Promise<void>;
}

export const USERS = { anna: 'secret-of-anna', bert: 'secret-of-bert' };

/** A server as tests see it. `stop` is called once, however often a test asks. */
export function mailServer({
  port,
  tlsPort,
  ca,
  caFile,
  users,
  stop,
}: Pick<MailServer, 'port' | 'tlsPort' | 'ca' | 'caFile' | 'users' | 'stop'>): MailServer {
  let stopped: Promise<void> | undefined;
  const stopOnce = () => (stopped ??= stop());
  return {
    host: 'localhost',
    port,
    tlsPort,
    ca,
    caFile,
    users,
    account: (side, user, changes = {}) => ({
      side,
      host: 'localhost',
      port: tlsPort,
      security: 'implicit',
      ca,
      user,
      auth: 'password',
      secret: async () => users[user] ?? 'no such user',
      ...changes,
    }),
    stop: stopOnce,
    [Symbol.asyncDispose]: stopOnce,
  };
}

/** Waits until the port greets; rejects if the server ends first. */
export async function greeted(name: string, daemon: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    if (hasEnded(daemon)) throw new Error(`${name} ended with ${daemon.exitCode} at its start`);
    if (await answers(port)) return;
    await wait(10);
  }
  throw new Error(`${name} does not greet`);
}

/** Whether anything that looks like a greeting comes from the port, within a second. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once('data', () => done(true));
    socket.once('error', () => done(false));
    socket.once('end', () => done(false));
  });
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/**
 * TERM for a server, and KILL for it and all that it has started where it does not end within 5 s. Resolves once it
 * has ended.
 */
export async function end(daemon: ChildProcess): Promise<void> {
  if (hasEnded(daemon)) return;
  const gone = new Promise((resolve) => daemon.once('exit', resolve));
  const started = descendants(daemon.pid as number);
  daemon.kill('SIGTERM');
  const late = setTimeout(() => daemon.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(late);
  for (const pid of started) killed(pid);
}

/** Every process below one, children's children included. */
function descendants(pid: number): number[] {
  const rows = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/).map(Number) as [number, number]);
  const below = (parent: number): number[] =>
    rows.flatMap(([child, of]) => (of === parent ? [child, ...below(child)] : []));
  return below(pid);
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It had ended by itself.
  }
}
