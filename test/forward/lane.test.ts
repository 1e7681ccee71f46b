import { expect, it } from 'vitest';
import { systemClock } from '../../src/forward/clock.ts';
import { Epoch } from '../../src/forward/folder-state.ts';
import { Lane } from '../../src/forward/lane.ts';
import { PACE } from '../../src/forward/pace.ts';
import { MemoryServer, memorySource } from '../support/memory-mail.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

it('is free once nobody has it or waits for it, and when that is of no interest any more', async () => {
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
  const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const uses = ends.map(({ promise }) => lane.use(epoch, stop.signal, () => promise));
  await settle();
  let isFree = false;
  const free = lane.free(stop.signal).then(() => {
    isFree = true;
  });
  const enough = new AbortController();
  const given = lane.free(enough.signal);
  enough.abort();
  await given;
  for (const { resolve } of ends) {
    await settle();
    expect(isFree).toBe(false);
    resolve();
  }
  await free;
  await Promise.all(uses);
  stop.abort();
  await life;
});
