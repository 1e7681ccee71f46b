import { ImapFlow } from 'imapflow';
import { expect, it } from 'vitest';
import { internals } from '../../src/imap/internals.ts';

const flow = () => new ImapFlow({ host: 'localhost', port: 143, logger: false });

it('opens the version of the library that is installed', () => {
  const one = flow();
  expect(internals(one)).toBe(one);
});

it.each([
  'exec',
  'write',
  'run',
  'commands',
  'capabilities',
  'options',
  'sectionHandlers',
  'untaggedHandlers',
])('says so where the library has no %s as we know it', (name) => {
  const changed = flow();
  Object.defineProperty(changed, name, { value: undefined });
  expect(() => internals(changed)).toThrow(
    new TypeError(`This version of imapflow has no ${name} as imapferry knows it`),
  );
});
