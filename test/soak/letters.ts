/** The mail of a soak: the kinds that go wrong, each with an INTERNALDATE that no other letter of its round has. */
import { corpus, message } from '../support/mail.ts';
import type { Dice } from './dice.ts';

export interface Written {
  readonly kind: string;
  readonly bytes: Buffer;
  readonly flags: readonly string[];
  readonly internalDate: Date;
}

const KINDS = {
  plain: 30,
  twin: 15,
  'same Message-ID': 12,
  nameless: 8,
  large: 4,
  huge: 0.6,
  tiny: 4,
  corpus: 30,
} as const;

const FLAGS = ['\\Seen', '\\Answered', '\\Flagged', '\\Draft', '$Forwarded', 'NonJunk', 'Etikett'];

/** Where dates begin; a letter's number in seconds is added. */
const DATES = [
  '1970-01-01T00:00:01Z',
  '1999-12-31T22:00:00Z',
  '2000-02-28T23:00:00Z',
  '2001-02-03T04:05:06Z',
  '2024-02-29T12:00:00Z',
  '2019-07-01T10:00:00Z',
];

const TWINS = ['One', 'Two', 'Three'].map((body) =>
  message({ id: `<twin-${body}@example.org>`, body: `Twin ${body}` }),
);

const SAMPLES = corpus().filter(({ bytes }) => bytes.length > 0 && bytes.length < 400_000);

export class Writer {
  readonly #dice: Dice;
  #written = 0;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  next(): Written {
    const nth = ++this.#written;
    const dice = this.#dice.of(`letter ${nth}`);
    const kind = dice.weighted(KINDS);
    const flags = FLAGS.filter(() => dice.chance(0.15));
    const date = new Date(dice.pick(DATES)).getTime() + nth * 1000;
    return { kind, bytes: bytesOf(kind, nth, dice), flags, internalDate: new Date(date) };
  }
}

function bytesOf(kind: keyof typeof KINDS, nth: number, dice: Dice): Buffer {
  const id = `<letter-${nth}@example.org>`;
  switch (kind) {
    case 'plain':
      return message({ id, size: dice.below(3000) });
    case 'twin':
      return dice.pick(TWINS);
    case 'same Message-ID':
      return message({ id: `<same-${dice.below(3)}@example.org>`, body: `Body ${nth}` });
    case 'nameless':
      return Buffer.from(`Date: Tue, 7 May 2024 07:08:09 +0000\r\n\r\nNo name, ${nth}\r\n`);
    case 'large':
      return message({ id, size: dice.between(50_000, 300_000) });
    case 'huge':
      return message({ id, size: 1 << 20 });
    case 'tiny':
      return Buffer.from(`X: ${nth}\r\n\r\n`);
    case 'corpus':
      return dice.pick(SAMPLES).bytes;
  }
}
