import { expect, it } from 'vitest';
import type { Listed } from '../../src/domain/message.ts';
import { bytesOf, cut } from '../../src/forward/folder-state.ts';

const MB = 1024 * 1024;

function messages(sizes: number[]): Listed[] {
  return sizes.map((size, i) => ({ uid: i + 1, size, flags: new Set() }));
}

it('cuts at 200 messages', () => {
  const batches = cut(messages(Array(450).fill(10)), 1);
  expect(batches.map((batch) => batch.length)).toEqual([200, 200, 50]);
});

it('cuts at 8 MB', () => {
  const batches = cut(messages([3 * MB, 3 * MB, 3 * MB, 1]), 1);
  expect(batches.map((batch) => batch.map(({ uid }) => uid))).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

it('lets a larger message travel alone', () => {
  const batches = cut(messages([1, 9 * MB, 1]), 1);
  expect(batches.map((batch) => batch.map(({ uid }) => uid))).toEqual([[1], [2], [3]]);
});

it('spreads messages over the connections where each is a round trip of its own', () => {
  const batches = cut(messages(Array(10).fill(10)), 4);
  expect(batches.map((batch) => batch.length)).toEqual([3, 3, 3, 1]);
});

it('cuts at 25 messages where each is a round trip of its own', () => {
  const batches = cut(messages(Array(130).fill(10)), 4);
  expect(batches.map((batch) => batch.length)).toEqual([25, 25, 25, 25, 25, 5]);
});

it('loses and doubles no message, whatever the sizes', () => {
  let seed = 1;
  const next = () => {
    seed = (seed * 48271) % 2147483647;
    return seed;
  };
  for (let run = 0; run < 200; run++) {
    const sizes = Array.from(
      { length: next() % 400 },
      () => next() % (next() % 3 === 0 ? 9 * MB : 5000),
    );
    const all = messages(sizes);
    const batches = cut(all, 1 + (next() % 5));
    expect(batches.flat()).toEqual(all);
    for (const batch of batches) {
      expect(batch.length).toBeLessThanOrEqual(200);
      if (batch.length > 1) expect(bytesOf(batch)).toBeLessThanOrEqual(8 * MB);
    }
  }
});
