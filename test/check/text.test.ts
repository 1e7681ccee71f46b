/** The report as people and programs read it. */
import { expect, it } from 'vitest';
import { checkReport } from '../../src/check/report.ts';
import { reportJson, reportText } from '../../src/check/text.ts';
import { UNSEEN } from '../../src/report/sentences.ts';
import { cut, width, wrapped } from '../../src/report/width.ts';
import { folder, route, survey } from './support.ts';

const NOW = Date.parse('2026-12-02T00:00:00Z');
const HOSTILE = 'evil\u001b[31m\u202e\r\n\u009b name';

function reportOf(names: readonly string[], server = 'Dovecot') {
  return checkReport(
    [
      {
        route: route(),
        source: survey({ server, quotas: [{ root: HOSTILE, used: 1e6, limit: 5e9 }] }),
        destination: survey({ folders: [folder('INBOX')] }),
        plan: {
          pairs: names.map((source) => ({ source, dest: source, said: `said of ${source}` })),
          leftOut: [
            {
              folder: `All ${names[0]}`,
              why: 'it only shows mail of other folders',
              ofCourse: true,
            },
          ],
        },
        measures: new Map(names.map((name, i) => [name, { messages: i, bytes: i * 1e9 }])),
      },
    ],
    ['A doubt.'],
  );
}

const NAMES: readonly (readonly [title: string, name: string])[] = [
  ['plain', 'INBOX'],
  ['wide', '草稿'.repeat(30)],
  ['combining', 'e\u0301'.repeat(70)],
  ['long without a blank', 'x'.repeat(300)],
  ['deep', 'Projects/2026/'.repeat(12)],
  ['made of pictures', '📬👨‍👩‍👧🇩🇪'.repeat(20)],
  ['hostile', HOSTILE.repeat(9)],
  ['quoted and spaced', '  a "quoted" name  '],
];

it.each(NAMES)('stays within 80 columns with a name that is %s', (_, name) => {
  const lines = reportText(reportOf([name, 'Sent'], name), NOW).split('\n');
  for (const line of lines) expect(width(line), line).toBeLessThanOrEqual(80);
});

it('prints nothing of a server that would steer a terminal, as text or as JSON', () => {
  const report = reportOf([HOSTILE], HOSTILE);
  for (const text of [reportText(report, NOW), reportJson(report)]) {
    expect(text.replaceAll('\n', '')).not.toMatch(UNSEEN);
    expect(text).toContain('\\u001b[31m');
  }
  expect(JSON.parse(reportJson(report))).toEqual(report);
});

it('reads like this', () => {
  expect(reportText(reportOf(['INBOX', 'Entwürfe', '草稿']), NOW)).toMatchInlineSnapshot(`
    "settings
      A doubt.

    route default: ready

    source source.example.org:993
      reached, TLS 1.3, certificate good until 2027-01-01 (30 days)
      logged in; the server calls itself Dovecot
      has IDLE, UIDPLUS, MOVE
      1.0 MB of 5.0 GB used, 5.0 GB free
      3 connections at most while it runs

    destination destination.example.org:993
      reached, TLS 1.3, certificate good until 2027-01-01 (30 days)
      logged in; the server calls itself Dovecot
      has UIDPLUS, LITERAL+, MULTIAPPEND
      4 connections at most while it runs

    plan
      source folder messages     size   destination       watched
      INBOX                0      0 B → INBOX       there IDLE
        said of INBOX
      Entwürfe             1   1.0 GB → Entwürfe    new   IDLE
        said of Entwürfe
      草稿                 2   2.0 GB → 草稿        new   IDLE
        said of 草稿
      total                3   3.0 GB

    left out
      All INBOX: it only shows mail of other folders"
  `);
});

it.each([
  ['', 0],
  ['abc', 3],
  ['Entwürfe', 8],
  ['Entwu\u0308rfe', 8],
  ['草稿', 4],
  ['보낸편지함', 10],
  ['ｶﾀｶﾅ', 4],
  ['ＡＢ', 4],
  ['📬', 2],
  ['\u200b', 0],
])('%j is %i columns wide', (text, columns) => {
  expect(width(text)).toBe(columns);
});

it('cuts between characters as they are seen, and loses none', () => {
  const text = 'ae\u0301草稿📬'.repeat(10);
  expect(cut(text, 7).join('')).toBe(text);
  for (const piece of cut(text, 7)) expect(width(piece)).toBeLessThanOrEqual(7);
});

it('wraps at blanks, and begins further lines with the indent', () => {
  expect(wrapped('  one two three', 9, '    ')).toEqual(['  one two', '    three']);
});
