/** What a route is: two accounts, the rules for their folders, and what becomes of carried mail. */

/** How a connection is secured: TLS from the first byte, TLS by STARTTLS (RFC 9051 §6.2.1), or not at all. */
export type Security = 'implicit' | 'starttls' | 'none';

/** At most so many messages, or bytes, `within` so many milliseconds, whenever these begin. */
export interface RateLimit {
  readonly of: 'messages' | 'bytes';
  readonly most: number;
  readonly within: number;
}

/** One IMAP account as the configuration describes it. */
export interface Account {
  readonly side: 'source' | 'destination';
  readonly host: string;
  readonly port: number;
  readonly security: Security;
  /** PEM text of the certificate authority to trust; absent: the system's roots. */
  readonly ca?: string;
  /** The name the certificate must bear, where it is not the host. */
  readonly tlsName?: string;
  /** SHA-256 of the one certificate to trust, 64 lower-case hex digits. */
  readonly fingerprint?: string;
  readonly user: string;
  readonly auth: 'password' | 'oauth2';
  /** The password or access token, obtained afresh for each login. Rejects with a Failure (step `login`). */
  readonly secret: () => Promise<string>;
  /** What a route may use of the account: of a source what is fetched, of a destination what is appended and read back. */
  readonly rateLimits?: readonly RateLimit[];
}

/** What becomes of an original once its copy is proven. */
export type AfterDelivery =
  | { readonly kind: 'expunge' }
  | { readonly kind: 'mark' }
  | { readonly kind: 'keep' }
  | { readonly kind: 'move'; readonly folder: string };

/** What proves a copy: the bytes read back, or the main header fields where a server rebuilds messages. */
export type Verify = 'bytes' | 'headers';

/**
 * One entry of FOLDERS: a folder by its name, every folder that a pattern matches (`*` anything, `%` anything but the
 * separator, as in LIST, RFC 9051 §6.3.9), or what a pattern leaves out of those.
 */
export type FolderRule =
  | { readonly kind: 'folder'; readonly name: string; readonly to?: string }
  | { readonly kind: 'pattern'; readonly pattern: string }
  | { readonly kind: 'not'; readonly name: string }
  | { readonly kind: 'not'; readonly pattern: string };

/** The special uses (RFC 6154 §2) of folders that hold mail themselves. */
export type SpecialUse = '\\Sent' | '\\Drafts' | '\\Junk' | '\\Trash' | '\\Archive';

/** A route as configured. Durations are milliseconds, sizes bytes. */
export interface Route {
  readonly name: string;
  readonly source: Account;
  readonly destination: Account;
  readonly folders: readonly FolderRule[];
  readonly createFolders: boolean;
  readonly afterDelivery: AfterDelivery;
  readonly verify: Verify;
  readonly sweepInterval: number;
  readonly idleRenew: number;
  readonly concurrency: number;
  readonly maxWatchers: number;
  readonly maxMessageSize?: number;
  /** Says what it would do with each message, and changes nothing on either side or in STATE_DIR. */
  readonly dryRun: boolean;
  /** Other routes from the same source account: no folder may be in both, unless both keep. */
  readonly rivals?: readonly Rival[];
}

/** Another route from the same source account. */
export interface Rival {
  readonly name: string;
  readonly folders: readonly FolderRule[];
  /** Where it moves what it has carried (AFTER_DELIVERY=move:FOLDER). */
  readonly moveTo?: string;
}

/** A source folder and its counterpart. Paths are as each server spells them, decoded from modified UTF-7. */
export interface FolderPair {
  readonly source: string;
  readonly dest: string;
  /** The special use of the source folder. */
  readonly use?: SpecialUse;
  /** It is, or lies below, a folder for sent mail, drafts, junk or trash: who wrote that, wrote nothing that matters here. */
  readonly apart?: true;
  /** The special use with which the destination folder is created, if it is missing. */
  readonly createAs?: SpecialUse;
}

/** One folder as LIST shows it (RFC 9051 §7.3.1). `delimiter` is empty where the server says NIL. */
export interface ListedFolder {
  readonly path: string;
  readonly delimiter: string;
  /** Attributes and special uses as sent, e.g. `\Noselect`, `\All`. */
  readonly attributes: ReadonlySet<string>;
}

/** Where an account keeps folders of which kind (NAMESPACE, RFC 2342). */
export interface Namespaces {
  /** The prefix of one's own folders, with the separator at its end: `INBOX.`, or nothing. */
  readonly personal: string;
  /** The prefixes of other users' and of shared folders. */
  readonly foreign: readonly string[];
}

/** What an account shows of its folders. */
export interface Listing {
  readonly folders: readonly ListedFolder[];
  /** Absent where the server does not say it. */
  readonly namespaces?: Namespaces;
  /** Folders can be made with a special use (CREATE-SPECIAL-USE, RFC 6154 §3). */
  readonly createsSpecialUse: boolean;
  /** The server is Exchange, which lists folders for appointments, contacts and the like, too. */
  readonly isExchange?: boolean;
}

/**
 * What tells one account from another in the journal: login name and server, no secret.
 * A journal row of another account never speaks for a message of this one.
 */
export function accountId(account: Account): string {
  // The two usual ports lead to the same account: a change from STARTTLS to implicit TLS makes no other one of it.
  const port = account.port === 143 || account.port === 993 ? '' : `:${account.port}`;
  return `${account.user}@${account.host.toLowerCase()}${port}`;
}

/**
 * What two spellings of one login have in common: a login name's letter case matters to hardly any server. Not for the
 * journal, whose rows are kept by `accountId`.
 */
export function loginId(account: Account): string {
  return accountId({ ...account, host: account.host.replace(/\.$/, '') }).toLowerCase();
}
