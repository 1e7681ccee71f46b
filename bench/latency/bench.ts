/** Latency: a single message, as it comes; and a new message while old mail is carried. */
import { message } from '../../test/support/mail.ts';
import type { Options } from '../options.ts';
import { Mailboxes } from '../tools/mailboxes.ts';
import type { Chart } from '../tools/plot.ts';
import { keep, type Section, type Target, target } from '../tools/results.ts';
import { percentile } from '../tools/statistics.ts';
import { Wires } from '../wire/wires.ts';
import { overtaking } from './overtaking.ts';
import { type Arrival, type Singles, singles } from './single.ts';

interface Case {
  readonly name: string;
  readonly roundTrip: number;
  readonly singles: Singles;
}

interface Overtaking {
  readonly old: number;
  readonly arrivals: readonly number[];
}

const USERS = 60;
/** A single message of a latency takes a second or two: a run has so many times fewer of them than a drain has. */
const FEWER = 50;
const OLD = 2;
const ROUND_TRIP = 40;
const SIZE = 8 * 1024;

/** Measures all cases, or those that are named. */
export async function latency(options: Options): Promise<void> {
  const wanted = (name: string) => options.only === undefined || name.includes(options.only);
  await using wires = new Wires();
  await using source = await Mailboxes.open(USERS);
  await using destination = await Mailboxes.open(USERS);
  const servers = { wires, source, destination };
  const count = Math.ceil(options.messages / FEWER);
  const cases: Case[] = [];
  for (const [name, roundTrip] of [
    ['40 ms round trip', ROUND_TRIP],
    ['loopback', 0],
  ] as const) {
    if (!wanted(name)) continue;
    console.error(`latency, ${name}: ${count} messages`);
    cases.push({ name, roundTrip, singles: await singles(servers, roundTrip, count) });
  }
  let overtaken: Overtaking | undefined;
  if (wanted('overtaking')) {
    const old = options.messages * OLD;
    const template = await source.template(letters(old));
    const arrivals: number[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      console.error(`latency, overtaking: ${old} old messages, round ${round}`);
      arrivals.push(...(await overtaking(servers, template, old, ROUND_TRIP)));
    }
    overtaken = { old, arrivals };
  }
  keep(
    {
      bench: 'latency',
      command: options.command,
      sections: sections(cases, overtaken),
      targets: targets(cases, overtaken),
      figures: { cases, overtaken },
    },
    chart(cases, overtaken),
  );
}

function* letters(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield message({ size: SIZE });
}

const CONTENDERS = ['imapferry', 'raw'] as const;
const NAMES = { imapferry: 'imapferry', raw: 'raw client' };

function sections(cases: readonly Case[], overtaken: Overtaking | undefined): Section[] {
  const head = ['contender', 'messages', 'p50 ms', 'p95 ms', 'p50 round trips', 'p95 round trips'];
  return [
    ...cases.map(({ name, roundTrip, singles: found }) => ({
      title: `A single message of 8 KB, ${name}: from EXISTS at the source to stored at the destination`,
      rows: [
        [...head, "source's own p50 ms"],
        ...CONTENDERS.map((contender) => {
          const arrivals = found[contender];
          const across = arrivals.map((arrival) => arrival.across);
          const trips = (percent: number) =>
            roundTrip === 0 ? '' : (percentile(across, percent) / found.roundTrip).toFixed(2);
          return [
            NAMES[contender],
            String(arrivals.length),
            percentile(across, 50).toFixed(1),
            percentile(across, 95).toFixed(1),
            trips(50),
            trips(95),
            percentile(announcedOf(arrivals), 50).toFixed(0),
          ];
        }),
      ],
      notes: [
        `A NOOP through the wire takes ${found.roundTrip.toFixed(1)} ms. The source's own: from the message stored to EXISTS sent, before anybody can know of it; not counted in the rest.`,
      ],
    })),
    ...(overtaken
      ? [
          {
            title: `A new message in INBOX while ${overtaken.old} old ones are carried from there, 40 ms round trip: from stored to stored`,
            rows: [
              ['contender', 'new messages', 'p50 ms', 'p95 ms', 'longest ms'],
              [
                'imapferry',
                String(overtaken.arrivals.length),
                ...[50, 95, 100].map((percent) =>
                  percentile(overtaken.arrivals, percent).toFixed(0),
                ),
              ],
            ],
          },
        ]
      : []),
  ];
}

function announcedOf(arrivals: readonly Arrival[]): number[] {
  return arrivals.map(({ announced }) => announced);
}

function targets(cases: readonly Case[], overtaken: Overtaking | undefined): Target[] {
  const of = (found: Singles, contender: 'imapferry' | 'raw', percent: number) =>
    percentile(
      found[contender].map(({ across }) => across),
      percent,
    );
  return [
    ...cases.flatMap(({ name, roundTrip, singles: found }) => {
      if (roundTrip === 0) {
        const times = of(found, 'imapferry', 50) / of(found, 'raw', 50);
        return [target(`${name}: p50, times the raw client`, times, { most: 2 })];
      }
      const trips = (percent: number) => of(found, 'imapferry', percent) / found.roundTrip;
      return [
        target(`${name}: p50, round trips`, trips(50), { most: 4.5 }),
        target(`${name}: p95, round trips`, trips(95), { most: 6 }),
      ];
    }),
    ...(overtaken
      ? [
          target('during a drain: p95', percentile(overtaken.arrivals, 95) / 1000, {
            most: 3,
            unit: ' s',
          }),
        ]
      : []),
  ];
}

function chart(cases: readonly Case[], overtaken: Overtaking | undefined): Chart {
  const bars = (name: string, values: readonly number[]) =>
    [50, 95].map((percent) => ({
      name: `${name}, p${percent}`,
      value: percentile(values, percent),
      label: `${percentile(values, percent).toFixed(1)} ms`,
    }));
  return {
    title: 'Latency: milliseconds, less is better',
    groups: [
      ...cases.map(({ name, singles: found }) => ({
        title: `a single message, ${name}`,
        bars: CONTENDERS.flatMap((contender) =>
          bars(
            NAMES[contender],
            found[contender].map(({ across }) => across),
          ),
        ),
      })),
      ...(overtaken
        ? [
            {
              title: `a new message while ${overtaken.old} old ones are carried`,
              bars: bars('imapferry', overtaken.arrivals),
            },
          ]
        : []),
    ],
  };
}
