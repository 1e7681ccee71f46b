/** What went wrong, in terms the engine can act on and people can read. */

export type Step =
  | 'connect'
  | 'login'
  | 'open'
  | 'look'
  | 'fetch'
  | 'append'
  | 'verify'
  | 'retire'
  | 'idle'
  | 'journal';

/**
 * Whom a failure concerns. `message`: that message alone; `folder`: everything of that folder; `account`: everything
 * of that account; `connection`: this connection, another one may do better.
 */
export type Scope = 'message' | 'folder' | 'account' | 'connection';

/** What the engine tells apart; everything else is told by `sentence`. */
export type Kind =
  | 'other'
  /** The server refused the login name or password. */
  | 'login-refused'
  /** No such folder: it can be made. */
  | 'folder-missing'
  /** The server makes no folder of that special use. */
  | 'use-refused'
  /** UIDVALIDITY changed: what was to be done is to be begun anew, with new numbers. */
  | 'renumbered'
  /** The folder has another connection now: what was to be done is done there. */
  | 'relieved'
  /** The folder or account takes no more mail for now. */
  | 'full'
  /** The server asks to go slower. `retryAfter` may say how long. */
  | 'throttled'
  /** A rate limit of ours leaves no room for another try: it is made later. */
  | 'paced'
  /** The server lets no further connection in: there are too many at once. */
  | 'crowded'
  /** What is carried, or moved, comes back to where it came from: source and destination are one, or go round. */
  | 'circle'
  /** The connection ended or fell silent. */
  | 'lost'
  /** The wire can't be trusted: certificate, name, STARTTLS. Nothing secret was sent. */
  | 'insecure';

export interface FailureFields {
  readonly step: Step;
  readonly scope: Scope;
  readonly kind?: Kind;
  /** Temporary: worth another try by itself. Lasting: needs a person. What we don't recognise is temporary. */
  readonly lasting?: boolean;
  /**
   * The command was under way when this happened, so that its effect is not known. Only false where a tagged
   * NO or BAD says that nothing was done, or nothing was sent.
   */
  readonly outcomeUnknown?: boolean;
  /** The server's response code (RFC 5530), e.g. `OVERQUOTA`; of a connection that was refused, `ECONNREFUSED`. */
  readonly code?: string;
  /** Milliseconds to wait before another try, where the server said so. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/** The one error that travels through the engine. `message` is a sentence for people, without secrets or addresses. */
export class Failure extends Error {
  readonly step: Step;
  readonly scope: Scope;
  readonly kind: Kind;
  readonly lasting: boolean;
  readonly outcomeUnknown: boolean;
  readonly code: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(sentence: string, fields: FailureFields) {
    super(sentence, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = 'Failure';
    this.step = fields.step;
    this.scope = fields.scope;
    this.kind = fields.kind ?? 'other';
    this.lasting = fields.lasting ?? false;
    this.outcomeUnknown = fields.outcomeUnknown ?? false;
    this.code = fields.code;
    this.retryAfter = fields.retryAfter;
  }
}

/** The refusal of an APPEND that looked like one message's, as the folder's: it refused message after message. */
export function folders(refusal: Failure): Failure {
  return new Failure(
    `The destination refuses message after message, so that it is hardly the messages' fault. ${refusal.message}`,
    {
      step: 'append',
      scope: 'folder',
      ...(refusal.code !== undefined && { code: refusal.code }),
      cause: refusal,
    },
  );
}

/** Any thrown value as a Failure: itself where it is one, else a temporary one of that step that keeps its cause. */
export function asFailure(thrown: unknown, step: Step): Failure {
  if (thrown instanceof Failure) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new Failure(text, { step, scope: 'connection', outcomeUnknown: true, cause: thrown });
}
