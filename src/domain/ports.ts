/** What forward/ asks of the world: two mail accounts, a journal, a clock. Each method stands with its promise. */

import type { Content } from './content.ts';
import type { Failure } from './failure.ts';
import type {
  Candidate,
  Copy,
  FolderView,
  Listed,
  MessageKey,
  Original,
  Sendable,
  Wanted,
} from './message.ts';
import type { Proof, Receipt } from './receipt.ts';
import type { Listing, SpecialUse } from './route.ts';
import type { RouteWritten, Sender } from './senders.ts';
import type { Cause } from './status.ts';

/**
 * A logged-in connection. Every method rejects with a Failure and nothing else. After `closed` has resolved every
 * method rejects. One command is on the wire at a time; callers may overlap, they are served in turn.
 */
export interface Session {
  /** Resolves, never rejects, once the connection has ended, with the reason where it was not asked for. */
  readonly closed: Promise<Failure | undefined>;
  /** Every folder of the account by one LIST, and what the login told of where they lie. */
  listFolders(): Promise<Listing>;
  /** One NOOP: the server answers, and tells what is new in the open folder. */
  noop(): Promise<void>;
  /** Ends the connection at once, whatever is under way. Expunges nothing. Idempotent. */
  close(): void;
  /** Ends the connection politely (LOGOUT), at most 2 s, then at once. Expunges nothing. Never rejects. */
  logout(): Promise<void>;
}

export interface SourceAccount {
  /** Connects and logs in. Cut short by `signal`: the connection is gone and the promise rejected. */
  connect(signal: AbortSignal): Promise<SourceSession>;
}

/** One connection to the source account, with at most one folder open. */
export interface SourceSession extends Session {
  /** What the server offers here, as far as the engine minds. */
  readonly abilities: SourceAbilities;
  /**
   * Opens a folder afresh: a new SELECT (EXAMINE with `readOnly`), whatever was open, so that the view is current.
   * Never sends CLOSE. With `idle`, IDLE is taken up by itself whenever no command is under way, at the latest 100 ms
   * after the last one, and renewed every `idleRenew`.
   */
  open(folder: string, how: { readOnly: boolean; idle: boolean }): Promise<FolderView>;
  /** `heard` is called, synchronously, whenever the server says EXISTS for the open folder. Nothing is promised of counts. */
  onExists(heard: () => void): void;
  /** `renewed` is called each time that IDLE was ended and begun again, which the connection has answered. */
  onRenewed(renewed: () => void): void;
  /**
   * Where these folders stand, the open one aside, which is never asked (RFC 9051 §6.3.11): with `abilities.listStatus`
   * by one LIST (RFC 5819), else, and for what that leaves out, by a STATUS each. Those that can't be asked are missing.
   */
  statuses(folders: readonly string[]): Promise<Map<string, FolderStatus>>;
  /**
   * From now on the server tells by itself where the user's own folders stand whenever their mail changes, the open one
   * aside, of which EXISTS is told as ever (NOTIFY, RFC 5465). `told` is called synchronously; without a folder when the
   * server gives it up (NOTIFICATIONOVERFLOW, §5.8). Only with `abilities.notify`.
   */
  notify(told: (folder?: string, status?: FolderStatus) => void): Promise<void>;
  /** Every UID of the open folder, ascending: one UID SEARCH ALL, and a UID FETCH where that finds more or less than EXISTS says. */
  uids(): Promise<number[]>;
  /** What `uids` are: flags, size, INTERNALDATE, as one UID FETCH per 1000. Vanished ones are missing, strangers never come. */
  list(uids: readonly number[]): Promise<Listed[]>;
  /** All messages whose UID is `from` or higher: one UID FETCH. */
  listFrom(from: number): Promise<Listed[]>;
  /**
   * The whole messages, bytes as the server returns them, by BODY.PEEK[]: no flag changes. Those that are too large for
   * memory come in pieces, and go into the spool as they come; without a spool only their fingerprints are left of them.
   * Vanished ones are missing. A message whose length disagrees with RFC822.SIZE comes as it is; one that the server
   * tells of and does not show, or of which it sends other pieces than asked for, without bytes.
   * Rejects, scope `message` and lasting, where a large one can't be had in pieces.
   */
  fetch(messages: readonly Wanted[]): Promise<Original[]>;
  fetch(messages: readonly Wanted[], spool: Spool): Promise<Sendable[]>;
  /**
   * UID STORE +FLAGS (\Deleted), not silent. Resolves with the flags each message had just after, which show what
   * another client changed meanwhile; messages that are gone, or for which the server sent no row, are missing.
   * May be repeated.
   */
  mark(uids: readonly number[]): Promise<Map<number, ReadonlySet<string>>>;
  /** Sets a flag, or takes it off: UID STORE. A message that is gone, or so already, is no mistake. May be repeated. */
  setFlag(uid: number, flag: string, on: boolean): Promise<void>;
  /**
   * UID EXPUNGE of exactly `uids`, confirmed by looking: resolves with those that are gone. May be repeated.
   * Only with `abilities.uidPlus`.
   */
  expunge(uids: readonly number[]): Promise<Set<number>>;
  /**
   * For servers without UIDPLUS: EXPUNGE, but only if nothing but `uids` is \Deleted, looked up directly before.
   * Resolves with those of `uids` that are gone, or with `strangers` and nothing expunged.
   */
  expungeAlone(uids: readonly number[]): Promise<{ gone: Set<number>; strangers: boolean }>;
  /**
   * Moves exactly `uids` to another folder of the source: MOVE (RFC 6851), else UID COPY with its COPYUID checked, then
   * mark and UID EXPUNGE. Resolves with those that are gone from here. Rejects, lasting, where the server has
   * neither MOVE nor UIDPLUS. `copied` is called with what the server says of the copies, where it does.
   */
  move(
    uids: readonly number[],
    to: string,
    copied?: (copies: { readonly uidValidity: number; readonly uids: readonly number[] }) => void,
  ): Promise<Set<number>>;
  /** As `move` wants its folder: there, or made now and subscribed. */
  ensureFolder(folder: string): Promise<void>;
}

