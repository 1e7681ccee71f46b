import { describe, expect, it } from 'vitest';
import { allowedFlags, dateTime } from '../../src/imap/flags.ts';

const FIVE = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'];

describe('the flags that travel to a folder', () => {
  it.each([
    { of: 'all that it keeps', flags: ['\\Seen', '$Work'], permanent: [...FIVE, '\\*'], kept: 2 },
    {
      of: 'in any letter case',
      flags: ['\\SEEN', '$WORK'],
      permanent: ['\\seen', '$work'],
      kept: 2,
    },
    { of: 'no keyword it does not name', flags: ['\\Seen', '$Work'], permanent: FIVE, kept: 1 },
    { of: 'a keyword it names', flags: ['$Work', '$Home'], permanent: ['$Work'], kept: 1 },
    { of: 'none where it keeps none', flags: ['\\Seen', '$Work'], permanent: [], kept: 0 },
    { of: 'no system flag for \\* alone', flags: ['\\Seen', '$Work'], permanent: ['\\*'], kept: 1 },
    { of: 'all that are known where it says nothing', flags: ['\\Seen', '$Work'], kept: 2 },
    { of: 'none unknown where it says nothing', flags: ['\\Important', '\\X'], kept: 0 },
    {
      of: 'one unknown that it names',
      flags: ['\\Important'],
      permanent: ['\\Important'],
      kept: 1,
    },
  ])('$of', ({ flags, permanent, kept }) => {
    const dropped: string[] = [];
    const allowed = allowedFlags(new Set(flags), permanent && new Set(permanent), (flag) =>
      dropped.push(flag),
    );
    expect(allowed).toHaveLength(kept);
    expect([...allowed, ...dropped].sort()).toEqual([...flags].sort());
  });

  it('never are \\Recent and \\Deleted, and nobody is told', () => {
    const dropped: string[] = [];
    const flags = new Set(['\\Recent', '\\DELETED', '\\deleted', '\\rECENT']);
    expect(allowedFlags(flags, new Set([...FIVE, '\\*']), (flag) => dropped.push(flag))).toEqual(
      [],
    );
    expect(dropped).toEqual([]);
  });

  const specials = [...'(){ %*"\\\r\n\t\0\x7f', 'é', '\u{1f600}'];

  it.each(specials.map((special) => [JSON.stringify(special), special]))(
    'never are atoms that hold %s',
    (_, special) => {
      const flags = new Set([`a${special}`, special, `${special}a`, `\\${special}`]);
      flags.delete('\\a');
      const allowed = allowedFlags(flags, new Set(['\\*', ...flags]), () => undefined);
      expect(allowed).toEqual([]);
    },
  );

  it('may be whatever an atom may hold', () => {
    const flags = ['$MDNSent', 'NonJunk', "!#$&'+,-./:;<=>?@[]^_`|~", '0', 'NIL'];
    expect(allowedFlags(new Set(flags), new Set(['\\*']), () => undefined)).toHaveLength(5);
  });
});

describe('a date in an APPEND', () => {
  it.each([
    ['2011-02-03T04:05:06Z', ' 3-Feb-2011 04:05:06 +0000'],
    ['2024-02-29T23:59:59.999Z', '29-Feb-2024 23:59:59 +0000'],
    ['1000-01-01T00:00:00Z', ' 1-Jan-1000 00:00:00 +0000'],
    ['9999-12-31T23:59:59Z', '31-Dec-9999 23:59:59 +0000'],
    ['2026-11-24T10:00:00+05:30', '24-Nov-2026 04:30:00 +0000'],
    ['0999-12-31T23:59:59Z', undefined],
    ['+010000-01-01T00:00:00Z', undefined],
    ['-000001-01-01T00:00:00Z', undefined],
    ['no date', undefined],
  ])('%s', (date, said) => {
    expect(dateTime(new Date(date))).toBe(said);
  });

  it('is left out where there is none', () => {
    expect(dateTime(undefined)).toBeUndefined();
  });
});
