/** Rounds one after another, each with a seed of its own; what came of them, in a few lines and for docs/reliability.md. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { record } from '../support/results.ts';
import { type Outcome, round } from './round.ts';

export interface SoakOptions {
  /** The first round's seed; each further round has the next. */
  readonly seed: number;
  /** No round is begun after that many. */
  readonly rounds?: number;
  /** No round is begun after so long (ms). */
  readonly ms?: number;
  readonly print: (line: string) => void;
}

/** The command that plays a round again. */
export function replay(seed: number): string {
  return `npm run soak -- --rounds 1 --seed ${seed}`;
}

/** Lines of the trace that a failure prints. */
const LAST = 60;

/** Runs rounds until one fails or enough were run. Resolves with whether all went well. */
export async function soak({ seed, rounds, ms, print }: SoakOptions): Promise<boolean> {
  const cache = mkdtempSync(join(tmpdir(), 'imapferry-compiled-'));
  process.env.NODE_COMPILE_CACHE ??= cache;
  const total = new Summary();
  const began = performance.now();
  const enough = () =>
    total.rounds >= (rounds ?? Number.POSITIVE_INFINITY) ||
    performance.now() - began >= (ms ?? Number.POSITIVE_INFINITY);
  let told = 0;
  try {
    while (!enough()) {
      const outcome = await round(seed + total.rounds);
      total.add(outcome);
      if (outcome.wrong !== undefined) {
        failed(outcome, outcome.wrong, print);
        return false;
      }
      const seconds = Math.round((performance.now() - began) / 1000);
      if (seconds - told < 50 && told > 0) continue;
      told = seconds;
      print(`${seconds} s: ${total.line()}; next seed ${seed + total.rounds}`);
    }
    for (const line of total.lines()) print(line);
    total.record(seed);
    return true;
  } finally {
    if (process.env.NODE_COMPILE_CACHE === cache) delete process.env.NODE_COMPILE_CACHE;
    rmSync(cache, { recursive: true, force: true });
  }
}

function failed(
  { seed, kind, trace, log, commands }: Outcome,
  wrong: string,
  print: (line: string) => void,
) {
  const folder = mkdtempSync(join(tmpdir(), `imapferry-soak-${seed}-`));
  writeFileSync(join(folder, 'trace'), `${trace.lines.join('\n')}\n\n${wrong}\n`);
  writeFileSync(join(folder, 'log'), `${log.join('\n')}\n`);
  writeFileSync(join(folder, 'commands'), `${commands.join('\n')}\n`);
  print(`The last of what happened with seed ${seed} (${kind}):`);
  for (const line of trace.lines.slice(-LAST)) print(line);
  print('');
  print(`Seed ${seed} went wrong:\n${wrong}`);
  print(`All that happened, imapferry's log and its commands: ${folder}`);
  print(`To play it again: ${replay(seed)}`);
}

class Summary {
  rounds = 0;
  #letters = 0;
  #lives = 0;
  #looks = 0;
  #peak = 0;
  readonly #faults = new Map<string, number>();

  add({ letters, lives, looks, peak, trace }: Outcome): void {
    this.rounds++;
    this.#letters += letters;
    this.#lives += lives;
    this.#looks += looks;
    this.#peak = Math.max(this.#peak, peak);
    for (const [kind, count] of trace.counts) {
      if (kind !== 'letter') this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
    }
  }

  get #sum(): number {
    return [...this.#faults.values()].reduce((sum, count) => sum + count, 0);
  }

  line(): string {
    return `${this.rounds} rounds, ${this.#letters} letters, ${this.#sum} faults, ${this.#lives} starts of imapferry, ${this.#looks} looks of the oracle, ${Math.round(this.#peak)} MB at most`;
  }

  lines(): string[] {
    const faults = [...this.#faults].sort(([one], [other]) => one.localeCompare(other));
    return [
      `Each message was where it had to be: ${this.line()}.`,
      ...faults.map(([kind, count]) => `${String(count).padStart(7)}  ${kind}`),
    ];
  }

  record(seed: number): void {
    const seeds = this.rounds > 1 ? `seeds ${seed} to ${seed + this.rounds - 1}` : `seed ${seed}`;
    record({
      part: 'unknown faults',
      point: `${seeds}: ${this.#letters} messages, ${this.#sum} faults of ${this.#faults.size} kinds, ${this.#lives} starts`,
      outcome: `nothing lost or doubled at ${this.#looks} looks, all that can be carried is at the end`,
    });
  }
}
