/** The cases of a drain: between which servers, over which line, with which mail. */
import { message } from '../../test/support/mail.ts';
import type { Appending } from '../contenders/contender.ts';
import { mixedMail } from './mixed-mail.ts';

export interface Case {
  readonly name: string;
  readonly title: string;
  readonly appending: Appending;
  /** Milliseconds, on both sides. */
  readonly roundTrip: number;
  /** The mail, and the most messages that are asked for in this case. */
  mail(count: number): Iterable<Buffer>;
  readonly most: number;
}

/** Destination connections where the server takes one message at a time. */
export const CONCURRENCY = 4;

const SIZE = 8 * 1024;

/** The whole capability line of a destination; undefined: Dovecot's own. */
export const CAPABILITY: Readonly<Record<Appending, string | undefined>> = {
  multiappend: undefined,
  'literal+': 'IMAP4rev1 SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT LITERAL+',
  synchronising: 'IMAP4rev1 SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT',
};

function* letters(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield message({ size: SIZE });
}

const even = { mail: letters, most: Number.POSITIVE_INFINITY };

export const CASES: readonly Case[] = [
  {
    name: 'multiappend-40ms',
    title: 'MULTIAPPEND, 40 ms round trip',
    appending: 'multiappend',
    roundTrip: 40,
    ...even,
  },
  {
    name: 'multiappend-loopback',
    title: 'MULTIAPPEND, loopback',
    appending: 'multiappend',
    roundTrip: 0,
    ...even,
  },
  {
    name: 'literal+-40ms',
    title: 'LITERAL+ without MULTIAPPEND, 40 ms round trip',
    appending: 'literal+',
    roundTrip: 40,
    ...even,
  },
  {
    name: 'synchronising-40ms',
    title: `neither, 40 ms round trip, CONCURRENCY=${CONCURRENCY}`,
    appending: 'synchronising',
    roundTrip: 40,
    ...even,
    most: 1000,
  },
  {
    name: 'mix-40ms',
    title: 'MULTIAPPEND, a realistic mix of sizes, 40 ms round trip',
    appending: 'multiappend',
    roundTrip: 40,
    ...even,
    mail: mixedMail,
  },
];
