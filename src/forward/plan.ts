/**
 * Both folder lists and the FOLDERS rules, made into a plan: where each source folder's mail goes, what is left out and
 * why, and what stops the route. Pure.
 */
import type {
  FolderPair,
  FolderRule,
  ListedFolder,
  Namespaces,
  Route,
  SpecialUse,
} from '../domain/route.ts';
import { folded, SPECIAL_USES, useByName } from './folder-names.ts';

/** A source folder, or a rule that matches none, of which nothing is carried. */
export interface LeftOut {
  readonly folder: string;
  readonly why: string;
  /** With `*` the views are left out as a matter of course; anything else is a disappointment. */
  readonly ofCourse: boolean;
}

/** By what a folder found its counterpart. */
export type Via = 'hand' | 'inbox' | 'special-use' | 'name' | 'parent' | 'path';

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

export interface PlanInput {
  readonly source: readonly ListedFolder[];
  readonly dest: readonly ListedFolder[];
  readonly rules: readonly FolderRule[];
  readonly namespaces?: {
    readonly source?: Namespaces | undefined;
    readonly dest?: Namespaces | undefined;
  };
  /** The folder of AFTER_DELIVERY=move:FOLDER, which is never a source. */
  readonly moveTo?: string | undefined;
  /** Whether a missing destination folder can be made with a special use (CREATE-SPECIAL-USE, RFC 6154 §3). */
  readonly createsSpecialUse?: boolean;
  /** Whether both sides are one account. */
  readonly sameAccount?: boolean;
  /** Other routes from the same source account, with which no folder may be shared. */
  readonly rivals?: Route['rivals'];
}

/** Views of mail in other folders, and names that hold none: never a source, and never a destination. */
const NEVER: readonly (readonly [attribute: string, why: string])[] = [
  ['\\noselect', 'it is no folder that holds mail'],
  ['\\nonexistent', 'it does not exist'],
  ['\\all', 'it only shows mail of other folders'],
  ['\\flagged', 'it only shows mail of other folders'],
  ['\\important', 'it only shows mail of other folders'],
];

/** Their mail goes to their counterparts and nowhere else. */
const COUNTERPART_ONLY: ReadonlyMap<SpecialUse, string> = new Map([
  ['\\Junk', 'Junk'],
  ['\\Trash', 'Trash'],
]);

/** Where one source folder's mail goes, or why it goes nowhere. */
type Way =
  | {
      readonly dest: string;
      readonly via: Via;
      readonly createAs?: SpecialUse;
      readonly said?: string;
    }
  | { readonly why: string };

