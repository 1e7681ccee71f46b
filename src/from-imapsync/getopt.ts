/**
 * Reads imapsync's arguments as Perl's Getopt::Long does: one dash or two, letter case of no account, `--name value`
 * or `--name=value`, `--noname` and `--no-name`, any beginning of a name that only one option has; `--` ends it.
 */
import { OPTIONS, type Option } from './options.ts';
import type { Word } from './words.ts';

export interface Given {
  readonly option: Option;
  /** The option's full name with its dashes, and `no` in front of it where it is negated. */
  readonly shown: string;
  readonly negated: boolean;
  /** Absent where the option takes none. */
  readonly value?: Word;
}

export interface Read {
  readonly given: readonly Given[];
  /** What imapsync itself would not take: sentences that show no value, which might be a password. */
  readonly wrong: readonly string[];
  /** Variables that may hold more options. */
  readonly unknown: readonly string[];
  /** How many words belong to no option. They are not shown: one may be the rest of a password. */
  readonly stray: number;
}

interface Spelling {
  readonly option: Option;
  readonly negated: boolean;
}

const SPELLINGS: ReadonlyMap<string, Spelling> = new Map(
  OPTIONS.flatMap((option) =>
    option.names.flatMap((name): [string, Spelling][] => [
      [name, { option, negated: false }],
      ...(option.negatable
        ? (['no', 'no-'] as const).map((no): [string, Spelling] => [
            `${no}${name}`,
            { option, negated: true },
          ])
        : []),
    ]),
  ),
);

const NUMBERS = { whole: /^[-+]?_*\d[\d_]*$/, number: /^[-+]?_*\d[\d_]*(?:\.\d[\d_]*)?$/ } as const;

export function readArguments(words: readonly Word[]): Read {
  const given: Given[] = [];
  const wrong: string[] = [];
  const unknown: string[] = [];
  let stray = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? { text: '', unknown: [] };
    if (word.text === '--' && word.unknown.length === 0) {
      stray += words.length - i - 1;
      break;
    }
    const [matched, name = '', equals] = /^--?([A-Za-z][\w-]*)(=)?/.exec(word.text) ?? [];
    if (matched === undefined) {
      const dash = /^-?[–—−]+-?([a-z][\w-]*)/i.exec(word.text)?.[1];
      if (dash !== undefined)
        wrong.push(
          `${dash} has a long dash in front, as text processors make it, in place of two short ones`,
        );
      else if (word.unknown.length > 0) unknown.push(...word.unknown);
      else stray++;
      continue;
    }
    const found = spelled(name.toLowerCase());
    if (typeof found === 'string') {
      wrong.push(`--${name} ${found}`);
      continue;
    }
    const { option, negated } = found;
    const shown = `--${negated ? 'no' : ''}${option.names[0]}`;
    if (option.takes === 'nothing' || negated) {
      given.push({ option, shown, negated });
      continue;
    }
    let value: Word | undefined = { text: word.text.slice(matched.length), unknown: word.unknown };
    if (equals === undefined) value = words[++i];
    const numeric = option.takes === 'whole' || option.takes === 'number';
    if (value === undefined) wrong.push(`${shown} stands at the end, without its value`);
    else if (numeric && value.unknown.length === 0 && !NUMBERS[option.takes].test(value.text)) {
      wrong.push(`${shown} has a value that is no number`);
      if (equals === undefined && value.text.startsWith('-')) i--;
    } else given.push({ option, shown, negated, value });
  }
  return { given, wrong, unknown, stray };
}

/** The option that a name stands for, or why it stands for none. */
function spelled(name: string): Spelling | string {
  const exact = SPELLINGS.get(name);
  if (exact) return exact;
  const begun = [...SPELLINGS].filter(([full]) => full.startsWith(name));
  const options = new Set(begun.map(([, { option, negated }]) => `${negated} ${option.names[0]}`));
  const [first] = begun;
  if (first && options.size === 1) return first[1];
  if (first)
    return `is the beginning of several options: ${[...new Set(begun.map(([full]) => `--${full}`))].slice(0, 4).join(', ')}`;
  return 'is no option of imapsync that imapferry knows';
}
