import { expect, it } from 'vitest';
import { InHand } from '../../src/forward/in-hand.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

it('tells when all that is in hand has arrived, or is in hand no more', async () => {
  const inHand = new InHand();
  await inHand.allArrived();
  for (const uid of [1, 2, 3]) inHand.add(uid);
  let all = false;
  const told = inHand.allArrived().then(() => {
    all = true;
  });
  inHand.arrive([1, 2]);
  await settle();
  expect(all).toBe(false);
  inHand.delete(3);
  await told;
  inHand.add(4);
  inHand.delete(1);
  const next = inHand.allArrived();
  inHand.arrive([4]);
  await next;
  expect([...inHand]).toEqual([2, 4]);
});

it('counts nothing as arrived that comes into hand again', async () => {
  const inHand = new InHand();
  inHand.add(1);
  inHand.arrive([1]);
  inHand.delete(1);
  inHand.add(1);
  let all = false;
  void inHand.allArrived().then(() => {
    all = true;
  });
  await settle();
  expect(all).toBe(false);
});
