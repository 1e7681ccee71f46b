/**
 * The FOLDERS language: `INBOX, Sent=Sent Messages, Lists/*, !Lists/spam`, in any order. `*` stands for anything, `%` for
 * anything but the separator, `!` leaves out what follows it. A name in double quotation marks is taken as it is; `\\` in
 * front of a mark or of itself stands for that character.
 */
import { sameFolder } from '../domain/folder-name.ts';
import type { FolderRule } from '../domain/route.ts';
import { Unusable } from './mistakes.ts';

interface Name {
  readonly text: string;
  readonly quoted: boolean;
}

interface Entry {
  readonly not: boolean;
  readonly name: Name;
  readonly to: Name | undefined;
}

/** A name and what may stand around it; a quoted name may hold any character. */
const NAME = /\s*(?:"((?:[^"\\]|\\["\\])*)"|([^",=]*))\s*/y;
const NOT = /\s*!/y;

/** @throws Unusable where an entry can't be read, or a folder is named twice. Entries are named by their number. */
export function parseFolders(value: string): FolderRule[] {
  const rules: FolderRule[] = [];
  for (const [i, entry] of entries(value).entries()) {
    const rule = ruleOf(entry, `entry ${i + 1}`);
    const earlier = rules.findIndex((other) => sameSource(other, rule));
    if (earlier >= 0)
      throw new Unusable(`names the same folder twice, in entries ${earlier + 1} and ${i + 1}`);
    rules.push(rule);
  }
  return rules;
}

function entries(value: string): Entry[] {
  const found: Entry[] = [];
  let at = 0;
  const eats = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const matched = pattern.exec(value);
    at += matched?.[0].length ?? 0;
    return matched;
  };
  const name = (): Name => {
    const [, quoted, plain = ''] = eats(NAME) ?? [];
    return quoted === undefined
      ? { text: plain.trim(), quoted: false }
      : { text: quoted.replaceAll(/\\(["\\])/g, '$1'), quoted: true };
  };
  do {
    const not = eats(NOT) !== null;
    const source = name();
    let to: Name | undefined;
    if (value[at] === '=') {
      at++;
      to = name();
    }
    found.push({ not, name: source, to });
    if (at < value.length && value[at] !== ',')
      throw new Unusable(
        `can't be read at entry ${found.length}: put a name that holds a comma, \`=\` or a quotation mark in double quotation marks, \`\\"\` for a mark within it`,
      );
  } while (at++ < value.length);
  return found;
}

function ruleOf({ not, name, to }: Entry, entry: string): FolderRule {
  const isPattern = ({ text, quoted }: Name) => !quoted && /[*%]/.test(text);
  if (name.text === '') throw new Unusable(`names no folder in ${entry}`);
  if (to?.text === '') throw new Unusable(`names no destination behind \`=\` in ${entry}`);
  if ([name, to].some((part) => part && /\p{Cc}/u.test(part.text)))
    throw new Unusable(`holds a control character in ${entry}`);
  if (to && not)
    throw new Unusable(`leaves a folder out by \`!\` and says where it goes, in ${entry}`);
  if (to && isPattern(name))
    throw new Unusable(
      `can't send what a pattern matches to one folder: leave out \`=\` in ${entry}, or name each folder; a name that really holds \`*\` or \`%\` stands in double quotation marks`,
    );
  if (to && isPattern(to))
    throw new Unusable(
      `has a pattern behind \`=\` in ${entry}: name one folder there; a name that really holds \`*\` or \`%\` stands in double quotation marks`,
    );
  const pattern = name.text;
  if (isPattern(name)) return not ? { kind: 'not', pattern } : { kind: 'pattern', pattern };
  if (not) return { kind: 'not', name: name.text };
  return { kind: 'folder', name: name.text, ...(to && { to: to.text }) };
}

/** What two rules speak of, where they can be the same: a folder is named and left out at once by mistake only. */
function sameSource(a: FolderRule, b: FolderRule): boolean {
  if ('pattern' in a || 'pattern' in b)
    return 'pattern' in a && 'pattern' in b && a.kind === b.kind && a.pattern === b.pattern;
  return sameFolder(a.name, b.name);
}

/**
 * A folder whose mail would come back to it where source and destination are one account, or `undefined`: its number
 * among the rules. Every folder that a pattern stands for is its own counterpart there.
 */
export function circle(rules: readonly FolderRule[]): number | undefined {
  const next = (name: string) => {
    const rule = rules.find((each) => each.kind === 'folder' && sameFolder(each.name, name));
    return rule?.kind === 'folder' ? (rule.to ?? rule.name) : undefined;
  };
  // Who only says what to leave out means all the rest.
  if (rules.length > 0 && rules.every(({ kind }) => kind === 'not')) return 0;
  const found = rules.findIndex((rule) => {
    if (rule.kind === 'pattern') return true;
    if (rule.kind === 'not') return false;
    let at: string | undefined = rule.name;
    for (let steps = 0; steps < rules.length && at !== undefined; steps++) {
      at = next(at);
      if (at !== undefined && sameFolder(at, rule.name)) return true;
    }
    return false;
  });
  return found < 0 ? undefined : found;
}
