/** npm run bench -- report: writes what was measured last into docs/performance.md and README.md, between their marks. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Measured } from './drain/report.ts';
import { type KeptPart, kept, short, targetRows } from './tools/results.ts';
import { median } from './tools/statistics.ts';
import { markdown } from './tools/table.ts';

const PAGES = ['docs/performance.md', 'README.md'].map(
  (page) => new URL(`../${page}`, import.meta.url),
);
const MARKED = /(<!-- bench: (\w+) -->\n)[\s\S]*?(<!-- end of bench -->)/g;

/** Fills every mark `bench: NAME` with the tables of that bench; `bench: summary` with the rates of all drains. */
export function report(): void {
  for (const page of PAGES) {
    const text = readFileSync(page, 'utf8');
    const filled = text.replace(MARKED, (_, begin: string, name: string, end: string) => {
      const made = name === 'summary' ? summary() : tables(name);
      return `${begin}${made}\n${end}`;
    });
    if (filled !== text) writeFileSync(page, filled);
  }
}

function tables(name: string): string {
  const parts = kept(name);
  if (parts.length === 0) return `Not measured yet: \`npm run bench -- ${name}\`.\n`;
  const targets = parts.flatMap((part) => part.targets);
  return [
    `![](../bench/results/${name}.svg)`,
    '',
    ...parts.flatMap((part) => [
      ...part.sections.flatMap(({ title, rows, notes = [] }) => [
        `**${title}**`,
        '',
        markdown(rows),
        '',
        ...notes.flatMap((note) => [note, '']),
      ]),
      made(part),
      '',
    ]),
    '**Targets**',
    '',
    markdown(targetRows(targets)),
    '',
  ].join('\n');
}

function made({ command, at, on }: KeptPart): string {
  return `\`${command}\`, ${at.slice(0, 10)}, ${on.cores} cores, Node.js ${on.node}, Dovecot ${on.dovecot}.`;
}

/** Messages a second of each contender in each case. */
function summary(): string {
  const parts = kept('drain');
  if (parts.length === 0) return 'Not measured yet: `npm run bench`.\n';
  const measured = parts.map(({ figures }) => figures as Measured);
  const names = measured[0]?.entries.map(({ contender }) => contender) ?? [];
  const rate = ({ entries }: Measured, name: string) => {
    const entry = entries.find(({ contender }) => contender === name);
    if (!entry || entry.runs.length === 0) return 'not measured';
    return short(median(entry.runs.map(({ messages, ms }) => (messages / ms) * 1000)));
  };
  const rows = [
    ['messages a second', ...names],
    ...measured.map((each) => [each.title, ...names.map((name) => rate(each, name))]),
  ];
  const how = new Set(parts.map(made));
  return `${markdown(rows)}\n\n${[...how].join('\n')}\n`;
}
