/** The environment and .env files, made into a Config. Gathers every mistake, then speaks once. */
import type { Route } from '../domain/route.ts';
import { ConfigError } from './mistakes.ts';

export { ConfigError, type Mistake, tellMistakes } from './mistakes.ts';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** All settings, checked. */
export interface Config {
  readonly routes: readonly Route[];
  /** The directory of the journal, as it was written. */
  readonly stateDir: string;
  readonly historyDays: number;
  readonly logLevel: LogLevel;
  /** Absent: `pretty` on a terminal, else `json`. */
  readonly logFormat: 'json' | 'pretty' | undefined;
  /** What works, but perhaps not as meant: sentences without values, told as `config.doubtful` at start. */
  readonly doubts: readonly string[];
}

/** Variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads this process' environment and the .env files.
 * @param envFiles files named by --env-file, earlier ones win; none: `.env` in the working directory, if there is one
 * @throws ConfigError with every mistake
 */
export function readEnvironment(envFiles: readonly string[]): Config {
  // biome-ignore lint/style/noProcessEnv: the one door through which settings come in
  return loadConfig(process.env, { envFiles });
}

/**
 * Makes the Config from an environment, which wins over all, and .env files, of which earlier ones win.
 * @throws ConfigError with every mistake
 */
export function loadConfig(env: Environment, options: { envFiles: readonly string[] }): Config {
  void env;
  void options;
  throw new ConfigError([]);
}
