/** Memory: at rest, a watcher more, while a full mailbox is carried, and with messages larger than all others. */
import type { Options } from '../options.ts';
import { Mailboxes } from '../tools/mailboxes.ts';
import { keep, type Part, type Target, target } from '../tools/results.ts';
import { median } from '../tools/statistics.ts';
import { type Peak, peak } from './peak.ts';
import { rest, type Servers } from './rest.ts';

interface Load {
  readonly name: string;
  readonly title: string;
  readonly count: number;
  readonly bytes: number;
  /** MB over rest, at most. */
  readonly most: number;
}

const USERS = 200;
const [ONE, MANY] = [1, 50];
const [KB, MB] = [1024, 1024 * 1024];
/** So many times the messages of a drain. */
const OLD = 2;

function loads(messages: number): Load[] {
  const large = (count: number, mb: number): Load => ({
    name: `large-${count}x${mb}MB`,
    title: `${count === 1 ? 'one message' : `${count} messages`} of ${mb} MB`,
    count,
    bytes: mb * MB,
    most: 64,
  });
  const old = messages * OLD;
  const drain = { name: 'drain', title: `${old} messages of 8 KB`, count: old, bytes: 8 * KB };
  return [{ ...drain, most: 70 }, large(1, 50), large(1, 150), large(4, 50), large(4, 150)];
}

interface Figures {
  /** MB at rest, with one watcher and with many. */
  readonly one: number[];
  readonly many: number[];
  readonly peaks: { readonly load: Load; readonly runs: Peak[] }[];
}

/** Measures all, round after round. */
export async function memory(options: Options): Promise<void> {
  const wanted = ({ name }: Load) => options.only === undefined || name.includes(options.only);
  const peaks = loads(options.messages).filter(wanted);
  if (peaks.length === 0 && !'rest'.includes(options.only ?? '')) return;
  await using source = await Mailboxes.open(USERS);
  await using destination = await Mailboxes.open(USERS);
  const servers: Servers = { source, destination };
  const figures: Figures = { one: [], many: [], peaks: peaks.map((load) => ({ load, runs: [] })) };
  for (let round = 1; round <= options.rounds; round++) {
    figures.one.push(await rest(servers, ONE));
    figures.many.push(await rest(servers, MANY));
    console.error(
      `memory, round ${round}: ${figures.one.at(-1)?.toFixed(1)} MB with ${ONE} watcher, ${figures.many.at(-1)?.toFixed(1)} MB with ${MANY}`,
    );
    for (const { load, runs } of figures.peaks) {
      const found = await peak(servers, load.count, load.bytes);
      runs.push(found);
      console.error(`memory, round ${round}: ${load.title}: ${found.peak.toFixed(0)} MB at most`);
    }
  }
  report(figures, options);
}

function report(figures: Figures, options: Options): void {
  const one = median(figures.one);
  const watcher = (median(figures.many) - one) / (MANY - ONE);
  const peaks = figures.peaks.map(({ load, runs }) => ({
    load,
    runs,
    most: median(runs.map((run) => run.peak)),
    carried: Math.min(...runs.map((run) => run.carried)),
  }));
  const targets: Target[] = [
    target('at rest, one route, one watcher', one, { most: 85, unit: ' MB' }),
    target('each further watcher', watcher, { most: 0.4, unit: ' MB' }),
    ...peaks.map(({ load, runs, most, carried }) =>
      target(`${load.title}: peak over rest`, carried < load.count ? Number.NaN : most - one, {
        most: load.most,
        unit: ' MB',
        why: runs.find(({ why }) => why !== undefined)?.why ?? 'not carried',
      }),
    ),
  ];
  const part: Part = {
    name: 'memory',
    sections: [
      {
        title: 'Memory (RSS), both servers over TLS',
        rows: [
          ['what', 'MB', 'MB over rest', 'carried', 'left in STATE_DIR'],
          ['at rest, one watcher', one.toFixed(1), '', '', ''],
          [
            `at rest, ${MANY} watchers`,
            median(figures.many).toFixed(1),
            (median(figures.many) - one).toFixed(1),
            '',
            '',
          ],
          ...peaks.map(({ load, runs, most, carried }) => [
            load.title,
            most.toFixed(0),
            (most - one).toFixed(0),
            `${carried} of ${load.count}`,
            runs.flatMap(({ leftovers }) => leftovers).join(' ') || 'the journal only',
          ]),
        ],
        notes: [
          `Medians of ${figures.one.length} rounds. The peak is the most that the process ever had (VmHWM); it began with the mail waiting.`,
        ],
      },
    ],
    targets,
    figures,
    drawn: [
      {
        title: 'at rest',
        bars: [
          { name: `${ONE} watcher`, value: one, label: `${one.toFixed(1)} MB` },
          {
            name: `${MANY} watchers`,
            value: median(figures.many),
            label: `${median(figures.many).toFixed(1)} MB`,
          },
        ],
      },
      {
        title: 'the most over rest',
        bars: peaks.map(({ load, most }) => ({
          name: load.title,
          value: most - one,
          label: `${(most - one).toFixed(0)} MB (to reach: ${load.most})`,
        })),
      },
    ],
  };
  keep({ name: 'memory', title: 'Memory: MB (RSS)', order: ['memory'] }, options.command, [part]);
}
