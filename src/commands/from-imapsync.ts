/** `imapferry from-imapsync`: prints the settings that do what a line of imapsync does, and says what differs. */
import { readFileSync, statSync } from 'node:fs';
import { argumentsIn, linesIn } from '../from-imapsync/find.ts';
import { comments, envLines } from '../from-imapsync/print.ts';
import { translate } from '../from-imapsync/translate.ts';
import type { Word } from '../from-imapsync/words.ts';

export interface Output {
  /** Takes a line of the `.env`. */
  readonly print: (line: string) => void;
  /** Takes a line for people. */
  readonly tell: (line: string) => void;
}

/**
 * @param words a line of imapsync as a shell has split it, or one word: the name of a file that holds such a line, or the line itself
 * @returns the exit code: 0 the settings are complete, 2 something is to be filled in or there is no such line
 */
export function fromImapsync(words: readonly string[], { print, tell }: Output): number {
  const lines = linesOf(words);
  if (typeof lines === 'string') {
    tell(`imapferry: ${lines}`);
    return 2;
  }
  const all = withDestination(lines).map(translate);
  const names = all.length > 1 ? all.map((_, i) => `box${i + 1}`) : [''];
  if (all.length > 1) print(`ROUTES=${names.join(',')}`);
  for (const [i, told] of all.entries()) {
    const name = names[i] ?? '';
    if (name !== '') print('');
    for (const line of envLines(told, name === '' ? '' : `${name.toUpperCase()}_`)) print(line);
    if (name !== '') tell(`\n=== ${name}, line ${i + 1} of ${all.length} ===`);
    for (const line of comments(told)) tell(line);
  }
  return all.every(({ gaps, wrong }) => gaps.length + wrong.length === 0) ? 0 : 2;
}

/** A script may try the source alone before it carries: such a line is none of its own. */
function withDestination(lines: readonly Word[][]): readonly Word[][] {
  const whole = lines.filter((line) =>
    line.some(
      ({ text, unknown }) => /^--?(?:host|gmail|office)2\b/i.test(text) || unknown.length > 0,
    ),
  );
  return whole.length > 0 ? whole : lines;
}

const EXAMPLE =
  'imapferry from-imapsync -- imapsync --host1 … (or the name of a file with such a line)';

/** imapsync's arguments, one list a line; or why there are none. */
function linesOf(words: readonly string[]): Word[][] | string {
  const [only] = words;
  if (only === undefined) return `from-imapsync needs a line of imapsync: ${EXAMPLE}.`;
  if (words.length === 1 && isFile(only)) {
    try {
      const found = linesIn(readFileSync(only, 'utf8'));
      return found.length > 0 ? found : `in ${only} nothing starts imapsync.`;
    } catch (thrown) {
      return `${only} can't be read (${(thrown as NodeJS.ErrnoException).code ?? 'unknown'}).`;
    }
  }
  const typed = words.map((text) => ({ text, unknown: [] }));
  const script = words.find((text) => /imapsync\s/.test(text));
  const found = script === undefined ? [argumentsIn(typed) ?? []] : linesIn(script);
  const some = found.filter((line) => line.length > 0);
  return some.length > 0
    ? some
    : `that is neither a line of imapsync nor the name of a file: ${EXAMPLE}.`;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
