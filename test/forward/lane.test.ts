import { expect, it } from 'vitest';
import { systemClock } from '../../src/forward/clock.ts';
import { Epoch } from '../../src/forward/folder-state.ts';
import { Lane } from '../../src/forward/lane.ts';
import { PACE } from '../../src/forward/pace.ts';
import { MemoryServer, memorySource } from '../support/memory-mail.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A lane at rest on INBOX. */
async function begun() {
  const stop = new AbortController();
  const pair = { source: 'INBOX', dest: 'INBOX' };
  const source = memorySource(new MemoryServer('INBOX'));
  const lane = new Lane(
    {
      route: 'default',
      emit: () => undefined,
      clock: systemClock,
      pace: PACE,
      connect: () => source.connect(stop.signal),
      admit: () => undefined,
      epochOf: (pair, view) => new Epoch(pair, view),
      readOnly: false,
    },
    { pair },
  );
  const life = lane.run(stop.signal);
  const epoch = await lane.reopen(stop.signal);
  const end = async () => {
    stop.abort();
    await life;
  };
  return { lane, epoch, stop, [Symbol.asyncDispose]: end };
}

it('is had by all that only fetch at the same time, and by others alone', async () => {
  await using at = await begun();
  const { lane, epoch, stop } = at;
  const order: string[] = [];
  const ends = new Map<string, () => void>();
  const use = (name: string, beside: boolean) => {
    const end = Promise.withResolvers<void>();
    ends.set(name, end.resolve);
    const work = () => {
      order.push(name);
      return end.promise;
    };
    return lane.use(epoch, stop.signal, work, { beside });
  };
  const uses = [use('a', true), use('b', true), use('c', false), use('d', true)];
  await settle();
  expect(order).toEqual(['a', 'b']);
  for (const name of ['a', 'b']) ends.get(name)?.();
  await settle();
  expect(order).toEqual(['a', 'b', 'c']);
  ends.get('c')?.();
  await settle();
  expect(order).toEqual(['a', 'b', 'c', 'd']);
  ends.get('d')?.();
  await Promise.all(uses);
});
