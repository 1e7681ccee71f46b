import { describe, expect, it } from 'vitest';
import { byDesert, type Posted, swap } from '../../src/forward/assignment.ts';

const DWELL = 600;
const NOW = 10_000;

const posted = (folder: string, mailedAt?: number, since = 0): Posted => ({
  folder,
  since,
  mailedAt,
});

describe('which folders hold IDLE', () => {
  it('is INBOX first, then those that had mail last, then the plan', () => {
    const folders = [posted('A'), posted('B', 5), posted('C'), posted('inbox'), posted('D', 9)];
    expect(byDesert(folders).map(({ folder }) => folder)).toEqual(['inbox', 'D', 'B', 'A', 'C']);
  });

  it.each<[string, Posted[], Posted[], string | undefined]>([
    ['one that had mail comes for one that had none', [posted('A')], [posted('B', NOW)], 'A→B'],
    ['the quietest leaves', [posted('A', 50), posted('C', 9)], [posted('B', NOW)], 'C→B'],
    ['the one that had mail last comes', [posted('A')], [posted('B', 8), posted('C', 9)], 'A→C'],
    ['INBOX never leaves', [posted('INBOX')], [posted('B', NOW)], undefined],
    ['INBOX comes whether or not it had mail', [posted('A', 5)], [posted('INBOX')], 'A→INBOX'],
    ['nothing comes that had no mail', [posted('A')], [posted('B')], undefined],
    ['nothing comes whose mail is older', [posted('A', 50)], [posted('B', 40)], undefined],
    ['who had mail just now stays', [posted('A', NOW - DWELL + 1)], [posted('B', NOW)], undefined],
    [
      'who was posted just now stays',
      [posted('A', undefined, NOW - DWELL + 1)],
      [posted('B', NOW)],
      undefined,
    ],
    ['who is not at rest stays', [], [posted('B', NOW)], undefined],
  ])('is changed so that %s', (_, watched, others, expected) => {
    const change = swap(watched, others, NOW, DWELL);
    expect(change && `${change.from}→${change.to}`).toBe(expected);
  });

  it('does not change back and forth between two that are alike', () => {
    let now = 0;
    let [watched, other] = [posted('A'), posted('B')];
    let changes = 0;
    for (; now < 100 * DWELL; now += DWELL / 20) {
      const mailed = now % (DWELL / 10) === 0 ? watched : other;
      const after = { ...mailed, mailedAt: now };
      if (mailed === watched) watched = after;
      else other = after;
      if (swap([watched], [other], now, DWELL) === undefined) continue;
      changes++;
      [watched, other] = [
        { ...other, since: now },
        { ...watched, since: now },
      ];
    }
    expect(changes).toBe(0);
  });
});
