/** docs/troubleshooting.md tells of each event that somebody may have to do something about, and of no other. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EVENTS } from '../src/domain/events.ts';

const page = readFileSync(new URL('../docs/troubleshooting.md', import.meta.url), 'utf8');

/** The page's chapters by their headings, and their sections that have an event for a heading. */
const chapters = new Map(
  page.split(/^## /m).map((chapter) => [chapter.split('\n', 1)[0] ?? '', chapter]),
);
const sections = (chapter: string) =>
  new Map(
    (chapters.get(chapter) ?? '')
      .split(/^### /m)
      .slice(1)
      .map((section) => [/^`([^`]+)`$/m.exec(section)?.[1] ?? section.split('\n', 1)[0], section]),
  );

const told = {
  error: sections('Errors: they need you'),
  warn: sections('Warnings: they right themselves'),
};

test.each(['error', 'warn'] as const)('has a heading for each event of level %s', (level) => {
  const events = Object.entries(EVENTS).flatMap(([name, [of]]) => (of === level ? name : []));
  const headings = [...told[level].keys()];
  const where = `docs/troubleshooting.md, the chapter of level ${level}`;
  expect(
    events.filter((name) => !headings.includes(name)),
    `${where}, lacks a heading for these events`,
  ).toEqual([]);
  expect(
    headings.filter((name) => !events.includes(name ?? '')),
    `${where}, has headings that are no event of that level`,
  ).toEqual([]);
});

test.each([...told.error, ...told.warn])(
  'says of %s what imapferry does by itself, and what you can do',
  (_, section) => {
    expect(section).toMatch(/^- \*\*imapferry\*\* /m);
    expect(section).toMatch(/^- \*\*You\*\* /m);
  },
);

test('has an entry for what is seen, and every exit code', () => {
  const seen = sections('What you see');
  for (const heading of ['Nothing arrives', 'It arrived twice', 'The original stays'])
    expect([...seen.keys()]).toContain(heading);
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const commands = readme.split(/^## /m).find((chapter) => chapter.startsWith('Commands')) ?? '';
  const codes = [...commands.matchAll(/(?:\||·|exits|Exit) (\d+)[ :]/g)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(5);
  for (const code of new Set(codes)) expect(page).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
});
