/** The messages that travel: their keys, what a look sees of them, and their bytes on either side. */
import type { Content, Fingerprint } from './content.ts';

/** What names a message for ever on a server: folder, UIDVALIDITY, UID (RFC 9051 §2.3.1.1). */
export interface MessageKey {
  readonly folder: string;
  readonly uidValidity: number;
  readonly uid: number;
}

/** What a look sees of a message at the source. `size` is RFC822.SIZE in bytes. */
export interface Listed {
  readonly uid: number;
  readonly size: number;
  readonly flags: ReadonlySet<string>;
  /** INTERNALDATE; absent where the server's answer was no readable date. */
  readonly internalDate?: Date;
}

/** A message at the source as it was fetched: what its bytes are, exactly as the source returned them. */
export interface Original extends Listed {
  readonly content: Fingerprint;
}

/** An original whose bytes are at hand, to be sent on. */
export interface Sendable extends Original {
  readonly content: Content;
}

/** A message that is to be read. Where its size is not known, the server is asked for it first. */
export interface Wanted {
  readonly uid: number;
  readonly size?: number;
}

/** A row of a destination folder's listing: a copy perhaps, to be compared by its bytes. */
export interface Candidate extends Listed {
  /** The Message-ID field's value as sent, unfolded and trimmed; absent where there is none. */
  readonly messageId?: string;
}

/** A message at the destination as read back. */
export interface Copy {
  readonly uid: number;
  readonly flags: ReadonlySet<string>;
  readonly content: Fingerprint;
}

/** Where a folder stood when it was opened. */
export interface FolderView {
  readonly folder: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly messages: number;
  /** Opened READ-ONLY although it was opened for writing (RFC 9051 §7.1). */
  readonly readOnly: boolean;
  /** The server says that it does not keep UIDs (UIDNOTSTICKY, RFC 4315 §4). */
  readonly uidNotSticky: boolean;
}

/** `\Deleted`, whatever its letter case (flags are case-insensitive, RFC 9051 §2.3.2). */
export function isDeleted(flags: ReadonlySet<string>): boolean {
  return [...flags].some((flag) => flag.toLowerCase() === '\\deleted');
}

/** The flags that travel: all but `\Recent`, which only a server sets, and `\Deleted`, which would unmake the copy. */
export function travellingFlags(flags: ReadonlySet<string>): string[] {
  return [...flags].filter((flag) => !/^\\(recent|deleted)$/i.test(flag)).sort();
}

/** The value of the first Message-ID field of a message, unfolded and trimmed; `undefined` where there is none. */
export function messageIdOf({ head }: Pick<Fingerprint, 'head'>): string | undefined {
  return headerField(head, 'message-id');
}

/**
 * The value of the first field of that name in a message's header, unfolded (RFC 5322 §2.2.3), white space
 * collapsed and trimmed; `undefined` where there is none. Bytes are read as Latin-1, so that none is lost.
 * @param name in lower case
 */
export function headerField(head: Buffer, name: string): string | undefined {
  const header = head.toString('latin1').replaceAll('\r', '');
  const match = new RegExp(`^${name}[ \\t]*:(.*(?:\\n[ \\t].*)*)`, 'im').exec(header);
  return match?.[1] === undefined ? undefined : match[1].replace(/\s+/g, ' ').trim();
}
