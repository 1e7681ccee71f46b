import { describe, expect, it } from 'vitest';
import { uidSets, uidsOf } from '../../src/imap/sets.ts';

/** Numbers that look random and are the same in every run. */
function* numbers(seed: number): Generator<number> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state;
  }
}

function someUids(seed: number): number[] {
  const random = numbers(seed);
  const next = (below: number) => (random.next().value as number) % below;
  const uids: number[] = [];
  let uid = 1 + next(5);
  const count = next(3000);
  while (uids.length < count) {
    uids.push(uid);
    uid += next(10) < 6 ? 1 : 1 + next(2_000_000);
    if (uid > 4_294_967_295) break;
  }
  return uids;
}

describe('the sets of UIDs that are sent', () => {
  const seeds = Array.from({ length: 60 }, (_, i) => i + 1);

  it.each(seeds)('name each once, in lines that servers take (%i)', (seed) => {
    const uids = someUids(seed);
    const shuffled = [...uids].sort((a, b) => ((a * 7919) % 65_537) - ((b * 7919) % 65_537));
    const sets = uidSets([...shuffled, ...shuffled.slice(0, 10)]);
    const named = sets.flatMap((set) => uidsOf(set, 1000));
    expect(named).toEqual(uids);
    for (const set of sets) {
      expect(set.length).toBeLessThanOrEqual(8000);
      expect(set).toMatch(/^\d+(:\d+)?(,\d+(:\d+)?)*$/);
    }
  });

  it.each([
    [[], []],
    [[5], ['5']],
    [[5, 4, 6], ['4:6']],
    [[1, 2, 4, 6, 7, 7], ['1:2,4,6:7']],
    [Array.from({ length: 1001 }, (_, i) => i + 1), ['1:1000', '1001']],
    [[4_294_967_295], ['4294967295']],
  ] as const)('%#: are packed', (uids, sets) => {
    expect(uidSets(uids)).toEqual(sets);
  });

  it('are never empty, which a server could take for all', () => {
    for (const seed of seeds) expect(uidSets(someUids(seed))).not.toContain('');
  });
});

describe('a set of UIDs that a server sent', () => {
  it.each([
    ['41', [41]],
    ['41:43', [41, 42, 43]],
    ['43,41:42', [43, 41, 42]],
    ['5:5', [5]],
    ['4294967295', [4_294_967_295]],
    ['', undefined],
    ['0', undefined],
    ['0:2', undefined],
    ['2:1', undefined],
    ['1:*', undefined],
    ['*', undefined],
    ['1,1', undefined],
    ['1:3,2', undefined],
    ['1,', undefined],
    [',1', undefined],
    ['1 2', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['one', undefined],
    ['1:5', undefined],
    ['1:4294967295', undefined],
    ['1:2:3', undefined],
    ['99999999999', undefined],
  ])('%s', (set, uids) => {
    expect(uidsOf(set, 4)).toEqual(uids);
  });
});
