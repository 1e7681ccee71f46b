/** Mail as it is: sizes drawn from those of test/corpus, one in twenty over 1 MB, and one of 25 MB. */
import { corpus, message } from '../../test/support/mail.ts';
import { dice } from '../tools/statistics.ts';

const MB = 1024 * 1024;
const LARGE = 0.05;
/** Of those over 1 MB: from so many MB to so many. */
const [FROM, TO] = [1, 4];
const LARGEST = 25 * MB;

/** The same sizes in the same order each time. */
export function* mixedMail(count: number): Generator<Buffer> {
  const sizes = corpus()
    .map(({ bytes }) => bytes.length)
    .filter((size) => size < MB);
  const roll = dice(5);
  const largest = Math.floor(count / 2);
  for (let i = 0; i < count; i++) {
    if (i === largest) yield message({ size: LARGEST });
    else if (roll() < LARGE) yield message({ size: Math.ceil((FROM + (TO - FROM) * roll()) * MB) });
    else yield message({ size: sizes[Math.floor(roll() * sizes.length)] ?? 0 });
  }
}
