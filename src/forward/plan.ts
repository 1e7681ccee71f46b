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
import { matches } from '../domain/wildcards.ts';
import { folded, isNoMail, SPECIAL_USES, useByName } from './folder-names.ts';

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
  /** Special uses with which it has refused to make one. */
  readonly refusedUses?: ReadonlySet<SpecialUse>;
  /** Sides whose server is Exchange, which keeps more than mail in its folders. */
  readonly exchange?: { readonly source?: boolean; readonly dest?: boolean };
  /** Where the folders' mail goes that is being carried already: it stays so. */
  readonly kept?: ReadonlyMap<string, PlannedFolder>;
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

/** Where one source folder's mail goes. */
interface Way {
  readonly dest: string;
  readonly via: Via;
  readonly createAs?: SpecialUse;
  readonly said?: string;
}

/** Why it goes nowhere. */
interface NoWay {
  readonly why: string;
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
      source.barred(folder, named) ?? movedTo(folder, input.moveTo),
    ]),
  );
  const carried = [...barred].flatMap(([path, why]) => (why === undefined ? [path] : []));
  const ways = new Ways(source, dest, carried, input);
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
      exists: dest.has(way.dest),
    });
  }
  pairs.sort((a, b) => Number(isInbox(b.source)) - Number(isInbox(a.source)));
  const mistakes = [...mistakesOf(pairs, dest, input), ...shared(pairs, source, input)];
  return { pairs, leftOut, mistakes };
}

