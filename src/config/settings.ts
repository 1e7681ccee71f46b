/** Where the variables come from: the environment first, then .env files in their order. Texts only, nothing parsed. */
import { parse } from 'dotenv';
import { readTextFile, settingFiles } from './file.ts';
import type { Mistake } from './mistakes.ts';
import { prefixOf } from './route-names.ts';
import { ROUTE_VARIABLES, secretNames, variableOf } from './variables.ts';

/** Variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Setting {
  readonly text: string;
  /** `the environment` or a file's name. */
  readonly where: string;
  /** dotenv took only the part in front of a `#`, or a quotation mark that is left open as part of the value. */
  readonly flaw?: 'cut' | 'open' | undefined;
}

export interface Settings {
  /** What is set, by name; an empty text counts as not set, and still wins over the files behind it. */
  readonly set: ReadonlyMap<string, Setting>;
  readonly mistakes: readonly Mistake[];
  /** A variable as it is called where it is set, or is to be set: with the route's name in front, or without. */
  readonly called: (name: string) => string;
}

export const ENVIRONMENT = 'the environment';

/** @param envFiles files that were named; none: `.env` in the working directory, if there is one */
export function readSettings(env: Environment, envFiles: readonly string[]): Settings {
  const set = new Map<string, Setting>();
  const mistakes: Mistake[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (text !== undefined) set.set(name, { text, where: ENVIRONMENT });
  }
  for (const path of settingFiles(envFiles)) {
    const file = readTextFile(path);
    if ('wrong' in file) {
      mistakes.push({
        variable: envFiles.length > 0 ? `--env-file ${path}` : path,
        wrong: file.wrong,
        example: '--env-file /etc/imapferry/imapferry.env',
      });
      continue;
    }
    const variables = parse(file.text);
    for (const [name, text] of Object.entries(variables)) {
      if (set.has(name)) continue;
      const flaw = variableOf(name) ? flawOf(file.text, name, text) : undefined;
      set.set(name, { text, where: path, flaw });
    }
    mistakes.push(...withoutEquals(file.text, path, variables));
  }
  return { set, mistakes, called: (name) => name };
}

/**
 * The settings of one of several routes: its own variables under their plain names, and what it does not set from the plain
 * ones. Of the three that deliver a password it has its own or the plain ones, never some of both.
 */
export function settingsOf({ set, mistakes }: Settings, route: string): Settings {
  const prefix = prefixOf(route);
  const own = new Map<string, Setting>();
  for (const name of ROUTE_VARIABLES.keys()) {
    const setting = set.get(`${prefix}${name}`);
    // Nothing but white space is not set, unless it may be a password.
    const text = name.endsWith('_PASSWORD') ? setting?.text : setting?.text.trim();
    if (setting && text) own.set(name, setting);
  }
  const together = (['SOURCE', 'DEST'] as const).map(
    (side) => secretNames(side) as readonly string[],
  );
  const isInherited = (name: string) => {
    const group = together.find((names) => names.includes(name)) ?? [name];
    return set.has(name) && !group.some((each) => own.has(each));
  };
  const inherited = [...set].filter(([name]) => isInherited(name));
  return {
    set: new Map([...inherited, ...own]),
    mistakes,
    called: (name) => (!ROUTE_VARIABLES.has(name) || isInherited(name) ? name : `${prefix}${name}`),
  };
}

/** Compares a line as it was written with the value that dotenv made of it. */
function flawOf(file: string, name: string, text: string): Setting['flaw'] {
  const line = new RegExp(`^\\s*(?:export\\s+)?${name}\\s*[=:](.*)$`, 'gm');
  const raw = [...file.matchAll(line)].at(-1)?.[1]?.trim() ?? '';
  if (/^["'`]./.test(raw) && raw === text) return 'open';
  // A blank in front of a `#` tells a comment; a password may hold even that.
  const cut = name.endsWith('_PASSWORD') ? /#/ : /^[^#]*[^\s#]#/;
  if (!cut.test(raw)) return undefined;
  const whole = /^(["'`])(.*)\1\s*(?:#.*)?$/.exec(raw)?.[2] ?? raw;
  const unescaped = whole.replaceAll('\\n', '\n').replaceAll('\\r', '\r');
  return text === whole || text === unescaped ? undefined : 'cut';
}

/** dotenv passes over a line that it can't read; one that begins with a variable of ours was meant for us. */
function withoutEquals(file: string, path: string, variables: Record<string, string>): Mistake[] {
  const mistakes: Mistake[] = [];
  for (const [i, line] of file.split(/\r\n|\r|\n/).entries()) {
    const name = /^\s*(?:export\s+)?(\w+)\s+[^\s=:]/.exec(line)?.[1] ?? '';
    const variable = variableOf(name);
    if (variable === undefined || name in variables) continue;
    mistakes.push({
      variable: name,
      where: `${path}, line ${i + 1}`,
      wrong: 'has no `=` behind its name',
      example: `${name}=${variable.example}`,
    });
  }
  return mistakes;
}
