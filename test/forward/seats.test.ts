import { describe, expect, it } from 'vitest';
import { Seats } from '../../src/forward/seats.ts';

/** How many seats each takes, in this order, that wants so many folders; `undefined`: it has not said so yet. */
function taken(most: number, ...wanted: (number | undefined)[]): number[] {
  const seats = new Seats(most);
  const shares = wanted.map(() => seats.join());
  for (const [i, share] of shares.entries()) {
    const folders = wanted[i];
    if (folders !== undefined) share.want(folders);
  }
  return shares.map((share, i) => {
    let count = 0;
    while (count < (wanted[i] ?? 0) && share.take()) count++;
    return count;
  });
}

describe('the watchers of a source account', () => {
  it.each([
    ["are all the one route's", 3, [10], [3]],
    ['are not more than it wants', 3, [2], [2]],
    ['are shared evenly, with what is over for the first', 3, [10, 10], [2, 1]],
    ['go to who wants them where the other does not', 3, [1, 10], [1, 2]],
    ['go to who comes first where the other wants few', 3, [10, 1], [2, 1]],
    ['are kept for a route that has not said yet what it wants', 3, [10, undefined], [2, 0]],
    ['leave some without one where there are too few', 1, [5, 5, 5], [1, 0, 0]],
    ['are none where there shall be none', 0, [5], [0]],
  ] as const)('%s', (_, most, wanted, expected) => {
    expect(taken(most, ...wanted)).toEqual(expected);
  });

  it('are given up for a route that comes late, down to the part of each', () => {
    const seats = new Seats(3);
    const [one, late] = [seats.join(), seats.join()];
    let asked = 0;
    one.onAsked(() => {
      asked++;
      return true;
    });
    one.want(10);
    late.want(0);
    expect([one.take(), one.take(), one.take()]).toEqual([true, true, true]);
    late.want(10);
    expect([asked, late.take()]).toEqual([1, false]);
    // Asked again before the seat is given back, it gives up no other one.
    late.want(10);
    expect(asked).toBe(1);
    one.give();
    expect([one.take(), late.take(), late.take()]).toEqual([false, true, false]);
  });

  it('are free again once they are given back', () => {
    const seats = new Seats(1);
    const [one, other] = [seats.join(), seats.join()];
    expect([one.take(), one.take(), other.take()]).toEqual([true, false, false]);
    one.give();
    one.want(0);
    expect(other.take()).toBe(true);
  });
});
