/** What both sides of a route said, made into a report: what works, what is lacking and costs what, what goes where. Pure. */
import { nameOf } from '../domain/folder-name.ts';
import type { FolderStatus } from '../domain/ports.ts';
import {
  type Account,
  type AfterDelivery,
  type FolderPair,
  loginId,
  type Route,
} from '../domain/route.ts';
import type { Measure, Survey } from '../domain/survey.ts';
import { size } from '../report/sentences.ts';
import { providerOf } from './providers.ts';

/** Sizes in bytes. Text is as servers sent it: whoever prints it makes it harmless first. */
export interface CheckReport {
  readonly ready: boolean;
  /** Settings that work, but perhaps not as meant. */
  readonly doubts: readonly string[];
  readonly routes: readonly RouteReport[];
}

export interface RouteReport {
  readonly route: string;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly why: readonly string[];
  /** What to know although it is ready. */
  readonly notes: readonly string[];
  readonly source: SideReport;
  readonly destination: SideReport;
  /** Absent where a side could not be looked at. */
  readonly plan?: PlanReport;
}

export interface SideReport {
  readonly host: string;
  readonly port: number;
  readonly security: Account['security'];
  readonly reached: boolean;
  readonly tls?: { readonly protocol: string; readonly certificateEnds?: string };
  readonly loggedIn: boolean;
  readonly failure?: string;
  readonly server?: string;
  readonly provider?: string;
  readonly hint?: string;
  /** Of the capabilities that matter on this side. */
  readonly has: readonly string[];
  readonly lacks: readonly { readonly capability: string; readonly costs: string }[];
  readonly capabilities: readonly string[];
  readonly largestMessage?: number;
  readonly quotas: Survey['quotas'];
  /** How many `run` holds at most, and how many the provider is known to allow. */
  readonly connections?: { readonly used: number; readonly allowed?: number };
}

/** How mail in a folder is noticed; by a sweep besides. */
export type Watched = 'IDLE' | 'NOOP' | 'NOTIFY' | 'STATUS';

export interface PlannedReport {
  readonly source: string;
  readonly destination: string;
  readonly exists: boolean;
  readonly watched: Watched;
  /** Absent where the folder could not be looked at: `failure` says why. */
  readonly messages?: number;
  readonly bytes?: number;
  readonly failure?: string;
  /** What there is to say of this pair, e.g. that a character of its name was replaced. */
  readonly said?: string;
}

export interface LeftOut {
  readonly folder: string;
  readonly why: string;
  /** Nobody asked for it by name. */
  readonly ofCourse: boolean;
}

export interface PlanReport {
  readonly folders: readonly PlannedReport[];
  readonly leftOut: readonly LeftOut[];
  readonly messages: number;
  readonly bytes: number;
}

/** What the plan says, as far as it is told here. */
export interface PlanView {
  readonly pairs: readonly (FolderPair & { readonly said?: string })[];
  readonly leftOut: readonly LeftOut[];
  readonly mistakes?: readonly string[];
}

export interface RouteFacts {
  readonly route: Route;
  readonly source: Survey;
  readonly destination: Survey;
  readonly plan?: PlanView;
  /** By source folder: what is in it, or the sentence that says why that is not known. */
  readonly measures: ReadonlyMap<string, Measure | string>;
  /** By destination folder: where it stands, as far as that is known. */
  readonly standings?: ReadonlyMap<string, FolderStatus>;
}

export function checkReport(routes: readonly RouteFacts[], doubts: readonly string[]): CheckReport {
  const reports = routes.map((facts) => routeReport(facts, routes));
  return { ready: reports.every(({ ready }) => ready), doubts, routes: reports };
}

/** @param all the routes of the same configuration: what they bring to one destination has to find room there together */
export function routeReport(facts: RouteFacts, all: readonly RouteFacts[] = [facts]): RouteReport {
  const { route, source, destination } = facts;
  const watchers = watchersOf(route, all);
  const plan = facts.plan && planReport(facts, facts.plan, watchers);
  const connections = plan && connectionsOf(route, plan, watchers);
  const sides = {
    source: sideReport(route, route.source, source, connections?.source),
    destination: sideReport(route, route.destination, destination, connections?.destination),
  };
  const why = [...obstacles(facts, plan), ...(plan ? fullness(facts, all) : [])];
  return {
    route: route.name,
    ready: why.length === 0,
    why,
    notes: [
      ...leftOutNotes(plan),
      ...oneMailboxNotes(facts),
      ...connectionNotes(sides),
      ...limitNotes(route, destination),
    ],
    ...sides,
    ...(plan && { plan }),
  };
}

