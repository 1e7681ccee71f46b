// Makes docs/reliability.md from what the tests noted of each point that they tried.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './ensure.mjs';

/** What each part tries, in the order of the page. A part that is not here comes at the end under its own name. */
const PARTS = [
  [
    'killed',
    'The process is killed (SIGKILL) before and after every IMAP command that it sends, and in the middle of every literal, and started again: with its journal, without it, and with an older one.',
  ],
  [
    'cut',
    'Every connection is closed (FIN), broken off (RST) or falls silent, before and after every command and in the middle of every literal, on either side. imapferry is left running.',
  ],
  ['watched', 'Both servers are read after every single command, before its answer goes on.'],
  ['refused', 'Every command is refused in every way, until the fault is taken away.'],
  ['lied to', 'A server says that something was done that was not, or was done otherwise.'],
  [
    'renumbered',
    'UIDVALIDITY changes, folders go and come, while imapferry runs and while it does not.',
  ],
  [
    'other clients',
    'Others flag, move, mark and expunge the same messages at every moment of a batch.',
  ],
  [
    'poor servers',
    'The whole journey on servers that can little, each as source and as destination.',
  ],
  ['hostile servers', 'A server sends what no server should; another route goes on beside it.'],
  ['twins', 'Messages that are the same to the last byte, side by side.'],
  [
    'the machine',
    'The disk, the journal, the clock, the names, and the life of the process itself.',
  ],
  [
    'secrets',
    'No password leaves but to the server it is meant for, on a wire that can be trusted.',
  ],
  ['unknown faults', 'Faults of all kinds, drawn by a seeded generator, while mail flows.'],
  [
    'a silent link',
    'A connection that takes what is sent and answers nothing, at each kind of step: it is given up in time, and not before.',
  ],
];

/** Points that differ only in which of several they were are one row: `before APPEND at the source`. */
function kindOf(point) {
  return point
    .replace(/ \((?:\d+|\d+\w* command[^)]*)\)/g, '')
    .replace(/, of .*$/, '')
    .replace(/\|/g, '\\|');
}

function counted(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function partOf(result) {
  return (
    PARTS.find(([name]) => result.part === name || result.part.startsWith(`${name},`))?.[0] ??
    result.part
  );
}

function sectionOf(name, what, results) {
  const rows = new Map();
  for (const { part, point, outcome } of results) {
    const where = part.startsWith(`${name}, `)
      ? `${kindOf(point)}, ${part.slice(name.length + 2)}`
      : kindOf(point);
    const key = `| ${where} | ${outcome} |`;
    rows.set(key, (rows.get(key) ?? 0) + 1);
  }
  const lines = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([row, count]) => `| ${count} ${row}`);
  return `## ${name[0].toUpperCase()}${name.slice(1)}
${what}

<details><summary>${results.length} points</summary>

| times | point | what came of it |
|---|---|---|
${lines.join('\n')}

</details>
`;
}

/** How the page came to be, by what was tried. */
const MADE = {
  full: `Made by \`npm run test:full\`, which tries every point below with every kind of cut and every state of the journal, on real mail
servers, and writes this page; nothing in it is written by hand. \`npm test\` tries each point once, drawn by \`SEED\`.`,
  once: `Made by \`npm run test:full -- --once\`, which tries each point below once, on real mail servers, and writes this page; nothing in it
is written by hand. Which kind of cut and which state of the journal a point meets is drawn by \`SEED\`; without \`--once\` it meets all.`,
};

/**
 * @param file JSON lines, as test/support/results.ts writes them
 * @param seed what was drawn by
 * @param full whether every point was tried with every kind of cut and state of the journal, or each point once
 */
export function makeReliabilityPage(file, seconds, { full, seed }) {
  const results = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const byPart = new Map();
  for (const result of results) {
    const part = partOf(result);
    byPart.set(part, [...(byPart.get(part) ?? []), result]);
  }
  const known = PARTS.filter(([name]) => byPart.has(name));
  const others = [...byPart.keys()].filter((name) => !PARTS.some(([part]) => part === name));
  const parts = [...known, ...others.map((name) => [name, ''])];
  const summary = parts.map(([name]) => {
    const all = byPart.get(name);
    const outcomes = counted(all.map(({ outcome }) => outcome)).map(
      ([outcome, count]) => `${outcome}: ${count}`,
    );
    const shown =
      outcomes.length > 6
        ? [...outcomes.slice(0, 6), `${outcomes.length - 6} more kinds`]
        : outcomes;
    return `| ${name} | ${all.length} | ${shown.join(' · ')} |`;
  });
  const page = `# What imapferry survives
${MADE[full ? 'full' : 'once']}

One oracle decides in every row: each message put into the source is at the destination exactly once, with its bytes, flags and
INTERNALDATE, or is still at the source; nothing is there twice; nobody else's message is touched. A row is here because it held.

${results.length} points in ${Math.round(seconds / 60)} minutes, with SEED=${seed}:

| part | points | what came of it |
|---|---|---|
${summary.join('\n')}

${parts.map(([name, what]) => sectionOf(name, what, byPart.get(name))).join('\n')}`;
  writeFileSync(join(root, 'docs', 'reliability.md'), page);
  return results.length;
}
