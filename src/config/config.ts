/** The environment and .env files, made into a Config. Gathers every mistake, then speaks once. */
import type { Route } from '../domain/route.ts';
import { accountOf, findSecret, securityDoubts } from './account.ts';
import {
  type AlertSettings,
  alertDoubts,
  alertMistakes,
  alertsOf,
  type Supervisor,
  supervisorOf,
} from './alerts.ts';
import { circle } from './folders.ts';
import { type HttpSettings, readHttp } from './http.ts';
import { ConfigError, type Mistake, Unusable } from './mistakes.ts';
import { doubleMeanings } from './route-names.ts';
import { betweenRoutes, type Drawn, rivalsOf } from './routes.ts';
import { type Environment, readSettings, type Settings, settingsOf } from './settings.ts';
import { unknownNames } from './unknown.ts';
import {
  COMMON_VARIABLES,
  type CommonValues,
  ROUTE_VARIABLES,
  type Side,
  secretNames,
  VARIABLES,
  type Values,
  type Variables,
} from './variables.ts';

export { ConfigError, type Mistake, tellMistakes } from './mistakes.ts';
export type { Environment } from './settings.ts';

/** All settings, checked. */
export interface Config {
  readonly routes: readonly Route[];
  /** The directory of the journal, as it was written. */
  readonly stateDir: string;
  readonly historyDays: number;
  /** Senders' addresses are kept, not only their domains. */
  readonly keepSenders: boolean;
  readonly logLevel: CommonValues['LOG_LEVEL'];
  /** Absent: `pretty` on a terminal, else `json`. */
  readonly logFormat: CommonValues['LOG_FORMAT'];
  /** Absent: off. */
  readonly alerts?: AlertSettings;
  /** Called every minute while mail flows. Mostly a secret. */
  readonly heartbeatUrl?: URL;
  readonly supervisor?: Supervisor;
  /** Where the status page and its neighbours are served. Absent: nowhere. */
  readonly http?: HttpSettings;
  /** What works, but perhaps not as meant: sentences without values, told as `config.doubtful` at start. */
  readonly doubts: readonly string[];
  /** What is as it often is meant, and worth a look all the same: sentences for `check`. */
  readonly remarks: readonly string[];
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
  const common = parseAll<CommonValues>(settings, COMMON_VARIABLES);
  const { ROUTES: names } = common.values;
  const routes =
    names === undefined
      ? [readRoute('default', settings, env)]
      : names.map((name) => readRoute(name, settingsOf(settings, name), env));
  const drawn = routes.flatMap(({ drawn }) => drawn ?? []);
  const http = readHttp(common.values, settings);
  const all = [
    ...settings.mistakes,
    ...routes.flatMap(({ mistakes }) => mistakes),
    ...common.mistakes,
    ...alertMistakes(common.values, env),
    ...http.mistakes,
    ...(names === undefined ? [] : doubleMeanings(names, ROUTE_VARIABLES.keys(), VARIABLES.keys())),
    ...betweenRoutes(drawn),
    // Without a ROUTES that can be read nobody knows which names are a route's.
    ...(common.mistakes.some(({ variable }) => variable === 'ROUTES')
      ? []
      : unknownNames(settings, names ?? [])),
  ];
  if (all.length > 0) throw new ConfigError(onceEach(all));
  // Without a mistake every variable that has a default has its value.
  const whole = common.values as CommonValues;
  const { STATE_DIR, HISTORY_DAYS, KEEP_SENDERS, LOG_LEVEL, LOG_FORMAT, HEARTBEAT_URL } = whole;
  const doubts = [
    ...routes.flatMap((route) => route.doubts),
    ...alertDoubts(whole),
    ...http.doubts,
    ...cutDoubts(settings),
  ];
  const alerts = alertsOf(whole, env);
  const supervisor = supervisorOf(env);
  return {
    routes: drawn.map(({ route }) => ({ ...route, ...rivalsOf(route, drawn) })),
    stateDir: STATE_DIR,
    historyDays: HISTORY_DAYS,
    keepSenders: KEEP_SENDERS,
    logLevel: LOG_LEVEL,
    logFormat: LOG_FORMAT,
    ...(alerts && { alerts }),
    ...(HEARTBEAT_URL && { heartbeatUrl: HEARTBEAT_URL }),
    ...(supervisor && { supervisor }),
    ...(http.http && { http: http.http }),
    doubts: [...new Set(doubts)],
    remarks: names === undefined ? [] : inheritedRemarks(names, settings),
  };
}

