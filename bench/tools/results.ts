/** What a bench has found: printed, and kept in bench/results as JSON and as a plot. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type BarGroup, type Panel, svg } from './plot.ts';
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

/** A part of a bench that can be measured by itself. */
export interface Part {
  readonly name: string;
  readonly sections: readonly Section[];
  readonly targets: readonly Target[];
  /** Its share of the plot. */
  readonly drawn: readonly (BarGroup | Panel)[];
  /** Every single figure. */
  readonly figures: unknown;
}

/** A part as it is kept: when, where and by which command it was measured. */
export interface KeptPart extends Part {
  readonly command: string;
  readonly at: string;
  readonly on: { readonly cores: number; readonly node: string; readonly dovecot: string };
}

export interface Bench {
  readonly name: string;
  /** Of the plot. */
  readonly title: string;
  /** The names of all its parts, in order. */
  readonly order: readonly string[];
}

/** Where results are kept. */
export const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));

/** Prints what was measured, and keeps it beside the parts that were measured another time. */
export function keep({ name, title, order }: Bench, command: string, parts: readonly Part[]): void {
  if (parts.length === 0) return;
  for (const section of parts.flatMap(({ sections }) => sections)) {
    console.log(`\n${section.title}\n${table(section.rows)}`);
    for (const note of section.notes ?? []) console.log(`  ${note}`);
  }
  console.log(`\nTargets\n${table(targetRows(parts.flatMap(({ targets }) => targets)))}`);
  mkdirSync(RESULTS, { recursive: true });
  const dovecot = execFileSync('dovecot', ['--version'], { encoding: 'utf8' }).split(' ')[0] ?? '';
  const on = { cores: availableParallelism(), node: process.version, dovecot };
  const at = new Date().toISOString();
  const all = new Map(kept(name).map((part) => [part.name, part]));
  for (const part of parts) all.set(part.name, { ...part, command, at, on });
  const sorted = order.flatMap((each) => all.get(each) ?? []);
  writeFileSync(`${RESULTS}${name}.json`, `${JSON.stringify(sorted, null, 2)}\n`);
  const drawn = sorted.flatMap((part) => part.drawn);
  writeFileSync(`${RESULTS}${name}.svg`, svg(title, drawn));
  console.log(`\nKept in bench/results/${name}.json and ${name}.svg`);
}

/** What was kept of a bench, part by part. */
export function kept(name: string): KeptPart[] {
  const file = `${RESULTS}${name}.json`;
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as KeptPart[]) : [];
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
