/** What both sides' memory sessions share: one call at a time, faults met, an end that is told once. */
import { setTimeout as wait } from 'node:timers/promises';
import { Failure, type Step } from '../../src/domain/failure.ts';
import type { FolderView } from '../../src/domain/message.ts';
import type { Session } from '../../src/domain/ports.ts';
import type { Listing } from '../../src/domain/route.ts';
import type { CallName, Fault, Lie } from './memory-faults.ts';
import {
  type Connected,
  key,
  type MemoryFolder,
  type MemoryMessage,
  type MemoryServer,
} from './memory-server.ts';

const STEP: Partial<Record<CallName, Step>> = {
  connect: 'connect',
  login: 'login',
  noop: 'idle',
  open: 'open',
  create: 'open',
  ensureFolder: 'open',
  fetch: 'fetch',
  append: 'append',
  read: 'verify',
  mark: 'retire',
  expunge: 'retire',
  expungeAlone: 'retire',
  move: 'retire',
  reflag: 'retire',
};

export function lost(name: CallName, outcomeUnknown: boolean): Failure {
  return new Failure('The connection ended.', {
    step: STEP[name] ?? 'look',
    scope: 'connection',
    kind: 'lost',
    outcomeUnknown,
  });
}

/** One call: what it does, and what it answers when told to lie. */
export interface Deed<T> {
  readonly uids?: readonly number[];
  readonly count?: number;
  readonly effect: (fault: Fault) => T;
  /** The answer to a lie; absent where this call knows none. */
  readonly lie?: (lie: Lie, fault: Fault) => T;
}

export abstract class MemorySession implements Session, Connected {
  readonly closed: Promise<Failure | undefined>;
  readonly server: MemoryServer;
  readonly name: number;
  folder: MemoryFolder | undefined;
  /** Messages from this UID on are not in this connection's view yet. */
  protected horizon = 0;
  /** EXISTS that waits for a NOOP to be told. */
  protected news = false;
  #ended = false;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #end = Promise.withResolvers<Failure | undefined>();

  constructor(server: MemoryServer) {
    this.server = server;
    this.closed = this.#end.promise;
    this.name = server.join(this);
  }

  abstract tell(folder: MemoryFolder): void;

  announce(_folder: MemoryFolder): void {}

  listFolders(): Promise<Listing> {
    return this.call('listFolders', {
      effect: () => ({
        folders: [...this.server.folders.values()].map(({ path, attributes }) => ({
          path,
          delimiter: this.server.manners.delimiter,
          attributes: new Set(attributes),
        })),
        createsSpecialUse: false,
      }),
    });
  }

  noop(): Promise<void> {
    return this.call('noop', {
      effect: () => {
        this.horizon = this.folder?.uidNext ?? 0;
        const { news } = this;
        this.news = false;
        if (news) this.heard();
      },
    });
  }

  close(): void {
    this.end(undefined);
  }

  async logout(): Promise<void> {
    if (this.#ended) return;
    await this.call('logout', { effect: () => undefined }).catch(() => undefined);
    this.end(undefined);
  }

  end(reason: Failure | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.server.leave(this);
    this.#end.resolve(reason);
  }

  /** EXISTS is being told; a source session passes it on. */
  protected heard(): void {}

  /** Makes a call: waits its turn, meets its fault, has its effect, answers. Rejects with a Failure and nothing else. */
  protected call<T>(name: CallName, deed: Deed<T>): Promise<T> {
    const mine = this.#turn.then(() => this.#made(name, deed));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #made<T>(name: CallName, { uids, count, effect, lie }: Deed<T>): Promise<T> {
    if (this.#ended) throw lost(name, false);
    const fault = this.server.take({
      name,
      session: this.name,
      ...(this.folder && { folder: this.folder.path }),
      ...(uids && { uids: [...uids] }),
      ...(count !== undefined && { count }),
    });
    // The wire: nothing is answered in the moment of asking.
    await Promise.resolve();
    if (fault.takes !== undefined) await wait(fault.takes);
    fault.before?.();
    if (fault.closesBefore) this.end(lost(name, true));
    if (fault.hangs) await this.closed;
    if (this.#ended) throw lost(name, true);
    if (fault.fails) throw fault.fails;
    const answer = fault.lies && lie ? lie(fault.lies, fault) : effect(fault);
    fault.after?.();
    if (fault.closesAfter) this.end(lost(name, true));
    if (this.#ended) throw lost(name, true);
    if (fault.unanswered) {
      throw new Failure('The server answered in a way that can not be understood.', {
        step: STEP[name] ?? 'look',
        scope: 'connection',
        outcomeUnknown: true,
      });
    }
    return answer;
  }

  /** SELECTs a folder; whatever was open is no longer, even where the new one can't be opened (RFC 9051 §6.3.2). */
  protected select(path: string, readOnly: boolean): FolderView {
    this.folder = undefined;
    const folder = this.server.folders.get(key(path));
    if (!folder || folder.attributes.has('\\Noselect')) {
      throw new Failure(`There is no folder ${path}.`, {
        step: 'open',
        scope: 'folder',
        kind: 'folder-missing',
        code: 'NONEXISTENT',
      });
    }
    this.folder = folder;
    this.horizon = folder.uidNext;
    this.news = false;
    return viewOf(folder, readOnly);
  }

  /** The open folder; rejects where none is. */
  protected opened(): MemoryFolder {
    if (this.folder) return this.folder;
    throw new Failure('No folder is open.', { step: 'open', scope: 'connection' });
  }

  /** The open folder's messages as this connection sees them. */
  protected view(): MemoryMessage[] {
    const { messages } = this.opened();
    if (!this.server.manners.staleViews) return messages;
    return messages.filter(({ uid }) => uid < this.horizon);
  }

  /** Those of the view that are asked for, ascending. */
  protected among(uids: readonly number[]): MemoryMessage[] {
    const wanted = new Set(uids);
    return this.view().filter(({ uid }) => wanted.has(uid));
  }
}

function viewOf(folder: MemoryFolder, examined: boolean): FolderView {
  return {
    folder: folder.path,
    uidValidity: folder.uidValidity,
    uidNext: folder.uidNext,
    messages: folder.messages.length,
    readOnly: folder.readOnly && !examined,
    uidNotSticky: folder.uidNotSticky,
  };
}
