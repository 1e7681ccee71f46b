/** Listings of destination folders, in which copies are looked for: one listing, not one search a message. */
import type { Candidate, FolderView, Original } from '../domain/message.ts';
import { isDeleted, messageIdOf } from '../domain/message.ts';
import type { DestinationReader } from '../domain/ports.ts';
import { Turns } from '../domain/turns.ts';

/** What a destination folder holds from some UID on, by what tells messages apart. */
export class Listing {
  readonly uidValidity: number;
  readonly from: number;
  #next: number;
  readonly #byMessageId = new Map<string, Candidate[]>();
  readonly #withoutId: Candidate[] = [];
  readonly #uids = new Set<number>();
  /** At that moment or later it was begun to be made complete: what was there then is in it. */
  at = 0;

  constructor(uidValidity: number, from: number) {
    this.uidValidity = uidValidity;
    this.from = from;
    this.#next = from;
  }

  /** Takes in what has come since. The session's view must be fresh. */
  async extend(session: DestinationReader): Promise<void> {
    for (const candidate of await session.listFrom(this.#next)) {
      if (this.#uids.has(candidate.uid)) continue;
      this.#uids.add(candidate.uid);
      this.#next = Math.max(this.#next, candidate.uid + 1);
      if (candidate.messageId === undefined) this.#withoutId.push(candidate);
      else push(this.#byMessageId, candidate.messageId, candidate);
    }
  }

  has(uid: number): boolean {
    return this.#uids.has(uid);
  }

  /**
   * What may be a copy of this original: the same Message-ID; where the original has none that travels unharmed, all that
   * has come since it was sent, or the same size or INTERNALDATE. Their bytes decide. A copy marked \Deleted proves
   * nothing.
   * @param since the lowest UID that its copy may have; `undefined`: any
   */
  candidates(original: Original, since: number | undefined): Candidate[] {
    const id = messageIdOf(original.content);
    const harmless = id !== undefined && /^[\x20-\x7e]*$/.test(id);
    const rows = harmless
      ? (this.#byMessageId.get(id) ?? [])
      : this.#withoutSafeId(original, id !== undefined, since !== undefined);
    const from = since ?? 1;
    return rows.filter(
      (row) => row.uid >= from && !isDeleted(row.flags) && isOfSize(row, original),
    );
  }

  /** UIDs, `from` or higher, of what may be this original's copy gone wrong: its Message-ID or INTERNALDATE is the same. */
  alike(original: Original, from: number): number[] {
    const id = messageIdOf(original.content);
    const date = original.internalDate?.getTime();
    return this.#all()
      .filter(({ messageId, internalDate }) => {
        const sameId = id !== undefined && messageId === id;
        return sameId || (date !== undefined && internalDate?.getTime() === date);
      })
      .map(({ uid }) => uid)
      .filter((uid) => uid >= from);
  }

  #all(): Candidate[] {
    return [...this.#withoutId, ...[...this.#byMessageId.values()].flat()];
  }

  #withoutSafeId(original: Original, anyId: boolean, wasSent: boolean): Candidate[] {
    const rows = anyId ? this.#all() : this.#withoutId;
    // A server may have rewritten size and INTERNALDATE both.
    if (wasSent) return rows;
    const date = original.internalDate?.getTime();
    return rows.filter(
      (row) =>
        row.size === original.content.length ||
        (date !== undefined && row.internalDate?.getTime() === date),
    );
  }
}

/** Whatever a server does to line ends, a copy is less than twice as large as its original, or more than half as large. */
function isOfSize({ size }: Candidate, { content: { length } }: Original): boolean {
  return size <= 2 * length + SLACK && length <= 2 * size + SLACK;
}

/** Room for what a server that rebuilds messages (VERIFY=headers) puts on top. */
const SLACK = 64 * 1024;

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}

/** The listings in use, one a destination folder. */
export class Listings {
  readonly #listings = new Map<string, Listing>();
  readonly #turns = new Map<string, Turns>();
  #moments = 0;

  /** A moment, later than all others before. */
  moment(): number {
    return ++this.#moments;
  }

  /** All that a folder held at that moment, if that is known. */
  since(folder: string, moment: number): Listing | undefined {
    const known = this.#listings.get(folder);
    return known !== undefined && known.from <= 1 && known.at > moment ? known : undefined;
  }

  /** All that a folder holds now. */
  async anew(session: DestinationReader, folder: string): Promise<Listing> {
    const moment = this.moment();
    const listing = await this.current(session, await session.open(folder, { fresh: true }), 1);
    listing.at = Math.max(listing.at, moment);
    return listing;
  }

  /**
   * A listing from UID `from` (or lower) up to now. The session must just have opened the folder afresh. One after another
   * a folder, so that nobody lists again what another one is listing.
   */
  current(session: DestinationReader, view: FolderView, from: number): Promise<Listing> {
    const turns = this.#turns.get(view.folder) ?? new Turns();
    this.#turns.set(view.folder, turns);
    return turns.alone(() => this.#extended(session, view, from));
  }

  async #extended(session: DestinationReader, view: FolderView, from: number): Promise<Listing> {
    const known = this.#listings.get(view.folder);
    const fits =
      known !== undefined && known.uidValidity === view.uidValidity && known.from <= from;
    const listing = fits ? known : new Listing(view.uidValidity, from);
    await listing.extend(session);
    this.#listings.set(view.folder, listing);
    return listing;
  }

  /** Nothing is looked for in this folder any more. */
  forget(folder: string): void {
    this.#listings.delete(folder);
  }
}
