/** What the status page and its neighbours ask of a running imapferry. */
import type { RouteHistory, Status } from '../../domain/status.ts';

/** Answers at once, and never throws anything that stops mail: what it can't say now, it throws, and is asked again. */
export interface HttpWorld {
  status(): Status;
  /** What each route has carried. May read the journal; asked every few seconds at most. */
  histories(): readonly RouteHistory[];
  /** Who still writes to the old address; absent where that is not known. May read the journal; asked once a minute at most. */
  senders(): Senders | undefined;
  /** Calls `changed` when the status may be another one; returns what ends that. */
  subscribe(changed: () => void): () => void;
}

/** Who has written to the old address: domains only, whatever else is known. */
export interface Senders {
  /** From when on (epoch ms) senders were noted, or are counted here. */
  readonly since: number;
  /** So many days are looked back at most. */
  readonly days: number;
  /** In any order. */
  readonly domains: readonly SenderDomain[];
}

export interface SenderDomain {
  readonly domain: string;
  readonly messages: number;
  /** When the last of them came, epoch ms. */
  readonly lastAt: number;
  /** Mailing lists, newsletters and other mail that went to many. */
  readonly bulk: boolean;
}
