/** The source side of a memory server. */

import { Failure } from '../../src/domain/failure.ts';
import type { FolderView, Listed, Sendable, Wanted } from '../../src/domain/message.ts';
import type { FolderStatus, SourceAbilities, SourceSession } from '../../src/domain/ports.ts';
import { received } from './content.ts';
import { falsified } from './memory-faults.ts';
import { key, type MemoryFolder, type MemoryMessage, type MemoryServer } from './memory-server.ts';
import { MemorySession } from './memory-session.ts';

export class MemorySource extends MemorySession implements SourceSession {
  readonly abilities: SourceAbilities;
  #idle = false;
  #readOnly = false;
  #heard: () => void = () => undefined;
  #told: (folder?: string, status?: FolderStatus) => void = () => undefined;

  constructor(server: MemoryServer) {
    super(server);
    this.abilities = { ...server.manners.abilities };
  }

  open(
    folder: string,
    { readOnly, idle }: { readOnly: boolean; idle: boolean },
  ): Promise<FolderView> {
    return this.call('open', {
      effect: () => {
        this.#idle = idle;
        this.#readOnly = readOnly;
        return this.select(folder, readOnly);
      },
    });
  }

  onExists(heard: () => void): void {
    this.#heard = heard;
  }

  /** Memory needs no renewal. */
  onRenewed(): void {}

  override tell(folder: MemoryFolder): void {
    if (this.server.manners.deaf || !this.#idle || !this.abilities.idle) {
      this.news = true;
      return;
    }
    this.horizon = folder.uidNext;
    this.heard();
  }

  protected override heard(): void {
    this.#heard();
  }

