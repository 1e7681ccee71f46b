import { expect, it } from 'vitest';
import { duration, size, withoutAddresses } from '../../src/report/sentences.ts';

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 KB'],
  [12_345, '12.3 KB'],
  [999_949, '999.9 KB'],
  [999_950, '1.0 MB'],
  [35_000_000, '35.0 MB'],
])('tells %i bytes as %s', (bytes, told) => expect(size(bytes)).toBe(told));

it.each([
  [0, '0 ms'],
  [99, '99 ms'],
  [100, '0.1 s'],
  [412, '0.4 s'],
  [9_949, '9.9 s'],
  [9_950, '10 s'],
  [119_499, '119 s'],
  [120_000, '2 min'],
  [7_170_000, '2 h'],
  [172_800_000, '2 days'],
])('tells %i ms as %s', (ms, told) => expect(duration(ms)).toBe(told));

it.each([
  ['carol@example.org said', '…@… said'],
  ['user "carol@example.org"', 'user "…@…"'],
  ['<carol+list@mail.example.org>: full', '<…@…>: full'],
  ['carol@example.org@imap.example.net:993', '…@…:993'],
  ['INBOX → Archive', 'INBOX → Archive'],
  ['@ home, @carol and carol@', '@ home, @carol and carol@'],
])('leaves no address in: %s', (text, left) => expect(withoutAddresses(text)).toBe(left));

it('is done within the time of a test with a long text that holds no address', () => {
  const long = 'a'.repeat(500_000);
  expect(withoutAddresses(long) === long).toBe(true);
});
