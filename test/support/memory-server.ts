/** A mail server in memory: folders, messages, the connections that look at them, and all it was ever asked. */

import { Failure } from '../../src/domain/failure.ts';
import { isDeleted } from '../../src/domain/message.ts';
import type { Batching, SourceAbilities } from '../../src/domain/ports.ts';
import type { CallName, Fault } from './memory-faults.ts';

/** A message as a server keeps it. `origin` stays the same when the message moves or is renumbered. */
export interface MemoryMessage {
  readonly origin: number;
  uid: number;
  flags: Set<string>;
  readonly internalDate: Date;
  readonly bytes: Buffer;
  /** A session has read these bytes back, truthfully and whole. */
  readBack: boolean;
}

export interface MemoryFolder {
  readonly path: string;
  uidValidity: number;
  uidNext: number;
  messages: MemoryMessage[];
  readonly attributes: Set<string>;
  subscribed: boolean;
  readOnly: boolean;
  uidNotSticky: boolean;
  /** Flags that may be kept; `undefined`: all of them. */
  permanentFlags: Set<string> | undefined;
}

/** What was once put into the server, and what has become of it. */
export interface Origin {
  readonly origin: number;
  readonly bytes: Buffer;
  readonly folder: string;
  /** Who took it out of its folder: a session of ours (expunge or move), or another client. */
  removedBy: 'session' | 'other' | undefined;
}

/** One call at one session, in the order in which the server took them up. */
export interface Call {
  readonly name: CallName;
  readonly session: number;
  readonly folder?: string;
  readonly uids?: readonly number[];
  /** Messages of an `append`. */
  readonly count?: number;
}

/** A connection, as the server sees it. */
export interface Connected {
  readonly folder: MemoryFolder | undefined;
  /** Tells EXISTS. */
  tell(folder: MemoryFolder): void;
  /** Tells where a folder stands that it has not open, by itself. */
  announce(folder: MemoryFolder): void;
  /** Ends the connection. */
  end(reason: Failure): void;
}

export interface Put {
  readonly folder?: string;
  readonly flags?: Iterable<string>;
  readonly internalDate?: Date;
}

/** How the server behaves; every part may be changed while it runs. */
export interface MemoryManners {
  abilities: { -readonly [name in keyof SourceAbilities]: SourceAbilities[name] };
  batching: Batching;
  appendLimit: number | undefined;
  /** EXISTS is not pushed; NOOP still tells it. */
  deaf: boolean;
  /** NOTIFY is taken, and nothing told by it. */
  mute: boolean;
  /** So many connections are let in at once. */
  room: number;
  /** A connection sees what came by other connections only after it opened the folder afresh, or a NOOP, or a push. */
  staleViews: boolean;
  /** The hierarchy separator of LIST. */
  delimiter: string;
  /** What the server makes of a message on storing. */
  rewrites: (bytes: Buffer) => Buffer;
  /** A Failure where the server does not take this message. Scope `message` refuses it alone, any other holds the rest. */
  refuses: (bytes: Buffer, folder: string) => Failure | undefined;
}

const REFERENCE_DATE = new Date('2024-05-06T07:08:09Z');

export class MemoryServer {
  readonly folders = new Map<string, MemoryFolder>();
  readonly origins: Origin[] = [];
  readonly calls: Call[] = [];
  readonly manners: MemoryManners = {
    abilities: {
      idle: true,
      uidPlus: true,
      move: true,
      notify: false,
      listStatus: true,
      estimatesSizes: false,
    },
    batching: 'multi',
    appendLimit: undefined,
    deaf: false,
    mute: false,
    room: Number.POSITIVE_INFINITY,
    staleViews: false,
    delimiter: '/',
    rewrites: (bytes) => bytes,
    refuses: () => undefined,
  };
  /** Connections that live now, and the most that ever lived at once. */
  readonly connections = new Set<Connected>();
  most = 0;
  readonly #faults = new Map<CallName, Fault[]>();
  readonly #beforeEach = new Set<(call: Call) => void>();
  readonly #removals = new Set<(origin: Origin) => void>();
  #lastValidity = 1_700_000_000;
  #sessions = 0;

  constructor(...folders: string[]) {
    for (const path of ['INBOX', ...folders]) this.makeFolder(path);
  }

  /** The faults of the next attempts at a call, one each, after those already planned. `fine` lets one pass. */
  plan(name: CallName, ...faults: Fault[]): void {
    this.#faults.set(name, [...(this.#faults.get(name) ?? []), ...faults]);
  }

  /** Faults that no attempt has met yet. */
  planned(name: CallName): number {
    return this.#faults.get(name)?.length ?? 0;
  }

  /** Calls `hook` before each call has its effect; returns what ends that. */
  beforeEach(hook: (call: Call) => void): () => void {
    this.#beforeEach.add(hook);
    return () => this.#beforeEach.delete(hook);
  }

  /** Calls `hook` whenever a session of ours takes a message out of its folder. */
  onRemoval(hook: (origin: Origin) => void): void {
    this.#removals.add(hook);
  }

  /** How often a call was made. */
  count(name: CallName): number {
    return this.calls.filter((call) => call.name === name).length;
  }

  folder(path = 'INBOX'): MemoryFolder {
    const found = this.folders.get(key(path));
    if (!found) throw new Error(`The memory server has no folder ${path}`);
    return found;
  }

