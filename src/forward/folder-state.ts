/** What one process knows of a source folder under one UIDVALIDITY: what was seen, and what is in hand. */
import { LARGEST_IN_MEMORY } from '../domain/content.ts';
import type { Failure } from '../domain/failure.ts';
import { Hold } from '../domain/hold.ts';
import type { FolderView, Listed } from '../domain/message.ts';
import type { Deaths, FolderKey, SourceSession } from '../domain/ports.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { FolderPair } from '../domain/route.ts';
import type { Spent } from './budget.ts';
import { InHand } from './in-hand.ts';
import type { Lane } from './lane.ts';
import type { Kinship } from './one-mailbox.ts';
import { Together } from './together.ts';

/** A message of an APPEND of this process, while its copy is not proven and may be at the destination. */
export interface Sent {
  /** The APPEND was answered OK: sent again, the message would fare no better. */
  readonly accepted: boolean;
  /** When it ended (clock ticks), answered or interrupted; absent while it is under way. */
  readonly endedAt?: number;
}

/**
 * A source folder under one UIDVALIDITY and with one way of its mail, in one process. All work on messages names its
 * epoch, and a lane serves it only while that very epoch is open: nothing is ever done on old numbers.
 */
export class Epoch {
  readonly pair: FolderPair;
  readonly uidValidity: number;
  /**
   * UIDNEXT when this process first opened the folder. What came later can't have been carried by an earlier process;
   * what lies below and has no note is looked for at the destination first.
   */
  readonly fence: number;
  /** The highest UID that a look has seen. */
  highest: number;
  /** UIDs in a batch that waits or travels. No two batches hold one message. */
  readonly inHand = new InHand();
  /** What this process has sent and not proven yet, by UID. */
  readonly sent: Map<number, Sent>;
  /** UIDs of messages whose copies twins have found first: they may be sent once more. */
  readonly gaveWay = new Set<number>();
  /**
   * UIDs that were marked \Deleted on a connection after they had been found to be the very messages that were carried:
   * as long as it lasts no other message can have these numbers, and their marks are known as ours.
   */
  readonly #marks: WeakMap<SourceSession, Set<number>>;
  /** Messages of batches that lost their connection at every try there was: each travels by itself, so that one keeps no other. */
  readonly apart: Set<number>;
  readonly #leaving = new WeakMap<Lane, Together<Leaving>>();
  /** Unverified messages that this process has looked at. */
  readonly rechecked: Set<number>;
  /** Messages of which a dry run has said what it would do. */
  readonly rehearsed: Set<number>;
  /** The folder's epoch before this one, until nothing of it is in hand any more. */
  before: Epoch | undefined;
  /** The journal knows of it: it may be looked at. */
  begun = false;
  /**
   * An APPEND of a message that now has another number may still be under way: from when on (clock ticks) a miss at the
   * destination is not believed at once.
   */
  doubtSince: number | undefined;
  /** Size and INTERNALDATE of what is marked \Deleted there and not known to the journal. */
  marked: ReadonlySet<string> = new Set();
  /** It is known that the destination folder, as it is now, is another one. */
  isApart = false;
  /** Destination folders under this UIDVALIDITY that were asked, and are other ones. */
  readonly apartFrom = new Set<string>();
  /** Receipts whose copies lie in such a folder, and were read back or looked into by this process. */
  readonly cleared = new Set<string>();
  /** Resolves when that becomes known. */
  readonly parted = Promise.withResolvers<void>();
  /** As long as it is not, one batch at a time is brought there. */
  readonly turn = new Hold(1);
  /** It is known that both are one. */
  circle: Failure | undefined;
  /** What is being found out about that, for all batches that wait for it. */
  asking: { readonly folder: string; readonly answer: Promise<Kinship | undefined> } | undefined;
  /** For who turns flags of originals, or puts them back: one at a time. */
  readonly flags = new Hold(1);
  /** It was told that carried mail stays marked because others have marked theirs. */
  heldTold = false;

  constructor(pair: FolderPair, view: FolderView, before?: Epoch) {
    this.pair = pair;
    this.uidValidity = view.uidValidity;
    this.before = before;
    // With the same numbers only the way is another one: what is known of the messages holds.
    const same = before?.uidValidity === view.uidValidity ? before : undefined;
    this.fence = same?.fence ?? view.uidNext;
    this.highest = same?.highest ?? view.uidNext - 1;
    this.sent = same?.sent ?? new Map();
    this.#marks = same ? same.#marks : new WeakMap();
    this.apart = same?.apart ?? new Set();
    this.rechecked = same?.rechecked ?? new Set();
    this.rehearsed = same?.rehearsed ?? new Set();
    this.doubtSince = same?.doubtSince;
  }

