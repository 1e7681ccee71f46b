/** The table of all variables: how each is read, and what holds where it is not set. */
import { readCa } from './ca.ts';
import { parseFolders } from './folders.ts';
import { splitWords } from './password.ts';
import { rateLimits } from './rate-limit.ts';
import { parseRoutes } from './route-names.ts';
import { STATE_DIR } from './state-dir.ts';
import {
  afterDelivery,
  bare,
  duration,
  fingerprint,
  host,
  oneOf,
  orOff,
  type Parser,
  port,
  size,
  text,
  toggle,
  webUrl,
  wholeNumber,
} from './values.ts';

export interface Variable<T> {
  readonly parse: Parser<T>;
  /** A value for the example in a mistake. */
  readonly example: string;
  /** The text that holds where the variable is not set. */
  readonly default?: string;
  /** What to say where it is needed and not set. */
  readonly missing?: string;
}

function needed<T>(parse: Parser<T>, example: string, missing: string): Variable<T> {
  return { parse, example, missing };
}

function optional<T>(parse: Parser<T>, example: string): Variable<T | undefined> {
  return { parse, example };
}

function defaulted<T>(parse: Parser<T>, fallback: string): Variable<T> {
  return { parse, example: fallback, default: fallback };
}

/** Variables of an account, without `SOURCE_` or `DEST_` in front. */
const ACCOUNT = {
  HOST: needed(host, 'imap.example.org', 'is needed: the name of the IMAP server'),
  PORT: optional(port, '993'),
  TLS: defaulted(oneOf('implicit', 'starttls', 'none'), 'implicit'),
  CA_FILE: optional(readCa, '/etc/imapferry/ca.pem'),
  TLS_NAME: optional(host, 'imap.example.org'),
  TLS_FINGERPRINT: optional(fingerprint, 'AA:BB:…'),
  USER: needed(bare, 'me@example.org', 'is needed: the login name'),
  AUTH: defaulted(oneOf('password', 'oauth2'), 'password'),
  PASSWORD: optional(text, "'…'"),
  PASSWORD_FILE: optional(bare, './secrets/password'),
  PASSWORD_COMMAND: optional(text, 'pass show mail'),
  RATE_LIMIT: optional(rateLimits, '60/min, 500MB/day'),
} as const;

/** Variables of a route, besides those of its accounts. */
const ROUTE = {
  FOLDERS: defaulted(parseFolders, '*'),
  CREATE_FOLDERS: defaulted(toggle, 'true'),
  AFTER_DELIVERY: defaulted(afterDelivery, 'expunge'),
  VERIFY: defaulted(oneOf('bytes', 'headers'), 'bytes'),
  SWEEP_INTERVAL: defaulted(duration('1s', '24h'), '10m'),
  // RFC 9051 §6.3.13: a server may end an IDLE after 30 minutes, and is to be asked again before 29 have passed.
  IDLE_RENEW: defaulted(duration('1s', '29m'), '4m30s'),
  CONCURRENCY: defaulted(wholeNumber(1, 32), '4'),
  MAX_WATCHERS: defaulted(wholeNumber(0, 50), '3'),
  MAX_MESSAGE_SIZE: optional(size, '50MB'),
  DRY_RUN: defaulted(toggle, 'false'),
} as const;

/** Variables of imapferry as a whole. */
const COMMON = {
  STATE_DIR: defaulted(bare, STATE_DIR),
  HISTORY_DAYS: defaulted(wholeNumber(1, 36_500), '90'),
  LOG_LEVEL: defaulted(oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace'), 'info'),
  LOG_FORMAT: optional(oneOf('json', 'pretty'), 'json'),
  ALERT_AFTER: { parse: orOff(duration('1s', '168h')), example: '1h', default: 'off' },
  ALERT_COMMAND: optional(splitWords, '/usr/local/bin/tell-me'),
  HEARTBEAT_URL: optional(webUrl, 'https://heartbeat.example.org/ping/…'),
  HTTP_PORT: defaulted(wholeNumber(0, 65535), '0'),
  HTTP_HOST: defaulted(host, '127.0.0.1'),
  HTTP_PASSWORD: optional(text, "'…'"),
  HTTP_PASSWORD_FILE: optional(bare, './secrets/http_password'),
  KEEP_SENDERS: defaulted(toggle, 'false'),
  ROUTES: optional(parseRoutes, 'mum,dad'),
} as const;

export type Side = 'SOURCE' | 'DEST';
type AccountTable = {
  readonly [N in keyof typeof ACCOUNT as `${Side}_${N}`]: (typeof ACCOUNT)[N];
};
type Parsed<T> = { readonly [N in keyof T]: T[N] extends Variable<infer V> ? V : never };

/** What the variables of a route say, each parsed. */
export type Values = Parsed<AccountTable & typeof ROUTE>;
/** What the variables of imapferry as a whole say, each parsed. */
export type CommonValues = Parsed<typeof COMMON>;

export type Variables = ReadonlyMap<string, Variable<unknown>>;

/** The three variables of which one delivers an account's password: a route has all of them of its own, or none. */
export function secretNames<S extends Side>(side: S) {
  return [`${side}_PASSWORD`, `${side}_PASSWORD_FILE`, `${side}_PASSWORD_COMMAND`] as const;
}

const accounts = (['SOURCE', 'DEST'] as const).flatMap((side) =>
  Object.entries(ACCOUNT).map(([name, variable]) => [`${side}_${name}`, variable] as const),
);

/** The variables that each route has, which may bear its name in front. */
export const ROUTE_VARIABLES: Variables = new Map<string, Variable<unknown>>([
  ...accounts,
  ...Object.entries(ROUTE),
]);
export const COMMON_VARIABLES: Variables = new Map<string, Variable<unknown>>(
  Object.entries(COMMON),
);

/** Every variable by its name. */
export const VARIABLES: Variables = new Map([...ROUTE_VARIABLES, ...COMMON_VARIABLES]);

/** The variable that a name means, with a route's name in front of it or without. */
export function variableOf(name: string): Variable<unknown> | undefined {
  const own = VARIABLES.get(name);
  if (own !== undefined) return own;
  return [...ROUTE_VARIABLES].find(([known]) => name.endsWith(`_${known}`))?.[1];
}
