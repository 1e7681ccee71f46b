/**
 * What servers and the library answer, made into Failures: false, undefined and NO included. Temporary or lasting, and
 * whom it concerns, is decided here once; what is not recognised is temporary.
 */
import { Failure, type Kind, type Scope, type Step } from '../domain/failure.ts';
import { withoutSecrets } from '../domain/secrets.ts';

/** The fields of the library's errors that we read. */
export interface LibraryError extends Error {
  readonly code?: string;
  readonly reason?: string;
  readonly responseStatus?: string;
  readonly serverResponseCode?: string;
  readonly responseText?: string;
  readonly response?: unknown;
  readonly authenticationFailed?: boolean;
  readonly throttleWaited?: number;
  readonly tlsFailed?: boolean;
  readonly cert?: { readonly subjectaltname?: string };
  /** The fingerprint that a server showed in place of the pinned one. */
  readonly seen?: string;
}

interface Verdict {
  readonly kind?: Kind;
  readonly scope?: Scope;
  readonly lasting?: boolean;
}

const THROTTLED: Verdict = { kind: 'throttled', scope: 'account' };
const CROWDED: Verdict = { kind: 'crowded', scope: 'account' };
const FULL: Verdict = { kind: 'full', scope: 'account' };
const MISSING: Verdict = { kind: 'folder-missing', scope: 'folder' };
const NEVER: Verdict = { scope: 'message', lasting: true };
const REFUSED: Verdict = { kind: 'login-refused', scope: 'account', lasting: true };
const ACCOUNT: Verdict = { scope: 'account' };
const FOLDER: Verdict = { scope: 'folder' };

