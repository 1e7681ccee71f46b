/**
 * Both folder lists and the FOLDERS rules, made into a plan: where each source folder's mail goes, what is left out and
 * why, and what stops the route. Pure.
 */
import { isInbox, nameOf, sameFolder } from '../domain/folder-name.ts';
import type { FolderPair, FolderRule, ListedFolder, Namespaces, Route } from '../domain/route.ts';
import { matches } from '../domain/wildcards.ts';
import { folded } from './folder-names.ts';
import { FolderWays, type Known, type Via } from './folder-ways.ts';
import { Side } from './side.ts';

/** A source folder, or a rule that matches none, of which nothing is carried. */
export interface LeftOut {
  readonly folder: string;
  readonly why: string;
  /** With `*` the views are left out as a matter of course; anything else is a disappointment. */
  readonly ofCourse: boolean;
}

export interface PlannedFolder extends FolderPair {
  readonly via: Via;
  /** Whether the destination has that folder. */
  readonly exists: boolean;
  /** What may surprise: a sentence without its full stop. */
  readonly said?: string;
}

export interface Plan {
  readonly pairs: PlannedFolder[];
  readonly leftOut: LeftOut[];
  /** Each stops the route: sentences that say what to write instead. */
  readonly mistakes: string[];
}

export interface PlanInput extends Known {
  readonly source: readonly ListedFolder[];
  readonly dest: readonly ListedFolder[];
  readonly namespaces?: {
    readonly source?: Namespaces | undefined;
    readonly dest?: Namespaces | undefined;
  };
  /** The folder of AFTER_DELIVERY=move:FOLDER, which is never a source. */
  readonly moveTo?: string | undefined;
  /** Sides whose server is Exchange, which keeps more than mail in its folders. */
  readonly exchange?: { readonly source?: boolean; readonly dest?: boolean };
  /** Whether both sides are one account. */
  readonly sameAccount?: boolean;
  /** Other routes from the same source account, with which no folder may be shared. */
  readonly rivals?: Route['rivals'];
}

/** INBOX first, then in the order of the rules and of the source's list. */
export function makePlan(input: PlanInput): Plan {
  const source = new Side(input.source, input.namespaces?.source, input.exchange?.source);
  const dest = new Side(input.dest, input.namespaces?.dest, input.exchange?.dest);
  const pairs: PlannedFolder[] = [];
  const chosen = choose(source, input.rules);
  const leftOut: LeftOut[] = [...chosen.leftOut];
  const barred = new Map(
    chosen.folders.map(({ folder, named }) => [
      folder.path,
      source.barred(folder, named) ?? movedTo(folder, input),
    ]),
  );
  const carried = [...barred].flatMap(([path, why]) => (why === undefined ? [path] : []));
  const ways = new FolderWays(source, dest, carried, input);
  for (const { folder, named } of chosen.folders) {
    const why = barred.get(folder.path);
    const way = why === undefined ? ways.of(folder.path) : { why };
    if ('why' in way) {
      leftOut.push({
        folder: folder.path,
        why: way.why,
        ofCourse: why !== undefined && !named,
      });
      continue;
    }
    const use = source.useOf(folder.path);
    pairs.push({
      source: folder.path,
      ...way,
      ...(use && { use }),
      ...(source.isApart(folder.path) && { apart: true }),
      exists: dest.has(way.dest),
    });
  }
  pairs.sort((a, b) => Number(isInbox(b.source)) - Number(isInbox(a.source)));
  const mistakes = [
    ...mistakesOf(pairs, dest, input),
    ...shared(pairs, source, input),
    ...misspelt(source, input),
  ];
  return { pairs, leftOut, mistakes };
}

/** Why a folder is none to be carried: what was carried is moved there, by this route or by another one of the account. */
function movedTo({ path }: ListedFolder, { moveTo, rivals = [] }: PlanInput): string | undefined {
  // Some servers take two names that differ in case for one.
  const isThere = (other: string | undefined) =>
    other !== undefined && folded(path) === folded(other);
  if (isThere(moveTo)) return 'AFTER_DELIVERY moves carried mail there';
  const rival = rivals.find((each) => isThere(each.moveTo));
  return rival && `AFTER_DELIVERY of the route ${rival.name} moves carried mail there`;
}

/** A move folder that can't be made, or that the source lists under another name. */
function misspelt(source: Side, { moveTo }: PlanInput): string[] {
  if (moveTo === undefined || source.get(moveTo) !== undefined) return [];
  const { delimiter, folders } = source;
  if (delimiter !== '' && moveTo.split(delimiter).includes('')) {
    const right = moveTo.split(delimiter).filter(Boolean).join(delimiter);
    return [
      `AFTER_DELIVERY=move:${moveTo} names no folder: "${delimiter}" separates folders at the source, and a name stands on both sides of it. Write "move:${right || 'Carried'}"`,
    ];
  }
  const alike = folders.find(({ path }) => folded(path) === folded(moveTo));
  if (alike === undefined) return [];
  return [
    `AFTER_DELIVERY=move:${moveTo} names a folder that the source lists as ${alike.path}, and to many servers both names are one. Write "move:${alike.path}"`,
  ];
}

