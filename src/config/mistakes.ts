/** What is wrong with the settings: gathered first, told all at once. */

/**
 * One mistake. Its sentence shows no value, whichever variable it is: what does not fit where it stands may be a
 * secret that was meant for the line above.
 */
export interface Mistake {
  /** The variable's name, or the option that named a file. */
  readonly variable: string;
  /** Where it is set: `the environment` or a file's name; absent where it is set nowhere. */
  readonly where?: string;
  /** What is wrong: goes on after the name, without a full stop at its end. */
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

/** All mistakes as text for people: what is wrong on one line, an example on the next. */
export function tellMistakes(mistakes: readonly Mistake[]): string {
  const many = mistakes.length > 1;
  const head = `imapferry can't start: ${many ? `${mistakes.length} settings are` : 'a setting is'} wrong.`;
  const rest = mistakes.map(({ variable, where, wrong, example }) => {
    const place = where === undefined ? '' : ` (in ${where})`;
    return `  ${variable}${place} ${wrong}.\n    Example: ${example}`;
  });
  return [head, ...rest].join('\n');
}

/** Thrown by a parser: why a text can't be this kind of value. Goes on after the variable's name; shows no value. */
export class Unusable extends Error {}