function planReport(
  { source, destination, measures }: RouteFacts,
  plan: PlanView,
  watchers: number,
): PlanReport {
  const there = new Set(destination.folders.map(({ path }) => nameOf(path)));
  const folders = plan.pairs.map((pair, i): PlannedReport => {
    const measure = measures.get(pair.source);
    return {
      source: pair.source,
      destination: pair.dest,
      exists: there.has(nameOf(pair.dest)),
      watched: watchedBy(i, watchers, source),
      ...(typeof measure === 'string' ? { failure: measure } : amountOf(measure)),
      ...(pair.said !== undefined && { said: pair.said }),
    };
  });
  const sum = (of: 'messages' | 'bytes') =>
    folders.reduce((total, folder) => total + (folder[of] ?? 0), 0);
  return {
    folders,
    leftOut: plan.leftOut.map(({ folder, why, ofCourse }) => ({ folder, why, ofCourse })),
    messages: sum('messages'),
    bytes: sum('bytes'),
  };
}

function amountOf(measure: Measure | undefined): Pick<PlannedReport, 'messages' | 'bytes'> {
  return measure ? { messages: measure.messages, bytes: measure.bytes } : {};
}

/**
 * How many folders of a route hold IDLE: routes from one account share the most that any of them may have. Each has its
 * even part; what others do not want of theirs is free for all.
 */
function watchersOf({ name, source }: Route, all: readonly RouteFacts[]): number {
  const sharing = all
    .filter(({ route }) => loginId(route.source) === loginId(source))
    .map(({ route, plan }) => ({
      name: route.name,
      most: route.maxWatchers,
      wants: Math.min(route.maxWatchers, plan?.pairs.length ?? 0),
      has: 0,
    }));
  let free = Math.max(...sharing.map(({ most }) => most));
  while (free > 0) {
    const lacking = sharing.filter(({ wants, has }) => has < wants);
    const [poorest] = lacking.toSorted((a, b) => a.has - b.has);
    if (poorest === undefined) break;
    poorest.has++;
    free--;
  }
  return sharing.find((each) => each.name === name)?.has ?? 0;
}

/** The plan's first folders have a connection each; of the others one tells, or is asked. */
function watchedBy(place: number, watchers: number, { capabilities }: Survey): Watched {
  if (place < watchers) return capabilities.has('IDLE') ? 'IDLE' : 'NOOP';
  return capabilities.has('NOTIFY') ? 'NOTIFY' : 'STATUS';
}

function connectionsOf(route: Route, { folders }: PlanReport, watchers: number) {
  const watches = Math.min(watchers, folders.length);
  const goesRound = folders.length > watches || watches === 0;
  return { source: watches + (goesRound ? 1 : 0), destination: route.concurrency };
}

function sideReport(
  route: Route,
  account: Account,
  survey: Survey,
  used: number | undefined,
): SideReport {
  const provider = providerOf(account.host, survey.server);
  const hint = hintOf(route, account, survey);
  const matter = survey.loggedIn && !survey.failure ? mattering(route, account.side, survey) : [];
  return {
    host: account.host,
    port: account.port,
    security: account.security,
    reached: survey.reached,
    ...(survey.secured && {
      tls: {
        protocol: survey.secured.protocol,
        ...(survey.secured.certificateEnds && {
          certificateEnds: survey.secured.certificateEnds.toISOString(),
        }),
      },
    }),
    loggedIn: survey.loggedIn,
    ...(survey.failure && { failure: survey.failure.message }),
    ...(survey.server !== undefined && { server: survey.server }),
    ...(provider && { provider: provider.name }),
    ...(hint !== undefined && { hint }),
    has: matter.filter(({ name }) => survey.capabilities.has(name)).map(({ name }) => name),
    lacks: matter.flatMap(({ name, costs }) =>
      survey.capabilities.has(name) || costs === undefined ? [] : [{ capability: name, costs }],
    ),
    capabilities: [...survey.capabilities].sort(),
    ...(survey.appendLimit !== undefined && { largestMessage: survey.appendLimit }),
    quotas: survey.quotas,
    ...(used !== undefined && {
      connections: {
        used,
        ...(provider?.connections !== undefined && { allowed: provider.connections }),
      },
    }),
  };
}

