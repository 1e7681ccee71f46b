import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { readCa } from '../../src/config/ca.ts';
import { rateLimits } from '../../src/config/rate-limit.ts';
import { duration, fingerprint, host, size } from '../../src/config/values.ts';
import { folderWith, load, mistakesOf, rejection } from './support.ts';

const KILOBYTE_A_MINUTE = { of: 'bytes', most: 1024, within: 60_000 };

describe('a duration in milliseconds', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['4m30s', 270_000],
    ['1h2m3s4ms', 3_723_004],
    ['90m', 5_400_000],
  ])('%s', (text, ms) => {
    expect(duration('0s', '24h')(text)).toBe(ms);
  });

  test.each(['', '10', 's', '1.5h', '-1s', '1m 30s', '30s1m', '1d', '10M', '1e3s', '٣s'])(
    '%j is none',
    (text) => {
      expect(() => duration('0s', '24h')(text)).toThrow('must be a duration: ');
    },
  );
});

describe('a size in bytes', () => {
  test.each([
    ['500KB', 512_000],
    ['64MB', 67_108_864],
    ['1gb', 1_073_741_824],
    ['1B', 1],
  ])('%s', (text, bytes) => {
    expect(size(text)).toBe(bytes);
  });

  test.each(['', '64', '64 MB', '64MiB', '1.5MB', '0KB', '-1MB', '999999999999GB', 'none'])(
    '%j is none',
    (text) => {
      expect(() => size(text)).toThrow('must be a size');
    },
  );
});

test.each([
  'localhost',
  'imap.example.org',
  'imap.example.org.',
  'mail_1',
  '::1',
  '10.0.0.1',
  'bücher.example',
])('%s is a host', (text) => {
  expect(host(text)).toBe(text);
});

test.each(['', '.', '-x', 'a b', 'a/b', '[::1]', 'x:993', 'a\nb'])('%j is no host', (text) => {
  expect(() => host(text)).toThrow('must be a server name alone');
});

test('a fingerprint is taken as openssl prints it, with colons or without', () => {
  const bytes = Array.from({ length: 32 }, (_, i) => (i * 7).toString(16).padStart(2, '0'));
  const colons = bytes.join(':').toUpperCase();
  for (const text of [colons, bytes.join(''), `sha256 Fingerprint=${colons}`, `SHA256:${colons}`])
    expect(fingerprint(text)).toBe(bytes.join(''));
});

describe('a certificate authority', () => {
  const key = folderWith({})('key.pem');
  const pem = execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-subj',
      '/CN=example',
      '-days',
      '2',
      '-keyout',
      key,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const pathOf = folderWith({
    'ca.pem': `A comment\n${pem}${pem}`,
    'damaged.pem': pem + pem.replace(/\n[^\n-]{20}/, '\nAAAAAAAAAAAAAAAAAAAA'),
    'none.pem': 'hello',
    'empty.pem': '',
  });

  test('is read at start, and only its certificates are taken', () => {
    const { routes } = load({ SOURCE_CA_FILE: pathOf('ca.pem') });
    expect(routes[0]?.source.ca?.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(routes[0]?.source.ca).not.toContain('comment');
    expect(routes[0]?.destination.ca).toBeUndefined();
  });

  test.each([
    ['damaged.pem', (path: string) => `names ${path}, whose certificate number 2 is damaged`],
    [
      'none.pem',
      (path: string) =>
        `names ${path}, which holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`,
    ],
    [
      'empty.pem',
      (path: string) =>
        `names ${path}, which holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`,
    ],
    ['.', (path: string) => `names ${path}, which is a directory, not a file`],
  ])('%s is a mistake', (name, wrong) => {
    expect(() => readCa(pathOf(name))).toThrow(wrong(pathOf(name)));
    expect(mistakesOf({ DEST_CA_FILE: pathOf(name) })).toEqual([
      `DEST_CA_FILE ${wrong(pathOf(name))}`,
    ]);
  });

  test('a private key is no certificate', () => {
    expect(() => readCa(key)).toThrow('holds no certificate');
  });
});

describe('a rate limit', () => {
  test.each([
    ['60/min', [{ of: 'messages', most: 60, within: 60_000 }]],
    ['1/sec', [{ of: 'messages', most: 1, within: 1000 }]],
    ['500MB/day', [{ of: 'bytes', most: 524_288_000, within: 86_400_000 }]],
    ['2 / Hour , 1kb/min', [{ of: 'messages', most: 2, within: 3_600_000 }, KILOBYTE_A_MINUTE]],
  ])('%s', (text, limits) => {
    expect(rateLimits(text)).toEqual(limits);
  });

  test.each([
    '',
    '60',
    '/min',
    '0/min',
    '60/',
    '60/month',
    '1.5/min',
    '-1/min',
    '60min',
    '5XB/day',
  ])('%j is none', (text) => {
    expect(() => rateLimits(text)).toThrow('must be a number of messages or a size');
  });

  test('of a kind and span stands once only', () => {
    expect(() => rateLimits('60/min,1MB/min,90/min')).toThrow('entry 3');
    expect(rateLimits('60/min,1MB/min,90/hour')).toHaveLength(3);
  });

  test('that can not be read is told with an example', () => {
    const { message } = rejection(() => load({ DEST_RATE_LIMIT: 'fast' }));
    expect(message).toContain('DEST_RATE_LIMIT=60/min, 500MB/day');
  });
});
