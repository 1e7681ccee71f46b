/**
 * The FOLDERS language: `INBOX, Sent=Sent Messages, "a, b"=x`, or `*` for every folder that nothing else names.
 * A name in double quotation marks is taken as it is; `\` in front of a mark or of itself stands for that character.
 */
import type { FolderRule } from '../domain/route.ts';
import { Unusable } from './mistakes.ts';

type Name = { readonly text: string; readonly quoted: boolean };

/** What a name or its end may be followed by; a quoted name may hold any of it. */
const NAME = /\s*(?:"((?:[^"\\]|\\["\\])*)"|([^",=]*))\s*/y;

/** @throws Unusable where an entry can't be read, or a folder is named twice. Entries are named by their number. */
export function parseFolders(value: string): FolderRule[] {
  const rules: FolderRule[] = [];
  for (const [i, [name, to]] of entries(value).entries()) {
    const rule = ruleOf(name, to, `entry ${i + 1}`);
    const earlier = rules.findIndex((other) => sameSource(other, rule));
    if (earlier >= 0)
      throw new Unusable(`names the same folder twice, in entries ${earlier + 1} and ${i + 1}`);
    rules.push(rule);
  }
  return rules;
}

/** Each entry's name and, behind `=`, its destination. */
function entries(value: string): [name: Name, to: Name | undefined][] {
  const found: [Name, Name | undefined][] = [];
  let at = 0;
  const name = (): Name => {
    NAME.lastIndex = at;
    const [matched = '', quoted, plain = ''] = NAME.exec(value) ?? [];
    at += matched.length;
    return quoted === undefined
      ? { text: plain.trim(), quoted: false }
      : { text: quoted.replaceAll(/\\(["\\])/g, '$1'), quoted: true };
  };
  do {
    const source = name();
    let to: Name | undefined;
    if (value[at] === '=') {
      at++;
      to = name();
    }
    found.push([source, to]);
    if (at < value.length && value[at] !== ',')
      throw new Unusable(
        `can't be read at entry ${found.length}: put a name that holds a comma, \`=\` or a quotation mark in double quotation marks, \`\\"\` for a mark within it`,
      );
  } while (at++ < value.length);
  return found;
}

function ruleOf(name: Name, to: Name | undefined, entry: string): FolderRule {
  if (name.text === '') throw new Unusable(`names no folder in ${entry}`);
  if (to?.text === '') throw new Unusable(`names no destination behind \`=\` in ${entry}`);
  if ([name, to].some((part) => part && /\p{Cc}/u.test(part.text)))
    throw new Unusable(`holds a control character in ${entry}`);
  if (!name.quoted && name.text === '*') {
    if (to) throw new Unusable(`can't send every folder to one: leave out \`=\` in ${entry}`);
    return { kind: 'all' };
  }
  if (!name.quoted && name.text.startsWith('!'))
    throw new Unusable(`leaves a folder out by \`!\` in ${entry}: this version can't do that yet`);
  if ([name, to].some((part) => part && !part.quoted && /[*%]/.test(part.text)))
    throw new Unusable(
      `has a pattern in ${entry}: this version knows only \`*\` alone; a name that really holds \`*\` or \`%\` stands in double quotation marks`,
    );
  return { kind: 'folder', name: name.text, ...(to && { to: to.text }) };
}

function sameSource(a: FolderRule, b: FolderRule): boolean {
  if (a.kind === 'all' || b.kind === 'all') return a.kind === b.kind;
  return sameFolder(a.name, b.name);
}

/** INBOX is the same in any letter case (RFC 9051 §5.1); every other name is not. */
export function sameFolder(a: string, b: string): boolean {
  return a === b || (a.toUpperCase() === 'INBOX' && b.toUpperCase() === 'INBOX');
}

/**
 * A folder whose mail would come back to it where source and destination are one account, or `undefined`: its number
 * among the rules. Every folder that `*` stands for is its own counterpart there.
 */
export function circle(rules: readonly FolderRule[]): number | undefined {
  const next = (name: string) => {
    const rule = rules.find((each) => each.kind === 'folder' && sameFolder(each.name, name));
    return rule?.kind === 'folder' ? (rule.to ?? rule.name) : undefined;
  };
  const found = rules.findIndex((rule) => {
    if (rule.kind === 'all') return true;
    let at: string | undefined = rule.name;
    for (let steps = 0; steps < rules.length && at !== undefined; steps++) {
      at = next(at);
      if (at !== undefined && sameFolder(at, rule.name)) return true;
    }
    return false;
  });
  return found < 0 ? undefined : found;
}
