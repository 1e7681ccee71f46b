/** The settings of the status page: where it is served, and the password in front of it. */
import {
  fromFile,
  fromValue,
  isGiven,
  isLoopback,
  type SecretFindings,
  type Wrong,
} from './account.ts';
import type { Mistake } from './mistakes.ts';
import { type SecretSource, secretFile } from './password.ts';
import type { Settings } from './settings.ts';
import type { CommonValues } from './variables.ts';

/** Where the status page, health and metrics are served, and what they ask for. */
export interface HttpSettings {
  readonly port: number;
  readonly host: string;
  /** The password as it is now; throws an Error that says why there is none. Absent: none is asked for. */
  readonly password?: () => string;
}

/** The settings, absent where HTTP_PORT is 0 or something is wrong; and all that is to be said about them. */
export function readHttp(
  values: Partial<CommonValues>,
  settings: Settings,
): { http?: HttpSettings; mistakes: readonly Mistake[]; doubts: readonly string[] } {
  const { HTTP_PORT: port, HTTP_HOST: host } = values;
  const { source, mistakes, doubts } = findPassword(values, settings);
  if (mistakes.length > 0 || port === undefined || host === undefined)
    return { mistakes, doubts: [] };
  if (port === 0) return { mistakes, doubts: source ? [unused(source.variable)] : [] };
  return {
    http: { port, host, ...(source && { password: passwordOf(source) }) },
    mistakes,
    doubts: source || isLoopback(host) ? doubts : [OPEN],
  };
}

const OPEN =
  'HTTP_HOST is not this machine alone, and there is no HTTP_PASSWORD_FILE: whoever reaches the port sees the names of folders and routes, how much mail comes, and from which domains.';

function unused(variable: string): string {
  return `${variable} has no effect, because HTTP_PORT is 0: there is no status page. Set HTTP_PORT=8025 to have one.`;
}

/** Of the two variables at most one is set. */
function findPassword(values: Partial<CommonValues>, settings: Settings): SecretFindings {
  const { HTTP_PASSWORD: value, HTTP_PASSWORD_FILE: path } = values;
  const example = 'HTTP_PASSWORD_FILE=./secrets/http_password';
  const wrongOf =
    (variable: string): Wrong =>
    (wrong, right) => {
      const where = settings.set.get(variable)?.where;
      const mistake = { variable, ...(where !== undefined && { where }), wrong, example: right };
      return { mistakes: [mistake], doubts: [] };
    };
  const given = ['HTTP_PASSWORD', 'HTTP_PASSWORD_FILE'].filter((name) => isGiven(name, settings));
  if (given.length > 1)
    return wrongOf('HTTP_PASSWORD')(
      'stands beside HTTP_PASSWORD_FILE: only one of them delivers the password',
      example,
    );
  if (value !== undefined && given[0] === 'HTTP_PASSWORD') {
    const flaw = settings.set.get('HTTP_PASSWORD')?.flaw;
    return fromValue('HTTP_PASSWORD', value, 'password', flaw);
  }
  if (path !== undefined && given[0] === 'HTTP_PASSWORD_FILE')
    return fromFile('HTTP_PASSWORD_FILE', path, wrongOf('HTTP_PASSWORD_FILE'), example);
  return { mistakes: [], doubts: [] };
}

/** A file is read again each time, so that it can be changed while imapferry runs. */
function passwordOf(source: SecretSource): () => string {
  if (source.from === 'value') return () => source.value;
  if (source.from === 'command') throw new TypeError('the status page takes no command');
  return () => {
    const secret = secretFile(source.path);
    if ('wrong' in secret) throw new Error(`${source.variable} ${secret.wrong}`);
    return secret.text;
  };
}
