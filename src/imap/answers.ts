/**
 * What servers and the library answer, made into Failures: false, undefined and NO included. Temporary or lasting, and
 * whom it concerns, is decided here once; what is not recognised is temporary.
 */
import { Failure, type Kind, type Scope, type Step } from '../domain/failure.ts';

/** The fields of the library's errors that we read. */
interface LibraryError extends Error {
  readonly code?: string;
  readonly reason?: string;
  readonly responseStatus?: string;
  readonly serverResponseCode?: string;
  readonly responseText?: string;
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
const FULL: Verdict = { kind: 'full', scope: 'account' };
const MISSING: Verdict = { kind: 'folder-missing', scope: 'folder' };
const NEVER: Verdict = { scope: 'message', lasting: true };
const REFUSED: Verdict = { kind: 'login-refused', scope: 'account', lasting: true };
const ACCOUNT: Verdict = { scope: 'account' };
const FOLDER: Verdict = { scope: 'folder' };

/** Words that tell more than the response code, or stand where a server sends none. The first that fits decides. */
const WORDS: readonly (readonly [RegExp, Verdict])[] = [
  [
    /request is throttled|backoff time|too many (simultaneous )?(connections|sessions|requests)/i,
    THROTTLED,
  ],
  [/maximum number of connections|connection limit|bandwidth|rate limit|too fast/i, THROTTLED],
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
];

/** Response codes (RFC 5530, 4315, 7889, 9738) by whom they concern. */
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
  UPGRADE_TIMEOUT: 'it does not go on with STARTTLS',
};

/** Why a connection ended, as a clause about the server; `undefined` where there was no error. */
export function networkReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return NETWORK[(error as LibraryError).code ?? ''] ?? readable(error.message);
}

/** Why a server is not to be trusted with a password, by the code of the TLS error. */
const INSECURE: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER:
    'it does not speak TLS on that port. With port 143 set {TLS}=starttls; with TLS from the start it is mostly 993',
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    'it does not speak TLS on that port. With port 143 set {TLS}=starttls; with TLS from the start it is mostly 993',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks only TLS older than 1.2, which is not safe',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks only TLS older than 1.2, which is not safe',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate is for {names}. If that is your server, set {TLS_NAME} to its name there',
  CERT_HAS_EXPIRED:
    'its certificate has expired. Ask its owner to renew it, or check the clock here',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet. Check the clock here',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is self-signed. If it is yours, trust it by {TLS_FINGERPRINT} or {CA_FILE}',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate comes from an authority that is not trusted here. If it is yours, name it in {CA_FILE}',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate comes from an authority that is not trusted here. If it is yours, name it in {CA_FILE}',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate comes from an authority that is not trusted here. If it is yours, name it in {CA_FILE}',
  STARTTLS_INJECTION: 'it sent data between STARTTLS and TLS, as an attacker would',
};

/** The library's codes of a connection that is no more, or that it gave up. */
const CLOSED =
  /^(NoConnection|EConnectionClosed|ClosedAfterConnect\w+|\w+TooLarge|ParserError\d+)$/;

/** Which settings a sentence means: `{TLS}` becomes `SOURCE_TLS` or `DEST_TLS`. */
export function withSettings(sentence: string, side: 'source' | 'destination'): string {
  const prefix = side === 'source' ? 'SOURCE_' : 'DEST_';
  return sentence.replace(/\{([A-Z_]+)\}/g, (_, name: string) => prefix + name);
}

/**
 * Anything thrown by the library or by us as a Failure of that step. `outcomeUnknown` is false only where a tagged NO
 * or BAD says that nothing was done.
 */
export function failureOf(thrown: unknown, step: Step): Failure {
  if (thrown instanceof Failure) return thrown;
  const error = (thrown instanceof Error ? thrown : new Error(String(thrown))) as LibraryError;
  const answered = error.responseStatus === 'NO' || error.responseStatus === 'BAD';
  if (answered) return refusal(error, step);
  const text = error.reason ?? error.message;
  const lost = { step, scope: 'connection', kind: 'lost', outcomeUnknown: true } as const;
  const because = NETWORK[error.code ?? ''];
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
  const words = readable(text);
  const retryAfter = backoff(error, text);
  return new Failure(`The server refused: ${code ? `[${code}] ` : ''}${words}.`, {
    step,
    scope: verdict.scope ?? (step === 'append' ? 'message' : 'connection'),
    ...(verdict.kind && { kind: verdict.kind }),
    ...(verdict.lasting && { lasting: true }),
    ...(code !== undefined && { code }),
    ...(retryAfter !== undefined && { retryAfter }),
    cause: error,
  });
}

function verdictOf(code: string | undefined, text: string, step: Step): Verdict {
  const words = WORDS.find(([pattern]) => pattern.test(text))?.[1];
  const byCode = code === undefined ? undefined : CODES[code];
  // Gmail says OVERQUOTA when it means bandwidth, and many servers refuse a login when they mean too many connections.
  if (words?.kind === 'throttled') return words;
  const verdict = byCode ?? words ?? {};
  if (step === 'login')
    return verdict.kind === 'login-refused' ? verdict : { ...verdict, scope: 'account' };
  // Only an APPEND is refused for what a single message is.
  return verdict.scope === 'message' && step !== 'append' ? {} : verdict;
}

