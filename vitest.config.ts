import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take minutes, the longest first: begun first, none of them is left over when all others are through. */
const LONG = [
  'crash/killed',
  'faults/cut',
  'faults/machine',
  'faults/secrets',
  'journey/crossing',
  'faults/renumbered',
  'faults/hostile',
  'report/http/page',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    // A server's thousands of files are made and removed in hooks, on a disk that others write to.
    hookTimeout: 180_000,
    sequence: { sequencer: LongestFirst },
    // Half of the time a test of servers waits for them.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
  },
});