export interface SourceAbilities {
  readonly idle: boolean;
  readonly uidPlus: boolean;
  readonly move: boolean;
  /** The server can tell of other folders than the open one. */
  readonly notify: boolean;
  /** One command asks for where all folders stand. */
  readonly listStatus: boolean;
  /** The sizes that it tells (RFC822.SIZE) are estimates, against RFC 9051 §2.3.4: Exchange does so unless told otherwise. */
  readonly estimatesSizes: boolean;
}

/** Where a folder stands, as far as the server says so (RFC 9051 §7.3.4). */
export interface FolderStatus {
  readonly messages?: number;
  readonly uidNext?: number;
  readonly uidValidity?: number;
}

export interface DestinationAccount {
  connect(signal: AbortSignal): Promise<DestinationSession>;
}

/** How a server takes several messages, which decides how a look is cut into batches. */
export type Batching =
  /** A whole batch in one command (MULTIAPPEND, LITERAL+, UIDPLUS). */
  | 'multi'
  /** A command a message, many in one round trip (LITERAL+). */
  | 'literal'
  /** One round trip a message, whose literal has to be asked for. */
  | 'single';

/** One connection to the destination account, with at most one folder open. */
export interface DestinationSession extends Session {
  readonly batching: Batching;
  /** The largest message the server says it takes (APPENDLIMIT, RFC 7889), in bytes. */
  readonly appendLimit: number | undefined;
  /**
   * Opens a folder for writing. Afresh with `fresh`: a new SELECT, so that what other connections appended is in view;
   * otherwise the view of an earlier `open` of the same folder on this connection may be returned.
   * Rejects with kind `folder-missing` where there is none.
   */
  open(folder: string, how: { fresh: boolean }): Promise<FolderView>;
  /**
   * Creates a folder, with those above it, and subscribes it; with a special use where the server can (RFC 6154 §3). A folder
   * that is already there is no mistake. Resolves with whether it was not.
   */
  create(folder: string, use?: SpecialUse): Promise<boolean>;
  /**
   * Appends messages to the open folder in their order: bytes as given, INTERNALDATE, flags without `\Recent`,
   * `\Deleted` and what PERMANENTFLAGS does not allow (`flags.dropped`, once a folder). Never rejects: one placement a
   * message, at the same index. NOT to be repeated for a placement `unknown` before having looked. `again` is told of what is
   * sent once more, since it was refused together with others.
   */
  append(
    messages: readonly Sendable[],
    again?: (messages: readonly { readonly size: number }[]) => void,
  ): Promise<Placement[]>;
  /** The open folder's messages whose UID is `from` or higher: UID, size, INTERNALDATE, flags, Message-ID. One UID FETCH. */
  listFrom(from: number): Promise<Candidate[]>;
  /**
   * Reads messages of the open folder back, whole, and hands one after another to `take`, so that no two have to be in
   * memory, and of those that are too large for it no more than a piece. Those that are not there are missing. `take`
   * must not call this session.
   */
  read(messages: readonly Wanted[], take: (copy: Copy) => void): Promise<void>;
  /** Puts flags on, or takes them from, a copy of ours in the open folder: what changed at the source meanwhile. */
  reflag(uid: number, add: readonly string[], remove: readonly string[]): Promise<void>;
}

