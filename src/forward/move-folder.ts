/**
 * The folder of AFTER_DELIVERY=move:FOLDER. What lies there must never be carried again, so that it has to be known by its
 * name: the source lists it under that very name, or it is made. Where its copies turn up in a source folder all the same,
 * the server has two names for one folder.
 */

import { Failure } from '../domain/failure.ts';
import { sameFolder } from '../domain/folder-name.ts';
import type { SourceSession } from '../domain/ports.ts';
import type { Listing } from '../domain/route.ts';
import { type Copied, isSecondName } from './second-name.ts';
import type { Works } from './works.ts';

/** The source folders under a UIDVALIDITY. */
export type Sources = (uidValidity: number) => readonly string[];

/** A source folder that is open on the connection. */
export interface OpenFolder {
  readonly folder: string;
  readonly uidValidity: number;
  /** The highest UID that it is known to have had. */
  readonly highest: number;
}

export class MoveFolder {
  readonly #folder: string;
  #isListed = false;
  /** Its UIDVALIDITY, as was said last; 0: not to be had. */
  #uidValidity: number | undefined;
  /** Source folders that may be this one, and what was moved and may be there. */
  readonly #questions = new Map<string, Copied>();
  /** Source folders that are known not to be this one. */
  readonly #apart = new Set<string>();

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
   * Whether what was moved before is known not to have come to a source folder: until then nothing is moved. Rejects with
   * kind `circle` where it has come to one.
   */
  async isClear(works: Works): Promise<boolean> {
    for (const [source, copied] of this.#questions) {
      const answer = await isSecondName(works, source, this.#folder, copied);
      if (answer === 'one') throw isSource(this.#folder, source);
      if (answer === 'apart') this.#apart.add(nameOf(source, copied.uidValidity));
      // Others may have been moved meanwhile.
      const isLast = this.#questions.get(source) === copied;
      if (answer === 'apart' || (answer === 'moot' && isLast)) this.#questions.delete(source);
    }
    return this.#questions.size === 0;
  }

  /** Why nothing is moved while it is not clear. */
  get doubt(): Failure {
    const [source = ''] = this.#questions.keys();
    return notClear(this.#folder, source);
  }

  /**
   * Moves messages of the open folder; before the first move the folder is made, if need be. Resolves with those that are
   * gone from the open folder. Rejects with kind `circle`, and nothing is moved, where the source has the folder and does not
   * list it.
   */
  async move(
    session: SourceSession,
    uids: readonly number[],
    open: OpenFolder,
    sources: Sources,
  ): Promise<Set<number>> {
    if (!this.#isListed) await this.#make(session);
    const before = await this.#standings(session, open, sources);
    const gone = await session.move(uids, this.#folder, (copied) => {
      this.#uidValidity = copied.uidValidity;
      const first = Math.min(...copied.uids);
      for (const source of this.#suspects(copied.uidValidity, sources))
        if ((before.get(source) ?? 0) <= first) this.#questions.set(source, copied);
    });
    await this.#dropBehind(session, open);
    return gone;
  }

  /** The source folders under a UIDVALIDITY that may be this folder. */
  #suspects(uidValidity: number, sources: Sources): string[] {
    return sources(uidValidity).filter((source) => !this.#apart.has(nameOf(source, uidValidity)));
  }

  /** The UIDNEXT of each suspect before a move: numbers below were given before, and are no copy's. */
  async #standings(
    session: SourceSession,
    open: OpenFolder,
    sources: Sources,
  ): Promise<Map<string, number>> {
    const before = new Map<string, number>();
    // Without UIDPLUS nobody says what numbers the copies have.
    if (!session.abilities.uidPlus) return before;
    const folder = this.#folder;
    this.#uidValidity ??= (await session.statuses([folder])).get(folder)?.uidValidity ?? 0;
    const suspects = this.#suspects(this.#uidValidity, sources);
    const others = suspects.filter((source) => source !== open.folder);
    if (others.length < suspects.length) before.set(open.folder, open.highest + 1);
    if (others.length === 0) return before;
    for (const [source, { uidValidity, uidNext }] of await session.statuses(others))
      if (uidValidity === this.#uidValidity && uidNext !== undefined) before.set(source, uidNext);
    return before;
  }

  /** Drops the questions of folders that what was moved has not come to, as far as this connection tells. */
  async #dropBehind(session: SourceSession, { folder }: OpenFolder): Promise<void> {
    const drop = (source: string, copied: Copied) => {
      // Others may have been moved meanwhile.
      if (this.#questions.get(source) === copied) this.#questions.delete(source);
    };
    const asked = [...this.#questions];
    const others = asked.filter(([source]) => source !== folder);
    const names = others.map(([source]) => source);
    const statuses = names.length > 0 ? await session.statuses(names) : undefined;
    for (const [source, copied] of others) {
      const status = statuses?.get(source);
      if (status === undefined) continue;
      const last = Math.max(...copied.uids);
      const { uidValidity, uidNext = last + 1 } = status;
      if (uidValidity !== copied.uidValidity || uidNext <= last) drop(source, copied);
    }
    const here = asked.find(([source]) => source === folder);
    if (here === undefined) return;
    const [source, copied] = here;
    await session.noop();
    if ((await session.list(copied.uids)).length === 0) drop(source, copied);
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

/** A source folder under one UIDVALIDITY. */
function nameOf(source: string, uidValidity: number): string {
  return `${uidValidity} ${source}`;
}

/** A sentence without its full stop. */
export function hidden(folder: string): string {
  return `AFTER_DELIVERY=move:${folder} names a folder that the source has and does not list under this name, so that what is moved there may come back from the folder as it is listed, for ever. Write its name as the source lists it`;
}

/** Two names of the source lead to one folder, from which and to which mail goes. */
function isSource(folder: string, source: string): Failure {
  return circle(
    `What AFTER_DELIVERY moves to ${folder} turns up in ${source}, whose mail is carried: both names lead to one folder. Leave it out of FOLDERS by "!${source}", or move to another folder`,
  );
}

/** It is asked again before the next move. */
function notClear(folder: string, source: string): Failure {
  return new Failure(
    `Whether ${folder}, to which AFTER_DELIVERY moves, and ${source}, whose mail is carried, are one folder under two names is not clear yet: both have one UIDVALIDITY, and on a connection more both could not be compared. Until it is clear nothing more is moved; imapferry asks again.`,
    { step: 'retire', scope: 'connection' },
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
