/** Where the variables come from: the environment first, then .env files in their order. Texts only, nothing parsed. */
import { existsSync } from 'node:fs';
import { parse } from 'dotenv';
import { readTextFile } from './file.ts';
import type { Mistake } from './mistakes.ts';
import { VARIABLES } from './variables.ts';

/** Variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Setting {
  readonly text: string;
  /** `the environment` or a file's name. */
  readonly where: string;
  /** dotenv took only the part in front of a `#`. */
  readonly cut: boolean;
}

export interface Settings {
  /** What is set, by name; an empty text counts as not set, and still wins over the files behind it. */
  readonly set: ReadonlyMap<string, Setting>;
  readonly mistakes: readonly Mistake[];
}

export const ENVIRONMENT = 'the environment';

/** @param envFiles files that were named; none: `.env` in the working directory, if there is one */
export function readSettings(env: Environment, envFiles: readonly string[]): Settings {
  const set = new Map<string, Setting>();
  const mistakes: Mistake[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (text !== undefined) set.set(name, { text, where: ENVIRONMENT, cut: false });
  }
  const files = envFiles.length > 0 ? envFiles : ['.env'].filter((path) => existsSync(path));
  for (const path of files) {
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
      const cut = VARIABLES.has(name) && isCut(file.text, name, text);
      if (!set.has(name)) set.set(name, { text, where: path, cut });
    }
    mistakes.push(...withoutEquals(file.text, path, variables));
  }
  return { set, mistakes };
}

/** Whether dotenv ended this value at a `#` that is not within quotation marks. */
function isCut(file: string, name: string, text: string): boolean {
  const line = new RegExp(`^\\s*(?:export\\s+)?${name}\\s*[=:](.*)$`, 'gm');
  const raw = [...file.matchAll(line)].at(-1)?.[1]?.trim() ?? '';
  if (!raw.includes('#')) return false;
  const whole = /^(["'`])(.*)\1\s*(?:#.*)?$/.exec(raw)?.[2] ?? raw;
  return whole !== text && whole.replaceAll('\\n', '\n').replaceAll('\\r', '\r') !== text;
}

/** dotenv passes over a line that it can't read; one that begins with a variable of ours was meant for us. */
function withoutEquals(file: string, path: string, variables: Record<string, string>): Mistake[] {
  const mistakes: Mistake[] = [];
  for (const [i, line] of file.split(/\r\n|\r|\n/).entries()) {
    const name = /^\s*(?:export\s+)?(\w+)\s+[^\s=:]/.exec(line)?.[1] ?? '';
    const variable = VARIABLES.get(name);
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
