/** What came of the drains: tables, targets, a plot. */
import { type Part, type Section, short, type Target, target } from '../tools/results.ts';
import { median } from '../tools/statistics.ts';
import { CONCURRENCY } from './cases.ts';
import type { Figures } from './turn.ts';

export interface Entry {
  readonly contender: string;
  readonly does: string;
  /** Why it was not measured. */
  readonly absent: string | undefined;
  readonly runs: readonly Figures[];
}

export interface Measured {
  readonly name: string;
  readonly title: string;
  /** Milliseconds of a NOOP through the wire. */
  readonly roundTrip: number;
  /** MB a second through the wire, one FETCH. */
  readonly width: number;
  readonly entries: readonly Entry[];
}

/** A case with its table, its targets, and each contender's messages a second. */
export function part(measured: Measured): Part {
  const { name, title, entries } = measured;
  const bars = entries
    .filter(({ runs }) => runs.length > 0)
    .map(({ contender }) => ({
      name: contender,
      value: rate(entries, contender),
      label: short(rate(entries, contender)),
    }));
  return {
    name,
    sections: [section(measured)],
    targets: targets(measured),
    drawn: [{ title, bars }],
    figures: measured,
  };
}

function section({ title, roundTrip, width, entries }: Measured): Section {
  const limit = rate(entries, 'bare limit');
  const most = Math.max(...entries.map(({ runs }) => runs[0]?.messages ?? 0));
  const fewer = entries.filter(({ runs }) => runs[0] && runs[0].messages < most);
  return {
    title,
    rows: [
      [
        'contender',
        'what it does',
        'messages',
        'messages/s',
        'of the limit',
        'start-up ms',
        'CPU ms/message',
        'peak MB',
      ],
      ...entries.map(({ contender, does, absent, runs }) => {
        if (runs.length === 0) return [contender, `not measured: ${absent}`, ...Array(6).fill('')];
        const middle = (figure: (run: Figures) => number) => median(runs.map(figure));
        return [
          contender,
          does,
          String(runs[0]?.messages),
          short(rate(entries, contender)),
          (rate(entries, contender) / limit).toFixed(2),
          middle(({ startUp }) => startUp).toFixed(0),
          middle(({ cpu, messages }) => cpu / messages).toFixed(2),
          middle(({ peak }) => peak).toFixed(0),
        ];
      }),
    ],
    notes: [
      `A NOOP through the wire takes ${roundTrip.toFixed(1)} ms; one FETCH of 32 MB comes with ${width.toFixed(0)} MB/s. Medians of ${entries[0]?.runs.length} rounds.`,
      ...(fewer.length > 0
        ? [
            `${fewer.map(({ contender }) => contender).join(' and ')}: the rate with fewer messages; all of them would take too long.`,
          ]
        : []),
    ],
  };
}

function targets({ name, title, entries, roundTrip }: Measured): Target[] {
  const [ours, limit] = [rate(entries, 'imapferry'), rate(entries, 'bare limit')];
  const times = (other: string) => {
    const absent = entries.find(({ contender }) => contender === other)?.absent;
    return { figure: ours / rate(entries, other), why: absent ?? 'no run' };
  };
  const ofLimit = (least: number) => target(`${title}: of the bare limit`, ours / limit, { least });
  const ahead = () => {
    const { figure, why } = times('mbsync');
    return target(`${title}: times mbsync`, figure, { least: 1, why });
  };
  const cpu = () =>
    target(`${title}: client CPU`, cpuOf(entries), { most: 1, unit: ' ms/message' });
  switch (name) {
    case 'multiappend-40ms':
      return [
        ofLimit(0.7),
        ...['imapfilter', 'imapsync'].map((other) => {
          const { figure, why } = times(other);
          return target(`${title}: times ${other}`, figure, { least: 60, why });
        }),
        ahead(),
        cpu(),
      ];
    case 'multiappend-loopback':
      return [ofLimit(0.75), ahead(), cpu()];
    case 'literal+-40ms':
      return [ofLimit(0.6)];
    case 'synchronising-40ms':
      return [
        target(`${title}: messages a round trip`, (ours * roundTrip) / 1000, {
          least: (0.65 * CONCURRENCY) / 2,
        }),
      ];
    default:
      return [ofLimit(0.5)];
  }
}

function rate(entries: readonly Entry[], contender: string): number {
  const runs = entries.find((entry) => entry.contender === contender)?.runs ?? [];
  return median(runs.map(({ messages, ms }) => (messages / ms) * 1000));
}

function cpuOf(entries: readonly Entry[]): number {
  const runs = entries.find(({ contender }) => contender === 'imapferry')?.runs ?? [];
  return median(runs.map(({ cpu, messages }) => cpu / messages));
}