/** What of a destination can be looked at, and nothing that could change it: all that a dry run gets. */
export type DestinationReader = Omit<DestinationSession, 'create' | 'append' | 'reflag'>;

/** What became of one message of an APPEND. */
export type Placement =
  /** Tagged OK. `copy` is what APPENDUID says (RFC 4315 §3), absent without UIDPLUS. Proof of nothing yet. */
  | {
      readonly is: 'stored';
      readonly copy?: { readonly uidValidity: number; readonly uid: number };
    }
  /** Tagged NO or BAD that concerns this message: it was not stored. */
  | { readonly is: 'refused'; readonly failure: Failure }
  /** Tagged NO or BAD that concerns folder or account, or not sent at all: it was not stored. */
  | { readonly is: 'held'; readonly failure: Failure }
  /** Interrupted, or answered in a way that can't be believed: it may or may not be stored. */
  | { readonly is: 'unknown'; readonly failure: Failure };

/** How an original was retired. */
export type Retired = 'expunged' | 'marked' | 'kept' | 'moved';

/**
 * A message's row in the journal.
 * - `appending`: noted before the APPEND; whether it is stored is not known until a look finds out
 * - `unverified`: appended, but the copy differs
 * - `refused`: set aside, tried again at `retryAt`
 * - `proven`: a Receipt was issued; the original is still to be retired
 * - `retired`: done, in the way `retired` says
 */
export interface Note {
  readonly uid: number;
  readonly state: 'appending' | 'unverified' | 'refused' | 'proven' | 'retired';
  readonly sha256: string;
  readonly messageId?: string;
  readonly size: number;
  /** INTERNALDATE, epoch milliseconds. */
  readonly internalDate?: number;
  /** Where the destination stood before the APPEND. */
  readonly dest: FolderStanding;
  /** The UID of the copy: proven, or said by APPENDUID for an unverified one. */
  readonly destUid?: number;
  readonly proof?: Proof;
  readonly retired?: Retired;
  readonly why?: string;
  readonly tries: number;
  /** Epoch milliseconds. */
  readonly notedAt: number;
  readonly retryAt?: number;
}

export interface FolderStanding {
  readonly folder: string;
  readonly uidValidity: number;
  readonly uidNext: number;
}

/** What is about to travel. */
export interface Intent {
  readonly uid: number;
  readonly sha256: string;
  readonly messageId?: string;
  readonly size: number;
  /** INTERNALDATE, epoch milliseconds. */
  readonly internalDate?: number;
}

/** A message that was in hand when processes died. */
export interface Deaths {
  readonly count: number;
  /** The last process that had it in hand died so, and none has taken it up since. */
  readonly last: boolean;
}

/** A flag of an original that is turned over for a while, and how it was. */
export interface Turned {
  readonly uid: number;
  readonly flag: string;
  readonly was: boolean;
}

/** A folder under one UIDVALIDITY. */
export interface FolderKey {
  readonly folder: string;
  readonly uidValidity: number;
}

/** The original that a copy proves. */
export interface Claimant extends MessageKey {
  readonly sha256: string;
  /** INTERNALDATE, epoch milliseconds. */
  readonly internalDate?: number;
  /**
   * Its folder was renumbered since. With its mark taken off, or restored from a backup, it may come back under another
   * number, with the same bytes and INTERNALDATE, and may prove itself by this copy again.
   */
  readonly renumbered: boolean;
}

/** Whose use is counted, and over how long: `span` is that of a rate limit, in milliseconds. */
export interface UseKey {
  readonly account: string;
  readonly side: 'source' | 'destination';
  readonly span: number;
}

