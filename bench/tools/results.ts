/** What a bench has found: printed, and kept in bench/results as JSON and as a plot. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Chart, svg } from './plot.ts';
import { type Row, table } from './table.ts';

/** Something to reach, and what was measured. */
export interface Target {
  readonly what: string;
  /** In words, with the unit: `≥ 0.7`. */
  readonly reach: string;
  /** The figure as it is to be shown; undefined: not measured. */
  readonly measured: string | undefined;
  readonly reached: boolean | undefined;
  /** Why it was not measured, or what is to be known of it. */
  readonly note?: string;
}

export interface Section {
  readonly title: string;
  /** The first row is the head. */
  readonly rows: readonly Row[];
  readonly notes?: readonly string[];
}

export interface Result {
  readonly bench: string;
  /** The command that makes it. */
  readonly command: string;
  readonly sections: readonly Section[];
  readonly targets: readonly Target[];
  /** Every single figure. */
  readonly figures: unknown;
}

export interface Kept extends Result {
  readonly at: string;
  readonly on: { readonly cores: number; readonly node: string; readonly dovecot: string };
}

/** Where results are kept. */
export const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));

/** Prints a result and keeps it. */
export function keep(result: Result, chart: Chart): void {
  for (const { title, rows, notes = [] } of result.sections) {
    console.log(`\n${title}\n${table(rows)}`);
    for (const note of notes) console.log(`  ${note}`);
  }
  console.log(`\nTargets\n${table(targetRows(result.targets))}`);
  mkdirSync(RESULTS, { recursive: true });
  const dovecot = execFileSync('dovecot', ['--version'], { encoding: 'utf8' }).split(' ')[0] ?? '';
  const kept: Kept = {
    ...result,
    at: new Date().toISOString(),
    on: { cores: availableParallelism(), node: process.version, dovecot },
  };
  writeFileSync(`${RESULTS}${result.bench}.json`, `${JSON.stringify(kept, null, 2)}\n`);
  writeFileSync(`${RESULTS}${result.bench}.svg`, svg(chart));
  console.log(`\nKept in bench/results/${result.bench}.json and ${result.bench}.svg`);
}

/** Targets as a table. */
export function targetRows(targets: readonly Target[]): Row[] {
  return [
    ['to reach', 'at', 'measured', ''],
    ...targets.map(({ what, reach, measured, reached, note }) => [
      what,
      reach,
      measured ?? `not measured${note ? `: ${note}` : ''}`,
      reached === undefined ? '' : reached ? 'reached' : 'missed',
    ]),
  ];
}

/** A target for a figure that is to be at least, or at most, so high. NaN: it was not measured. */
export function target(
  what: string,
  figure: number,
  { least, most, unit = '', why }: { least?: number; most?: number; unit?: string; why?: string },
): Target {
  const bound = least ?? most ?? 0;
  const note = why === undefined ? {} : { note: why };
  const reach = `${least === undefined ? '≤' : '≥'} ${bound}${unit}`;
  if (Number.isNaN(figure)) {
    return { what, reach, measured: undefined, reached: undefined, ...note };
  }
  const reached = least === undefined ? figure <= bound : figure >= bound;
  return { what, reach, measured: `${short(figure)}${unit}`, reached, ...note };
}

/** A figure with three digits that count. */
export function short(figure: number): string {
  if (Number.isNaN(figure)) return '–';
  if (Math.abs(figure) >= 100) return figure.toFixed(0);
  return String(Number(figure.toPrecision(3)));
}
