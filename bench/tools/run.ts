/** Runs a program to its end and watches what it takes. */
import { spawn } from 'node:child_process';
import { now } from './clock.ts';
import { Watch } from './usage.ts';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface Ran {
  readonly began: number;
  readonly watch: Watch;
}

const LAST_WORDS = 2000;

/** Rejects with the last words of a program that fails, or does not end in time. */
export async function run({ file, args, env, cwd }: Command, limit: number): Promise<Ran> {
  const { PATH = '', HOME = '' } = process.env;
  const began = now();
  const child = spawn(file, args, {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-LAST_WORDS);
    });
  }
  const watch = new Watch(child.pid ?? 0);
  const late = setTimeout(() => child.kill('SIGKILL'), limit);
  try {
    const code = await new Promise<number | string | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exit, signal) => resolve(exit ?? signal));
    });
    if (code !== 0) throw new Error(`${file} ${args[0]} ended with ${code}: ${said}`);
    return { began, watch };
  } finally {
    clearTimeout(late);
    watch[Symbol.dispose]();
  }
}