interface Chosen {
  readonly folders: { readonly folder: ListedFolder; readonly named: boolean }[];
  readonly leftOut: LeftOut[];
}

/** The folders that the rules mean, each once, and the rules that mean none. A name counts for more than a pattern. */
export function choose(source: Side, rules: readonly FolderRule[]): Chosen {
  const folders = new Map<string, Chosen['folders'][number]>();
  const leftOut: LeftOut[] = [];
  const nothing = (folder: string, why: string) => leftOut.push({ folder, why, ofCourse: false });
  const not = rules
    .filter((rule) => rule.kind === 'not')
    .map((rule) => ({
      text: `!${'name' in rule ? rule.name : rule.pattern}`,
      leaves:
        'name' in rule
          ? (path: string) => sameFolder(path, rule.name)
          : matcher(rule.pattern, source),
    }));
  for (const rule of rules) {
    if (rule.kind !== 'folder') continue;
    const folder = source.get(rule.name);
    if (folder) folders.set(nameOf(folder.path), { folder, named: true });
    else nothing(rule.name, 'the source has no such folder');
  }
  const patterns = rules.filter((rule) => rule.kind === 'pattern').map(({ pattern }) => pattern);
  // Who only says what to leave out means all the rest.
  if (rules.length > 0 && rules.every(({ kind }) => kind === 'not')) patterns.push('*');
  for (const pattern of patterns) {
    const isMeant = matcher(pattern, source);
    let any = false;
    for (const folder of source.folders) {
      if (!isMeant(folder.path)) continue;
      any = true;
      if (folders.has(nameOf(folder.path)) || not.some(({ leaves }) => leaves(folder.path)))
        continue;
      folders.set(nameOf(folder.path), { folder, named: false });
    }
    if (!any) nothing(pattern, 'it matches no folder of the source');
  }
  for (const { text, leaves } of not) {
    if (!source.folders.some(({ path }) => leaves(path)))
      nothing(text, 'it matches no folder of the source');
  }
  return { folders: [...folders.values()], leftOut };
}

function matcher(pattern: string, { delimiter }: Side): (path: string) => boolean {
  return (path) => matches(nameOf(pattern), nameOf(path), delimiter);
}

/** What stops the route: two folders in one unasked, or mail that would come back to where it came from. */
function mistakesOf(
  pairs: readonly PlannedFolder[],
  dest: Side,
  { sameAccount }: PlanInput,
): string[] {
  const mistakes: string[] = [];
  const first = new Map<string, PlannedFolder>();
  for (const pair of pairs) {
    if (sameAccount && sameFolder(pair.source, pair.dest)) {
      mistakes.push(
        `${pair.source} would be carried into itself: source and destination are the same account. Write "${pair.source}=…" or "!${pair.source}" in FOLDERS`,
      );
    }
    const key = folded(pair.dest);
    const rival = first.get(key);
    if (rival === undefined) {
      first.set(key, pair);
      continue;
    }
    // Some servers take two names that differ in case for one; both of them in the list shows that this one does not.
    if (rival.dest !== pair.dest && dest.has(rival.dest) && dest.has(pair.dest)) continue;
    if (rival.via === 'hand' && pair.via === 'hand') continue;
    mistakes.push(
      `${rival.source} and ${pair.source} would both go to ${pair.dest}. Write where they are to go in FOLDERS: "${rival.source}=…" or "${pair.source}=…", or leave one out by "!${pair.source}"`,
    );
  }
  return mistakes;
}

/** Folders that another route carries, too. With patterns only the servers' folders tell. */
function shared(
  pairs: readonly PlannedFolder[],
  source: Side,
  { rivals = [] }: PlanInput,
): string[] {
  return rivals.flatMap(({ name, folders: rules }) => {
    const theirs = new Set(
      choose(source, rules)
        .folders.filter(({ folder, named }) => source.barred(folder, named) === undefined)
        .map(({ folder }) => nameOf(folder.path)),
    );
    const both = pairs.filter((pair) => theirs.has(nameOf(pair.source)));
    const [first] = both;
    if (first === undefined) return [];
    const more = both.length > 1 ? ` and ${both.length - 1} more` : '';
    return [
      `${first.source}${more} would be carried by the route ${name}, too, from the same account, and one of the two would remove what the other has not carried yet. Leave it out of one of them in FOLDERS by "!${first.source}", or set AFTER_DELIVERY=keep for both`,
    ];
  });
}
