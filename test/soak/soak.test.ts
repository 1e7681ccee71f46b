/** One round of the soak; which one rotates by day, or SEED says it. */
import { expect, it } from 'vitest';
import { SEED } from '../support/seed.ts';
import { Dice } from './dice.ts';
import { soak } from './soak.ts';

it(`a round of unknown faults (SEED=${SEED}): each message is carried once`, async () => {
  const told: string[] = [];
  const well = await soak({ seed: SEED, rounds: 1, print: (line) => told.push(line) });
  expect(well, told.join('\n')).toBe(true);
}, 300_000);

it('dice fall the same way for the same seed and key, and another way for any other', () => {
  const thrown = (dice: Dice) => Array.from({ length: 20 }, () => dice.below(1000)).join(' ');
  expect(thrown(new Dice(7).of('a'))).toBe(thrown(new Dice(7).of('a')));
  const all = [7, 8, 2 ** 33 + 7].flatMap((seed) =>
    ['a', 'b', 'a b'].map((key) => thrown(new Dice(seed).of(key))),
  );
  expect(new Set(all).size).toBe(all.length);
  const dice = new Dice(1);
  const mean = Array.from({ length: 10_000 }, () => dice.next()).reduce((a, b) => a + b) / 10_000;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
});
