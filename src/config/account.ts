/** One account from its variables, and what can be wrong between them. */
import { isIPv4 } from 'node:net';
import type { Account } from '../domain/route.ts';
import { type Mistake, Unusable } from './mistakes.ts';
import {
  canStart,
  oddity,
  type SecretSource,
  secretFile,
  secretReader,
  splitWords,
} from './password.ts';
import type { Environment, Setting, Settings } from './settings.ts';
import { type Side, secretNames, type Values } from './variables.ts';

/** What is known of an account's secret: its source where it can be used, and all that is to be said about it. */
export interface SecretFindings {
  readonly source?: SecretSource;
  readonly mistakes: readonly Mistake[];
  readonly doubts: readonly string[];
}

/** Looks at an account's three password variables, of which exactly one is to be set. */
export function findSecret(
  side: Side,
  values: Partial<Values>,
  settings: Settings,
  env: Environment,
): SecretFindings {
  const noun = values[`${side}_AUTH`] === 'oauth2' ? 'access token' : 'password';
  const { called } = settings;
  const names = secretNames(side);
  const given = names.filter((name) => isGiven(name, settings));
  const [variable, second] = given;
  const where = variable && settings.set.get(variable)?.where;
  const mistake = (wrong: string, example: string, of: string = names[0]): SecretFindings => ({
    mistakes: [{ variable: called(of), ...(where !== undefined && { where }), wrong, example }],
    doubts: [],
  });
  const example = `${called(names[1])}=./secrets/${called(names[0]).toLowerCase()}`;
  if (variable === undefined) {
    const cut =
      settings.set.get(names[0])?.flaw === 'cut'
        ? ': in a .env file `#` begins a comment, put the value in single quotation marks'
        : '';
    return mistake(
      `is needed, or ${called(names[1])} or ${called(names[2])}: they deliver the ${noun}${cut}`,
      cut === '' ? example : `${called(names[0])}='…'`,
    );
  }
  if (second !== undefined)
    return mistake(
      `stands beside ${given.slice(1).map(called).join(' and ')}: exactly one of them delivers the ${noun}`,
      example,
      variable,
    );
  const value = values[variable];
  if (value === undefined) return { mistakes: [], doubts: [] };
  const flaw = settings.set.get(variable)?.flaw;
  const name = called(variable);
  if (variable === names[0]) return fromValue(name, value, noun, flaw);
  const wrong = (what: string, right: string) => mistake(what, right, variable);
  if (variable === names[1]) return fromFile(name, value, wrong, example);
  return fromCommand(name, value, wrong, env);
}

/** White space alone is no file and no command, but may be a password. */
export function isGiven(name: string, settings: Settings): boolean {
  const text = settings.set.get(name)?.text ?? '';
  return (name.endsWith('_PASSWORD') ? text : text.trim()) !== '';
}

/** Makes findings of a mistake: what is wrong, and a line that would be right. */
export type Wrong = (wrong: string, example: string) => SecretFindings;

/** What a password that stands in its variable says of itself. */
export function fromValue(
  variable: string,
  value: string,
  noun: string,
  flaw: Setting['flaw'],
): SecretFindings {
  const odd = oddity(value);
  const doubts = odd === undefined ? [] : [`${variable} ${odd}.`];
  if (flaw === 'open')
    doubts.push(
      `${variable} begins with a quotation mark that is left open, and taken as part of it.`,
    );
  if (flaw === 'cut')
    doubts.push(
      `${variable} looks cut: in a .env file \`#\` begins a comment. If the ${noun} holds one, put the value in single quotation marks, or use ${variable}_FILE.`,
    );
  return { source: { from: 'value', variable, value }, mistakes: [], doubts };
}

/** What a password file says of itself. The path is shown only once a file of that name was found. */
export function fromFile(
  variable: string,
  path: string,
  wrong: Wrong,
  example: string,
): SecretFindings {
  const secret = secretFile(path);
  if ('wrong' in secret) return wrong(secret.wrong, example);
  return {
    source: { from: 'file', variable, path },
    mistakes: [],
    doubts: secret.doubts.map((doubt) => `${variable} ${doubt}.`),
  };
}

function fromCommand(
  variable: string,
  command: string,
  wrong: Wrong,
  env: Environment,
): SecretFindings {
  const example = `${variable}=pass show mail/imap`;
  try {
    const words = splitWords(command);
    if (!canStart(words[0] ?? '', env.PATH))
      return wrong('begins with a program that was not found or may not be run', example);
    return { source: { from: 'command', variable, words }, mistakes: [], doubts: [] };
  } catch (thrown) {
    if (!(thrown instanceof Unusable)) throw thrown;
    return wrong(thrown.message, example);
  }
}

/** The account that checked values describe. */
export function accountOf(side: Side, values: Values, secret: SecretSource): Account {
  const security = values[`${side}_TLS`];
  const ca = values[`${side}_CA_FILE`];
  const tlsName = values[`${side}_TLS_NAME`];
  const fingerprint = values[`${side}_TLS_FINGERPRINT`];
  const rateLimits = values[`${side}_RATE_LIMIT`];
  return {
    side: side === 'SOURCE' ? 'source' : 'destination',
    host: values[`${side}_HOST`],
    port: values[`${side}_PORT`] ?? (security === 'implicit' ? 993 : 143),
    security,
    ...(ca !== undefined && { ca }),
    ...(tlsName !== undefined && { tlsName }),
    ...(fingerprint !== undefined && { fingerprint }),
    user: values[`${side}_USER`],
    auth: values[`${side}_AUTH`],
    secret: secretReader(secret),
    ...(rateLimits !== undefined && { rateLimits }),
  };
}

/** What works, but perhaps not as meant, about how an account's connection is secured. */
export function securityDoubts(side: Side, values: Values, called: Settings['called']): string[] {
  if (values[`${side}_TLS`] !== 'none') return [];
  const unused = (['CA_FILE', 'TLS_NAME', 'TLS_FINGERPRINT'] as const)
    .map((name) => `${side}_${name}` as const)
    .filter((name) => values[name] !== undefined);
  const tls = called(`${side}_TLS`);
  const doubts = unused.map((name) => `${called(name)} has no effect, because ${tls} is none.`);
  if (!isLoopback(values[`${side}_HOST`]))
    doubts.push(
      `${tls} is none: the password and all mail travel in plain text to a server that is not this machine. Set it to implicit or starttls if the server has either.`,
    );
  return doubts;
}

/** Whether a name or address is this machine's own, reached by nobody else. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (isIPv4(name)) return name.startsWith('127.');
  return name === '::1' || name === 'localhost' || name.endsWith('.localhost');
}
