/** Latency: a single message, as it comes; and a new message while old mail is carried. */
import { message } from '../../test/support/mail.ts';
import type { Options } from '../options.ts';
import { Mailboxes } from '../tools/mailboxes.ts';
import type { Bar } from '../tools/plot.ts';
import { keep, type Part, target } from '../tools/results.ts';
import { percentile } from '../tools/statistics.ts';
import { Wires } from '../wire/wires.ts';
import { overtaking } from './overtaking.ts';
import { type Singles, singles } from './single.ts';

const USERS = 60;
/** A single message of a latency takes a second or two: a run has so many times fewer of them than a drain has. */
const FEWER = 50;
/** So many times the messages of a drain are carried while new mail comes. */
const OLD = 2;
const SIZE = 8 * 1024;
const ROUND_TRIP = 40;
const LINES = [
  { name: 'single-40ms', title: '40 ms round trip', roundTrip: ROUND_TRIP },
  { name: 'single-loopback', title: 'loopback', roundTrip: 0 },
] as const;
const OVERTAKING = 'overtaking-40ms';

type Line = (typeof LINES)[number];

/** Measures all cases, or those that are named. */
export async function latency(options: Options): Promise<void> {
  const wanted = (name: string) => options.only === undefined || name.includes(options.only);
  await using wires = new Wires();
  await using source = await Mailboxes.open(USERS);
  await using destination = await Mailboxes.open(USERS);
  const servers = { wires, source, destination };
  const count = Math.ceil(options.messages / FEWER);
  const parts: Part[] = [];
  for (const line of LINES.filter(({ name }) => wanted(name))) {
    console.error(`latency, ${line.name}: ${count} messages`);
    parts.push(single(line, await singles(servers, line.roundTrip, count)));
  }
  if (wanted(OVERTAKING)) {
    const old = options.messages * OLD;
    const template = await source.template(letters(old));
    const arrivals: number[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      console.error(`latency, ${OVERTAKING}: ${old} old messages, round ${round}`);
      arrivals.push(...(await overtaking(servers, template, old, ROUND_TRIP)));
    }
    parts.push(overtaken(old, arrivals));
  }
  const order = [...LINES.map(({ name }) => name), OVERTAKING];
  const title = 'Latency: milliseconds, less is better';
  keep({ name: 'latency', title, order }, options.command, parts);
}

function* letters(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield message({ size: SIZE });
}

const CONTENDERS = ['imapferry', 'raw'] as const;
const NAMES = { imapferry: 'imapferry', raw: 'raw client' };

function single({ name, title, roundTrip }: Line, found: Singles): Part {
  const across = (contender: 'imapferry' | 'raw', percent: number) =>
    percentile(
      found[contender].map((arrival) => arrival.across),
      percent,
    );
  const trips = (contender: 'imapferry' | 'raw', percent: number) =>
    across(contender, percent) / found.roundTrip;
  const announced = (contender: 'imapferry' | 'raw') =>
    percentile(
      found[contender].map((arrival) => arrival.announced),
      50,
    );
  const inTrips = roundTrip > 0 ? ['p50 round trips', 'p95 round trips'] : [];
  return {
    name,
    sections: [
      {
        title: `A single message of 8 KB, ${title}: from EXISTS at the source to stored at the destination`,
        rows: [
          ['contender', 'messages', 'p50 ms', 'p95 ms', ...inTrips, "source's own p50 ms"],
          ...CONTENDERS.map((contender) => [
            NAMES[contender],
            String(found[contender].length),
            across(contender, 50).toFixed(1),
            across(contender, 95).toFixed(1),
            ...(roundTrip > 0
              ? [50, 95].map((percent) => trips(contender, percent).toFixed(2))
              : []),
            announced(contender).toFixed(0),
          ]),
        ],
        notes: [
          `A NOOP through the wire takes ${found.roundTrip.toFixed(1)} ms. The source's own: from the message stored to EXISTS sent, before anybody can know of it; not counted in the rest.`,
        ],
      },
    ],
    targets:
      roundTrip > 0
        ? [
            target(`${title}: p50, round trips`, trips('imapferry', 50), { most: 4.5 }),
            target(`${title}: p95, round trips`, trips('imapferry', 95), { most: 6 }),
          ]
        : [
            target(
              `${title}: p50, times the raw client`,
              across('imapferry', 50) / across('raw', 50),
              { most: 2 },
            ),
          ],
    drawn: [
      {
        title: `a single message, ${title}`,
        bars: CONTENDERS.flatMap((contender) =>
          bars(
            NAMES[contender],
            found[contender].map((arrival) => arrival.across),
          ),
        ),
      },
    ],
    figures: found,
  };
}

function overtaken(old: number, arrivals: readonly number[]): Part {
  const p95 = percentile(arrivals, 95);
  return {
    name: OVERTAKING,
    sections: [
      {
        title: `A new message in INBOX while ${old} old ones are carried from there, ${ROUND_TRIP} ms round trip: from stored to stored`,
        rows: [
          ['contender', 'new messages', 'p50 ms', 'p95 ms', 'longest ms'],
          [
            'imapferry',
            String(arrivals.length),
            ...[50, 95, 100].map((percent) => percentile(arrivals, percent).toFixed(0)),
          ],
        ],
      },
    ],
    targets: [target('while old mail is carried: p95', p95 / 1000, { most: 3, unit: ' s' })],
    drawn: [
      {
        title: `a new message while ${old} old ones are carried`,
        bars: bars('imapferry', arrivals),
      },
    ],
    figures: { old, arrivals },
  };
}

function bars(name: string, values: readonly number[]): Bar[] {
  return [50, 95].map((percent) => ({
    name: `${name}, p${percent}`,
    value: percentile(values, percent),
    label: `${percentile(values, percent).toFixed(1)} ms`,
  }));
}