/** The one sentence of the provider that helps most just now. */
function hintOf(route: Route, account: Account, survey: Survey): string | undefined {
  const provider = providerOf(account.host, survey.server);
  if (provider === undefined) return undefined;
  const [prefix, known] =
    account.side === 'source'
      ? ['SOURCE_', provider.asSource]
      : ['DEST_', rewriting(route, provider.rewrites) ?? provider.asDestination];
  const hint = survey.loggedIn ? known : provider.signIn;
  return hint?.replace(/\{([A-Z_]+)\}/g, (_, name: string) => prefix + name);
}

function rewriting({ verify }: Route, rewrites: true | undefined): string | undefined {
  if (!rewrites || verify === 'headers') return undefined;
  return 'this server rewrites messages, so that no copy is ever the same: set VERIFY=headers';
}

interface Mattering {
  readonly name: string;
  /** What it costs, in plain words, where it is not there; absent where that is nothing. */
  readonly costs?: string;
}

function mattering(route: Route, side: Account['side'], { capabilities }: Survey): Mattering[] {
  return side === 'source' ? ofSource(route, capabilities) : ofDestination(capabilities);
}

function ofSource({ afterDelivery }: Route, has: ReadonlySet<string>): Mattering[] {
  const noIdle = 'new mail is not announced; imapferry asks for it every 30 s, and sweeps besides';
  return [
    { name: 'IDLE', costs: noIdle },
    { name: 'UIDPLUS', ...costsOf(uidPlusCosts(afterDelivery, has)) },
    {
      name: 'MOVE',
      ...costsOf(
        afterDelivery.kind === 'move' && has.has('UIDPLUS')
          ? 'carried mail is copied away and then expunged, in three commands in place of one'
          : undefined,
      ),
    },
  ];
}

function uidPlusCosts(after: AfterDelivery, has: ReadonlySet<string>): string | undefined {
  if (after.kind === 'expunge')
    return 'only all marked messages can be expunged at once: imapferry does so only while nothing but its own is marked; AFTER_DELIVERY=mark avoids it';
  if (after.kind === 'move' && !has.has('MOVE'))
    return 'without MOVE and UIDPLUS carried mail can not be moved away; choose another AFTER_DELIVERY';
  return undefined;
}

function ofDestination(has: ReadonlySet<string>): Mattering[] {
  const literal = 'each message takes a round trip of its own: a large mailbox is carried slowly';
  return [
    {
      name: 'UIDPLUS',
      costs:
        'the server does not say where it put a copy, which is looked for by its content: slower, as safe',
    },
    { name: 'LITERAL+', costs: literal },
    {
      name: 'MULTIAPPEND',
      ...costsOf(
        has.has('LITERAL+')
          ? 'each message is a command of its own: a large mailbox is carried more slowly'
          : undefined,
      ),
    },
  ];
}

function costsOf(costs: string | undefined): { costs?: string } {
  return costs === undefined ? {} : { costs };
}