function movedTo({ path }: ListedFolder, moveTo: string | undefined): string | undefined {
  // Some servers take two names that differ in case for one.
  if (moveTo === undefined || folded(path) !== folded(moveTo)) return undefined;
  return 'AFTER_DELIVERY moves carried mail there';
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

/** One account's folders. */
class Side {
  readonly folders: readonly ListedFolder[];
  readonly delimiter: string;
  /** The prefix of one's own folders, with its separator. */
  readonly prefix: string;
  readonly #exchange: boolean;
  readonly #foreign: readonly string[];
  readonly #byName: ReadonlyMap<string, ListedFolder>;
  readonly #uses = new Map<SpecialUse, Candidates>();

  constructor(
    folders: readonly ListedFolder[],
    namespaces: Namespaces | undefined,
    exchange = false,
  ) {
    this.folders = folders;
    this.delimiter = folders.find(({ delimiter }) => delimiter !== '')?.delimiter ?? '';
    this.prefix = namespaces?.personal ?? this.#derivedPrefix();
    this.#exchange = exchange;
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

  /** The folders of a special use. */
  candidates(use: SpecialUse): Candidates {
    return this.#uses.get(use) ?? { paths: [], said: false };
  }

  useOf(path: string): SpecialUse | undefined {
    return SPECIAL_USES.find((use) => this.candidates(use).paths.includes(path));
  }

  /** Why a folder holds no mail of its own or is somebody else's; `undefined` where it may be carried. */
  barred(folder: ListedFolder, named = false): string | undefined {
    const attributes = attributesOf(folder);
    const never = NEVER.find(([attribute]) => attributes.includes(attribute))?.[1];
    if (never !== undefined) return never;
    const names = this.names(folder.path);
    if (useByName(names) === 'view') return 'it only shows mail of other folders';
    if (named) return undefined;
    if (this.isForeign(folder.path)) return 'it belongs to another user or is shared';
    if (this.#exchange && isNoMail(names)) return 'Exchange keeps other things than mail there';
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

  /** The path of these names here, as far as this server can spell them. */
  pathOf(names: readonly string[]): string {
    return `${this.prefix}${names.map((name) => this.spelt(name)).join(this.delimiter || '_')}`;
  }

  /** One name: what separates folders here can't be in it. */
  spelt(name: string): string {
    return this.delimiter === '' ? name : name.replaceAll(this.delimiter, '_');
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
    const own = this.folders.filter(
      (folder) => this.barred(folder) === undefined && !isInbox(folder.path),
    );
    for (const use of SPECIAL_USES) {
      const said = own.filter((each) => attributesOf(each).includes(use.toLowerCase()));
      if (said.length > 0) this.#uses.set(use, { paths: said.map(({ path }) => path), said: true });
    }
    const named = own.flatMap(({ path }) => {
      const found = this.useOf(path) === undefined ? useByName(this.names(path)) : undefined;
      return found === undefined || found === 'view' ? [] : [{ path, ...found }];
    });
    for (const use of SPECIAL_USES) {
      const its = named.filter((each) => each.use === use).sort((a, b) => a.rank - b.rank);
      if (its.length === 0 || this.candidates(use).said) continue;
      this.#uses.set(use, { paths: its.map(({ path }) => path), said: false });
    }
  }
}

/** The folders of one special use, the most likely one first. */
interface Candidates {
  readonly paths: readonly string[];
  /** The server says so itself. */
  readonly said: boolean;
}

/**
 * The way of each source folder.
 *
 * It must not change by being carried out: a destination folder that was made is in the next list, by whatever names it
 * may be known there, and only some of a plan's folders may be made by then. Hence: a folder that goes by its own name
 * has that name for itself; none is made under a name that would be taken for the counterpart of another one.
 */
class Ways {
  readonly #source: Side;
  readonly #dest: Side;
  readonly #carried: ReadonlySet<string>;
  readonly #hand: ReadonlyMap<string, string>;
  readonly #kept: ReadonlyMap<string, PlannedFolder>;
  readonly #creates: (use: SpecialUse) => boolean;
  /** By source folder, the counterpart that it has as the folder of its use. */
  readonly #counterparts = new Map<string, string>();
  /** Folders that are made with their use, where no counterpart is there. */
  readonly #alone = new Set<string>();
  readonly #known = new Map<string, Way | NoWay>();

  /** @param carried the source folders that the rules mean and that hold mail */
  constructor(
    source: Side,
    dest: Side,
    carried: readonly string[],
    { rules, createsSpecialUse = false, refusedUses = new Set(), kept = new Map() }: PlanInput,
  ) {
    this.#source = source;
    this.#dest = dest;
    this.#carried = new Set(carried);
    this.#creates = (use) => createsSpecialUse && !refusedUses.has(use);
    this.#kept = kept;
    const byHand = rules.flatMap((rule) =>
      rule.kind === 'folder' && rule.to !== undefined
        ? [[nameOf(rule.name), rule.to] as const]
        : [],
    );
    this.#hand = new Map(byHand);
    for (const use of SPECIAL_USES) this.#pair(use);
  }

  of(path: string): Way | NoWay {
    const known = this.#known.get(nameOf(path));
    if (known !== undefined) return known;
    const way = this.#find(path);
    this.#known.set(nameOf(path), way);
    return way;
  }

  /**
   * Finds each folder of a use its counterpart: the one where it is at home, else the first to which no other folder goes.
   * Of several folders of a use one is given such a one; the others stay what they are called.
   */
  #pair(use: SpecialUse): void {
    const { paths } = this.#source.candidates(use);
    const theirs = this.#theirs(use);
    const taken = new Set<string>();
    for (const path of paths) {
      const home = this.#home(path);
      if (!theirs.includes(home)) continue;
      this.#counterparts.set(path, home);
      taken.add(home);
    }
    const unpaired = [...paths]
      .sort((a, b) => Number(this.#carried.has(b)) - Number(this.#carried.has(a)))
      .find((path) => !this.#counterparts.has(path) && !this.#hand.has(path));
    // A name that is only taken for one of that use belongs to whom it is the own name of.
    if (!COUNTERPART_ONLY.has(use) && !this.#dest.candidates(use).said)
      for (const path of this.#carried) if (path !== unpaired) taken.add(this.#home(path));
    const free = theirs.find((path) => !taken.has(path));
    if (unpaired === undefined) return;
    if (free !== undefined) this.#counterparts.set(unpaired, free);
    else if (theirs.length === 0) this.#alone.add(unpaired);
  }

  /** The destination's folders of a use: those that are there, else the one that can be made. */
  #theirs(use: SpecialUse): readonly string[] {
    const { paths } = this.#dest.candidates(use);
    const name = COUNTERPART_ONLY.get(use);
    if (paths.length > 0 || name === undefined || !this.#creates(use)) return paths;
    const made = this.#dest.pathOf([name]);
    // What is there under that name is something else.
    const there = this.#dest.folders.some(({ path }) => folded(path) === folded(made));
    return there && this.#dest.has(made) ? [] : [made];
  }

  /** Where a folder's mail goes as long as nothing else is known of it: by hand, as before, or to its own name. */
  #home(path: string): string {
    const name = nameOf(path);
    return (
      this.#hand.get(name) ??
      this.#kept.get(name)?.dest ??
      this.#dest.pathOf(this.#source.names(path))
    );
  }

  #find(path: string): Way | NoWay {
    const to = this.#hand.get(nameOf(path));
    // In one spelling: a copy is claimed by the name of its folder.
    if (to !== undefined) return this.#holdsMail({ dest: nameOf(to), via: 'hand' });
    if (isInbox(path)) return { dest: 'INBOX', via: 'inbox' };
    const kept = this.#kept.get(nameOf(path));
    if (kept !== undefined) return this.#allowed(path, kept);
    const use = this.#source.useOf(path);
    const counterpart = use && this.#counterpart(path, use);
    if (counterpart !== undefined) return this.#allowed(path, counterpart);
    if (use !== undefined && COUNTERPART_ONLY.has(use)) return this.#without(path, use);
    const way = this.#samePath(path, use);
    return 'why' in way ? way : this.#allowed(path, way);
  }

  #counterpart(path: string, use: SpecialUse): Way | undefined {
    const dest = this.#counterparts.get(path);
    if (dest === undefined) return undefined;
    if (!this.#dest.has(dest)) return { dest, via: 'special-use', createAs: use };
    const both = this.#source.candidates(use).said && this.#dest.candidates(use).said;
    return { dest, via: both ? 'special-use' : 'name' };
  }

  /** What is left to a folder whose mail goes to its counterpart or nowhere. */
  #without(path: string, use: SpecialUse): NoWay {
    const [other] = [...this.#counterparts].flatMap(([source, dest]) =>
      this.#source.useOf(source) === use ? [{ source, dest }] : [],
    );
    const why =
      other === undefined
        ? `the destination has no folder of the use ${use}, and none can be made with it`
        : `the destination's folder of the use ${use}, ${other.dest}, is that of ${other.source}`;
    return { why: `${why}; write "${path}=…" in FOLDERS to say where it goes` };
  }

  /** Below the counterpart of the folder above it; at the top, the same name below the destination's prefix. */
  #samePath(path: string, use: SpecialUse | undefined): Way | NoWay {
    const above = this.#source.above(path);
    const name = this.#source.names(path).at(-1) ?? path;
    const { delimiter } = this.#dest;
    const parent = above === undefined ? undefined : this.of(above);
    if (parent !== undefined && 'why' in parent) return parent;
    const spelt = this.#dest.spelt(name);
    const create =
      use !== undefined && this.#creates(use) && this.#alone.has(path) ? { createAs: use } : {};
    if (parent === undefined) {
      const said = changed(name, spelt, delimiter);
      return { dest: this.#dest.pathOf([name]), via: 'path', ...said, ...create };
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

  /** Into the destination's Trash or Junk goes only their counterpart, and nothing is made that would be taken for one. */
  #allowed(path: string, way: Way): Way | NoWay {
    const use = this.#source.useOf(path);
    const taken = [...COUNTERPART_ONLY.keys()].find(
      (only) =>
        only !== use &&
        this.#dest.candidates(only).paths.some((each) => folded(each) === folded(way.dest)),
    );
    if (taken !== undefined) {
      return {
        why: `the destination's ${way.dest} is its ${taken} folder, which servers empty by themselves; write "…=…" in FOLDERS to say where it goes`,
      };
    }
    const mistaken = this.#mistaken(path, use, way.dest);
    if (mistaken !== undefined) {
      return {
        why: `a folder ${way.dest} at the destination would be taken for its ${mistaken} folder, and this one is not that; write "${path}=…" in FOLDERS to say where it goes`,
      };
    }
    return this.#holdsMail(way);
  }

  /** For the folder of which use one would be taken by its name, although it is the counterpart of another. */
  #mistaken(path: string, use: SpecialUse | undefined, dest: string): SpecialUse | undefined {
    const found = useByName(this.#dest.names(dest));
    if (found === undefined || found === 'view' || found.use === use) return undefined;
    if (COUNTERPART_ONLY.has(found.use)) return this.#dest.has(dest) ? undefined : found.use;
    const others = this.#source.candidates(found.use).paths.length > 0;
    return others && this.#home(path) !== dest ? found.use : undefined;
  }

  /** Into what holds no mail goes nothing. */
  #holdsMail(way: Way): Way | NoWay {
    const { delimiter } = this.#dest;
    const there = this.#dest.get(way.dest);
    const folder = there ?? { path: way.dest, delimiter, attributes: new Set<string>() };
    const why = this.#dest.barred(folder, way.via === 'hand');
    // A name that holds no mail can be made a folder that does (RFC 9051 §6.3.4), a view can't.
    if (why === undefined || attributesOf(folder).includes('\\nonexistent')) return way;
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
