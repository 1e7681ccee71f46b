/**
 * What a running imapferry says of itself: to `health`, to the status page, to metrics and alerts. Times are epoch ms, sizes
 * bytes. Names of routes and folders and counts only: no subject, no address, nothing of a message but its UID.
 */

/** How a folder's new mail is noticed: by IDLE, with the other folders on one connection, or not at all for now. */
export type Watched = 'idle' | 'rounds' | 'not';

/** Messages of a folder that are still to be carried. */
export interface Waiting {
  readonly messages: number;
  /** The one that came first, and what keeps it. Absent: nothing waits. */
  readonly oldest?: WaitingMessage;
  /** The one that has waited longest of those that came since imapferry runs and that nothing lasting keeps. */
  readonly late?: WaitingMessage;
  /** The one that is known longest of those that were there before and that nothing lasting keeps. */
  readonly old?: WaitingMessage;
}

export interface WaitingMessage {
  readonly uid: number;
  /** When it was seen first by this process. */
  readonly since: number;
  /** INTERNALDATE. */
  readonly internalDate?: number;
  /** A sentence, or absent: it is on its way. */
  readonly why?: string;
}

export interface FolderStatus {
  readonly folder: string;
  readonly dest: string;
  readonly watched: Watched;
  /** Since when it is so. */
  readonly since: number;
  /** Why the folder can't be looked through just now. */
  readonly leftOut?: string;
  /** When the whole folder was looked through last. */
  readonly sweptAt?: number;
  /** When this process carried a message of it last. */
  readonly carriedAt?: number;
  readonly waiting: Waiting;
  /** Set aside: they stay at the source until tried again. */
  readonly refused: number;
  readonly unverified: number;
  /** Since when the first of these is known to this process, and what keeps it. */
  readonly asideSince?: number;
  readonly asideWhy?: string;
}

export interface AccountStatus {
  readonly side: 'source' | 'destination';
  readonly is: 'connecting' | 'connected' | 'lost' | 'refused';
  readonly since: number;
  readonly why?: string;
}

export interface RouteStatus {
  readonly route: string;
  readonly dryRun: boolean;
  /** SWEEP_INTERVAL, in ms. */
  readonly sweepInterval: number;
  /** Both accounts are connected and the plan is made. */
  readonly ready: boolean;
  readonly accounts: readonly AccountStatus[];
  /** Nothing is delivered until a person has decided. */
  readonly blocked?: Hindrance;
  /** Deliveries pause, and go on by themselves. */
  readonly held?: Hindrance;
  readonly folders: readonly FolderStatus[];
  /** Folders of which nothing is carried although that might be expected, and why. */
  readonly missing?: readonly { readonly folder: string; readonly why: string }[];
  /** The source's own folders that no route carries, junk and trash aside: how many, and the first. Absent: there are none. */
  readonly uncarried?: { readonly folders: number; readonly first: string };
  /** Messages in hand: they wait in the queue or travel. */
  readonly queued: number;
  /** When this process carried a message last. */
  readonly carriedAt?: number;
  /** While much waits: how far it has come with it. Messages carried, their bytes, messages left, bytes a second, ms to go. */
  readonly drain?: {
    readonly count: number;
    readonly bytes: number;
    readonly left: number;
    readonly rate: number;
    readonly eta?: number;
  };
}

export interface Hindrance {
  readonly since: number;
  readonly why: string;
  /** The destination takes no more. */
  readonly full?: true;
  /** A rate limit leaves no room. */
  readonly paced?: true;
  /** When it is over at the latest, where that is known. */
  readonly until?: number;
}

/** What can be wrong. */
export type Cause =
  | 'account-refused'
  | 'account-lost'
  | 'destination-full'
  | 'route-blocked'
  | 'deliveries-held'
  | 'folder-left-out'
  | 'folder-missing'
  | 'sweep-overdue'
  | 'mail-waits'
  | 'messages-refused'
  | 'copies-unverified'
  | 'journal-failed';

/** Something that is wrong, for people. */
export interface Trouble {
  readonly cause: Cause;
  readonly route?: string;
  readonly folder?: string;
  readonly side?: 'source' | 'destination';
  readonly since: number;
  /** What is so, and what imapferry does now: whole sentences. */
  readonly says: string;
  /** What the reader can do: a whole sentence. */
  readonly help: string;
  /** Mail does not flow as it should. Otherwise single messages are concerned. */
  readonly unhealthy: boolean;
}

/** Whether mail flows, and what stands in its way. */
export interface Health {
  readonly healthy: boolean;
  readonly troubles: readonly Trouble[];
}

/** What there is to be known of a running imapferry, before anybody judges it. */
export interface Findings {
  readonly version: string;
  readonly startedAt: number;
  /** Since when time has passed evenly, where that is not since the start: this machine has slept, or its clock was set. */
  readonly evenSince?: number;
  readonly routes: readonly RouteStatus[];
  /** The journal can't be written. */
  readonly journalFailed?: Hindrance;
}

export interface Status extends Findings, Health {
  /** When this was so. */
  readonly at: number;
}

/** So many messages, and their bytes. */
export interface Carried {
  readonly messages: number;
  readonly bytes: number;
}

/** What was carried on one day, `2026-11-28` by the clock of this machine. */
export interface Day extends Carried {
  readonly day: string;
  /** How many ms half of the mail that came meanwhile took from first sight to the end of its journey, and 95 of 100. */
  readonly p50?: number;
  readonly p95?: number;
}

/** What a route, or a folder of it, has carried: today, the last seven days and the last thirty, today included. */
export interface Totals {
  readonly today: Carried;
  readonly week: Carried;
  readonly month: Carried;
}

export interface RouteHistory extends Totals {
  readonly route: string;
  /** The last thirty days, the earliest first; days without mail are among them. */
  readonly days: readonly Day[];
  readonly folders: readonly (Totals & { readonly folder: string })[];
}