/** Why mail would not flow, or not all of it. */
function obstacles(
  { route, source, destination, plan: view }: RouteFacts,
  plan?: PlanReport,
): string[] {
  const failures = [source.failure, destination.failure].flatMap((each) => each?.message ?? []);
  if (view === undefined || plan === undefined) return failures;
  const { afterDelivery, createFolders } = route;
  const missing = createFolders ? [] : plan.folders.filter(({ exists }) => !exists);
  const nothingCarried = plan.folders.length === 0 && (view.mistakes ?? []).length === 0;
  const cannotMove =
    afterDelivery.kind === 'move' &&
    !source.capabilities.has('MOVE') &&
    !source.capabilities.has('UIDPLUS');
  return [
    ...failures,
    ...(view.mistakes ?? []),
    ...(nothingCarried ? ['No folder is carried: FOLDERS fits none that the source has.'] : []),
    ...missing.map(
      ({ destination: name }) =>
        `The destination has no folder ${name}, and CREATE_FOLDERS=false keeps imapferry from making it.`,
    ),
    ...plan.folders.flatMap(({ source: name, failure }) =>
      failure === undefined ? [] : [`The source folder ${name} can not be looked at: ${failure}`],
    ),
    ...(cannotMove
      ? [
          'The source server has neither MOVE nor UIDPLUS, so that AFTER_DELIVERY=move can not work.',
        ]
      : []),
  ];
}

/** Where there is not room enough for what all routes to one destination are about to bring. */
function fullness({ route, destination }: RouteFacts, all: readonly RouteFacts[]): string[] {
  const account = loginId(route.destination);
  const bringing = all.flatMap((facts) => {
    const bytes = bytesComing(facts);
    return loginId(facts.route.destination) === account && bytes > 0
      ? [{ name: facts.route.name, bytes }]
      : [];
  });
  const bytes = bringing.reduce((sum, each) => sum + each.bytes, 0);
  const names = bringing.map(({ name }) => name).join(', ');
  const together = bringing.length > 1 ? ` by the routes ${names} together` : '';
  return destination.quotas
    .filter(({ used, limit }) => bytes > limit - used)
    .map(
      ({ used, limit }) =>
        `The destination has ${size(Math.max(0, limit - used))} free, and ${size(bytes)} are about to come${together}.`,
    );
}

function bytesComing({ measures }: RouteFacts): number {
  return [...measures.values()].reduce(
    (sum, measure) => sum + (typeof measure === 'string' ? 0 : measure.bytes),
    0,
  );
}

/** What FOLDERS asks for, and nobody gets. */
function leftOutNotes(plan: PlanReport | undefined): string[] {
  const wanted = plan?.leftOut.filter(({ ofCourse }) => !ofCourse) ?? [];
  return wanted.map(
    ({ folder, why }) => `${folder} is left out, although FOLDERS asks for it: ${why}.`,
  );
}

/** Pairs whose folders stand alike in every number: `run` finds out what they are, and `check`, which changes nothing, can't. */
function oneMailboxNotes({ plan, measures, standings }: RouteFacts): string[] {
  const alike = (plan?.pairs ?? []).filter(({ source, dest }) => {
    const [here, there] = [measures.get(source), standings?.get(dest)];
    if (here === undefined || typeof here === 'string' || there?.uidValidity === undefined)
      return false;
    return (['uidValidity', 'uidNext', 'messages'] as const).every(
      (number) => here[number] === there[number],
    );
  });
  const [first] = alike;
  if (first === undefined) return [];
  const more = alike.length > 1 ? ` (and ${alike.length - 1} more pairs)` : '';
  return [
    `${first.source} at the source and ${first.dest} at the destination have the same UIDVALIDITY, UIDNEXT and number of messages${more}: they may be one and the same folder under two names of a server. imapferry finds that out before it removes anything, and stops if they are.`,
  ];
}

function connectionNotes(sides: Record<'source' | 'destination', SideReport>): string[] {
  return Object.entries(sides).flatMap(([side, { connections, provider }]) => {
    if (connections?.allowed === undefined || connections.used <= connections.allowed) return [];
    const name = side === 'source' ? 'MAX_WATCHERS' : 'CONCURRENCY';
    return `${provider} allows ${connections.allowed} connections, and imapferry would hold ${connections.used} at the ${side}: lower ${name}.`;
  });
}

function limitNotes({ maxMessageSize }: Route, { appendLimit }: Survey): string[] {
  if (appendLimit === undefined || (maxMessageSize ?? appendLimit + 1) <= appendLimit) return [];
  const less = maxMessageSize === undefined ? '' : ', less than MAX_MESSAGE_SIZE';
  return [
    `The destination takes messages of ${size(appendLimit)} at most${less}; larger ones stay at the source and are reported.`,
  ];
}
