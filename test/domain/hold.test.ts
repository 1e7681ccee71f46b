import { expect, it } from 'vitest';
import { Hold } from '../../src/domain/hold.ts';
import { weightOf } from '../../src/forward/folder-state.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Work of such sizes, begun in this order, that ends when it is told to. */
function loading(capacity: number, sizes: readonly number[]) {
  const hold = new Hold(capacity);
  const inside: number[] = [];
  const ends = sizes.map((size, i) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    void hold.use(size, async () => {
      inside.push(i);
      await promise;
      inside.splice(inside.indexOf(i), 1);
    });
    return resolve;
  });
  return { inside, ends };
}

it('holds no more than its capacity, and takes everything in the end', async () => {
  const sizes = [8, 8, 8, 8, 8, 20, 1, 1, 30, 2];
  const { inside, ends } = loading(32, sizes);
  const seen: number[] = [];
  while (seen.length < sizes.length) {
    await settle();
    expect(inside.reduce((sum, i) => sum + (sizes[i] ?? 0), 0)).toBeLessThanOrEqual(32);
    const [first] = inside;
    if (first === undefined) throw new Error('nothing is inside');
    seen.push(first);
    ends[first]?.();
  }
  expect(seen).toEqual(sizes.map((_, i) => i));
});

it('takes what is larger than itself when nothing else is there, and nothing overtakes it', async () => {
  const { inside, ends } = loading(32, [1, 50, 1]);
  await settle();
  expect(inside).toEqual([0]);
  ends[0]?.();
  await settle();
  expect(inside).toEqual([1]);
  ends[1]?.();
  await settle();
  expect(inside).toEqual([2]);
});

it('takes what is urgent before what waits', async () => {
  const hold = new Hold(1);
  const went: string[] = [];
  const go = (name: string, urgent = false) =>
    hold.use(1, async () => void went.push(name), { urgent });
  await Promise.all([go('first'), go('old'), go('new', true)]);
  expect(went).toEqual(['first', 'new', 'old']);
});

it('is free again after work that failed', async () => {
  const hold = new Hold(1);
  await expect(hold.use(1, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(hold.use(1, async () => 'yes')).resolves.toBe('yes');
});

it('takes four messages at once that travel in pieces, however large', () => {
  const weight = (...sizes: number[]) =>
    weightOf(sizes.map((size, uid) => ({ uid, size, flags: new Set() })));
  const MB = 1024 * 1024;
  expect(4 * weight(150 * MB)).toBeLessThanOrEqual(24 * MB);
  expect(weight(8 * MB)).toBe(8 * MB);
  expect(weight(1, 2, 3)).toBe(6);
});

it('of urgent work what has come first goes first', async () => {
  const hold = new Hold(1);
  const went: string[] = [];
  const go = (name: string) => hold.use(1, async () => void went.push(name), { urgent: true });
  await Promise.all([go('1'), go('2'), go('3'), go('4')]);
  expect(went).toEqual(['1', '2', '3', '4']);
});
