/** Who wrote what was carried: what the journal keeps of it, and tells. Times are epoch ms. */

/** Who a message is from, as its header says. */
export interface Sender {
  /** In lower case and in Unicode; empty where the header names nobody. */
  readonly domain: string;
  /** In lower case. A mailing list has its List-Id in place of an address. */
  readonly address: string;
  /** From a mailing list, or sent by a program to whom it may concern. */
  readonly bulk: boolean;
}

/** What one sender wrote. */
export interface Written {
  readonly domain: string;
  /** Only with KEEP_SENDERS. */
  readonly address?: string;
  readonly bulk: boolean;
  readonly messages: number;
  /** The latest INTERNALDATE. */
  readonly lastAt: number;
}

/** What was written to the source of a route: each sender once for what is bulk mail and once for what is not. */
export interface RouteWritten {
  readonly route: string;
  /** The account id of the source: it holds a login name, so it is for whoever runs imapferry only. */
  readonly source: string;
  /** The imapferry that runs, or ran last, carries for it. */
  readonly current: boolean;
  /** Since when senders are noted. */
  readonly since: number;
  readonly written: readonly Written[];
}