/** What was used of an account in one stretch of time that began at `since` (epoch ms). */
export interface Use {
  readonly since: number;
  readonly messages: number;
  readonly bytes: number;
}

export interface UseNote {
  readonly key: UseKey;
  /** Replaces what was noted of the same stretch. */
  readonly use: Use;
  /** Earlier stretches are forgotten. */
  readonly before: number;
}

/** What was carried, by days of the clock of this machine (`2026-11-28`). */
export interface Tallies {
  readonly carried: readonly {
    readonly route: string;
    readonly folder: string;
    readonly day: string;
    readonly messages: number;
    readonly bytes: number;
  }[];
  /** How many messages that came while imapferry ran took about how long, from first sight to the end of their journey. */
  readonly speeds: readonly {
    readonly route: string;
    readonly day: string;
    readonly ms: number;
    readonly messages: number;
  }[];
}

/** A trouble that somebody was told of. */
export interface AlertNote {
  readonly cause: Cause;
  readonly side?: 'source' | 'destination';
  readonly folder?: string;
  /** Since when it was so, and when it was told (epoch ms). */
  readonly since: number;
  readonly toldAt: number;
  /** How: by a message in the destination's INBOX, or by ALERT_COMMAND. */
  readonly by: 'inbox' | 'command';
  /** That it is over was told, too. */
  readonly over: boolean;
}

/**
 * What survives a crash. Synchronous; each call is one transaction, on disk when it returns (synchronous=FULL), or
 * throws a Failure (step `journal`) and has changed nothing.
 */
export interface Journal {
  /** The rows of one route. `source` and `destination` are account ids: a row of another account is another row. */
  route(name: string, source: string, destination: string): RouteJournal;
  /** Logins refused in a row, and when last (epoch ms). */
  refusals(account: string): { count: number; lastAt: number };
  noteRefusal(account: string, at: number): void;
  clearRefusals(account: string): void;
  /** What was used, by stretches of time, the earliest first. */
  used(key: UseKey): Use[];
  /** Notes use, all in one; a power cut may forget it. */
  noteUse(notes: readonly UseNote[]): void;
  /** A process begins its life: whatever is in hand was so when an earlier one died, and is counted. */
  begin(): void;
  /** Says that this process lives (epoch ms), and how it is where that has changed: a text for `health`. */
  beat(at: number, status?: string): void;
  /** What was carried, each message once, from a day on (`2026-11-28`). */
  tallies(since: string): Tallies;
  /** A number that is another one whenever another process has written to the journal meanwhile. Costs nothing. */
  revision(): number;
  /**
   * Forgets retired rows older than `before` whose original is gone, what was carried on days before that, and who wrote
   * messages of an INTERNALDATE before that. Claims stay. Returns how many rows went.
   */
  prune(before: number): number;
  /** Who wrote what was carried of an INTERNALDATE from `after` on, for each route that was ever opened. */
  written(after: number): RouteWritten[];
  close(): void;
}

