/** The program itself as a child process, between two servers: its settings, its log, its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Dovecot } from '../support/dovecot.ts';

const SOURCE = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** The program as the package and the image have it: compiled. */
export const COMPILED = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface LogLine {
  readonly level: string;
  readonly event?: string;
  readonly msg: string;
  readonly folder?: string;
  readonly uid?: number;
  readonly [field: string]: unknown;
}

export type Settings = Readonly<Record<string, string>>;

/** A place to run in: a folder for STATE_DIR, password files and .env. */
export class Place implements Disposable {
  readonly home = mkdtempSync(join(tmpdir(), 'imapferry-journey-'));
  readonly stateDir = join(this.home, 'state');

  file(name: string, content: string, mode = 0o600): string {
    const path = join(this.home, name);
    mkdirSync(this.home, { recursive: true });
    writeFileSync(path, content, { mode });
    return path;
  }

  /** Settings from user `anna` of the one server to user `bert` of the other, over TLS. */
  settings(source: Dovecot, destination: Dovecot, changes: Settings = {}): Settings {
    return {
      SOURCE_HOST: source.host,
      SOURCE_PORT: String(source.tlsPort),
      SOURCE_CA_FILE: source.caFile,
      SOURCE_USER: 'anna',
      SOURCE_PASSWORD_FILE: this.file('source_password', `${source.users.anna}\n`),
      DEST_HOST: destination.host,
      DEST_PORT: String(destination.tlsPort),
      DEST_CA_FILE: destination.caFile,
      DEST_USER: 'bert',
      DEST_PASSWORD_FILE: this.file('dest_password', `${destination.users.bert}\n`),
      STATE_DIR: this.stateDir,
      LOG_LEVEL: 'debug',
      LOG_FORMAT: 'json',
      ...changes,
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** How a program is started by hand: Node.js with the flags that its first line names. */
export function startOf(main: string): string[] {
  const [first = ''] = readFileSync(main, 'utf8').split('\n', 1);
  const [, flags = ' --'] = /^#!.* node( .*)$/.exec(first) ?? [];
  return [process.execPath, ...flags.trim().split(' '), main];
}

/** To both servers in plain text through wires before them. */
export function overWires(source: { port: number }, destination: { port: number }): Settings {
  return {
    SOURCE_HOST: '127.0.0.1',
    SOURCE_PORT: String(source.port),
    SOURCE_TLS: 'none',
    DEST_HOST: '127.0.0.1',
    DEST_PORT: String(destination.port),
    DEST_TLS: 'none',
  };
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  /** The file that Node.js runs: `src/main.ts` if left out. */
  readonly main?: string;
  /** Whom it runs as. */
  readonly uid?: number;
  /** A command that runs the program as its last words: `prlimit --fsize=1`. It has to replace itself by it. */
  readonly wrap?: readonly string[];
}

export class Program implements AsyncDisposable {
  readonly log: LogLine[] = [];
  readonly plain: string[] = [];
  /** All of standard output, as it came. */
  readonly printed: Buffer[] = [];
  stderr = '';
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #exit: Ended | undefined;

  constructor(
    place: Place,
    settings: Settings,
    args: readonly string[] = ['run'],
    { main = SOURCE, uid, wrap = [] }: ProgramOptions = {},
  ) {
    const { PATH = '', HOME = '', NODE_COMPILE_CACHE } = process.env;
    const [command = '', ...words] = [...wrap, ...startOf(main), ...args];
    this.#child = spawn(command, words, {
      cwd: place.home,
      ...(uid !== undefined && { uid, gid: uid }),
      env: { PATH, HOME, ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }), ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#child;
    if (!stdout || !stderr) throw new Error('The child has no pipes');
    stdout.on('data', (chunk: Buffer) => this.printed.push(chunk));
    createInterface({ input: stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine);
      else this.plain.push(line);
    });
    stderr.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  count(event: string): number {
    return this.log.filter((line) => line.event === event).length;
  }

  /** Waits until something is so; says what the log said last if it never is, or if the program has ended. */
  async until(
    what: string,
    condition: () => boolean | Promise<boolean>,
    ms = 50_000,
  ): Promise<void> {
    const deadline = Date.now() + ms;
    for (;;) {
      const answer = condition();
      if (await answer) return;
      if (Date.now() > deadline || this.#exit) {
        const last = this.log.slice(-15).map(({ event, msg, why }) => `${event}: ${why ?? msg}`);
        const how = this.#exit
          ? `the program ended with ${JSON.stringify(this.#exit)}`
          : 'time ran out';
        throw new Error(
          `It never came to be that ${what}; ${how}.\n${last.join('\n')}\n${this.stderr}`,
        );
      }
      // A question to a server is work for it, too.
      await wait(answer instanceof Promise ? 40 : 10);
    }
  }

  /** Waits for the `nth` line of an event. */
  async saw(event: string, nth = 1): Promise<void> {
    await this.until(`${event} was told ${nth} times`, () => this.count(event) >= nth);
  }

  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal);
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#exit) await this.kill('SIGKILL');
  }
}
