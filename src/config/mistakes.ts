/** What is wrong with the settings: gathered first, told all at once. */

/** One mistake. `wrong` is a sentence that goes on after the name and shows no value: it may be a misplaced secret. */
export interface Mistake {
  /** The variable's name, or the option that named a file. */
  readonly variable: string;
  /** Where it is set: `the environment` or a file's name; absent where it is set nowhere. */
  readonly where?: string;
  /** What is wrong, without a full stop at its end. */
  readonly wrong: string;
  /** A line that would be right. */
  readonly example: string;
}

/** The configuration can't be used. `message` tells every mistake, for people; the caller exits with 2. */
export class ConfigError extends Error {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(tellMistakes(mistakes));
    this.name = 'ConfigError';
    this.mistakes = mistakes;
  }
}

/** All mistakes as text for people, one paragraph each. */
export function tellMistakes(mistakes: readonly Mistake[]): string {
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`;
  const paragraphs = mistakes.map(({ variable, where, wrong, example }) => {
    const place = where === undefined ? '' : ` (in ${where})`;
    return `  ${variable}${place} ${wrong}.\n    Example: ${example}`;
  });
  return `imapferry can't start: there is ${count} in its settings.\n\n${paragraphs.join('\n')}`.replace(
    /there is (\d)/,
    'there are $1',
  );
}

/** Thrown by a parser: why a text can't be this kind of value. Goes on after the variable's name; shows no value. */
export class Unusable extends Error {}
