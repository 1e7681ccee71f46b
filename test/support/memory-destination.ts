/** The destination side of a memory server. */

import { InMemory } from '../../src/domain/content.ts';
import { asFailure, Failure } from '../../src/domain/failure.ts';
import {
  type Candidate,
  type Copy,
  type FolderView,
  messageIdOf,
  type Sendable,
  travellingFlags,
  type Wanted,
} from '../../src/domain/message.ts';
import type { Batching, DestinationSession, Placement } from '../../src/domain/ports.ts';
import { bytesOf, received } from './content.ts';
import { falsified, type Lie } from './memory-faults.ts';
import { key, type MemoryFolder, type MemoryMessage, type MemoryServer } from './memory-server.ts';
import { lost, MemorySession } from './memory-session.ts';

type Rows = readonly (MemoryMessage | undefined)[];

export class MemoryDestination extends MemorySession implements DestinationSession {
  readonly batching: Batching;
  readonly appendLimit: number | undefined;
  /** The last `open`, to be given again where it need not be fresh. */
  #last: FolderView | undefined;

  constructor(server: MemoryServer) {
    super(server);
    this.batching = server.manners.batching;
    this.appendLimit = server.manners.appendLimit;
  }

  async open(folder: string, { fresh }: { fresh: boolean }): Promise<FolderView> {
    if (!fresh && this.folder?.path === key(folder) && this.#last) return this.#last;
    this.#last = undefined;
    const view = await this.call('open', { effect: () => this.select(folder, false) });
    this.#last = view;
    return view;
  }

  create(folder: string): Promise<boolean> {
    return this.call('create', {
      effect: () => {
        const there = this.server.folders.get(key(folder));
        (there ?? this.server.makeFolder(folder)).subscribed = true;
        return there === undefined;
      },
    });
  }

  override tell(): void {
    this.news = true;
  }

  async append(messages: readonly Sendable[]): Promise<Placement[]> {
    if (messages.length === 0) return [];
    if (this.batching === 'multi') return this.#appendAll(messages);
    const placements: Placement[] = [];
    for (const message of messages) {
      const held = placements.findLast(({ is }) => is === 'held');
      placements.push(held ?? (await this.#appendOne(message)));
      if (placements.at(-1)?.is === 'unknown') {
        const failure = lost('append', false);
        while (placements.length < messages.length) placements.push({ is: 'held', failure });
      }
    }
    return placements.slice(0, messages.length);
  }

  listFrom(from: number): Promise<Candidate[]> {
    return this.call('listFrom', {
      effect: () =>
        this.view()
          .filter(({ uid }) => uid >= from)
          .map(candidate),
      lie: () => [],
    });
  }

  /** With `closesAfter` and `at`, the connection ends when the first `at` copies have been handed over. */
  read(wanted: readonly Wanted[], take: (copy: Copy) => void): Promise<void> {
    const uids = wanted.map(({ uid }) => uid);
    return this.call('read', {
      uids,
      effect: ({ closesAfter, at }) => {
        for (const message of this.among(uids).slice(0, closesAfter ? at : undefined)) {
          message.readBack = true;
          take(copy(message));
        }
      },
      lie: (lie, { at = 0 }) => this.#misread(uids, lie, at).forEach(take),
    });
  }

  reflag(uid: number, add: readonly string[], remove: readonly string[]): Promise<void> {
    return this.call('reflag', {
      uids: [uid],
      effect: () => {
        const flags = this.among([uid])[0]?.flags;
        for (const flag of add) flags?.add(flag);
        for (const flag of remove) flags?.delete(flag);
      },
      lie: () => undefined,
    });
  }

  #misread(uids: readonly number[], lie: Lie, at: number): Copy[] {
    const messages = this.among(uids);
    const other = this.view().find((message) => message !== messages[at]);
    const told = messages.map((message, nth) => {
      if (nth === at) {
        const bytes = falsified(lie, message.bytes, other?.bytes ?? EMPTY);
        return { ...copy(message), content: received(bytes) };
      }
      message.readBack = true;
      return copy(message);
    });
    return lie === 'nothing' ? told.filter((_, nth) => nth !== at) : told;
  }

  /** MULTIAPPEND: all or none. One that is refused is found out by the others going without it. */
  async #appendAll(messages: readonly Sendable[]): Promise<Placement[]> {
    const refusals = messages.map((message) => this.#refusal(bytesOf(message)));
    const held = refusals.find((failure) => failure && failure.scope !== 'message');
    if (held) return messages.map(() => ({ is: 'held', failure: held }));
    const taken = messages.filter((_, nth) => refusals[nth] === undefined);
    let stored: Placement[] = [];
    try {
      if (taken.length > 0) {
        stored = await this.call('append', {
          count: messages.length,
          effect: () => this.#placements(this.#store(taken)),
          lie: (lie, { at = 0 }) => this.#stores(taken, lie, at),
        });
      }
    } catch (thrown) {
      stored = taken.map(() => placementOf(thrown));
    }
    return refusals.map((failure) =>
      failure ? { is: 'refused', failure } : (stored.shift() as Placement),
    );
  }

  /** One APPEND a message: each is an attempt of its own, with a fault of its own. */
  async #appendOne(message: Sendable): Promise<Placement> {
    const refusal = this.#refusal(bytesOf(message));
    if (refusal) return placementOf(refusal);
    try {
      const [placement] = await this.call('append', {
        count: 1,
        effect: () => this.#placements(this.#store([message])),
        lie: (lie) => this.#stores([message], lie, 0),
      });
      return placement as Placement;
    } catch (thrown) {
      return placementOf(thrown);
    }
  }

  #refusal(bytes: Buffer): Failure | undefined {
    const { appendLimit, refuses } = this.server.manners;
    if (appendLimit !== undefined && bytes.length > appendLimit) {
      return new Failure(`The server takes no message of more than ${appendLimit} bytes.`, {
        step: 'append',
        scope: 'message',
        code: 'APPENDLIMIT',
      });
    }
    return refuses(bytes, this.folder?.path ?? '');
  }

