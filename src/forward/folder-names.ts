/** Which special use a folder's name speaks of, in the languages and habits that folder-names.json knows. Pure. */
import type { SpecialUse } from '../domain/route.ts';
import known from './folder-names.json' with { type: 'json' };

export const SPECIAL_USES: readonly SpecialUse[] = [
  '\\Sent',
  '\\Drafts',
  '\\Junk',
  '\\Trash',
  '\\Archive',
];

/** Containers of one provider, below which it keeps the folders of special use. */
const CONTAINERS = ['[gmail]', '[google mail]'];

/** What has no width: soft hyphen, zero-width space, word joiner, byte order mark. Joiners that letters need stay. */
const INVISIBLE = /[\u00ad\u200b\u2060\ufeff]/g;

/** The form in which two names are the same name: NFC, letters without case, without what can't be seen. */
export function folded(name: string): string {
  const shown = name.normalize('NFC').replace(INVISIBLE, '').trim();
  return shown.toUpperCase().toLowerCase().normalize('NFC');
}

type Names = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Each name's use, and how widely it is attested among the names of that use: 0 the most. */
const USES = usesByName();
const VIEWS = new Set(Object.values(known.views as Names).flatMap(namesIn));
const NO_MAIL = new Set(namesIn(known.noMail));

function namesIn(byLanguage: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.values(byLanguage).flatMap((names) => names.map(folded));
}

function usesByName(): ReadonlyMap<string, { use: SpecialUse; rank: number }> {
  const found = new Map<string, { use: string; rank: number }>();
  const doubtful = new Set(known.ambiguous.map(folded));
  const note = (name: string, use: string, rank: number) => {
    const key = folded(name);
    const other = found.get(key);
    if (other !== undefined && other.use !== use) doubtful.add(key);
    if (other === undefined || rank < other.rank) found.set(key, { use, rank });
  };
  for (const [use, byLanguage] of Object.entries(known.names as Names)) {
    for (const names of Object.values(byLanguage)) {
      for (const [rank, name] of names.entries()) note(name, use, rank);
    }
  }
  for (const [use, name] of Object.values(known.providers).flatMap((one) => Object.entries(one))) {
    if (!name.includes('/')) note(name, use, 0);
  }
  const certain = [...found].filter(
    (entry): entry is [string, { use: SpecialUse; rank: number }] =>
      !doubtful.has(entry[0]) && SPECIAL_USES.some((use) => use === entry[1].use),
  );
  return new Map(certain);
}

/**
 * What a folder's names say, from the top down, without the personal prefix. Only a folder at the top, or below a
 * provider's container, is taken for one of special use: `Customers/Sent` is somebody's own.
 * @returns its use and rank among the names of that use (lower: more widely attested), `view` for one that shows mail of
 * other folders, or `undefined`
 */
export function useByName(
  names: readonly string[],
): { use: SpecialUse; rank: number } | 'view' | undefined {
  const [first = '', second, ...more] = names.map(folded);
  if (second === undefined) return USES.get(first);
  if (more.length > 0 || !CONTAINERS.includes(first)) return undefined;
  return VIEWS.has(second) ? 'view' : USES.get(second);
}

/** Whether Exchange keeps other things than mail in a folder of that name, or below it: appointments, contacts, notes. */
export function isNoMail([first = '']: readonly string[]): boolean {
  return NO_MAIL.has(folded(first));
}
