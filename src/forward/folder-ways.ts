/** Where each source folder's mail goes: to its counterpart, below that of the folder above it, or to the same path. Pure. */
import { isInbox, nameOf } from '../domain/folder-name.ts';
import type { FolderRule, SpecialUse } from '../domain/route.ts';
import { folded, SPECIAL_USES, useByName } from './folder-names.ts';
import { attributesOf, type Side } from './side.ts';

/** By what a folder found its counterpart. */
export type Via = 'hand' | 'inbox' | 'special-use' | 'name' | 'parent' | 'path';

/** Where one source folder's mail goes. */
export interface Way {
  readonly dest: string;
  readonly via: Via;
  readonly createAs?: SpecialUse;
  readonly said?: string;
}

/** Why it goes nowhere. */
export interface NoWay {
  readonly why: string;
}

/** What is known besides both sides' folders. */
export interface Known {
  readonly rules: readonly FolderRule[];
  /** Whether a missing destination folder can be made with a special use (CREATE-SPECIAL-USE, RFC 6154 §3). */
  readonly createsSpecialUse?: boolean;
  /** Special uses with which it has refused to make one. */
  readonly refusedUses?: ReadonlySet<SpecialUse>;
  /** Where the folders' mail goes that is being carried already: it stays so. */
  readonly kept?: ReadonlyMap<string, Way>;
}

/** Their mail goes to their counterparts and nowhere else. */
const COUNTERPART_ONLY: ReadonlyMap<SpecialUse, string> = new Map([
  ['\\Junk', 'Junk'],
  ['\\Trash', 'Trash'],
]);

/**
 * The way of each source folder.
 *
 * It must not change by being carried out: a destination folder that was made is in the next list, by whatever names it
 * may be known there, and only some of a plan's folders may be made by then. Hence: a folder that goes by its own name
 * has that name for itself; none is made under a name that would be taken for the counterpart of another one.
 */
export class FolderWays {
  readonly #source: Side;
  readonly #dest: Side;
  readonly #carried: ReadonlySet<string>;
  readonly #hand: ReadonlyMap<string, string>;
  readonly #kept: ReadonlyMap<string, Way>;
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
    { rules, createsSpecialUse = false, refusedUses = new Set(), kept = new Map() }: Known,
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
    return this.#dest.has(made) ? [] : [made];
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
    if (use !== undefined && this.#dest.candidates(use).paths.includes(dest)) return undefined;
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
