import { expect, it } from 'vitest';
import { Together } from '../../src/forward/together.ts';

it('does together what has come before its time, and what has come meanwhile', async () => {
  const together = new Together<number>();
  const parties: (readonly number[])[] = [];
  const times = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const join = (item: number) =>
    together.join(
      item,
      async (items) => {
        parties.push(items);
        if (parties.length === 1) later.push(join(4));
      },
      () => times[parties.length]?.promise ?? Promise.resolve(),
    );
  const later: Promise<void>[] = [];
  const first = [join(1), join(2), join(3)];
  await new Promise((resolve) => setImmediate(resolve));
  expect(parties).toEqual([]);
  times[0]?.resolve();
  await Promise.all(first);
  expect(parties).toEqual([[1, 2, 3]]);
  times[1]?.resolve();
  await Promise.all(later);
  expect(parties).toEqual([[1, 2, 3], [4]]);
});

it('takes no more than is enough, the first first, and says when it is', async () => {
  const together = new Together<number>(() => 1, 2);
  const parties: (readonly number[])[] = [];
  const never = new Promise<void>(() => undefined);
  const join = (item: number) =>
    together.join(
      item,
      async (items) => {
        parties.push(items);
      },
      // The last one would wait for ever: it has its time.
      (enough) => (parties.length < 2 ? Promise.race([enough, never]) : Promise.resolve()),
    );
  const all = [1, 2, 3, 4, 5].map(join);
  await Promise.all(all);
  expect(parties).toEqual([[1, 2], [3, 4], [5]]);
});

it('waits until it is enough', async () => {
  const together = new Together<number>(() => 1, 2);
  let done = 0;
  const join = (item: number) =>
    together.join(
      item,
      async () => {
        done++;
      },
      (enough) => enough,
    );
  const first = join(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toBe(0);
  await Promise.all([first, join(2)]);
  expect(done).toBe(1);
});