/** The longest pause that a server is granted. */
const LONGEST_PAUSE = 6 * 3_600_000;

/** Microsoft's words say how many milliseconds to wait; the library has waited some of them already. */
function backoff({ throttleWaited = 0 }: LibraryError, text: string): number | undefined {
  const asked = /backoff time[:=\s]+(\d+)/i.exec(text)?.[1];
  if (asked === undefined) return undefined;
  return Math.min(Math.max(0, Number(asked) - throttleWaited), LONGEST_PAUSE);
}

/** Why a connection could not be begun, in a sentence that names the server and what can be done. */
export function connectFailure(
  thrown: unknown,
  server: { side: 'source' | 'destination'; host: string; port: number; user?: string },
  secret?: string,
): Failure {
  if (thrown instanceof Failure) return thrown;
  const error = thrown as LibraryError;
  const where = `The ${server.side} server ${server.host}:${server.port}`;
  const insecure = insecurity(error);
  if (insecure !== undefined) {
    return new Failure(
      withSettings(`${where} can not be trusted: ${insecure}. No password was sent.`, server.side),
      { step: 'connect', scope: 'account', kind: 'insecure', lasting: true, cause: thrown },
    );
  }
  if (
    /login is disabled|no matching authentication|unsupported authentication/i.test(error.message)
  ) {
    return new Failure(
      withSettings(
        `${where} does not take a password this way. It may want TLS first ({TLS}), or OAuth 2 ({AUTH}=oauth2).`,
        server.side,
      ),
      { step: 'login', scope: 'account', lasting: true, cause: thrown },
    );
  }
  if (
    error.authenticationFailed ||
    error.responseStatus === 'NO' ||
    error.responseStatus === 'BAD'
  ) {
    return loginFailure(error, where, [server.user, secret]);
  }
  const because =
    NETWORK[error.code ?? ''] ??
    `the connection ended (${readable(error.reason ?? error.message)})`;
  const busy = WORDS[0]?.[0].test(error.reason ?? '') || WORDS[1]?.[0].test(error.reason ?? '');
  return new Failure(`${where} can not be used: ${because}.`, {
    step: 'connect',
    scope: 'connection',
    kind: busy ? 'throttled' : 'lost',
    cause: thrown,
  });
}

/** Why the wire can't be trusted, or `undefined`. */
function insecurity(error: LibraryError): string | undefined {
  if (error.code === 'WRONG_FINGERPRINT') {
    return `its certificate has the SHA-256 fingerprint ${error.seen}, not the one in {TLS_FINGERPRINT}`;
  }
  const known = INSECURE[error.code ?? ''];
  if (known !== undefined) return known.replace('{names}', namesOf(error));
  if (error.code?.startsWith('ERR_SSL_')) return `TLS fails (${readable(error.message)})`;
  if (/does not support STARTTLS/i.test(error.message)) {
    return 'it does not offer STARTTLS, or refuses it. Try {TLS}=implicit with port 993';
  }
  if (/PREAUTH/.test(error.message)) {
    return 'it says that one is logged in already (PREAUTH), so that STARTTLS is not possible. Try {TLS}=implicit with port 993';
  }
  return error.tlsFailed ? `TLS fails (${readable(error.message)})` : undefined;
}

/** Response codes of a login that failed for another reason than its name and password. */
const BUSY = new Set(['UNAVAILABLE', 'SERVERBUG', 'INUSE', 'CONTACTADMIN']);

/** The names that a certificate bears, as far as they fit a line. */
function namesOf({ cert }: LibraryError): string {
  const names = cert?.subjectaltname?.replace(/DNS:|IP Address:/g, '');
  return names ? readable(names) : 'another name';
}

/** A login answered with NO or BAD: refused, unless the server says that something else is the matter. */
function loginFailure(
  error: LibraryError,
  where: string,
  hidden: readonly (string | undefined)[],
): Failure {
  const code = error.serverResponseCode?.toUpperCase();
  const text = error.responseText ?? error.message;
  const verdict = verdictOf(code, text, 'login');
  const elsewise = verdict.kind !== undefined || BUSY.has(code ?? '');
  const refused = verdict.kind === 'login-refused' || !elsewise;
  const words = `${code ? `[${code}] ` : ''}${readable(text, hidden)}`;
  return new Failure(
    refused
      ? `${where} refuses the login: ${words}.`
      : `${where} lets nobody in just now: ${words}.`,
    {
      step: 'login',
      scope: 'account',
      kind: refused ? 'login-refused' : 'throttled',
      lasting: refused,
      ...(code !== undefined && { code }),
      cause: error,
    },
  );
}

const MOST_WORDS = 200;

/**
 * A server's words, fit for a line: no control characters, no addresses, not too long, no full stop at the end.
 * @param hidden what must not be told even where the server repeats it: login name and secret
 */
export function readable(text: string, hidden: readonly (string | undefined)[] = []): string {
  let shown = text;
  for (const word of hidden) if (word) shown = shown.replaceAll(word, '(hidden)');
  return [...shown]
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
