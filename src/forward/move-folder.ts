/**
 * The folder of AFTER_DELIVERY=move:FOLDER. What lies there must never be carried again, so that it has to be known by its
 * name: the source lists it under that very name, or it is made. Where its copies turn up in a source folder all the same,
 * the server has two names for one folder.
 */

import { Failure } from '../domain/failure.ts';
import { sameFolder } from '../domain/folder-name.ts';
import type { SourceSession } from '../domain/ports.ts';
import type { Listing } from '../domain/route.ts';

/** Copies as the source says it has made them (COPYUID, RFC 4315 §3). */
export interface Copied {
  readonly uidValidity: number;
  readonly uids: readonly number[];
}

/** What one move came to. */
export interface Moved {
  /** Those that are gone from their folder. */
  readonly gone: Set<number>;
  /** The source folder in which they turned up. */
  readonly source?: string;
}

export class MoveFolder {
  readonly #folder: string;
  #isListed = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Hears what the source lists now. */
  listed(listing: Listing): void {
    this.#isListed = isListed(listing, this.#folder);
  }

  /** It was said to be missing. */
  isGone(): void {
    this.#isListed = false;
  }

  /**
   * Moves messages of the open folder; before the first move the folder is made, if need be. Rejects with kind `circle`,
   * and nothing is moved, where the source has it under another name.
   * @param sources the source folders under a UIDVALIDITY, the open one aside
   * @param open the UIDVALIDITY of the open folder, and its name
   */
  async move(
    session: SourceSession,
    uids: readonly number[],
    open: { readonly folder: string; readonly uidValidity: number },
    sources: (uidValidity: number) => readonly string[],
  ): Promise<Moved> {
    if (!this.#isListed) await this.#make(session);
    const copies: Copied[] = [];
    const gone = await session.move(uids, this.#folder, (copied) => copies.push(copied));
    for (const copied of copies) {
      const source = await turnedUp(session, copied, open, sources(copied.uidValidity));
      if (source !== undefined) return { gone, source };
    }
    return { gone };
  }

  async #make(session: SourceSession): Promise<void> {
    const folder = this.#folder;
    const isThere = (await session.statuses([folder])).has(folder);
    if (!isThere) await session.ensureFolder(folder);
    // Another connection may have made it a moment ago: the list decides.
    this.listed(await session.listFolders());
    if (!this.#isListed) throw circle(hidden(folder));
  }
}

/** Whether a folder is listed under that very name. */
export function isListed({ folders }: Listing, folder: string): boolean {
  return folders.some(({ path }) => sameFolder(path, folder));
}

/** In which source folder copies lie. Folders made in one second may have one UIDVALIDITY: the numbers have to be there, too. */
async function turnedUp(
  session: SourceSession,
  { uidValidity, uids }: Copied,
  open: { readonly folder: string; readonly uidValidity: number },
  others: readonly string[],
): Promise<string | undefined> {
  if (open.uidValidity === uidValidity) {
    await session.noop();
    if ((await session.list(uids)).length > 0) return open.folder;
  }
  if (others.length === 0) return undefined;
  const last = Math.max(...uids);
  const statuses = await session.statuses(others);
  return others.find((folder) => {
    const status = statuses.get(folder);
    return status?.uidValidity === uidValidity && (status.uidNext ?? last + 1) > last;
  });
}

/** A sentence without its full stop. */
export function hidden(folder: string): string {
  return `AFTER_DELIVERY=move:${folder} names a folder that the source has and does not list under this name, so that what is moved there may come back from the folder as it is listed, for ever. Write its name as the source lists it`;
}

/** Two names of the source lead to one folder, from which and to which mail goes. */
export function isSource(folder: string, source: string): Failure {
  return circle(
    `What AFTER_DELIVERY moves to ${folder} turns up in ${source}, whose mail is carried: both names lead to one folder. Leave it out of FOLDERS by "!${source}", or move to another folder`,
  );
}

function circle(why: string): Failure {
  return new Failure(`${why}.`, {
    step: 'retire',
    scope: 'account',
    kind: 'circle',
    lasting: true,
  });
}
