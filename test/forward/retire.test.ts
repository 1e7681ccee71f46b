/** Batches of one folder that are retired on several connections, as while it passes from one to another. */
import { expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { SourceSession } from '../../src/domain/ports.ts';
import { Receipt } from '../../src/domain/receipt.ts';
import { systemClock } from '../../src/forward/clock.ts';
import { type Batch, Epoch } from '../../src/forward/folder-state.ts';
import type { Lane } from '../../src/forward/lane.ts';
import { PACE } from '../../src/forward/pace.ts';
import { retire } from '../../src/forward/retire.ts';
import { intentOf, type Works } from '../../src/forward/works.ts';
import { sendable } from '../support/content.ts';
import { memoryJournal } from '../support/memory-journal.ts';
import { closesBefore, fails } from '../support/memory-mail.ts';
import { letter, Rig, routeOf } from './rig.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A connection whose next piece of work begins when it is told to, and succeeds or does not. */
class HandLane {
  readonly turns: PromiseWithResolvers<void>[] = [];
  readonly marked: number[][] = [];

  async use<T>(_: Epoch, __: AbortSignal, work: (session: SourceSession) => Promise<T>) {
    const turn = Promise.withResolvers<void>();
    this.turns.push(turn);
    await turn.promise;
    return work(this.#session as SourceSession);
  }

  /** Nobody wants to fetch. */
  async free(): Promise<void> {}

  readonly #session: Partial<SourceSession> = {
    mark: async (uids) => {
      this.marked.push([...uids]);
      return new Map(uids.map((uid) => [uid, new Set(['\\Deleted'])]));
    },
  };
}

/** Retires proven messages of one folder, by their numbers, on whatever connection. */
function begun() {
  const journal = memoryJournal().route('default', 'a', 'b');
  const view = { folder: 'INBOX', uidValidity: 1, uidNext: 1, messages: 0 };
  const pair = { source: 'INBOX', dest: 'INBOX' };
  const epoch = new Epoch(pair, { ...view, readOnly: false, uidNotSticky: false });
  epoch.setApart();
  journal.seen(epoch.key);
  const works = {
    route: routeOf({ afterDelivery: { kind: 'mark' } }),
    journal,
    emit: () => undefined,
    clock: { ...systemClock, now: () => 1 },
    pace: PACE,
    quit: new AbortController().signal,
    cut: new AbortController().signal,
  } as unknown as Works;
  const proven = (uid: number): Receipt => {
    const original = sendable(letter(), { uid });
    const copy = { folder: 'INBOX', uidValidity: 2, uid };
    journal.intend(epoch.key, { ...copy, uidNext: uid }, [intentOf(original)]);
    const read = { uid, flags: new Set<string>(), content: original.content };
    const receipt = Receipt.of({ ...epoch.key, uid }, original, copy, read, 'bytes');
    if (!receipt) throw new Error('It is not proven');
    journal.prove([receipt], 1);
    return receipt;
  };
  const done: number[] = [];
  const go = async (hand: HandLane, uid: number) => {
    const lane = hand as unknown as Lane;
    const batch: Batch = { epoch, lane, messages: [], seenAt: 0, fresh: false, alone: false };
    await retire(works, batch, [proven(uid)], new Map());
    done.push(uid);
  };
  return { go, done };
}

it('go together next while one of their connection is being retired', async () => {
  const { go, done } = begun();
  const lane = new HandLane();
  const first = go(lane, 1);
  await settle();
  const others = [2, 3].map((uid) => go(lane, uid));
  lane.turns[0]?.resolve();
  await settle();
  lane.turns[1]?.resolve();
  await Promise.all([first, ...others]);
  expect(lane.marked).toEqual([[1], [2, 3]]);
  expect(done).toEqual([1, 2, 3]);
});

it('wait for none that are on another connection, which is begun anew', async () => {
  const { go, done } = begun();
  const [standing, lost] = [new HandLane(), new HandLane()];
  const first = go(standing, 1);
  const held = go(lost, 2);
  await settle();
  const third = go(standing, 3);
  standing.turns[0]?.resolve();
  await first;
  await settle();
  standing.turns[1]?.resolve();
  await third;
  expect(done).toEqual([1, 3]);
  const why = new Failure('It ended.', { step: 'connect', scope: 'connection', kind: 'lost' });
  lost.turns[0]?.reject(why);
  await expect(held).rejects.toBe(why);
});

it('a sweep says so where what was kept before can not be expunged now', async () => {
  await using rig = new Rig();
  rig.destination.put(letter('of its own'));
  for (let i = 0; i < 3; i++) rig.source.put(letter());
  await rig.sweep({ afterDelivery: { kind: 'keep' } });
  const no = new Failure('The server refused: no permission.', {
    step: 'retire',
    scope: 'folder',
    lasting: true,
  });
  rig.source.plan('expunge', ...Array.from({ length: 20 }, () => fails(no)));
  const { failures } = await rig.sweep({ afterDelivery: { kind: 'expunge' } });
  expect(rig.source.folder().messages.length).toBe(3);
  expect(failures.map(({ failure }) => failure.message)).not.toEqual([]);
});

it('tries again at once where the line is lost while what was kept before is expunged', async () => {
  await using rig = new Rig();
  rig.destination.put(letter('of its own'));
  for (let i = 0; i < 3; i++) rig.source.put(letter());
  await rig.sweep({ afterDelivery: { kind: 'keep' } });
  rig.source.plan('expunge', closesBefore);
  rig.start({ afterDelivery: { kind: 'expunge' } });
  await rig.empty();
});
