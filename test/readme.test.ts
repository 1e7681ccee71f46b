import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EVENTS } from '../src/domain/events.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it.each(Object.entries(EVENTS))(
  'the README tells of %s, its level and what it means',
  (name, [level, says]) => {
    expect(readme).toContain(`| \`${name}\` | ${level} | ${says.replaceAll('\\', '\\\\')} |`);
  },
);

it('the README shows both commands within its first twenty lines', () => {
  const first = readme.split('\n').slice(0, 20).join('\n');
  expect(first).toContain('$ npm run demo');
  expect(first).toContain('$ npm test');
});