/** INBOX first, then in the order of the rules and of the source's list. */
export function makePlan(input: PlanInput): Plan {
  const source = new Side(input.source, input.namespaces?.source);
  const dest = new Side(input.dest, input.namespaces?.dest);
  const ways = new Ways(source, dest, input);
  const pairs: PlannedFolder[] = [];
  const chosen = choose(source, input.rules);
  const leftOut: LeftOut[] = [...chosen.leftOut];
  for (const { folder, named } of chosen.folders) {
    const why = source.barred(folder, named) ?? movedTo(folder, input);
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
function choose(source: Side, rules: readonly FolderRule[]): Chosen {
  const folders = new Map<string, Chosen['folders'][number]>();
  const leftOut: LeftOut[] = [];
  const nothing = (folder: string, why: string) => leftOut.push({ folder, why, ofCourse: false });
  const not = rules
    .filter((rule) => rule.kind === 'not')
    .map((rule) => ({
      text: `!${'name' in rule ? rule.name : rule.pattern}`,
      leaves:
        'name' in rule
          ? (path: string) => nameOf(path) === nameOf(rule.name)
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
    const matches = matcher(pattern, source);
    let any = false;
    for (const folder of source.folders) {
      if (!matches(folder.path)) continue;
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

/** `*` stands for anything, `%` for anything but the separator (RFC 9051 §6.3.9). */
function matcher(pattern: string, { delimiter }: Side): (path: string) => boolean {
  const few = delimiter === '' ? '.*' : `[^${escaped(delimiter)}]*`;
  const text = nameOf(pattern)
    .split(/([*%])/)
    .map((part) => (part === '*' ? '.*' : part === '%' ? few : escaped(part)))
    // Stars side by side mean one, and many of them would take long.
    .filter((part, i, all) => !(part === '.*' && all[i - 1] === '' && all[i - 2] === '.*'))
    .join('');
  const regex = new RegExp(`^${text}$`, 'su');
  return (path) => regex.test(nameOf(path));
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&').replaceAll('\\-', '\\x2d');
}

/** One account's folders. */
class Side {
  readonly folders: readonly ListedFolder[];
  readonly delimiter: string;
  /** The prefix of one's own folders, with its separator. */
  readonly prefix: string;
  readonly #foreign: readonly string[];
  readonly #byName: ReadonlyMap<string, ListedFolder>;
  readonly #uses = new Map<SpecialUse, { path: string; said: boolean }>();

  constructor(folders: readonly ListedFolder[], namespaces: Namespaces | undefined) {
    this.folders = folders;
    this.delimiter = folders.find(({ delimiter }) => delimiter !== '')?.delimiter ?? '';
    this.prefix = namespaces?.personal ?? this.#derivedPrefix();
    this.#foreign = (namespaces?.foreign ?? []).filter((prefix) => prefix !== this.prefix);
    this.#byName = new Map(folders.map((folder) => [nameOf(folder.path), folder]));
    this.#findUses();
  }

  get(path: string): ListedFolder | undefined {
    return this.#byName.get(nameOf(path));
  }

  has(path: string): boolean {
    const folder = this.get(path);
    return folder !== undefined && !attributesOf(folder).includes('\\nonexistent');
  }

  /** The path of the folder of a special use, and whether the server says so itself. */
  special(use: SpecialUse): { readonly path: string; readonly said: boolean } | undefined {
    return this.#uses.get(use);
  }

  useOf(path: string): SpecialUse | undefined {
    return SPECIAL_USES.find((use) => this.#uses.get(use)?.path === path);
  }

  /** Why a folder holds no mail of its own or is somebody else's; `undefined` where it may be carried. */
  barred(folder: ListedFolder, named = false): string | undefined {
    const attributes = attributesOf(folder);
    const never = NEVER.find(([attribute]) => attributes.includes(attribute))?.[1];
    if (never !== undefined) return never;
    if (useByName(this.names(folder.path)) === 'view') return 'it only shows mail of other folders';
    if (!named && this.isForeign(folder.path)) return 'it belongs to another user or is shared';
    return undefined;
  }

  isForeign(path: string): boolean {
    // With one's own below a prefix, Cyrus shows what is shared below none.
    if (isInbox(path) || (this.prefix !== '' && path.startsWith(this.prefix))) return false;
    return this.#foreign.some((prefix) => path.startsWith(prefix));
  }

  /** The names of a path from the top down, without the personal prefix. */
  names(path: string): string[] {
    const own = this.prefix !== '' && path.startsWith(this.prefix);
    const rest = own ? path.slice(this.prefix.length) : path;
    const delimiter = this.get(path)?.delimiter ?? this.delimiter;
    return delimiter === '' ? [rest] : rest.split(delimiter);
  }

  /** The path above, or `undefined` at the top. */
  above(path: string): string | undefined {
    if (this.names(path).length < 2) return undefined;
    const delimiter = this.get(path)?.delimiter || this.delimiter;
    return path.slice(0, path.lastIndexOf(delimiter));
  }

  /** Where a server does not say it: all but INBOX are below INBOX on some, and nowhere else can one be made. */
  #derivedPrefix(): string {
    const below = `INBOX${this.delimiter}`;
    const others = this.folders.filter(({ path }) => !isInbox(path));
    const all =
      this.delimiter !== '' &&
      others.length > 0 &&
      others.every(({ path }) => path.toUpperCase().startsWith(below));
    return all ? (others[0]?.path.slice(0, below.length) ?? '') : '';
  }

  /** What the server says of special uses (RFC 6154) counts first; names are asked only where it is silent on a use. */
  #findUses(): void {
    const own = this.folders.filter((folder) => this.barred(folder) === undefined);
    for (const use of SPECIAL_USES) {
      const folder = own.find((each) => attributesOf(each).includes(use.toLowerCase()));
      if (folder && !isInbox(folder.path)) this.#uses.set(use, { path: folder.path, said: true });
    }
    const ranks = new Map<SpecialUse, number>();
    for (const { path } of own) {
      const found = isInbox(path) ? undefined : useByName(this.names(path));
      if (found === undefined || found === 'view' || this.useOf(path) !== undefined) continue;
      const { use, rank } = found;
      const best = ranks.get(use) ?? Number.POSITIVE_INFINITY;
      if (this.#uses.get(use)?.said || rank >= best) continue;
      ranks.set(use, rank);
      this.#uses.set(use, { path, said: false });
    }
  }
}

/** The way of each source folder. */
class Ways {
  readonly #source: Side;
  readonly #dest: Side;
  readonly #hand: ReadonlyMap<string, string>;
  readonly #createsSpecialUse: boolean;
  readonly #known = new Map<string, Way>();

  constructor(source: Side, dest: Side, { rules, createsSpecialUse = false }: PlanInput) {
    this.#source = source;
    this.#dest = dest;
    this.#createsSpecialUse = createsSpecialUse;
    const byHand = rules.flatMap((rule) =>
      rule.kind === 'folder' && rule.to !== undefined
        ? [[nameOf(rule.name), rule.to] as const]
        : [],
    );
    this.#hand = new Map(byHand);
  }

  of(path: string): Way {
    const known = this.#known.get(nameOf(path));
    if (known !== undefined) return known;
    const way = this.#find(path);
    this.#known.set(nameOf(path), way);
    return way;
  }

  #find(path: string): Way {
    const to = this.#hand.get(nameOf(path));
    // In one spelling: a copy is claimed by the name of its folder.
    if (to !== undefined) return this.#holdsMail({ dest: nameOf(to), via: 'hand' });
    if (isInbox(path)) return { dest: 'INBOX', via: 'inbox' };
    const use = this.#source.useOf(path);
    if (use !== undefined) {
      const counterpart = this.#counterpart(path, use);
      if (counterpart !== undefined) return counterpart;
    }
    const way = this.#samePath(path, use);
    return 'why' in way ? way : this.#allowed(way, use);
  }

  /** The destination's folder of that use, or one that is to be made; `undefined` where the same path has to do. */
  #counterpart(path: string, use: SpecialUse): Way | undefined {
    const there = this.#dest.special(use);
    if (there !== undefined) {
      const both = there.said && this.#source.special(use)?.said;
      return { dest: there.path, via: both ? 'special-use' : 'name' };
    }
    const name = COUNTERPART_ONLY.get(use);
    if (name === undefined) return undefined;
    if (this.#createsSpecialUse)
      return { dest: `${this.#dest.prefix}${name}`, via: 'special-use', createAs: use };
    return {
      why: `the destination has no folder of the use ${use}, and none can be made with it; write "${path}=…" in FOLDERS to say where it goes`,
    };
  }

  /** Below the counterpart of the folder above it; at the top, the same name below the destination's prefix. */
  #samePath(path: string, use: SpecialUse | undefined): Way {
    const above = this.#source.above(path);
    const name = this.#source.names(path).at(-1) ?? path;
    const { delimiter, prefix } = this.#dest;
    const parent = above === undefined ? undefined : this.of(above);
    if (parent !== undefined && 'why' in parent) return parent;
    const spelt = delimiter === '' ? name : name.replaceAll(delimiter, '_');
    const create = use !== undefined && this.#createsSpecialUse ? { createAs: use } : {};
    if (parent === undefined) {
      const said = changed(name, spelt, delimiter);
      return { dest: `${prefix}${spelt}`, via: 'path', ...said, ...create };
    }
    const via = parent.via === 'path' || parent.via === 'inbox' ? 'path' : 'parent';
    if (delimiter !== '') {
      const said =
        parent.said === undefined ? changed(name, spelt, delimiter) : { said: parent.said };
      return { dest: `${parent.dest}${delimiter}${spelt}`, via, ...said, ...create };
    }
    const said = 'the destination has no folders within folders';
    return { dest: `${parent.dest}_${spelt}`, via, said, ...create };
  }

  /** Into the destination's Trash or Junk goes only their counterpart. */
  #allowed(way: Exclude<Way, { why: string }>, use: SpecialUse | undefined): Way {
    const taken = [...COUNTERPART_ONLY.keys()].find(
      (only) => only !== use && folded(this.#dest.special(only)?.path ?? '') === folded(way.dest),
    );
    if (taken !== undefined) {
      return {
        why: `the destination's ${way.dest} is its ${taken} folder, which servers empty by themselves; write "…=…" in FOLDERS to say where it goes`,
      };
    }
    return this.#holdsMail(way);
  }

  /** Into what holds no mail goes nothing. */
  #holdsMail(way: Exclude<Way, { why: string }>): Way {
    const folder = this.#dest.get(way.dest);
    const why = folder && this.#dest.barred(folder, way.via === 'hand');
    // A name that holds no mail can be made a folder that does (RFC 9051 §6.3.4), a view can't.
    if (why === undefined || attributesOf(folder as ListedFolder).includes('\\nonexistent'))
      return way;
    return { why: `of the destination's ${way.dest}, ${why}` };
  }
}

function changed(name: string, spelt: string, delimiter: string): { said: string } | object {
  if (name === spelt) return {};
  return {
    said: `"${delimiter}" separates folders at the destination and becomes "_" in this name`,
  };
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
    if (sameAccount && nameOf(pair.source) === nameOf(pair.dest)) {
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

function attributesOf({ attributes }: ListedFolder): string[] {
  return [...attributes].map((attribute) => attribute.toLowerCase());
}

function isInbox(path: string): boolean {
  return path.toUpperCase() === 'INBOX';
}

/** INBOX is the same in any letter case (RFC 9051 §5.1); every other name is not. */
function nameOf(path: string): string {
  return isInbox(path) ? 'INBOX' : path;
}
