/** ALERT_COMMAND: for troubles that can't be told in the destination's INBOX. Started without a shell. */
import { spawn } from 'node:child_process';

export interface AlertCommand {
  /** The program and its arguments. */
  readonly words: readonly string[];
  /** What it finds in its environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** How long it may take, in ms. */
const LIMIT = 30_000;
/** So much of what it prints is kept, in characters. */
const MOST = 2_000;

export interface CommandEnd {
  /** Why it did not do what it should; absent: it did. Goes on after its name. */
  readonly wrong?: string;
  /** The beginning of what it printed. */
  readonly printed: string;
}

/**
 * Runs the command with `text` on its standard input and `about` in its environment. Never rejects. What is not through in
 * time is killed, with all that it has started.
 */
export function runAlertCommand(
  { words, environment }: AlertCommand,
  text: string,
  about: Readonly<Record<string, string>>,
  limit = LIMIT,
): Promise<CommandEnd> {
  const [program = '', ...args] = words;
  return new Promise((resolve) => {
    let printed = '';
    let late = false;
    // A process group of its own, so that what it has started ends with it.
    const child = spawn(program, args, { env: { ...environment, ...about }, detached: true });
    const timer = setTimeout(() => {
      late = true;
      killGroup(child.pid);
    }, limit);
    const ended = (wrong?: string) => {
      clearTimeout(timer);
      // What it leaves behind may hold its output open for ever.
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(wrong === undefined ? { printed } : { wrong, printed });
    };
    for (const output of [child.stdout, child.stderr])
      output.setEncoding('utf8').on('data', (chunk: string) => {
        printed = (printed + chunk).slice(0, MOST);
      });
    child.once('error', (error: NodeJS.ErrnoException) => ended(notStarted(error)));
    child.once('exit', (code, signal) => {
      // What it printed last is read before.
      setImmediate(() => ended(late ? tooLate(limit) : notWell(code, signal)));
    });
    // It need not read what it is given.
    child.stdin.on('error', () => undefined);
    child.stdin.end(text);
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

function notStarted({ code }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'was not found';
  if (code === 'EACCES') return 'may not be run by this user';
  return `could not be started (${code ?? 'for no known reason'})`;
}

function notWell(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (code === 0) return undefined;
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
}

function tooLate(limit: number): string {
  return `did not end within ${limit / 1000} s and was stopped`;
}