interface RouteRead {
  /** Absent where there is a mistake. */
  readonly drawn?: Drawn;
  readonly mistakes: readonly Mistake[];
  readonly doubts: readonly string[];
}

/** One route from its settings. */
function readRoute(name: string, settings: Settings, env: Environment): RouteRead {
  const { called } = settings;
  const { values, mistakes } = parseAll<Values>(settings, ROUTE_VARIABLES);
  const source = findSecret('SOURCE', values, settings, env);
  const destination = findSecret('DEST', values, settings, env);
  const all = [
    ...mistakes,
    ...source.mistakes,
    ...destination.mistakes,
    ...folderMistakes(values, called),
  ];
  if (all.length > 0 || !source.source || !destination.source) return { mistakes: all, doubts: [] };
  // Without a mistake every variable that is needed or has a default has its value.
  const whole = values as Values;
  const route: Route = {
    name,
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
    ...(whole.MAX_MESSAGE_SIZE !== undefined && { maxMessageSize: whole.MAX_MESSAGE_SIZE }),
    dryRun: whole.DRY_RUN,
  };
  return {
    drawn: { route, variable: called('FOLDERS') },
    mistakes: [],
    doubts: [
      ...source.doubts,
      ...destination.doubts,
      ...securityDoubts('SOURCE', whole, called),
      ...securityDoubts('DEST', whole, called),
      ...secretDoubts(settings, whole),
      ...folderDoubts(whole, called),
      ...verifyDoubts(whole, called),
      ...dryRunDoubts(whole, called),
    ],
  };
}

/** What several routes inherit is wrong once. */
function onceEach(mistakes: readonly Mistake[]): Mistake[] {
  return mistakes.filter(
    (one, i) =>
      mistakes.findIndex(
        ({ variable, wrong }) => variable === one.variable && wrong === one.wrong,
      ) === i,
  );
}

/** Each variable by its own parser. */
function parseAll<V>(
  settings: Settings,
  variables: Variables,
): { values: Partial<V>; mistakes: Mistake[] } {
  const values: Record<string, unknown> = {};
  const mistakes: Mistake[] = [];
  for (const [name, variable] of variables) {
    const setting = settings.set.get(name);
    // White space around a value is never meant, except in a password.
    const given = /_PASSWORD$/.test(name) ? setting?.text : setting?.text.trim();
    const text = given || variable.default;
    try {
      if (text !== undefined) values[name] = variable.parse(text);
      else if (variable.missing !== undefined) throw new Unusable(variable.missing);
    } catch (thrown) {
      if (!(thrown instanceof Unusable)) throw thrown;
      const called = settings.called(name);
      mistakes.push({
        variable: called,
        ...(setting && { where: setting.where }),
        wrong: thrown.message,
        example: `${called}=${variable.example}`,
      });
    }
  }
  return { values: values as Partial<V>, mistakes };
}

