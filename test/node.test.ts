import { expect, it } from 'vitest';

it('runs the tests on Node.js 24 or newer', () => {
  const major = Number(process.versions.node.split('.')[0]);
  expect(
    major,
    'run them by "npm test": it takes Node.js from node_modules/.bin',
  ).toBeGreaterThanOrEqual(24);
});