  async statuses(folders: readonly string[]): Promise<Map<string, FolderStatus>> {
    if (!this.abilities.listStatus) {
      const found = new Map<string, FolderStatus>();
      for (const folder of folders) {
        const status = await this.call('status', { effect: () => this.#status(folder) });
        if (status) found.set(folder, status);
      }
      return found;
    }
    return this.call('statuses', {
      effect: () =>
        new Map(
          folders.flatMap((folder) => {
            const status = this.#status(folder);
            return status ? [[folder, status] as const] : [];
          }),
        ),
    });
  }

  notify(told: (folder?: string, status?: FolderStatus) => void): Promise<void> {
    return this.call('notify', {
      effect: () => {
        this.#told = told;
      },
    });
  }

  override announce(folder: MemoryFolder): void {
    this.#told(folder.path, this.#status(folder.path));
  }

  #status(path: string): FolderStatus | undefined {
    const folder = this.server.folders.get(key(path));
    if (folder === undefined || folder === this.folder) return undefined;
    const { uidValidity, uidNext, messages } = folder;
    return { uidValidity, uidNext, messages: messages.length };
  }

  uids(): Promise<number[]> {
    return this.call('uids', {
      effect: () => this.view().map(({ uid }) => uid),
      lie: () => [],
    });
  }

  list(uids: readonly number[]): Promise<Listed[]> {
    return this.call('list', {
      uids,
      effect: () => this.among(uids).map(listed),
      lie: () => [],
    });
  }

  listFrom(from: number): Promise<Listed[]> {
    return this.call('listFrom', {
      effect: () =>
        this.view()
          .filter(({ uid }) => uid >= from)
          .map(listed),
      lie: () => [],
    });
  }

  fetch(wanted: readonly Wanted[]): Promise<Sendable[]> {
    const uids = wanted.map(({ uid }) => uid);
    return this.call('fetch', {
      uids,
      effect: () => this.among(uids).map(original),
      lie: (lie, { at = 0 }) => {
        const messages = this.among(uids);
        const other = messages[at + 1] ?? messages[at - 1] ?? strange(this.view(), messages[at]);
        const told = messages.map((message, nth) =>
          nth === at
            ? {
                ...original(message),
                content: received(falsified(lie, message.bytes, other?.bytes ?? STRANGE)),
              }
            : original(message),
        );
        return lie === 'nothing' ? told.filter((_, nth) => nth !== at) : told;
      },
    });
  }

  mark(uids: readonly number[]): Promise<Map<number, ReadonlySet<string>>> {
    const rows = () => new Map(this.among(uids).map(({ uid, flags }) => [uid, new Set(flags)]));
    const mark = () => {
      this.writable();
      for (const { flags } of this.among(uids)) flags.add('\\Deleted');
    };
    return this.call('mark', {
      uids,
      effect: () => {
        mark();
        return rows();
      },
      lie: (lie) => {
        if (lie !== 'denied') return rows();
        mark();
        return new Map();
      },
    });
  }

  setFlag(uid: number, flag: string, on: boolean): Promise<void> {
    return this.call('setFlag', {
      uids: [uid],
      effect: () => {
        this.writable();
        for (const { flags } of this.among([uid])) on ? flags.add(flag) : flags.delete(flag);
      },
    });
  }

  expunge(uids: readonly number[]): Promise<Set<number>> {
    return this.call('expunge', {
      uids,
      effect: () => {
        if (!this.abilities.uidPlus) throw lasting('This server has no UID EXPUNGE.');
        return this.#expunged(uids);
      },
      lie: (lie) => (lie === 'denied' ? this.#denied(uids) : new Set(uids)),
    });
  }

  expungeAlone(uids: readonly number[]): Promise<{ gone: Set<number>; strangers: boolean }> {
    return this.call('expungeAlone', {
      uids,
      effect: () => {
        this.writable();
        const strangers = this.server.deleted(this.opened()).some((uid) => !uids.includes(uid));
        return { gone: strangers ? new Set<number>() : this.#expunged(uids), strangers };
      },
      lie: (lie) => ({
        gone: lie === 'denied' ? this.#denied(uids) : new Set(uids),
        strangers: false,
      }),
    });
  }

  move(
    uids: readonly number[],
    to: string,
    copied: (copies: { uidValidity: number; uids: number[] }) => void = () => undefined,
  ): Promise<Set<number>> {
    return this.call('move', {
      uids,
      effect: () => this.#moved(uids, to, copied),
      lie: (lie) => {
        if (lie === 'denied') this.#moved(uids, to, copied);
        return lie === 'denied' ? new Set<number>() : new Set(uids);
      },
    });
  }

  ensureFolder(folder: string): Promise<void> {
    return this.call('ensureFolder', {
      effect: () => {
        const there = this.server.folders.get(key(folder)) ?? this.server.makeFolder(folder);
        there.subscribed = true;
      },
    });
  }

  /** UID EXPUNGE: of `uids`, those that are \Deleted. Resolves with those that are not there any more. */
  #expunged(uids: readonly number[]): Set<number> {
    this.writable();
    const folder = this.opened();
    const marked = new Set(this.server.deleted(folder));
    this.server.remove(folder, ({ uid }) => uids.includes(uid) && marked.has(uid), 'session');
    return absent(folder, uids);
  }

  #denied(uids: readonly number[]): Set<number> {
    this.#expunged(uids);
    return new Set();
  }

  #moved(
    uids: readonly number[],
    to: string,
    copied: (copies: { uidValidity: number; uids: number[] }) => void,
  ): Set<number> {
    const { move, uidPlus } = this.abilities;
    if (!move && !uidPlus) throw lasting('This server has neither MOVE nor UIDPLUS.');
    this.writable();
    const target = this.server.folders.get(key(to));
    if (!target) {
      throw new Failure(`There is no folder ${to}.`, {
        step: 'retire',
        scope: 'folder',
        kind: 'folder-missing',
        code: 'TRYCREATE',
      });
    }
    const first = target.uidNext;
    const moved = this.server.move(this.opened(), target, new Set(uids));
    const copies = [...moved].map((_, i) => first + i);
    if (uidPlus && copies.length > 0) copied({ uidValidity: target.uidValidity, uids: copies });
    return absent(this.opened(), uids);
  }

  private writable(): void {
    if (this.#readOnly || this.opened().readOnly) throw lasting('The folder is open READ-ONLY.');
  }
}

const STRANGE = Buffer.from('Subject: of another\r\n\r\nanother message\r\n');

function strange(
  messages: readonly MemoryMessage[],
  not: MemoryMessage | undefined,
): MemoryMessage | undefined {
  return messages.find((message) => message !== not);
}

function listed({ uid, bytes, flags, internalDate }: MemoryMessage): Listed {
  return { uid, size: bytes.length, flags: new Set(flags), internalDate };
}

function original(message: MemoryMessage): Sendable {
  return { ...listed(message), content: received(message.bytes) };
}

function absent(folder: MemoryFolder, uids: readonly number[]): Set<number> {
  const there = new Set(folder.messages.map(({ uid }) => uid));
  return new Set(uids.filter((uid) => !there.has(uid)));
}

function lasting(sentence: string): Failure {
  return new Failure(sentence, { step: 'retire', scope: 'folder', lasting: true });
}
