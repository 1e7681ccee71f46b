/** What a translation comes to: settings, and all that is to be said about them. */
import type { Given } from './getopt.ts';
import type { Word } from './words.ts';

/** `1` is imapsync's word for the source, `2` for the destination. */
export type Side = '1' | '2';

export const PREFIX = { 1: 'SOURCE', 2: 'DEST' } as const;

/** A variable that can't be told, or `options` where the line may have more of them. */
export interface Gap {
  readonly of: string;
  readonly why: string;
}

/** Collected on the way. */
export class Told {
  /** Variables in the order in which they are to be printed. */
  readonly settings = new Map<string, string>();
  /** Settings that only a person can fill in. */
  readonly gaps: Gap[] = [];
  /** Options without a counterpart, each with its sentence. */
  readonly missing: string[] = [];
  /** Options that delete where imapferry does not. */
  readonly deletes: string[] = [];
  /** Why mail would be carried that imapsync leaves where it is. */
  readonly more: string[] = [];
  /** Why mail would, or might, go to another folder than with imapsync. */
  readonly elsewhere: string[] = [];
  /** Options with which imapsync carries nothing and only looks. */
  readonly looks: string[] = [];
  /** Options with which it says what it would do. */
  readonly tries: string[] = [];
  /** What was taken to be meant. */
  readonly assumed: string[] = [];
  /** What will be different. */
  readonly different: string[] = [];
  /** What is to be done before imapferry starts. */
  readonly steps: string[] = [];
  /** Options about which nothing has to be done. */
  readonly needless: string[] = [];
  /** What imapsync would not take. */
  readonly wrong: string[] = [];
}

/** What was given, by an option's first name. */
export class Options {
  readonly #given: readonly Given[];

  constructor(given: readonly Given[]) {
    this.#given = given;
  }

  /** The value of the last one, which is the one that counts. */
  value(name: string): Word | undefined {
    return this.#all(name).at(-1)?.value;
  }

  /** Every value, in order. */
  values(name: string): Word[] {
    return this.#all(name).flatMap(({ value }) => (value ? [value] : []));
  }

  /** Whether an option is given, negated by `--no…`, or absent. */
  switched(name: string): boolean | undefined {
    const last = this.#all(name).at(-1);
    return last && !last.negated;
  }

  #all(name: string): Given[] {
    return this.#given.filter(({ option }) => option.names[0] === name);
  }
}

/** `$HOST1 and $DOMAIN`. */
export function unknownIn(word: Word): string {
  return [...new Set(word.unknown)].join(' and ');
}
