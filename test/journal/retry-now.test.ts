import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readJournal } from '../../src/journal/read-journal.ts';
import { retryNow } from '../../src/journal/retry-now.ts';
import { openJournal } from '../../src/journal/sqlite-journal.ts';
import { COPIES, FOLDER, intents, proof, routeOf } from './calls.ts';
import { child, folder } from './support.ts';

const REASON = { why: 'no', dest: { ...COPIES, uidNext: 1 }, retryAt: 9e15 };

function filled(stateDir: string) {
  const { journal } = openJournal(stateDir);
  const route = routeOf(journal);
  route.setAside(FOLDER, intents(1), 'refused', REASON, 1);
  route.setAside(FOLDER, intents(2), 'unverified', REASON, 1);
  route.intend(FOLDER, REASON.dest, intents(3, 4));
  route.prove([proof(4, 14)], 1);
  return journal;
}

describe('what is set aside', () => {
  it('is due from now on, and nothing else is touched', () => {
    const stateDir = folder();
    using journal = Object.assign(filled(stateDir), { [Symbol.dispose]: () => journal.close() });
    const before = routeOf(journal).notes(FOLDER, [3, 4]);
    expect(retryNow(stateDir)).toBe(2);
    const route = routeOf(journal);
    expect(
      route.aside().map(({ uid, state, retryAt, tries }) => [uid, state, retryAt, tries]),
    ).toEqual([
      [1, 'refused', 0, 1],
      [2, 'unverified', 0, 1],
    ]);
    expect(route.notes(FOLDER, [3, 4])).toEqual(before);
  });

  it('is noticed by the imapferry that runs, which takes its own writing for nothing', async () => {
    const stateDir = folder();
    using journal = Object.assign(filled(stateDir), { [Symbol.dispose]: () => journal.close() });
    const before = journal.revision();
    routeOf(journal).intend(FOLDER, REASON.dest, intents(7));
    expect(journal.revision()).toBe(before);
    using reader = readJournal(stateDir);
    expect(reader.aside().length).toBe(2);
    expect(journal.revision()).toBe(before);
    retryNow(stateDir);
    const after = journal.revision();
    expect(after).not.toBe(before);
    expect(journal.revision()).toBe(after);
  });

  it('is due also where none runs, and nothing is left behind beside the journal', async () => {
    const stateDir = folder();
    filled(stateDir).close();
    const there = readdirSync(stateDir);
    expect(retryNow(stateDir)).toBe(2);
    expect(readdirSync(stateDir)).toEqual(there);
  });

  it('is none where there is no journal, and none is made', () => {
    const stateDir = folder();
    expect(retryNow(stateDir)).toBe(0);
    expect(readdirSync(stateDir)).toEqual([]);
  });
});

it('a process that dies leaves known what it had in hand', async () => {
  const stateDir = folder();
  const program = child(['hand', stateDir]);
  expect(await program.line()).toBe('1');
  await program.kill();
  const { journal } = openJournal(stateDir);
  journal.begin();
  expect([...routeOf(journal).deaths(FOLDER)]).toEqual([[1, { count: 1, last: true }]]);
  journal.close();
});
