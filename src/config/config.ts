/** The environment and .env files, made into a Config. Gathers every mistake, then speaks once. */
import type { Route } from '../domain/route.ts';
import { accountOf, findSecret, securityDoubts } from './account.ts';
import { circle, sameFolder } from './folders.ts';
import { ConfigError, type Mistake, Unusable } from './mistakes.ts';
import { type Environment, readSettings, type Settings } from './settings.ts';
import { unknownNames } from './unknown.ts';
import { VARIABLES, type Values } from './variables.ts';

export { ConfigError, type Mistake, tellMistakes } from './mistakes.ts';
export type { Environment } from './settings.ts';

/** All settings, checked. */
export interface Config {
  readonly routes: readonly Route[];
  /** The directory of the journal, as it was written. */
  readonly stateDir: string;
  readonly historyDays: number;
  readonly logLevel: Values['LOG_LEVEL'];
  /** Absent: `pretty` on a terminal, else `json`. */
  readonly logFormat: Values['LOG_FORMAT'];
  /** What works, but perhaps not as meant: sentences without values, told as `config.doubtful` at start. */
  readonly doubts: readonly string[];
}

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
  const settings = readSettings(env, options.envFiles);
  const { values, mistakes } = parseAll(settings);
  const source = findSecret('SOURCE', values, settings, env);
  const destination = findSecret('DEST', values, settings, env);
  const all = [
    ...settings.mistakes,
    ...mistakes,
    ...source.mistakes,
    ...destination.mistakes,
    ...folderMistakes(values),
    ...unknownNames(settings),
  ];
  if (all.length > 0 || !source.source || !destination.source) throw new ConfigError(all);
  // Without a mistake every variable that is needed or has a default has its value.
  const whole = values as Values;
  const route: Route = {
    name: 'default',
    source: accountOf('SOURCE', whole, source.source),
    destination: accountOf('DEST', whole, destination.source),
    folders: whole.FOLDERS,
    createFolders: whole.CREATE_FOLDERS,
    afterDelivery: whole.AFTER_DELIVERY,
    verify: whole.VERIFY,
    sweepInterval: whole.SWEEP_INTERVAL,
    idleRenew: whole.IDLE_RENEW,
    concurrency: whole.CONCURRENCY,
    maxWatchers: whole.MAX_WATCHERS,
    maxMessageSize: whole.MAX_MESSAGE_SIZE,
    dryRun: whole.DRY_RUN,
  };
  return {
    routes: [route],
    stateDir: whole.STATE_DIR,
    historyDays: whole.HISTORY_DAYS,
    logLevel: whole.LOG_LEVEL,
    logFormat: whole.LOG_FORMAT,
    doubts: [
      ...source.doubts,
      ...destination.doubts,
      ...securityDoubts('SOURCE', whole),
      ...securityDoubts('DEST', whole),
      ...folderDoubts(whole),
      ...verifyDoubts(whole),
      ...dryRunDoubts(whole),
      ...cutDoubts(settings),
    ],
  };
}

/** Each variable by its own parser. */
function parseAll(settings: Settings): { values: Partial<Values>; mistakes: Mistake[] } {
  const values: Record<string, unknown> = {};
  const mistakes: Mistake[] = [];
  for (const [name, variable] of VARIABLES) {
    const setting = settings.set.get(name);
    // White space around a value is never meant, except in a password.
    const given = /_PASSWORD$/.test(name) ? setting?.text : setting?.text.trim();
    const text = given || variable.default;
    try {
      if (text !== undefined) values[name] = variable.parse(text);
      else if (variable.missing !== undefined) throw new Unusable(variable.missing);
    } catch (thrown) {
      if (!(thrown instanceof Unusable)) throw thrown;
      mistakes.push({
        variable: name,
        ...(setting && { where: setting.where }),
        wrong: thrown.message,
        example: `${name}=${variable.example}`,
      });
    }
  }
  return { values, mistakes };
}

/** What does not go together between FOLDERS, AFTER_DELIVERY and the two accounts. */
function folderMistakes(values: Partial<Values>): Mistake[] {
  const { FOLDERS: rules = [], AFTER_DELIVERY: after } = values;
  const mistakes: Mistake[] = [];
  const moved = rules.findIndex(
    (rule) =>
      after?.kind === 'move' && rule.kind === 'folder' && sameFolder(rule.name, after.folder),
  );
  if (moved >= 0)
    mistakes.push({
      variable: 'FOLDERS',
      wrong: `names in entry ${moved + 1} the folder to which AFTER_DELIVERY moves what was carried: it can't be a source`,
      example: 'AFTER_DELIVERY=move:Carried',
    });
  const round = sameAccount(values) ? circle(rules) : undefined;
  if (round !== undefined)
    mistakes.push({
      variable: 'FOLDERS',
      wrong: `sends mail round in a circle by entry ${round + 1}: source and destination are the same account, and what is carried comes back to the folder it came from`,
      example: 'FOLDERS=INBOX=Archive',
    });
  return mistakes;
}

/**
 * A login name's letter case matters to hardly any server, and carrying an account's mail into itself would be endless.
 * The two usual ports lead to one account; any other port is another server on that host.
 */
function sameAccount(values: Partial<Values>): boolean {
  const of = (side: 'SOURCE' | 'DEST') => {
    const port = values[`${side}_PORT`];
    const server = port === 143 || port === 993 ? '' : port;
    const host = values[`${side}_HOST`]?.replace(/\.$/, '');
    return [host, server, values[`${side}_USER`]].join('\n').toLowerCase();
  };
  return values.SOURCE_HOST !== undefined && of('SOURCE') === of('DEST');
}

/** `docker run --env-file` leaves the quotation marks on, and a list within them is one name. */
function folderDoubts({ FOLDERS: rules }: Values): string[] {
  const [rule] = rules;
  if (rules.length > 1 || rule?.kind !== 'folder' || !rule.name.includes(',')) return [];
  return [
    'FOLDERS names a single folder, whose name holds a comma: if a list was meant, leave out the quotation marks around it.',
  ];
}

/** A folder `C#` would else become the folder `C`. Passwords are looked at where they are read. */
function cutDoubts({ set }: Settings): string[] {
  const cut = [...set].filter(([name, { flaw }]) => flaw === 'cut' && !name.endsWith('_PASSWORD'));
  return cut.map(
    ([name]) =>
      `${name} looks cut: in a .env file \`#\` begins a comment. If it is part of the value, put the value in single quotation marks.`,
  );
}

/** Left on by mistake, it would leave all mail where it is. */
function dryRunDoubts({ DRY_RUN: dryRun }: Values): string[] {
  if (!dryRun) return [];
  return [
    'DRY_RUN is true: imapferry says what it would do with each message and carries none. Leave it out to have mail carried.',
  ];
}

function verifyDoubts({ VERIFY: verify }: Values): string[] {
  if (verify !== 'headers') return [];
  return [
    'VERIFY is headers: an original is removed once the main header fields of its copy are the same; its body is not compared. Use it only for servers that rebuild messages.',
  ];
}