export interface RouteJournal {
  /**
   * The rows of a source folder by UID: all but those whose retired original is gone. With `uids`, every row of these.
   */
  notes(folder: FolderKey, uids?: readonly number[]): Map<number, Note>;
  /** The UIDVALIDITY under which the folder was last seen; `undefined` before the first `seen`. */
  lastValidity(folder: string): number | undefined;
  /**
   * Notes the UIDVALIDITY under which a source folder is seen now. If it was another before, the originals that may still
   * be there come back under new numbers: their old rows are closed, and their copies free to prove them again, but for
   * those that were marked: these are not looked for, and their copies are not free for twins.
   */
  seen(folder: FolderKey): void;
  /** These messages are in hand from now on, and known to be so even if the process dies; a power cut may forget it. */
  takeUp(from: FolderKey, uids: readonly number[]): void;
  /** They are in hand no more. What is proven is put down by that. */
  putDown(from: FolderKey, uids: readonly number[]): void;
  /** The messages of a folder that were in hand when a process died, and are still there. */
  deaths(from: FolderKey): Map<number, Deaths>;
  /**
   * Before an APPEND: what is about to travel, and where the destination stood. Replaces earlier rows of these messages,
   * but for `tries` and `notedAt`. Throws if one of them has a Receipt: it is never appended again.
   */
  intend(from: FolderKey, dest: FolderStanding, intents: readonly Intent[]): void;
  /** Takes intents back: these were certainly not stored. Rows in another state stay. */
  withdraw(from: FolderKey, uids: readonly number[]): void;
  /**
   * Receipts issued: each row becomes `proven`, each copy's UID is claimed for ever, and the message is in hand no more: should
   * the process die now, it was not for that, since nothing is left to be sent of it. Throws if one was claimed by another
   * original (step `verify`), but for one that comes back renumbered, or if an original was never noted.
   * `senders`: by UID, of those of whom it is to be kept who wrote them. A message with the same sender, INTERNALDATE and
   * SHA-256 counts once, in whatever folder it is.
   */
  prove(receipts: readonly Receipt[], at: number, senders?: ReadonlyMap<number, Sender>): void;
  /** The Receipts of rows in state `proven` or `retired`, to retire again. */
  receipts(from: FolderKey, uids: readonly number[]): Receipt[];
  /** These originals were retired so. `ms`: from first sight to now, of mail that came while this process ran. */
  retire(from: FolderKey, uids: readonly number[], how: Retired, at: number, ms?: number): void;
  /**
   * These originals are no longer in their folder. A retired one may be pruned from now on; a proven one counts as
   * expunged; rows in any other state are removed.
   */
  gone(from: FolderKey, uids: readonly number[], at: number): void;
  /** Retired originals that were taken to be gone are in their folder all the same. */
  presentAgain(from: FolderKey, uids: readonly number[]): void;
  /** What was proven of these originals is not so: their rows are removed, and their copies free. */
  disprove(from: FolderKey, uids: readonly number[]): void;
  /**
   * Other messages are there under these numbers by now: their rows are removed. What their copies prove stays claimed.
   */
  forget(from: FolderKey, uids: readonly number[]): void;
  /** Sets messages aside. A message without a row gets one. `retryAt`: epoch ms of the next try. Raises `tries` by one. */
  setAside(
    from: FolderKey,
    intents: readonly Intent[],
    state: 'unverified' | 'refused',
    reason: { why: string; dest: FolderStanding; destUid?: number; retryAt: number },
    at: number,
  ): void;
  /** Before a flag is turned over: how it was. What was noted of it before stays. */
  turnOver(from: FolderKey, flag: Turned): void;
  /** It is as it was, or as somebody else wants it. */
  turnedBack(from: FolderKey, flag: Pick<Turned, 'uid' | 'flag'>): void;
  /** The flags of a folder's originals that may be turned over. */
  turned(from: FolderKey): Turned[];
  /**
   * UIDs of a destination folder that already prove an original, whichever route of this journal proved it, each with
   * that original (`undefined`: of another source account). With `uids` only those of them that are asked for.
   */
  claimed(dest: FolderKey, uids?: readonly number[]): Map<number, Claimant | undefined>;
  /**
   * The originals with this SHA-256 whose copies in that folder were proven under another UIDVALIDITY of it, and not under
   * this one (`undefined`: of another source account).
   */
  claimedBefore(dest: FolderKey, sha256: string): (Claimant | undefined)[];
  /** The rows of a folder that are `appending` with this SHA-256. */
  onTheWay(from: FolderKey, sha256: string): Note[];
  /** Rows of the route by state. */
  count(state: Note['state']): number;
  /** What is set aside: for `imapferry stuck`. */
  aside(): (Note & MessageKey)[];
  /** The troubles of this route that somebody was told of, by cause, side and folder. */
  alerts(): AlertNote[];
  /** These were told, and no others: replaces what was noted before. */
  noteAlerts(notes: readonly AlertNote[]): void;
}

/** Where messages lie that are too large for memory, while they travel. What is in it goes with it. */
export interface Spool extends AsyncDisposable {
  /** Room for one message. Rejects, as `write` does, with a Failure where the disk does not take it. */
  receive(): Promise<Incoming>;
}

/** A message that comes piece by piece. */
export interface Incoming {
  write(piece: Buffer): Promise<void>;
  /** What was written. To be asked for once, at the end. */
  end(): Content;
}

/** Time, so that tests need not wait. */
export interface Clock {
  /** Epoch milliseconds, by the clock on the wall: it may be set, back as well as forward. */
  now(): number;
  /** Milliseconds that pass as time does, whoever sets the clock; only their difference says something. */
  ticks(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}
