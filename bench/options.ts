/** The command line of the benches. */
import { parseArgs } from 'node:util';

export interface Options {
  /** Messages of a drain. */
  readonly messages: number;
  readonly rounds: number;
  /** Only what has this in its name. */
  readonly only: string | undefined;
  /** Leaves out what is larger: watchers, messages kept, routes, rows. */
  readonly largest: number;
  /** How this run was begun. */
  readonly command: string;
}

export const USAGE = `npm run bench -- [drain] [latency] [memory] [scale] [report] [options]
  report        writes what was measured last into docs/performance.md and README.md
  --messages N  messages of a drain (5000), and a fiftieth of that of a latency
  --rounds N    rounds, turn by turn, of which the medians count (3)
  --only WORD   only the cases that have this word in their names
  --largest N   leaves out the points of a scale above N`;

/** Which benches, and how. Throws where a word is not known. */
export function options(args: readonly string[]): { names: string[]; options: Options } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      messages: { type: 'string', default: '5000' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string' },
      largest: { type: 'string', default: 'Infinity' },
    },
  });
  return {
    names: positionals,
    options: {
      messages: whole(values.messages),
      rounds: whole(values.rounds),
      only: values.only,
      largest: Number(values.largest),
      command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    },
  };
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${text} is no number of any`);
  return value;
}
