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