  /**
   * The destination folder is another one, for as long as this epoch lasts.
   * @param asked the folder that was found by asking to be another one; without it, the present one has another UIDVALIDITY
   */
  setApart(asked?: string): void {
    if (asked !== undefined) this.apartFrom.add(asked);
    if (asked !== undefined && asked !== this.pair.dest) return;
    this.isApart = true;
    this.parted.resolve();
  }

  /** The UIDs that were marked on that connection. */
  marksOn(session: SourceSession): Set<number> {
    const known = this.#marks.get(session);
    if (known !== undefined) return known;
    const marks = new Set<number>();
    this.#marks.set(session, marks);
    return marks;
  }

  /** Batches whose copies are proven and that are about to be retired on that connection. */
  leavingOn(lane: Lane): Together<Leaving> {
    const known = this.#leaving.get(lane);
    if (known !== undefined) return known;
    const leaving = new Together<Leaving>(({ receipts }) => receipts.length, PARTY);
    this.#leaving.set(lane, leaving);
    return leaving;
  }

  get key(): FolderKey {
    return { folder: this.pair.source, uidValidity: this.uidValidity };
  }
}

/** What tells two messages apart in a listing, of a message that has neither UID nor name any more. */
export function looksOf({ size, internalDate }: Pick<Listed, 'size' | 'internalDate'>): string {
  return `${size} ${internalDate?.getTime()}`;
}

/** Messages of one folder that travel together. */
export interface Batch {
  readonly epoch: Epoch;
  /** The connection on which they are fetched and retired. */
  readonly lane: Lane;
  readonly messages: readonly Listed[];
  /** When the look that found them began (epoch ms). */
  readonly seenAt: number;
  /** Announced or found while this process ran, so that it overtakes the old mail. */
  readonly fresh: boolean;
  /** Nothing else of the route is in hand while it travels. */
  readonly alone: boolean;
  /** What of the route's rate limits it has taken up; absent where nothing is counted. */
  readonly spent?: Spent;
}

/** The flags each original had when it was appended, by UID. */
export type Carried = ReadonlyMap<number, ReadonlySet<string>>;

/** What of a batch is proven, and is to be retired. */
export interface Leaving {
  readonly batch: Batch;
  readonly receipts: readonly Receipt[];
  readonly carried: Carried;
}

/** So many messages are retired at a time: until they are gone, new mail on that connection waits. */
const PARTY = 2000;

/** The size of a batch's messages together, in bytes. */
export function bytesOf(messages: readonly Listed[]): number {
  return messages.reduce((sum, message) => sum + message.size, 0);
}

/** What a message takes of the memory while it travels in pieces. */
const WEIGHT_IN_PIECES = 6 * 1024 * 1024;

/** How much of the messages will be in memory at one time, in bytes. */
export function weightOf(messages: readonly Listed[]): number {
  return messages.reduce(
    (sum, { size }) => sum + (size > LARGEST_IN_MEMORY ? WEIGHT_IN_PIECES : size),
    0,
  );
}

/** A message that was in hand when a process died this often travels alone: should another die, it is known whose doing it was. */
const SUSPECT = 2;
/** Who was in hand this often is set aside. */
export const DEADLY = 3;

const MOST_MESSAGES = 200;
const MOST_BYTES = 8 * 1024 * 1024;

export function isSuspect(deaths: Deaths | undefined): boolean {
  return deaths !== undefined && deaths.count >= SUSPECT;
}

/** Of messages that are a round trip each: so many take a second or two, and new mail need not wait for longer. */
const MOST_SINGLE = 25;

/**
 * Cuts messages into batches of at most 200 messages and 8 MB; a larger message travels alone. Where every message is
 * a round trip of its own (`lanes` > 1), batches are smaller, and spread over that many connections.
 */
export function cut(messages: readonly Listed[], lanes: number): Listed[][] {
  const largest = lanes > 1 ? MOST_SINGLE : MOST_MESSAGES;
  const most = Math.max(1, Math.min(largest, Math.ceil(messages.length / lanes)));
  const batches: Listed[][] = [];
  let batch: Listed[] = [];
  let bytes = 0;
  for (const message of messages) {
    const full = batch.length >= most || bytes + message.size > MOST_BYTES;
    if (batch.length > 0 && full) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(message);
    bytes += message.size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
