/** The command line of the soak. */
import { parseArgs } from 'node:util';
import { soak } from './soak.ts';

const HELP = `Mail flows between two mail servers through imapferry while everything breaks that can.

  npm run soak -- [--minutes 10] [--rounds N] [--seed 1]

  --minutes M   no round begins after so long (fractions allowed); 10 where neither this nor --rounds is given
  --rounds N    no more rounds than this
  --seed N      the first round's seed; each further round has the next one
  --help

A round is two servers, mailboxes that nobody used before, and 70 acts: mail that comes, people at both mailboxes, and
what befalls the machine. While they go on, a share of all commands on both sides meets a fault. Then the faults end, all
that can be carried has to arrive, and the oracle says whether it has: each message once, as it was, and nobody else's
touched. It looks between the acts and after each kill, too.

The same seed brings the same servers, the same letters, the same acts in the same order, and the same fault at the same
command, where "the same" means the nth of its kind at its side: the 7th APPEND is cut off half-way in each run. How
commands and acts fall together is not the seed's: that depends on how fast servers and machine are. A failure that hangs
on such a chance may take a few runs to come back. A round's seed stands for itself: a round that failed is played again
alone.

Exit code: 0 each message was where it had to be · 1 it was not, and how to play it again · 2 a mistake on the command line`;

function options(): { seed: number; rounds?: number; ms?: number } | undefined {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      rounds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return undefined;
  const seed = number('--seed', values.seed, /^\d{1,15}$/);
  const rounds = values.rounds && number('--rounds', values.rounds, /^[1-9]\d{0,5}$/);
  const minutes = values.minutes ?? (rounds ? undefined : '10');
  const ms = minutes && number('--minutes', minutes, /^\d{0,6}(\.\d+)?$/) * 60_000;
  return { seed, ...(rounds && { rounds }), ...(ms && { ms }) };
}

function number(name: string, value: string, form: RegExp): number {
  if (value === '' || !form.test(value)) throw new Error(`${name} ${value} is no such number`);
  return Number(value);
}

try {
  const chosen = options();
  const print = (line: string) => console.log(line);
  if (chosen === undefined) print(HELP);
  else process.exitCode = (await soak({ ...chosen, print })) ? 0 : 1;
} catch (thrown) {
  console.error(`soak: ${thrown instanceof Error ? thrown.message : thrown}`);
  process.exitCode = 2;
}
