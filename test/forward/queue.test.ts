import { expect, it } from 'vitest';
import type { FolderView } from '../../src/domain/message.ts';
import { type Batch, Epoch } from '../../src/forward/folder-state.ts';
import type { Lane } from '../../src/forward/lane.ts';
import { Deliveries } from '../../src/forward/queue.ts';

const MB = 1024 * 1024;
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
  const carry = (each: Batch) => {
    underWay.push(each);
    order.push(each);
    return new Promise<void>((resolve) => {
      ends.set(each, () => {
        underWay.splice(underWay.indexOf(each), 1);
        resolve();
      });
    });
  };
  const bytes = () =>
    underWay.flatMap(({ messages }) => messages).reduce((sum, { size }) => sum + size, 0);
  return { epoch, underWay, ends, order, carry, bytes };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

it('holds no more than 32 MB of originals at one time, and carries every batch', async () => {
  const { epoch, underWay, ends, order, carry, bytes } = begun();
  const deliveries = new Deliveries(8, carry);
  const sizes = [8, 8, 8, 8, 8, 20, 1, 1, 30, 2].map((size) => size * MB);
  for (const size of sizes) deliveries.add(batch(epoch, size));
  for (let i = 0; i < sizes.length; i++) {
    await settle();
    expect(bytes()).toBeLessThanOrEqual(32 * MB);
    const [first] = underWay;
    if (first) ends.get(first)?.();
  }
  await settle();
  expect(order.length).toBe(sizes.length);
});

it('carries a larger message when nothing else is in memory', async () => {
  const { epoch, underWay, ends, carry } = begun();
  const deliveries = new Deliveries(4, carry);
  const small = batch(epoch, MB);
  const huge = batch(epoch, 50 * MB);
  deliveries.add(small);
  deliveries.add(huge);
  await settle();
  expect(underWay).toEqual([small]);
  ends.get(small)?.();
  await settle();
  expect(underWay).toEqual([huge]);
  ends.get(huge)?.();
  await deliveries.idle(epoch.inHand);
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