  #store(messages: readonly (Sendable | undefined)[]): Rows {
    const folder = this.opened();
    const rows = messages.map((message) => {
      if (!message) return undefined;
      const { flags, internalDate } = message;
      const kept = travellingFlags(flags).filter((flag) => keeps(folder, flag));
      const stored = this.server.manners.rewrites(Buffer.from(bytesOf(message)));
      return this.server.store(folder, stored, kept, internalDate ?? new Date(), this);
    });
    this.horizon = folder.uidNext;
    return rows;
  }

  /** Stores in another way than asked, and answers OK all the same. */
  #stores(messages: readonly Sendable[], lie: Lie, at: number): Placement[] {
    const next = this.opened().uidNext;
    const another = messages.find((_, nth) => nth !== at);
    const other = another ? bytesOf(another) : OTHER;
    const sent = messages.map((message, nth) => {
      if (nth !== at) return message;
      if (lie === 'nothing') return undefined;
      const bytes = falsified(lie, bytesOf(message), other);
      return { ...message, content: received(bytes) };
    });
    const rows = this.#store(sent);
    if (lie === 'twice') this.#store([messages[at]]);
    return this.#placements(rows).map((placement, nth) => {
      if (nth !== at) return placement;
      const { uidValidity } = this.opened();
      const uid = rows[at]?.uid ?? next + messages.length - 1;
      if (lie === 'no-uid') return { is: 'stored' };
      if (lie === 'wrong-uid') return { is: 'stored', copy: { uidValidity, uid: uid + 1 } };
      if (lie === 'wrong-validity') {
        return { is: 'stored', copy: { uidValidity: uidValidity + 1, uid } };
      }
      return this.server.manners.abilities.uidPlus
        ? { is: 'stored', copy: { uidValidity, uid } }
        : { is: 'stored' };
    });
  }

  #placements(rows: Rows): Placement[] {
    const { uidValidity } = this.opened();
    const { uidPlus } = this.server.manners.abilities;
    return rows.map((row) =>
      uidPlus && row ? { is: 'stored', copy: { uidValidity, uid: row.uid } } : { is: 'stored' },
    );
  }
}

const EMPTY = Buffer.alloc(0);
const OTHER = Buffer.from(
  'Message-ID: <other@example.org>\r\nSubject: other\r\n\r\nanother message\r\n',
);

function placementOf(thrown: unknown): Placement {
  const failure = asFailure(thrown, 'append');
  if (failure.outcomeUnknown) return { is: 'unknown', failure };
  return { is: failure.scope === 'message' ? 'refused' : 'held', failure };
}

function keeps(folder: MemoryFolder, flag: string): boolean {
  return folder.permanentFlags?.has(flag) ?? true;
}

function candidate({ uid, bytes, flags, internalDate }: MemoryMessage): Candidate {
  const messageId = messageIdOf(new InMemory(bytes));
  return {
    uid,
    size: bytes.length,
    flags: new Set(flags),
    internalDate,
    ...(messageId !== undefined && { messageId }),
  };
}

function copy({ uid, bytes, flags }: MemoryMessage): Copy {
  return { uid, flags: new Set(flags), content: received(bytes) };
}