  makeFolder(path: string, ...attributes: string[]): MemoryFolder {
    const folder: MemoryFolder = {
      path,
      uidValidity: ++this.#lastValidity,
      uidNext: 1,
      messages: [],
      attributes: new Set(attributes),
      subscribed: false,
      readOnly: false,
      uidNotSticky: false,
      permanentFlags: undefined,
    };
    this.folders.set(key(path), folder);
    return folder;
  }

  /** Another client, or the world, puts a message into a folder. Returns its UID. */
  put(bytes: Buffer | string, { folder = 'INBOX', flags = [], internalDate }: Put = {}): number {
    const raw = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes, 'latin1');
    return this.store(this.folder(folder), raw, flags, internalDate ?? REFERENCE_DATE).uid;
  }

  /** Stores a message and pushes EXISTS to every connection that has the folder open, but for `except`. */
  store(
    folder: MemoryFolder,
    bytes: Buffer,
    flags: Iterable<string>,
    internalDate: Date,
    except?: Connected,
  ): MemoryMessage {
    const origin = this.origins.length;
    this.origins.push({ origin, bytes, folder: folder.path, removedBy: undefined });
    const seconds = new Date(Math.floor(internalDate.getTime() / 1000) * 1000);
    return this.#arrive(folder, { origin, bytes, flags, internalDate: seconds }, except);
  }

  /** The message's UID and content as they are now, or `undefined` where it is gone. */
  find(uid: number, folder = 'INBOX'): MemoryMessage | undefined {
    return this.folder(folder).messages.find((message) => message.uid === uid);
  }

  /** Another client sets (or takes off) flags. */
  flag(
    uid: number,
    add: readonly string[],
    remove: readonly string[] = [],
    folder = 'INBOX',
  ): void {
    const message = this.find(uid, folder);
    for (const flag of add) message?.flags.add(flag);
    for (const flag of remove) message?.flags.delete(flag);
  }

  /** Another client removes messages from a folder. */
  expunge(uids: readonly number[], folder = 'INBOX'): void {
    this.remove(this.folder(folder), (message) => uids.includes(message.uid), 'other');
  }

  /** Takes messages out of a folder and returns them. */
  remove(
    folder: MemoryFolder,
    which: (message: MemoryMessage) => boolean,
    by: 'session' | 'other',
  ): MemoryMessage[] {
    const gone = folder.messages.filter(which);
    folder.messages = folder.messages.filter((message) => !gone.includes(message));
    for (const message of gone) {
      const origin = this.origins[message.origin];
      if (!origin) continue;
      origin.removedBy = by;
      if (by === 'session') for (const hook of this.#removals) hook(origin);
    }
    return gone;
  }

  /** A session moves messages: out of one folder, under new UIDs into another. */
  move(from: MemoryFolder, to: MemoryFolder, uids: ReadonlySet<number>): Set<number> {
    const moved = this.remove(from, ({ uid }) => uids.has(uid), 'session');
    const gone = new Set(moved.map(({ uid }) => uid));
    for (const message of moved) this.#arrive(to, message);
    return gone;
  }

  /** A new UIDVALIDITY and new UIDs for all messages. Connections that have the folder open end, as real servers end them. */
  renumber(path = 'INBOX', reason = ended('The folder was renumbered.')): void {
    const folder = this.folder(path);
    folder.uidValidity = ++this.#lastValidity;
    folder.uidNext = 1;
    for (const message of folder.messages) message.uid = folder.uidNext++;
    for (const connected of [...this.connections]) {
      if (connected.folder === folder) connected.end(reason);
    }
  }

  /** Ends every connection. */
  cut(reason = ended('The server ended the connection.')): void {
    for (const connected of [...this.connections]) connected.end(reason);
  }

  /** Every message of every folder. */
  everything(): (MemoryMessage & { folder: string })[] {
    return [...this.folders.values()].flatMap((folder) =>
      folder.messages.map((message) => ({ ...message, folder: folder.path })),
    );
  }

  /** UIDs of a folder's messages that are marked \Deleted. */
  deleted(folder: MemoryFolder): number[] {
    return folder.messages.filter(({ flags }) => isDeleted(flags)).map(({ uid }) => uid);
  }

  /** A session joins; the number is its name in `calls`. */
  join(connected: Connected): number {
    this.connections.add(connected);
    this.most = Math.max(this.most, this.connections.size);
    return ++this.#sessions;
  }

  leave(connected: Connected): void {
    this.connections.delete(connected);
  }

  /** Notes a call and takes the fault that waits for it. */
  take(call: Call): Fault {
    this.calls.push(call);
    for (const hook of this.#beforeEach) hook(call);
    return this.#faults.get(call.name)?.shift() ?? {};
  }

  #arrive(
    folder: MemoryFolder,
    from: Pick<MemoryMessage, 'origin' | 'bytes' | 'internalDate'> & { flags: Iterable<string> },
    except?: Connected,
  ): MemoryMessage {
    const { origin, bytes, internalDate } = from;
    const uid = folder.uidNext++;
    const flags = new Set(from.flags);
    const message = { origin, uid, flags, internalDate, bytes, readBack: false };
    folder.messages.push(message);
    for (const connected of [...this.connections]) {
      if (connected === except) continue;
      if (connected.folder === folder) connected.tell(folder);
      else if (!this.manners.mute) connected.announce(folder);
    }
    return message;
  }
}

function ended(sentence: string): Failure {
  return new Failure(sentence, { step: 'look', scope: 'connection', kind: 'lost' });
}

/** INBOX is the same in any letter case. */
export function key(path: string): string {
  return path.toUpperCase() === 'INBOX' ? 'INBOX' : path;
}
