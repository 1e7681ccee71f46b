/** What both sides of a route said, made into a report: what works, what is lacking and costs what, what goes where. Pure. */
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
}

export function checkReport(routes: readonly RouteFacts[], doubts: readonly string[]): CheckReport {
  const reports = routes.map((facts) => routeReport(facts, routes));
  return { ready: reports.every(({ ready }) => ready), doubts, routes: reports };
}

/** @param all the routes of the same configuration: what they bring to one destination has to find room there together */
export function routeReport(facts: RouteFacts, all: readonly RouteFacts[] = [facts]): RouteReport {
  const { route, source, destination } = facts;
  const plan = facts.plan && planReport(facts, facts.plan);
  const connections = plan && connectionsOf(route, plan);
  const sides = {
    source: sideReport(route, route.source, source, connections?.source),
    destination: sideReport(route, route.destination, destination, connections?.destination),
  };
  const why = [...obstacles(facts, plan), ...(plan ? fullness(facts, all) : [])];
  return {
    route: route.name,
    ready: why.length === 0,
    why,
    notes: [...leftOutNotes(plan), ...connectionNotes(sides), ...limitNotes(route, destination)],
    ...sides,
    ...(plan && { plan }),
  };
}

function planReport(
  { route, source, destination, measures }: RouteFacts,
  plan: PlanView,
): PlanReport {
  const there = new Set(destination.folders.map(({ path }) => inOneSpelling(path)));
  const folders = plan.pairs.map((pair, i): PlannedReport => {
    const measure = measures.get(pair.source);
    return {
      source: pair.source,
      destination: pair.dest,
      exists: there.has(inOneSpelling(pair.dest)),
      watched: watchedBy(i, route, source),
      ...(typeof measure === 'string' ? { failure: measure } : measure),
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

/** The plan's first folders have a connection each; of the others one tells, or is asked. */
function watchedBy(place: number, route: Route, { capabilities }: Survey): Watched {
  if (place < route.maxWatchers) return capabilities.has('IDLE') ? 'IDLE' : 'NOOP';
  return capabilities.has('NOTIFY') ? 'NOTIFY' : 'STATUS';
}

function connectionsOf(route: Route, { folders }: PlanReport) {
  const watches = Math.min(route.maxWatchers, folders.length);
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
  const literal = 'each message takes two round trips more: a large mailbox is carried slowly';
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

/** INBOX is the same in any letter case (RFC 9051 §5.1); every other name is not. */
function inOneSpelling(path: string): string {
  return path.toUpperCase() === 'INBOX' ? 'INBOX' : path;
}
