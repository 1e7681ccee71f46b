/** One account's folders, as a plan sees them: by name and by special use, with separator and prefix. Pure. */
import { isInbox, nameOf } from '../domain/folder-name.ts';
import type { ListedFolder, Namespaces, SpecialUse } from '../domain/route.ts';
import { isNoMail, SPECIAL_USES, useByName } from './folder-names.ts';

/** Views of mail in other folders, and names that hold none: never a source, and never a destination. */
const NEVER: readonly (readonly [attribute: string, why: string])[] = [
  ['\\noselect', 'it is no folder that holds mail'],
  ['\\nonexistent', 'it does not exist'],
  ['\\all', 'it only shows mail of other folders'],
  ['\\flagged', 'it only shows mail of other folders'],
  ['\\important', 'it only shows mail of other folders'],
];

/** The folders of one special use, the most likely one first. */
export interface Candidates {
  readonly paths: readonly string[];
  /** The server says so itself. */
  readonly said: boolean;
}

export class Side {
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

  /** Whether it is a folder for sent mail, drafts, junk or trash, by any name known for one, or lies below one. */
  isApart(path: string): boolean {
    const named = useByName(this.names(path));
    const use = this.useOf(path) ?? (named === 'view' ? undefined : named?.use);
    if (use !== undefined && use !== '\\Archive') return true;
    const above = this.above(path);
    return above !== undefined && this.isApart(above);
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

export function attributesOf({ attributes }: ListedFolder): string[] {
  return [...attributes].map((attribute) => attribute.toLowerCase());
}