/** What does not go together between FOLDERS, AFTER_DELIVERY and the two accounts of a route. */
function folderMistakes(values: Partial<Values>, called: Settings['called']): Mistake[] {
  const { FOLDERS: rules = [], AFTER_DELIVERY: after } = values;
  const mistakes: Mistake[] = [];
  const moved = rules.findIndex(
    (rule) =>
      after?.kind === 'move' &&
      rule.kind === 'folder' &&
      rule.name.toLowerCase() === after.folder.toLowerCase(),
  );
  if (moved >= 0)
    mistakes.push({
      variable: called('FOLDERS'),
      wrong: `names in entry ${moved + 1} the folder to which AFTER_DELIVERY moves what was carried: it can't be a source`,
      example: `${called('AFTER_DELIVERY')}=move:Carried`,
    });
  const round = sameAccount(values) ? circle(rules) : undefined;
  if (round !== undefined)
    mistakes.push({
      variable: called('FOLDERS'),
      wrong: `sends mail round in a circle by entry ${round + 1}: source and destination are the same account, and what is carried comes back to the folder it came from`,
      example: `${called('FOLDERS')}=INBOX=Archive`,
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

/** A login name or a host of its own beside somebody else's password is hardly ever meant, nor is a secret of another kind. */
function secretDoubts(settings: Settings, values: Values): string[] {
  return (['SOURCE', 'DEST'] as const).flatMap((side) => {
    const isOwn = (name: string) => settings.called(`${side}_${name}`) !== `${side}_${name}`;
    if (isOwn('PASSWORD')) return isOwn('AUTH') ? [] : tokenDoubts(side, settings, values);
    return isOwn('USER') || isOwn('HOST') ? sharedSecretDoubts(side, settings, isOwn) : [];
  });
}

/** Whom the password of all routes is sent to, and for whom. */
function sharedSecretDoubts(
  side: Side,
  { called }: Settings,
  isOwn: (name: string) => boolean,
): string[] {
  const [user, host] = [called(`${side}_USER`), called(`${side}_HOST`)];
  const ownSecret = `${isOwn('HOST') ? host.replace(/HOST$/, '') : user.replace(/USER$/, '')}PASSWORD_FILE`;
  if (!isOwn('HOST'))
    return [
      `${user} is the route's own, and its password is the one of all routes: set ${ownSecret}, unless both accounts have the same one.`,
    ];
  const shared = isOwn('USER')
    ? 'the password of all routes is'
    : `${side}_USER and the password of all routes are`;
  return [
    `${host} is the route's own, and ${shared} sent to that server: set ${ownSecret}, unless the account there has the same one.`,
  ];
}

/** A password is no access token, and who inherits SOURCE_AUTH may not think of it. */
function tokenDoubts(side: Side, { called, set }: Settings, values: Values): string[] {
  if (values[`${side}_AUTH`] !== 'oauth2') return [];
  const names = secretNames(side).filter((name) => set.get(name));
  const secret = called(names[0] ?? `${side}_PASSWORD`);
  return [
    `${secret} is the route's own, and ${side}_AUTH of all routes is oauth2: it is sent as an access token. If it delivers a password, set ${called(`${side}_PASSWORD`).replace(/PASSWORD$/, 'AUTH')}=password.`,
  ];
}

/** Who names an old mailbox of its own may want a new one of its own, too. */
function inheritedRemarks(names: readonly string[], settings: Settings): string[] {
  return names.flatMap((name) => {
    const { called } = settingsOf(settings, name);
    const user = called('SOURCE_USER');
    if (user === 'SOURCE_USER' || called('DEST_USER') !== 'DEST_USER') return [];
    return [
      `The route ${name} has a ${user} of its own and takes DEST_USER from all routes: its mail goes to the same new mailbox. If it is to have one of its own, set ${user.replace('SOURCE', 'DEST')}.`,
    ];
  });
}

/** `docker run --env-file` leaves the quotation marks on, and a list within them is one name. */
function folderDoubts({ FOLDERS: rules }: Values, called: Settings['called']): string[] {
  const [rule] = rules;
  if (rules.length > 1 || rule?.kind !== 'folder' || !rule.name.includes(',')) return [];
  return [
    `${called('FOLDERS')} names a single folder, whose name holds a comma: if a list was meant, leave out the quotation marks around it.`,
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
function dryRunDoubts({ DRY_RUN: dryRun }: Values, called: Settings['called']): string[] {
  if (!dryRun) return [];
  return [
    `${called('DRY_RUN')} is true: imapferry says what it would do with each message and carries none. Leave it out to have mail carried.`,
  ];
}

function verifyDoubts({ VERIFY: verify }: Values, called: Settings['called']): string[] {
  if (verify !== 'headers') return [];
  return [
    `${called('VERIFY')} is headers: an original is removed once the main header fields of its copy are the same; its body is not compared. Use it only for servers that rebuild messages.`,
  ];
}
