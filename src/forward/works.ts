/** What every step of a delivery has at hand: one route's journal, connections, clock and words. */

import type { Fingerprint } from '../domain/content.ts';
import type { Emit, EventFields, EventName } from '../domain/events.ts';
import type { Hold } from '../domain/hold.ts';
import { type MessageKey, messageIdOf, type Original, type Wanted } from '../domain/message.ts';
import type { Clock, Intent, RouteJournal, SourceSession, Spool } from '../domain/ports.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { FolderPair, Route } from '../domain/route.ts';
import type { Allowance } from './allowance.ts';
import type { Destinations } from './destinations.ts';
import type { Epoch } from './folder-state.ts';
import type { Listings } from './listing.ts';
import type { MoveFolder } from './move-folder.ts';
import type { Pace } from './pace.ts';
import { sendersOf } from './sender.ts';
import type { Strikes } from './strikes.ts';
import type { Traffic } from './traffic.ts';
import type { Waits } from './waits.ts';
import type { Ways } from './ways.ts';

export interface Works {
  readonly route: Route;
  readonly journal: RouteJournal;
  readonly destinations: Destinations;
  readonly listings: Listings;
  readonly strikes: Strikes;
  readonly allowance: Allowance;
  /** For bytes of originals, while they are in memory. */
  readonly cargo: Hold;
  readonly clock: Clock;
  readonly pace: Pace;
  /** What is asked of both accounts, as rate limits count it. */
  readonly traffic: Traffic;
  /** To be awaited before a batch is tried again: rejects, with kind `paced`, where rate limits leave no room for that soon. */
  readonly again: () => Promise<void>;
  readonly emit: Emit;
  /** Aborts when imapferry is to stop: nothing new is begun, what was begun is finished. */
  readonly quit: AbortSignal;
  /** Aborts when what is under way has to be put down, too. */
  readonly cut: AbortSignal;
  /** When this process began (clock ticks): what an earlier one left appending ended before. */
  readonly startedAt: number;
  /** Messages' fingerprints by UID, fetched on a connection of their own; what is gone, or can't be had so, is missing. */
  readonly fetchAgain: (
    epoch: Epoch,
    messages: readonly Wanted[],
  ) => Promise<Map<number, Fingerprint>>;
  /**
   * Lends a connection of its own to the source, if the server lets one in. `undefined` where it does not, or where the work
   * fails.
   */
  readonly beside: <T>(work: (session: SourceSession) => Promise<T>) => Promise<T | undefined>;
  /** A spool for the originals of a batch, as long as it takes to bring them to the destination. */
  readonly spool: () => Spool;
  /** What is still to be carried. */
  readonly waits: Waits;
  /** Where the mail of all routes goes. */
  readonly ways: Ways;
  /** The folder of AFTER_DELIVERY=move:FOLDER. */
  readonly moveFolder: MoveFolder | undefined;
  /** The source folders of the route that this process has seen under a UIDVALIDITY. */
  readonly sourcesUnder: (uidValidity: number) => readonly string[];
  /** To be awaited before an epoch is looked at: nothing travels under the folder's earlier numbers any more. */
  readonly begin: (epoch: Epoch) => Promise<void>;
  /** Has a folder looked through again after so many ms. */
  readonly revisit: (pair: FolderPair, after: number) => void;
  /** A copy was proven, or one was found to differ: three of the latter in a row block the route. */
  readonly proven: () => void;
  readonly differed: (epoch: Epoch) => void;
}

/** What the journal notes of an original before it travels. */
export function intentOf(original: Original): Intent {
  const { content } = original;
  const messageId = messageIdOf(content);
  return {
    uid: original.uid,
    sha256: content.sha256,
    size: content.length,
    ...(original.internalDate && { internalDate: original.internalDate.getTime() }),
    ...(messageId !== undefined && { messageId }),
  };
}

/** Notes Receipts, and who wrote what is carried by that. */
export function noteProven(
  works: Works,
  { pair }: Epoch,
  receipts: readonly Receipt[],
  originals: Iterable<Original>,
  at: number,
): void {
  const proven = new Set(receipts.map(({ original }) => original.uid));
  const carried = Array.from(originals).filter(({ uid }) => proven.has(uid));
  works.journal.prove(receipts, at, sendersOf(pair, carried));
}

/** Tells an event of one message, with what names it. */
export function tell(
  works: Works,
  event: EventName,
  epoch: Epoch,
  message: { readonly uid: number; readonly messageId?: string },
  fields: EventFields = {},
): void {
  works.emit(event, {
    route: works.route.name,
    folder: epoch.pair.source,
    uid: message.uid,
    ...(message.messageId !== undefined && { messageId: message.messageId }),
    dest: epoch.pair.dest,
    ...fields,
  });
}

/** The key of an original. */
export function keyOf(epoch: Epoch, uid: number): MessageKey {
  return { ...epoch.key, uid };
}
