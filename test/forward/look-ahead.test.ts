/** The look into the destination folder while old mail is still being fetched: what it saves, and what it must not miss. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { FolderView } from '../../src/domain/message.ts';
import type { DestinationSession, Note } from '../../src/domain/ports.ts';
import { Turns } from '../../src/domain/turns.ts';
import { type Batch, Epoch } from '../../src/forward/folder-state.ts';
import { Listing, Listings } from '../../src/forward/listing.ts';
import { lookAhead, notRuledOut } from '../../src/forward/look-ahead.ts';
import type { Works } from '../../src/forward/works.ts';
import { sendable } from '../support/content.ts';
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
  const clock = { ticks: () => 0 };
  const works = { listings: new Listings(), destinations: { use }, clock } as unknown as Works;
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
  const [first, ...others] = (await Promise.all(looks)).map(
    (sight) => 'listing' in sight && sight.listing,
  );
  expect(first).toBeInstanceOf(Listing);
  for (const other of others) expect(other).toBe(first);
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

it('that fails is the batch’s failure, which is tried again', async () => {
  await using rig = new Rig();
  for (let i = 0; i < 5; i++) rig.source.put(letter());
  rig.destination.plan('listFrom', { closesBefore: true });
  await rig.sweep();
  expect(rig.count('delivery.retried')).toBe(1);
  rig.oracle.assert({ carried: true });
  expect(rig.destination.folder().messages).toHaveLength(5);
});

it('sends nothing that came to the destination while the source was away', async () => {
  await using rig = new Rig();
  const bytes = letter();
  rig.source.put(bytes);
  const fields = { step: 'connect', scope: 'connection', kind: 'lost' } as const;
  const away = new Failure('No route to host.', fields);
  // The first FETCH ends the connection, and the source is not to be reached for a while.
  rig.source.plan('fetch', {
    before: () => {
      for (let i = 0; i < 20; i++) rig.source.plan('connect', { fails: away });
      // Another program, or its owner, brings the message there meanwhile.
      setTimeout(() => rig.destination.put(bytes), 60);
    },
    closesBefore: true,
  });
  rig.start({ pace: { reconnectFirst: 10, reconnectLongest: 10 } });
  await rig.empty();
  expect(rig.destination.folder().messages).toHaveLength(1);
});

it('waits for what a dying connection may still store, also beside mail that nobody knew', async () => {
  await using rig = new Rig();
  const late = letter('late');
  rig.source.put(late);
  rig.destination.plan('append', { before: () => void rig.stop(), closesBefore: true });
  rig.start({ pace: { settle: 300, attemptFirst: 200 } });
  await rig.until('it has died', () => rig.destination.planned('append') === 0);
  await rig.stop();
  expect(rig.destination.folder().messages).toHaveLength(0);
  // Unknown to the journal, and there when the next life begins: it travels in the same batch.
  rig.source.put(letter('unknown'));
  rig.start({ pace: { settle: 300 } });
  await wait(100);
  rig.destination.put(late);
  await rig.empty();
  expect(rig.destination.folder().messages).toHaveLength(2);
});

describe('a message is sought all the same', () => {
  const view = { folder: 'INBOX', uidValidity: 2, uidNext: 1, messages: 0 };
  const shown: FolderView = { ...view, readOnly: false, uidNotSticky: false };
  const original = sendable(letter('sought', '<sought@example.org>'), { uid: 7 });
  const row = { uid: 3, size: original.content.length, flags: new Set<string>() };
  const rows: Record<string, Partial<Case>> = {
    'which the journal knows': { notes: new Map([[7, {} as Note]]) },
    'which this process has sent': { epoch: (epoch) => epoch.sent.set(7, { accepted: false }) },
    'whose earlier number may have been sent': { epoch: (epoch) => (epoch.doubtSince = 1) },
    'which something there is like': { there: [{ ...row, messageId: '<sought@example.org>' }] },
    'where another folder was looked at': { uidValidity: 1 },
    'where the look is from long ago': { ticks: 10_001 },
    'where nobody looked': { looked: false },
  };
  interface Case {
    readonly notes: ReadonlyMap<number, Note>;
    readonly epoch: (epoch: Epoch) => unknown;
    readonly there: readonly object[];
    readonly uidValidity: number;
    readonly ticks: number;
    readonly looked: boolean;
  }
  const left = async (changes: Partial<Case>) => {
    const { notes = new Map(), there = [], uidValidity = 2, ticks = 10_000 } = changes;
    const session = {
      open: async () => ({ ...shown, uidValidity }),
      listFrom: async () => there,
    } as unknown as DestinationSession;
    const listing = await new Listings().anew(session, 'INBOX');
    const epoch = new Epoch({ source: 'INBOX', dest: 'INBOX' }, { ...shown, uidValidity: 5 });
    changes.epoch?.(epoch);
    const works = { clock: { ticks: () => ticks }, pace: { settle: 10_000 } } as unknown as Works;
    const sight = changes.looked === false ? undefined : { listing, at: 0 };
    return notRuledOut(works, sight, shown, epoch, [original], notes);
  };

  it('unless nothing speaks for it', async () => {
    expect(await left({})).toEqual([]);
  });

  it.each(Object.entries(rows))('%s', async (_, changes) => {
    expect(await left(changes)).toEqual([original]);
  });
});
