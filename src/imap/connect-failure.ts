/**
 * Why a connection could not be begun or nobody was let in, in sentences that name the server and what can be done. Where
 * the wire can't be trusted, they say that nothing secret was sent.
 */
import { Failure } from '../domain/failure.ts';
import { backoff, type LibraryError, networkReason, readable, verdictOf } from './answers.ts';

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

/** Which settings a sentence means: `{TLS}` becomes `SOURCE_TLS` or `DEST_TLS`. */
function withSettings(sentence: string, side: 'source' | 'destination'): string {
  const prefix = side === 'source' ? 'SOURCE_' : 'DEST_';
  return sentence.replace(/\{([A-Z_]+)\}/g, (_, name: string) => prefix + name);
}

/**
 * Why a connection could not be begun, in a sentence that names the server and what can be done.
 * @param secret what must not be told even where the server repeats it, as must `server.user`
 */
export function connectFailure(
  thrown: unknown,
  server: { side: 'source' | 'destination'; host: string; port: number; user?: string },
  secret?: string,
): Failure {
  if (thrown instanceof Failure) return thrown;
  const error = thrown as LibraryError;
  const where = `The ${server.side} server ${server.host}:${server.port}`;
  const hidden = hiddenWords(server.user, secret);
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
    return loginFailure(error, where, hidden);
  }
  const because =
    networkReason(error) ??
    `the connection ended (${readable(error.reason ?? error.message, hidden)})`;
  // Some servers say in their BYE that there are too many connections.
  const { kind } = verdictOf(undefined, error.reason ?? '', 'login');
  return new Failure(`${where} can not be used: ${because}.`, {
    step: 'connect',
    scope: 'connection',
    kind: kind === 'throttled' || kind === 'crowded' ? kind : 'lost',
    ...(error.code === 'ECONNREFUSED' && { code: error.code }),
    cause: thrown,
  });
}

/** Why the wire can't be trusted, or `undefined`. */
function insecurity(error: LibraryError): string | undefined {
  if (error.code === 'WRONG_FINGERPRINT') {
    return `its certificate has the SHA-256 fingerprint ${error.seen}, not the one in {TLS_FINGERPRINT}`;
  }
  const known = INSECURE[error.code ?? ''];
  if (known !== undefined) return known.replace('{names}', () => namesOf(error));
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

/** What a server may repeat of a login: name and secret, as they are and as SASL sends them. The longest first. */
function hiddenWords(user = '', secret = ''): string[] {
  const base64 = (text: string) => Buffer.from(text).toString('base64').replace(/=+$/, '');
  const sasl = [`\0${user}\0${secret}`, `user=${user}\x01auth=Bearer ${secret}\x01\x01`];
  const words = [user, secret, ...[user, secret, ...sasl].map(base64)];
  return words.filter((word) => word !== '').sort((a, b) => b.length - a.length);
}

/** The names that a certificate bears, as far as they fit a line. */
function namesOf({ cert }: LibraryError): string {
  const names = cert?.subjectaltname?.replace(/DNS:|IP Address:/g, '');
  return names ? readable(names) : 'another name';
}

/** A login answered with NO or BAD: refused, unless the server says that something else is the matter. */
function loginFailure(error: LibraryError, where: string, hidden: readonly string[]): Failure {
  const code = error.serverResponseCode?.toUpperCase();
  // Exchange's "authenticated but not connected" is no answer to LOGIN, and comes as the library's own error.
  const said = typeof error.response === 'string' ? error.response : undefined;
  const text = error.responseText ?? said ?? error.message;
  const verdict = verdictOf(code, text, 'login');
  const elsewise = verdict.kind !== undefined || BUSY.has(code ?? '');
  const refused = verdict.kind === 'login-refused' || !elsewise;
  const words = `${code ? `[${readable(code, hidden)}] ` : ''}${readable(text, hidden)}`;
  const retryAfter = backoff(error, text);
  return new Failure(
    refused
      ? `${where} refuses the login: ${words}.`
      : `${where} lets nobody in just now: ${words}.`,
    {
      step: 'login',
      scope: 'account',
      kind: refused ? 'login-refused' : verdict.kind === 'crowded' ? 'crowded' : 'throttled',
      lasting: refused,
      ...(code !== undefined && { code }),
      ...(retryAfter !== undefined && { retryAfter }),
      cause: error,
    },
  );
}
