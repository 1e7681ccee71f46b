import { expect, it } from 'vitest';
import { Turns } from '../../src/domain/turns.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Work that is noted when it begins, and ends when it is told to. */
function begun() {
  const turns = new Turns();
  const order: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const ask = (how: 'alone' | 'beside', name: string) => {
    const end = Promise.withResolvers<void>();
    ends.set(name, end);
    const work = () => {
      order.push(name);
      return end.promise.then(() => name);
    };
    return turns[how](work);
  };
  const end = (name: string) => ends.get(name)?.resolve();
  const fail = (name: string) => ends.get(name)?.reject(new Error(name));
  return { order, ask, end, fail };
}

it('lets some have it beside one another, and one alone, in the order of asking', async () => {
  const { order, ask, end } = begun();
  const all = [
    ask('beside', 'a'),
    ask('beside', 'b'),
    ask('alone', 'c'),
    ask('beside', 'd'),
    ask('beside', 'e'),
    ask('alone', 'f'),
  ];
  await settle();
  expect(order).toEqual(['a', 'b']);
  end('b');
  await settle();
  expect(order).toEqual(['a', 'b']);
  end('a');
  await settle();
  expect(order).toEqual(['a', 'b', 'c']);
  end('c');
  await settle();
  expect(order).toEqual(['a', 'b', 'c', 'd', 'e']);
  for (const name of ['d', 'e', 'f']) end(name);
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

it('goes on when work fails, and tells only whose it was', async () => {
  const { order, ask, end, fail } = begun();
  const [alone, one, other, last] = [
    ask('alone', 'a'),
    ask('beside', 'b'),
    ask('beside', 'c'),
    ask('alone', 'd'),
  ];
  fail('a');
  await expect(alone).rejects.toThrow('a');
  await settle();
  expect(order).toEqual(['a', 'b', 'c']);
  fail('b');
  await expect(one).rejects.toThrow('b');
  end('c');
  end('d');
  expect([await other, await last]).toEqual(['c', 'd']);
});
