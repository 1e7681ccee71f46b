import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { Journal } from '../../src/domain/ports.ts';
import { openJournal } from '../../src/journal/sqlite-journal.ts';
import { memoryJournal } from '../support/memory-journal.ts';
import { COPIES, FOLDER, intents, proof, routeOf, senders, told } from './calls.ts';
import { folder } from './support.ts';

type Call = (journal: Journal) => unknown;

/** Numbers that look random and are the same in every run (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A call on few messages and fewer copies, so that they meet often. */
function anyCall(below: (n: number) => number, at: number): { name: string; call: Call } {
  const uids = [...new Set([1 + below(7), 1 + below(7)])];
  const receipts = uids.map((uid) => proof(uid, 11 + below(5)));
  const how = (['expunged', 'marked', 'kept', 'moved'] as const)[below(4)] ?? 'kept';
  const state = below(2) ? 'refused' : 'unverified';
  const before = at - below(20);
  const dest = { ...COPIES, uidNext: at };
  const reason = { why: `reason ${at}`, dest, retryAt: at };
  const flag = { uid: 1 + below(7), flag: '\\Flagged', was: below(2) === 1 };
  const calls: Record<string, Call> = {
    intend: (journal) => routeOf(journal).intend(FOLDER, dest, intents(...uids)),
    withdraw: (journal) => routeOf(journal).withdraw(FOLDER, uids),
    prove: (journal) => routeOf(journal).prove(receipts, at, senders(...uids)),
    retire: (journal) => routeOf(journal).retire(FOLDER, uids, how, at, 1),
    gone: (journal) => routeOf(journal).gone(FOLDER, uids, at),
    setAside: (journal) => routeOf(journal).setAside(FOLDER, intents(...uids), state, reason, at),
    prune: (journal) => journal.prune(before),
    takeUp: (journal) => routeOf(journal).takeUp(FOLDER, uids),
    putDown: (journal) => routeOf(journal).putDown(FOLDER, uids),
    begin: (journal) => journal.begin(),
    turnOver: (journal) => routeOf(journal).turnOver(FOLDER, flag),
    turnedBack: (journal) => routeOf(journal).turnedBack(FOLDER, flag),
    forget: (journal) => routeOf(journal).forget(FOLDER, uids.slice(1)),
  };
  const names = [...Object.keys(calls), 'intend', 'intend', 'prove', 'prove', 'prove', 'retire'];
  const name = names[below(names.length)] ?? 'prove';
  return { name: `${name} ${uids}`, call: calls[name] as Call };
}

function outcome(call: Call, journal: Journal): unknown {
  try {
    return call(journal);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return `${thrown.step} ${thrown.scope} ${thrown.lasting}`;
  }
}

describe('any sequence of calls', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it(`leaves SQLite where it leaves the memory journal, and no two originals share a copy (seed ${seed})`, () => {
      const below = numbers(seed);
      const { journal } = openJournal(folder());
      const model = memoryJournal();
      /** By copy: the originals that a successful prove ever named. */
      const provenBy = new Map<number, Set<number>>();
      let proofs = 0;
      for (let at = 1; at <= 300; at++) {
        const { name, call } = anyCall(below, at);
        expect([name, outcome(call, journal)]).toEqual([name, outcome(call, model)]);
        expect([name, told(journal)]).toEqual([name, told(model)]);
        for (const { original, copy } of routeOf(journal).receipts(FOLDER, [1, 2, 3, 4, 5, 6, 7])) {
          const originals = provenBy.get(copy.uid) ?? new Set();
          provenBy.set(copy.uid, originals.add(original.uid));
          proofs++;
        }
        expect([...provenBy.values()].every((originals) => originals.size === 1)).toBe(true);
      }
      expect(proofs).toBeGreaterThan(100);
      expect(routeOf(journal).claimed(COPIES).size).toBeGreaterThan(2);
      journal.close();
    });
  }
});
