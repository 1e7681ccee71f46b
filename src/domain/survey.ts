/** What can be learnt of an account without changing anything in it. */
import type { Failure } from './failure.ts';
import type { Listing } from './route.ts';

export interface Secured {
  /** As the TLS library names it: `TLSv1.3`. */
  readonly protocol: string;
  /** Until when the server's certificate is good. */
  readonly certificateEnds?: Date;
}

/** One limit of a quota root (RFC 9208), in bytes. */
export interface Quota {
  readonly root: string;
  readonly used: number;
  readonly limit: number;
}

/** What one side said. What was not come by, because `failure` came before, is empty. Text is as the server sent it. */
export interface Survey extends Listing {
  /** The server answered on that port. */
  readonly reached: boolean;
  readonly secured?: Secured;
  readonly loggedIn: boolean;
  readonly failure?: Failure;
  /** Name and version, as the server says them by ID (RFC 2971). */
  readonly server?: string;
  /** In upper case, as after the login. */
  readonly capabilities: ReadonlySet<string>;
  /** The largest message that the server takes (RFC 7889), in bytes. */
  readonly appendLimit?: number;
  readonly quotas: readonly Quota[];
}

/** What is in a folder. */
export interface Measure {
  readonly messages: number;
  /** The sum of the messages' sizes in bytes, as the server says them. */
  readonly bytes: number;
  /** What numbers its messages have, as far as the server says so. */
  readonly uidValidity?: number;
  readonly uidNext?: number;
}
