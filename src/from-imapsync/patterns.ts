/** Perl patterns for folder names, as far as they can be told in the FOLDERS language. */
import { isInbox } from '../domain/folder-name.ts';
import { decoded } from './utf7.ts';

/** A name as it stands in FOLDERS, within quotation marks where needed; INBOX, which is the same in any letter case, in capitals. */
export function named(name: string): string {
  if (isInbox(name)) return 'INBOX';
  const plain = /^[^\s"!*%,=][^"*%,=]*$/.test(name) && !/\s$/.test(name);
  return plain ? name : `"${name.replaceAll(/(["\\])/g, '\\$1')}"`;
}

/** The folder that an entry of FOLDERS names, or `undefined` where it is a pattern. */
export function nameIn(entry: string): string | undefined {
  if (entry.startsWith('"')) return entry.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
  return entry.includes('*') ? undefined : entry;
}

/**
 * The patterns of the FOLDERS language that match what a Perl regular expression matches: an alternation of plain
 * texts, each tied to the beginning or the end of a name, or loose. Anything else is `undefined`; so is an empty one,
 * by which Perl means the last that matched.
 */
export function patternsOf(regex: string): string[] | undefined {
  if (regex === '') return undefined;
  const whole = /^(\^?)\((?:\?:)?([^()]*)\)(\$?)$/.exec(regex);
  const [, start = '', inner = regex, end = ''] = whole ?? [];
  const found = inner.split('|').map((each) => patternOf(`${start}${each}${end}`));
  return found.every((each) => each !== undefined) ? found : undefined;
}

/** What a pattern matches in the middle of its text would need quotation marks, which make it a name: no such pattern. */
function patternOf(regex: string): string | undefined {
  const [, start, body = '', end] = /^(\^?)(.*?)((?<!\\)\$)?$/s.exec(regex) ?? [];
  const anyStart = start === '' || /^\.\*/.test(body);
  const anyEnd = end === undefined || /(?<!\\)\.\*$/.test(body);
  const text = literal(body.replace(/^\.\*/, '').replace(/(?<!\\)\.\*$/, ''));
  if (text === undefined || (text === '' && !(anyStart && anyEnd))) return undefined;
  if (!anyStart && !anyEnd) return named(text);
  if (text === '') return '*';
  if (/^[!"]|[",=*%]/.test(text) || text !== text.trim()) return undefined;
  return `${anyStart ? '*' : ''}${text}${anyEnd ? '*' : ''}`;
}

/**
 * A Perl pattern that has nothing of a pattern, decoded; the dot of `INBOX.` is taken for the separator that was meant.
 * `\Q` is none: Perl knows it in the text of a program, and not in a value.
 */
export function literal(regex: string): string | undefined {
  const text = regex
    .replace(/^INBOX\.(?![*+?])/, 'INBOX\\.')
    .replaceAll(/\[([^\]\\^-])\]/g, '\\$1');
  if (!/^(?:[^\\.^$|?*+()[\]{}]|\\[^A-Za-z\d])*$/s.test(text)) return undefined;
  return decoded(text.replaceAll(/\\(.)/gs, '$1'));
}

/** What `s/^Old$/New/` renames, or `undefined` where a substitution does anything else. */
export function renaming(
  substitution: string,
): { readonly from: string; readonly to: string } | undefined {
  const [, , from, to] =
    /^s([/,#|!@:;])\^((?:(?!\1).)+)\$\1((?:(?!\1).)+)\1$/.exec(substitution) ?? [];
  const name = from === undefined ? undefined : literal(from);
  if (name === undefined || to === undefined || /[\\$@]/.test(to)) return undefined;
  return { from: name, to };
}

/** Whether an entry as it stands in FOLDERS, a name or a pattern, stands for a folder. */
export function standsFor(entry: string, name: string): boolean {
  if (entry.startsWith('"')) return entry === named(name);
  const pattern = entry.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${pattern}$`, 's').test(name);
}