/** Words that tell more than the response code, or stand where a server sends none. The first that fits decides. */
const WORDS: readonly (readonly [RegExp, Verdict])[] = [
  [/too many (simultaneous |concurrent )?(connections|sessions)/i, CROWDED],
  [/maximum number of connections|connection limit/i, CROWDED],
  [/request is throttled|backoff time|too many (simultaneous )?requests/i, THROTTLED],
  [/bandwidth|rate limit|too fast/i, THROTTLED],
  [/authenticated but not connected/i, THROTTLED],
  [/quota|mailbox (is )?full|not enough (disk )?space|no space left|insufficient storage/i, FULL],
  // Exchange, of a mailbox that is full.
  [/server unavailable\. 15/i, FULL],
  [
    /message (size )?(is )?too (big|large)|exceed\w* .*(message|maximum) size|maximum (message )?size/i,
    NEVER,
  ],
  [
    /appendable message|invalid header|nul char|bare newline|zero[- ](byte|length)|virus|invalid message/i,
    NEVER,
  ],
  [/(mailbox|folder) (does not|doesn'?t) exist|no such (mailbox|folder)/i, MISSING],
];

/** Response codes (RFC 5530, 4315, 6154, 7889, 9738) by whom they concern. */
const CODES: Readonly<Record<string, Verdict>> = {
  AUTHENTICATIONFAILED: REFUSED,
  AUTHORIZATIONFAILED: REFUSED,
  EXPIRED: REFUSED,
  PRIVACYREQUIRED: { scope: 'account', lasting: true },
  CONTACTADMIN: ACCOUNT,
  UNAVAILABLE: ACCOUNT,
  SERVERBUG: ACCOUNT,
  INUSE: FOLDER,
  CORRUPTION: FOLDER,
  NOPERM: FOLDER,
  'READ-ONLY': FOLDER,
  LIMIT: THROTTLED,
  OVERQUOTA: FULL,
  TRYCREATE: MISSING,
  NONEXISTENT: MISSING,
  USEATTR: { kind: 'use-refused', scope: 'folder', lasting: true },
  TOOBIG: NEVER,
  APPENDLIMIT: NEVER,
  CANNOT: NEVER,
  BADCHARSET: NEVER,
};

/** Why a connection could not be begun, by the code of the network or TLS error. */
const NETWORK: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name can not be found. Check the host name, or the network',
  EAI_AGAIN: 'its name can not be looked up just now. Check the network',
  ECONNREFUSED: 'nothing answers on that port. Check host and port',
  ECONNRESET: 'it broke the connection off',
  EPIPE: 'it broke the connection off',
  EHOSTUNREACH: 'it can not be reached. Check the network',
  ENETUNREACH: 'it can not be reached. Check the network',
  ETIMEDOUT: 'it does not answer. Check host, port and network',
  ETIMEOUT: 'it has fallen silent',
  CONNECT_TIMEOUT: 'it does not answer. Check host, port and network',
  GREETING_TIMEOUT:
    'it sends no IMAP greeting. Check the port, and whether it wants TLS from the start (implicit, 993) or STARTTLS (143)',
  FLOOD: 'it sends far more than it was asked for',
  UPGRADE_TIMEOUT: 'it does not go on with STARTTLS',
};

/** What is wrong with the network, as a clause about the server; `undefined` where the error's code does not say. */
export function networkReason(error: unknown): string | undefined {
  return error instanceof Error ? NETWORK[(error as LibraryError).code ?? ''] : undefined;
}

/** The library's codes of a connection that is no more, or that it gave up. */
const CLOSED =
  /^(NoConnection|EConnectionClosed|ClosedAfterConnect\w+|\w+TooLarge|ParserError\d+)$/;

/**
 * Anything thrown by the library or by us as a Failure of that step. `outcomeUnknown` is false only where a tagged NO
 * or BAD says that nothing was done.
 */
export function failureOf(thrown: unknown, step: Step): Failure {
  if (thrown instanceof Failure) return thrown;
  const error = (thrown instanceof Error ? thrown : new Error(String(thrown))) as LibraryError;
  const refused = error.responseStatus === 'NO' || error.responseStatus === 'BAD';
  // The library takes a NO without a tag for the answer to what is under way; whose it is nobody knows.
  const answered = refused && error.code !== 'MissingTag';
  if (answered) return refusal(error, step);
  const text = error.reason ?? error.message;
  const lost = { step, scope: 'connection', kind: 'lost', outcomeUnknown: true } as const;
  const because = networkReason(error);
  if (because) return new Failure(`The server is gone: ${because}.`, { ...lost, cause: thrown });
  if (CLOSED.test(error.code ?? '')) {
    return new Failure(`The connection ended (${readable(text)}).`, { ...lost, cause: thrown });
  }
  return new Failure(`This did not work: ${readable(text)}.`, {
    ...lost,
    kind: 'other',
    cause: thrown,
  });
}

/** A tagged NO or BAD. */
function refusal(error: LibraryError, step: Step): Failure {
  const code = error.serverResponseCode?.toUpperCase();
  const text = error.responseText ?? error.message;
  const verdict = verdictOf(code, text, step);
  const words = readable(step === 'append' ? withoutQuotations(text) : text);
  const retryAfter = backoff(error, text);
  return new Failure(`The server refused: ${code ? `[${readable(code)}] ` : ''}${words}.`, {
    step,
    scope: verdict.scope ?? (step === 'append' ? 'message' : 'connection'),
    ...(verdict.kind && { kind: verdict.kind }),
    ...(verdict.lasting && { lasting: true }),
    ...(code !== undefined && { code }),
    ...(retryAfter !== undefined && { retryAfter }),
    cause: error,
  });
}

/** Whom an answer concerns, and what it means. */
export function verdictOf(code: string | undefined, text: string, step: Step): Verdict {
  const beginning = text.slice(0, MOST_READ);
  const words = WORDS.find(([pattern]) => pattern.test(beginning))?.[1];
  const byCode = code === undefined ? undefined : CODES[code];
  // Gmail says OVERQUOTA when it means bandwidth, and many servers refuse a login when they mean too many connections.
  if (words?.kind === 'throttled' || words?.kind === 'crowded') return words;
  const verdict = byCode ?? words ?? {};
  if (step === 'login') {
    if (verdict.kind === 'folder-missing') return ACCOUNT;
    return verdict.kind === 'login-refused' ? verdict : { ...verdict, scope: 'account' };
  }
  // Only an APPEND is refused for what a single message is.
  return verdict.scope === 'message' && step !== 'append' ? {} : verdict;
}

/** The longest pause that a server is granted. */
const LONGEST_PAUSE = 6 * 3_600_000;

/** Microsoft's words say how many milliseconds to wait; the library has waited some of them already. */
export function backoff({ throttleWaited = 0 }: LibraryError, text: string): number | undefined {
  const asked = /backoff time[:=\s]+(\d+)/i.exec(text.slice(0, MOST_READ))?.[1];
  if (asked === undefined) return undefined;
  return Math.min(Math.max(0, Number(asked) - throttleWaited), LONGEST_PAUSE);
}

/** How much of a server's words is shown. */
const MOST_WORDS = 200;
/** How much of them is read: a line may have megabytes, and a pattern may take the square of that. */
const MOST_READ = 10 * MOST_WORDS;
/** How much of them is searched for secrets: so much that what is left of it, each secret hidden, is more than is shown. */
const MOST_SEARCHED = 100_000;

/** What a server quotes of a message that it refuses may be its subject: quotations of several words are left out. */
function withoutQuotations(text: string): string {
  return text
    .slice(0, MOST_SEARCHED)
    .replace(/["“„«][^"“”„«»]*(?:["“”»]|$)/g, (quoted) => (/\s/.test(quoted) ? '"…"' : quoted));
}

/**
 * A server's words, fit for a line: no control characters, no secrets, no addresses, not too long, no full stop at the end.
 * @param hidden what must not be told even where the server repeats it, the longest first
 */
export function readable(text: string, hidden: readonly string[] = []): string {
  let shown = withoutSecrets(text.slice(0, MOST_SEARCHED));
  for (const word of hidden) shown = shown.replaceAll(word, '(hidden)');
  return [...shown.slice(0, MOST_READ)]
    .map((char) => (/\p{C}/u.test(char) ? ' ' : char))
    .join('')
    .replace(/(?:"[^"]*"|[^\s<>@"']+)@[^\s<>@"',;)]+/g, '(address)')
    .trim()
    .slice(0, MOST_WORDS)
    .replace(/[.\s]+$/, '');
}

/** The value, where the library resolved with what success looks like; else a Failure of that step. */
export function must<T>(value: T | false | undefined | null, step: Step, what: string): T {
  if (value !== false && value !== undefined && value !== null) return value;
  throw new Failure(`${what} was not answered as it should be.`, {
    step,
    scope: 'connection',
    outcomeUnknown: true,
  });
}
