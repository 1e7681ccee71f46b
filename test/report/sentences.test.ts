import { expect, it } from 'vitest';
import { duration, sentence, size, withoutAddresses } from '../../src/report/sentences.ts';

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
  [
    'delivery.paced',
    { side: 'destination', left: 22, ms: 3_600_000, until: '2027-01-15T09:00:00.000Z' },
    'The rate limit of the destination is reached: 22 messages wait; deliveries go on in 60 min (2027-01-15T09:00:00.000Z)',
  ],
  [
    'delivery.paced',
    { side: 'source', left: 1, ms: 30_000, why: 'it is new' },
    'The rate limit of the source is reached: 1 message waits: it is new; deliveries go on in 30 s',
  ],
  [
    'delivery.slowed',
    { folder: 'INBOX', ms: 60_000, why: 'The server refused: too fast.' },
    'A server asks to go slower: The server refused: too fast; deliveries from INBOX pause for 60 s, and go on with fewer at once',
  ],
  [
    'drain.progress',
    { count: 1200, bytes: 9_000_000, left: 8800, rate: 150_000, eta: 440_000 },
    '1200 messages carried, 9.0 MB, 8800 left, 150.0 KB/s, about 7 min to go',
  ],
  [
    'drain.progress',
    { count: 1, bytes: 500, left: 0, rate: 0, eta: 0 },
    '1 message carried, 500 B, 0 left',
  ],
] as const)('tells %s %o', (event, fields, told) => expect(sentence(event, fields)).toBe(told));

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
