/** What the journal's tests share: folders of their own, and child processes that say what they have done. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** An empty folder that goes with the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'imapferry-journal-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface Child {
  readonly process: ChildProcess;
  /** The next line of its standard output; `undefined` after the last. */
  line(): Promise<string | undefined>;
  /** Lets it go on from where it waits. */
  go(): void;
  /** Ends it by SIGKILL. Resolves once it is gone. */
  kill(): Promise<void>;
  /** Its exit code and standard error, once it has ended. */
  end(): Promise<{ code: number | null; stderr: string }>;
}

const PROGRAM = fileURLToPath(new URL('child.ts', import.meta.url));

/** Starts `child.ts` with a role; `wrapper` is a command that starts it in its place. */
export function child(args: readonly string[], wrapper: readonly string[] = []): Child {
  const [command = '', ...rest] = [...wrapper, process.execPath, PROGRAM, ...args];
  const started = spawn(command, rest, { stdio: 'pipe' });
  const lines = createInterface(started.stdout)[Symbol.asyncIterator]();
  const exit = once(started, 'close');
  let stderr = '';
  started.stderr.on('data', (text) => {
    stderr += text;
  });
  // A child that was killed does not read any more.
  started.stdin.on('error', () => undefined);
  onTestFinished(() => {
    started.kill('SIGKILL');
  });
  return {
    process: started,
    line: async () => (await lines.next()).value as string | undefined,
    go: () => started.stdin.write('\n'),
    async kill() {
      started.kill('SIGKILL');
      await exit;
    },
    async end() {
      const [code] = await exit;
      return { code, stderr };
    },
  };
}

/** Runs a command in mounts of its own, which end with it: for full and read-only file systems. */
export const OWN_MOUNTS = ['unshare', '--mount', '--map-root-user'];

/** Why no file system can be mounted here; `undefined` where one can. */
export function noMounts(): string | undefined {
  const [command = '', ...args] = [...OWN_MOUNTS, 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp'];
  const tried = spawnSync(command, args, { encoding: 'utf8' });
  if (tried.status === 0) return undefined;
  return tried.error?.message ?? tried.stderr.trim();
}
