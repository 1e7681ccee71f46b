/** The look into the destination folder while old mail is still being fetched: what it saves, and what it must not miss. */
import { expect, it } from 'vitest';
import { Turns } from '../../src/domain/turns.ts';
import type { Batch } from '../../src/forward/folder-state.ts';
import { Listings } from '../../src/forward/listing.ts';
import { lookAhead } from '../../src/forward/look-ahead.ts';
import type { Works } from '../../src/forward/works.ts';
import { letter, Rig } from './rig.ts';

/** A destination with one connection, which is lent in the order of asking, and counts how often its folder is listed. */
function oneConnection() {
  const turns = new Turns();
  let listed = 0;
  const session = {
    open: async () => ({ folder: 'INBOX', uidValidity: 1, uidNext: 1 }),
    listFrom: async () => {
      listed++;
      return [];
    },
  };
  const use = (_: string, work: (lent: typeof session) => Promise<unknown>) =>
    turns.alone(() => work(session));
  const works = { listings: new Listings(), destinations: { use } } as unknown as Works;
  const batch = { epoch: { pair: { dest: 'INBOX' } }, fresh: false } as Batch;
  return { turns, look: () => lookAhead(works, batch), listed: () => listed };
}

it('is shared by batches that wait for the same connection, and by none that comes later', async () => {
  const { turns, look, listed } = oneConnection();
  const busy = Promise.withResolvers<void>();
  const before = turns.alone(() => busy.promise);
  const looks = [look(), look(), look()];
  busy.resolve();
  await before;
  const [first, ...others] = await Promise.all(looks);
  expect(first).toBeDefined();
  expect(others).toEqual([first, first]);
  expect(listed()).toBe(1);
  await look();
  expect(listed()).toBe(2);
});

it('is taken anew for a batch that comes later, which finds what came in between', async () => {
  await using rig = new Rig();
  const letters = Array.from({ length: 250 }, () => letter());
  for (const bytes of letters) rig.source.put(bytes);
  const last = letters.at(-1) ?? '';
  // Until it is known that both folders are two, the second batch sets out when the first is over.
  rig.destination.plan('read', { before: () => rig.destination.put(last) });
  await rig.sweep();
  expect(rig.source.folder().messages).toEqual([]);
  expect(rig.destination.folder().messages).toHaveLength(250);
});

it('rules out nothing that is there: the journal is lost, and nothing is sent again', async () => {
  await using rig = new Rig();
  for (let i = 0; i < 30; i++) {
    const bytes = letter();
    rig.source.put(bytes);
    if (i % 3 === 0) rig.destination.put(bytes);
  }
  await rig.sweep();
  expect(rig.source.folder().messages).toEqual([]);
  expect(rig.destination.folder().messages).toHaveLength(30);
  expect(rig.count('delivery.recovered')).toBe(10);
});

it('is not relied on where the folder is another by then', async () => {
  await using rig = new Rig();
  const bytes = letter();
  rig.source.put(bytes);
  // While the message is on its way the folder is made anew, and somebody brings the message there.
  rig.source.plan('fetch', {
    takes: 60,
    after: () => {
      rig.destination.cut();
      rig.destination.renumber('INBOX');
      rig.destination.put(bytes);
    },
  });
  await rig.sweep();
  expect(rig.source.folder().messages).toEqual([]);
  expect(rig.destination.folder().messages).toHaveLength(1);
});

it('holds nothing up where it can not be taken', async () => {
  await using rig = new Rig();
  for (let i = 0; i < 5; i++) rig.source.put(letter());
  rig.destination.plan('listFrom', { closesBefore: true });
  await rig.sweep();
  rig.oracle.assert({ carried: true });
  expect(rig.destination.folder().messages).toHaveLength(5);
});
