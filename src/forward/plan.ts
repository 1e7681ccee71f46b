/** Both folder lists and the FOLDERS rules, made into folder pairs. Pure. */
import type { FolderPair, FolderRule, ListedFolder } from '../domain/route.ts';

/** A source folder, or a rule that matches none, of which nothing is carried. */
export interface LeftOut {
  readonly folder: string;
  readonly why: string;
  /** With `*` the views are left out as a matter of course; anything else is a disappointment. */
  readonly ofCourse: boolean;
}

export interface Plan {
  readonly pairs: FolderPair[];
  readonly leftOut: LeftOut[];
}

export interface PlanInput {
  readonly source: readonly ListedFolder[];
  readonly dest: readonly ListedFolder[];
  readonly rules: readonly FolderRule[];
  /** The folder of AFTER_DELIVERY=move:FOLDER, which is never a source. */
  readonly moveTo?: string;
}

/** Views of mail in other folders, and names that hold none: never a source. */
const NEVER: readonly (readonly [attribute: string, why: string])[] = [
  ['\\noselect', 'it is no folder that holds mail'],
  ['\\nonexistent', 'it does not exist'],
  ['\\all', 'it only shows mail of other folders'],
  ['\\flagged', 'it only shows mail of other folders'],
  ['\\important', 'it only shows mail of other folders'],
];

/** INBOX first, then in the order of the rules and of the source's list. */
export function makePlan({ source, dest, rules, moveTo }: PlanInput): Plan {
  const pairs: FolderPair[] = [];
  const leftOut: Plan['leftOut'] = [];
  const delimiter = dest.find((folder) => folder.delimiter !== '')?.delimiter ?? '';
  // Some servers have tens of thousands of folders: none is looked for by going through all.
  const planned = new Set<string>();
  const sourceOf = new Map<string, string>();
  const add = (
    folder: ListedFolder,
    { named, to }: { named: boolean; to?: string | undefined },
  ) => {
    if (planned.has(nameOf(folder.path))) return;
    const why = barred(folder, moveTo);
    // In one spelling: a copy is claimed by the name of its folder.
    const target = nameOf(to ?? translated(folder, delimiter));
    const rival = sourceOf.get(target);
    if (why !== undefined) leftOut.push({ folder: folder.path, why, ofCourse: !named });
    else if (rival !== undefined && to === undefined) {
      leftOut.push({
        folder: folder.path,
        why: `it would share the destination folder ${target} with ${rival}; write "${folder.path}=…" in FOLDERS to say where it goes`,
        ofCourse: false,
      });
    } else {
      pairs.push({ source: folder.path, dest: target });
      planned.add(nameOf(folder.path));
      if (rival === undefined) sourceOf.set(target, folder.path);
    }
  };
  for (const rule of rules) {
    if (rule.kind !== 'folder') continue;
    const folder = source.find(({ path }) => same(path, rule.name));
    if (folder) add(folder, { named: true, to: rule.to });
    else {
      const why = 'the source has no such folder';
      leftOut.push({ folder: rule.name, why, ofCourse: false });
    }
  }
  if (rules.some(({ kind }) => kind === 'all')) {
    for (const folder of source) add(folder, { named: false });
  }
  pairs.sort((a, b) => Number(isInbox(b.source)) - Number(isInbox(a.source)));
  return { pairs, leftOut };
}

function barred(folder: ListedFolder, moveTo: string | undefined): string | undefined {
  if (moveTo !== undefined && same(folder.path, moveTo))
    return 'AFTER_DELIVERY moves carried mail there';
  const attributes = [...folder.attributes].map((attribute) => attribute.toLowerCase());
  return NEVER.find(([attribute]) => attributes.includes(attribute))?.[1];
}

/** The same path with the destination's separator. A separator of the destination inside a name becomes `_`. */
function translated({ path, delimiter }: ListedFolder, to: string): string {
  if (isInbox(path)) return 'INBOX';
  const names = delimiter === '' ? [path] : path.split(delimiter);
  return names.map((name) => (to === '' ? name : name.replaceAll(to, '_'))).join(to);
}

function isInbox(path: string): boolean {
  return path.toUpperCase() === 'INBOX';
}

function same(a: string, b: string): boolean {
  return nameOf(a) === nameOf(b);
}

/** INBOX is the same in any letter case (RFC 9051 §5.1); every other name is not. */
function nameOf(path: string): string {
  return isInbox(path) ? 'INBOX' : path;
}
