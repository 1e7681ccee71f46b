/** What both sides' connections share: folders, opening, listing, reading, the end. */

import { normalizePath } from 'imapflow/lib/tools.js';
import { LARGEST_IN_MEMORY } from '../domain/content.ts';
import { Failure, type Step } from '../domain/failure.ts';
import { isInbox } from '../domain/folder-name.ts';
import type { FolderView, Listed, Wanted } from '../domain/message.ts';
import type { Session } from '../domain/ports.ts';
import type { Listing } from '../domain/route.ts';
import { must } from './answers.ts';
import type { Client } from './client.ts';
import { fetchRows, type Item, type Query, type Row } from './fetch.ts';
import { shared } from './flags.ts';
import { uidSets } from './sets.ts';

export abstract class ImapSession implements Session {
  protected readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  get closed(): Promise<Failure | undefined> {
    return this.client.closed;
  }

  async listFolders(): Promise<Listing> {
    const listed = await this.client.step('look', () => this.client.flow.list());
    const folders = must(listed, 'look', 'LIST').map(
      ({ path, delimiter, flags, specialUse, specialUseSource }) => ({
        path,
        delimiter: delimiter ?? '',
        // The library guesses special uses by name, too; only what the server says counts here.
        attributes: new Set([
          ...flags,
          ...(specialUse && specialUseSource === 'extension' ? [specialUse] : []),
        ]),
      }),
    );
    const { namespaces } = this.client;
    return {
      folders,
      ...(namespaces && { namespaces }),
      createsSpecialUse: this.client.has('CREATE-SPECIAL-USE'),
      isExchange: this.client.isExchange,
    };
  }

  async noop(): Promise<void> {
    await this.client.step('look', () => this.client.command('NOOP', false));
  }

  close(): void {
    this.client.close();
  }

  logout(): Promise<void> {
    return this.client.logout();
  }

  /** SELECT or EXAMINE, always anew. */
  protected async select(folder: string, readOnly: boolean): Promise<FolderView> {
    const { flow } = this.client;
    let uidNotSticky = false;
    flow.sectionHandlers.UIDNOTSTICKY = () => {
      uidNotSticky = true;
    };
    const opened = await this.client.step('open', () => mailboxOpen(this.client, folder, readOnly));
    if (opened.path !== folder && !isInbox(folder)) {
      throw new Failure(`The server opened ${opened.path} in place of ${folder}.`, {
        step: 'open',
        scope: 'folder',
      });
    }
    const uidValidity = Number(opened.uidValidity ?? 0);
    if (!(uidValidity > 0)) {
      throw new Failure(
        `The server gives ${folder} no UIDVALIDITY, so that its messages have no lasting numbers. imapferry can not carry this folder.`,
        { step: 'open', scope: 'folder', lasting: true },
      );
    }
    return {
      folder,
      uidValidity,
      uidNext: opened.uidNext || (await this.#uidAfterLast()),
      messages: opened.exists ?? 0,
      readOnly: opened.readOnly === true && !readOnly,
      uidNotSticky,
    };
  }

  /** For servers that say no UIDNEXT: one more than the last message's UID. Lower than the truth is safe. */
  async #uidAfterLast(): Promise<number> {
    const { mailbox } = this.client.flow;
    if (mailbox && mailbox.exists === 0) return 1;
    return (await this.everyUid('open')).reduce((last, uid) => Math.max(last, uid), 0) + 1;
  }

  /** The UIDs of the open folder, by FETCH. */
  protected async everyUid(step: Step): Promise<number[]> {
    const uids: number[] = [];
    const query: Query = { step, sets: ['1:*'], items: [], wanted: () => true };
    await this.fetchRows(query, ({ uid }) => uids.push(uid));
    return uids;
  }

  /** As `fetchRows` in fetch.ts, on this connection. */
  protected fetchRows(query: Query, take: (row: Row) => void): Promise<Row[]> {
    return fetchRows(this.client, query, take);
  }

  /**
   * UIDs of the messages that can be taken into memory, and of those that can not. Of what size they are not known to be,
   * the server is asked; what is not there any more is left out.
   */
  protected async bySize(
    step: Step,
    messages: readonly Wanted[],
  ): Promise<{ small: number[]; large: number[] }> {
    const sizes = new Map(messages.map(({ uid, size }) => [uid, size]));
    const unknown = messages.flatMap(({ uid, size }) => (size === undefined ? [uid] : []));
    const query: Query = {
      step,
      sets: uidSets(unknown),
      items: ['size'],
      wanted: (uid) => sizes.has(uid),
    };
    await this.fetchRows(query, ({ uid, size }) => sizes.set(uid, size));
    const all = [...sizes].sort(([a], [b]) => a - b);
    const within = (fits: (size: number) => boolean) =>
      all.flatMap(([uid, size]) => (size !== undefined && fits(size) ? [uid] : []));
    return {
      small: within((size) => size <= LARGEST_IN_MEMORY),
      large: within((size) => size > LARGEST_IN_MEMORY),
    };
  }

  /**
   * Those of `uids` that are still in the open folder. By FETCH: some servers answer a SEARCH with nothing although there
   * is something, and what is not there counts as gone.
   */
  protected async present(step: Step, uids: readonly number[]): Promise<Set<number>> {
    const wanted = new Set(uids);
    const there = new Set<number>();
    const query = {
      step,
      sets: uidSets(uids),
      items: [],
      wanted: (uid: number) => wanted.has(uid),
    };
    await this.fetchRows(query, ({ uid }) => there.add(uid));
    return there;
  }

  /** As `present`, with what others have expunged meanwhile brought to light first. */
  protected async stillThere(step: Step, uids: readonly number[]): Promise<Set<number>> {
    if (uids.length === 0) return new Set();
    await this.client.step(step, () => this.client.command('NOOP', false));
    return this.present(step, uids);
  }

  /** Rejects where a folder has to be open and none is: the server may still have another one in mind. */
  protected mustBeOpen(step: Step): void {
    if (this.client.flow.mailbox !== false || !this.client.flow.usable) return;
    throw new Failure('No folder is open on this connection.', { step, scope: 'connection' });
  }
}

/** What a look sees of a message. */
export const LISTED: readonly Item[] = ['flags', 'size', 'internalDate'];

/** The result of a SEARCH: an array, or it was refused or lost. */
export function mustBeUids(found: unknown, step: Step): number[] {
  return must(Array.isArray(found) ? (found as number[]) : undefined, step, 'SEARCH');
}

/** A row as a look sees it. */
export function listedOf(row: Row): Listed {
  const { internalDate } = row;
  const date =
    internalDate instanceof Date && !Number.isNaN(internalDate.getTime())
      ? internalDate
      : undefined;
  return {
    uid: row.uid,
    size: row.size ?? 0,
    flags: shared(row.flags ?? new Set()),
    ...(date && { internalDate: date }),
  };
}

async function mailboxOpen({ flow }: Client, folder: string, readOnly: boolean) {
  // Of a folder that it has not listed the library asks LIST and LSUB first: nothing that is of use here.
  const path = normalizePath(flow, folder);
  if (!flow.folders.has(path)) flow.folders.set(path, { path });
  try {
    return must(await flow.mailboxOpen(folder, { readOnly }), 'open', 'SELECT');
  } catch (thrown) {
    if (!(thrown as { mailboxMissing?: boolean }).mailboxMissing) throw thrown;
    throw new Failure(`There is no folder ${folder}.`, {
      step: 'open',
      scope: 'folder',
      kind: 'folder-missing',
      cause: thrown,
    });
  }
}
