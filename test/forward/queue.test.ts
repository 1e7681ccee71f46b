import { expect, it } from 'vitest';
import type { FolderView } from '../../src/domain/message.ts';
import { type Batch, Epoch } from '../../src/forward/folder-state.ts';
import type { Lane } from '../../src/forward/lane.ts';
import { Deliveries } from '../../src/forward/queue.ts';

const view: FolderView = {
  folder: 'INBOX',
  uidValidity: 1,
  uidNext: 1,
  messages: 0,
  readOnly: false,
  uidNotSticky: false,
};
let uid = 0;

function batch(epoch: Epoch, size: number, fresh = false): Batch {
  return {
    epoch,
    lane: {} as Lane,
    seenAt: 0,
    fresh,
    alone: false,
    messages: [{ uid: ++uid, size, flags: new Set() }],
  };
}

function begun() {
  const epoch = new Epoch({ source: 'INBOX', dest: 'INBOX' }, view);
  const underWay: Batch[] = [];
  const ends = new Map<Batch, () => void>();
  const order: Batch[] = [];
  const arrive = new Map<Batch, () => void>();
  const carry = (each: Batch, arrived: () => void) => {
    arrive.set(each, arrived);
    underWay.push(each);
    order.push(each);
    return new Promise<void>((resolve) => {
      ends.set(each, () => {
        underWay.splice(underWay.indexOf(each), 1);
        resolve();
      });
    });
  };
  return { epoch, underWay, ends, order, arrive, carry };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

it.each([
  { others: 'is under way', arrives: false },
  { others: 'is under way, arrived or not', arrives: true },
])('carries a batch that is to travel alone when nothing else $others', async ({ arrives }) => {
  const { epoch, underWay, ends, arrive, carry } = begun();
  const deliveries = new Deliveries(4, carry);
  const [before, after] = [batch(epoch, 1), batch(epoch, 1)];
  const alone = { ...batch(epoch, 1), alone: true };
  for (const each of [before, alone, after]) deliveries.add(each);
  for (const expected of [before, alone, after]) {
    await settle();
    if (arrives) arrive.get(expected)?.();
    await settle();
    expect(underWay).toEqual([expected]);
    ends.get(expected)?.();
  }
  await deliveries.idle(epoch.inHand);
});

it('begins another one when one has arrived, and is drained when all are through', async () => {
  const { epoch, underWay, ends, arrive, carry } = begun();
  const deliveries = new Deliveries(1, carry);
  const [first, second] = [batch(epoch, 1), batch(epoch, 1)] as const;
  deliveries.add(first);
  deliveries.add(second);
  await settle();
  expect(underWay).toEqual([first]);
  arrive.get(first)?.();
  await settle();
  expect(underWay).toEqual([first, second]);
  ends.get(second)?.();
  let drained = false;
  const all = deliveries.drained().then(() => {
    drained = true;
  });
  await settle();
  expect(drained).toBe(false);
  expect([...epoch.inHand]).toEqual(first.messages.map(({ uid }) => uid));
  ends.get(first)?.();
  await all;
  expect(epoch.inHand.size).toBe(0);
});

it('lets mail that has just come overtake old mail', async () => {
  const { epoch, order, ends, carry } = begun();
  const deliveries = new Deliveries(1, carry);
  const [first, old, fresh] = [batch(epoch, 1), batch(epoch, 1), batch(epoch, 1, true)] as const;
  for (const each of [first, old, fresh]) deliveries.add(each);
  for (let i = 0; i < 3; i++) {
    await settle();
    const last = order.at(-1);
    if (last) ends.get(last)?.();
  }
  await settle();
  expect(order).toEqual([first, fresh, old]);
});

it('puts down what waits when it is cleared or blocked, so that a later look finds it again', async () => {
  const { epoch, order, ends, carry } = begun();
  const deliveries = new Deliveries(1, carry);
  const [first, second] = [batch(epoch, 1), batch(epoch, 1)] as const;
  deliveries.add(first);
  deliveries.add(second);
  await settle();
  deliveries.block();
  await settle();
  expect([...epoch.inHand]).toEqual(first.messages.map((message) => message.uid));
  ends.get(first)?.();
  await deliveries.idle(epoch.inHand);
  deliveries.resume();
  deliveries.add(batch(epoch, 1));
  await settle();
  expect(order).toEqual([first]);
});

it('takes no message in hand twice, whoever found it', async () => {
  const { epoch, order, ends, carry } = begun();
  const deliveries = new Deliveries(1, carry);
  const first = batch(epoch, 1);
  deliveries.add(first);
  deliveries.add({ ...first });
  await settle();
  expect(order).toHaveLength(1);
  ends.get(first)?.();
  await deliveries.idle(epoch.inHand);
  expect(order).toHaveLength(1);
});

it('gives back what has not begun, of one folder on one connection, and carries it at its old place when it comes again', async () => {
  const { epoch, order, ends, carry } = begun();
  const deliveries = new Deliveries(1, carry);
  const [first, second, elsewhere] = [batch(epoch, 1), batch(epoch, 1), batch(epoch, 1)] as const;
  const { lane } = first;
  for (const each of [first, { ...second, lane }, elsewhere]) deliveries.add(each);
  await settle();
  const back = deliveries.takeBack(epoch, lane);
  expect(back.map(({ messages }) => messages)).toEqual([second.messages]);
  expect(epoch.inHand.has(second.messages[0]?.uid ?? 0)).toBe(false);
  for (const each of back) deliveries.add(each);
  for (let i = 0; i < 3; i++) {
    const last = order.at(-1);
    if (last) ends.get(last)?.();
    await settle();
  }
  await deliveries.idle(epoch.inHand);
  expect(order.map(({ messages }) => messages)).toEqual(
    [first, second, elsewhere].map(({ messages }) => messages),
  );
});
