/** What a process takes of the machine, as Linux tells it in /proc. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { now } from './clock.ts';

const TICK = 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Milliseconds of CPU, user and system, that a process has taken so far; undefined if it is gone. */
export function cpu(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK;
  } catch {
    return undefined;
  }
}

/** MB of memory that a process has now, and the most it has had. */
export function memory(pid: number): { rss: number; peak: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mb = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024;
    const [rss, peak] = [mb('VmRSS'), mb('VmHWM')];
    return Number.isNaN(rss) ? undefined : { rss, peak };
  } catch {
    return undefined;
  }
}

/** Looks at a process again and again until it is told to stop. */
export class Watch implements Disposable {
  readonly #samples: { at: number; cpu: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #pid: number;
  peak = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.look();
    this.#timer = setInterval(() => this.look(), 25);
  }

  look(): void {
    const used = cpu(this.#pid);
    if (used !== undefined) this.#samples.push({ at: now(), cpu: used });
    this.peak = Math.max(this.peak, memory(this.#pid)?.peak ?? 0);
  }

  /** Milliseconds of CPU between two times, to one look. */
  between(from: number, to: number): number {
    return this.#until(to) - this.#until(from);
  }

  #until(time: number): number {
    let found = 0;
    for (const { at, cpu: used } of this.#samples) {
      if (at > time) break;
      found = used;
    }
    return found;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
