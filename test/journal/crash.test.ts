import { describe, expect, it } from 'vitest';
import { openJournal } from '../../src/journal/sqlite-journal.ts';
import { memoryJournal } from '../support/memory-journal.ts';
import { CALLS, told } from './calls.ts';
import { child, folder } from './support.ts';

/** What a journal tells after the first `count` calls. */
function toldAfter(count: number): unknown {
  const journal = memoryJournal();
  for (const call of CALLS.slice(0, count)) call(journal);
  return told(journal);
}

function toldIn(stateDir: string): unknown {
  const { journal, setAside } = openJournal(stateDir);
  expect(setAside).toBeUndefined();
  try {
    return told(journal);
  } finally {
    journal.close();
  }
}

describe('a journal whose process is killed', () => {
  it('is told apart after each call by what the test looks at', () => {
    const states = new Set(CALLS.map((_, nth) => JSON.stringify(toldAfter(nth + 1))));
    // Pruning takes a row that is told by its number only; every call shows.
    expect(states.size).toBe(CALLS.length);
  });

  for (const [nth] of CALLS.entries()) {
    it(`holds exactly the first ${nth + 1} calls when it dies after them`, async () => {
      const stateDir = folder();
      const program = child(['calls', stateDir, 'steps']);
      for (let done = 0; done <= nth; done++) {
        expect(await program.line()).toBe(String(done + 1));
        if (done < nth) program.go();
      }
      await program.kill();
      expect(toldIn(stateDir)).toEqual(toldAfter(nth + 1));
    });
  }

  it('holds some first calls whole, and all it has told of, when it dies in the midst of one', async () => {
    for (const [nth] of CALLS.entries()) {
      const stateDir = folder();
      const program = child(['calls', stateDir]);
      for (let done = 0; done <= nth; done++) await program.line();
      await program.kill();
      const allowed = CALLS.map((_, i) => toldAfter(i + 1)).slice(nth);
      expect(allowed).toContainEqual(toldIn(stateDir));
    }
  });
});

it('says nothing on standard error in a life without trouble', async () => {
  const program = child(['life', folder()]);
  expect(await program.line()).toBe('1');
  expect(await program.end()).toEqual({ code: 0, stderr: '' });
});
