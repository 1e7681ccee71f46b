/** Reads what the library's parser makes of an answer: UIDs and flags of a row, what SEARCH found, a response code. */
import type { Answer, Token, Tokens } from './internals.ts';

/** UID, where it is there, and flags of an untagged FETCH; `undefined` where it tells no flags. */
export function flagsRow(
  answer: Answer,
): { uid: number | undefined; flags: Set<string> } | undefined {
  const items = answer.attributes?.find((item) => Array.isArray(item)) as Tokens | undefined;
  if (items === undefined) return undefined;
  let uid: number | undefined;
  let flags: Set<string> | undefined;
  for (let i = 0; i + 1 < items.length; i += 2) {
    const name = textOf(items[i])?.toUpperCase();
    const value = items[i + 1];
    if (name === 'UID') uid = Number(textOf(value));
    if (name === 'FLAGS' && Array.isArray(value)) {
      flags = new Set((value as Tokens).flatMap((flag) => textOf(flag) ?? []));
    }
  }
  return flags && { uid: Number.isInteger(uid) ? uid : undefined, flags };
}

/** What an untagged SEARCH names; `undefined` where it names anything but numbers. */
export function foundUids({ numbers, attributes = [] }: Answer): number[] | undefined {
  if (numbers) return [...numbers];
  // A line that is more than numbers comes as tokens; a list is MODSEQ (RFC 7162 §3.1.5).
  const words = attributes.filter((item) => !Array.isArray(item)).map((item) => textOf(item) ?? '');
  return words.every((word) => /^\d{1,10}$/.test(word)) ? words.map(Number) : undefined;
}

/** The words of a tagged answer's response code, its name in upper case: `['COPYUID', '3', '1:2', '7:8']`. */
export function codeOf(answer: Answer): string[] {
  const [first] = answer.attributes ?? [];
  const section = first && !Array.isArray(first) ? (first as Token).section : undefined;
  const words = (section ?? []).map((word) => String(word?.value ?? ''));
  return words.map((word, i) => (i === 0 ? word.toUpperCase() : word));
}

/** The folder of an untagged STATUS, as the server spells it, and the numbers that it tells by their names in upper case. */
export function statusItems(answer: Answer): { path: string; items: Map<string, number> } {
  const [folder, list] = answer.attributes ?? [];
  const items = new Map<string, number>();
  const words = Array.isArray(list) ? (list as Tokens).map((word) => textOf(word) ?? '') : [];
  for (let i = 0; i + 1 < words.length; i += 2) {
    const value = Number(words[i + 1]);
    if (Number.isSafeInteger(value)) items.set((words[i] ?? '').toUpperCase(), value);
  }
  return { path: textOf(folder) ?? '', items };
}

function textOf(token: Tokens[number] | undefined): string | undefined {
  return token && !Array.isArray(token) ? String((token as Token).value) : undefined;
}
