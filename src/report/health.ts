/** Whether mail flows, and what stands in its way, told for people. Pure. */
import type {
  AccountStatus,
  Findings,
  FolderStatus,
  Health,
  RouteStatus,
  Status,
  Trouble,
} from '../domain/status.ts';
import { duration, withoutStop } from './sentences.ts';

/** What may pass by itself gets this long before mail counts as not flowing, in ms. */
const GRACE = 30 * 60_000;

const STAYS = 'Mail stays at the source meanwhile; nothing is lost.';

/** Times of the past, as far as they count: what lies before a sleep, or before the clock was set, has not lasted since then. */
interface Past {
  /** Epoch ms. */
  readonly now: number;
  readonly startedAt: number;
  /** Since when something can be said to have been so. */
  readonly counts: (since: number) => number;
}

function pastOf({ startedAt, evenSince = startedAt }: Findings, now: number): Past {
  const even = Math.min(evenSince, now);
  const counts = (since: number) => (since > now ? even : Math.max(since, even));
  return { now, startedAt: counts(startedAt), counts };
}

/**
 * Judges what there is to be known.
 * @param now epoch ms
 */
export function healthOf(findings: Findings, now: number): Health {
  const { routes, journalFailed } = findings;
  const troubles = [
    ...(journalFailed ? [journalTrouble(journalFailed)] : []),
    ...routes.flatMap((route) => troublesOf(route, pastOf(findings, now))),
  ];
  return { healthy: !troubles.some(({ unhealthy }) => unhealthy), troubles };
}

/** What there is to be known, and what is to be thought of it at that time (epoch ms). */
export function statusOf(findings: Findings, now: number): Status {
  return { ...findings, ...healthOf(findings, now), at: now };
}

/** What is wrong with a route, and with all of imapferry. */
export function troublesWith(route: string, { troubles }: Pick<Health, 'troubles'>): Trouble[] {
  return troubles.filter((trouble) => (trouble.route ?? route) === route);
}

function journalTrouble({ since, why }: { since: number; why: string }): Trouble {
  return {
    cause: 'journal-failed',
    since,
    says: sentences('The journal can not be written, so that nothing is appended', why),
    help: 'Look at the disk and the rights of STATE_DIR.',
    unhealthy: true,
  };
}

function troublesOf(route: RouteStatus, past: Past): Trouble[] {
  const broad = [
    ...route.accounts.flatMap((account) => accountTrouble(route, account, past) ?? []),
    ...(blockedTrouble(route) ?? heldTrouble(route, past) ?? []),
  ];
  const explained = broad.length > 0 || route.held?.paced === true;
  const single = route.folders.flatMap((folder) => [
    ...(isAway(route) ? [] : (sweepTrouble(route, folder, past) ?? [])),
    ...(explained ? [] : (waitTrouble(route, folder, past) ?? [])),
    ...asideTroubles(route, folder),
  ]);
  return [...broad, ...missingTroubles(route, past), ...single];
}

/** Folders that are not carried; where these are all, no mail flows. */
function missingTroubles(
  { route, missing = [], folders, blocked }: RouteStatus,
  past: Past,
): Trouble[] {
  if (blocked) return [];
  return missing.map(({ folder, why }) => ({
    cause: 'folder-missing',
    route,
    folder,
    since: past.startedAt,
    says: `${sentences(`${folder} is not carried`, why)} imapferry makes its plan anew at each sweep.`,
    help: 'Look at FOLDERS; `imapferry check` shows which folders there are.',
    unhealthy: folders.length === 0,
  }));
}

function accountTrouble(
  { route, sweepInterval }: RouteStatus,
  { side, is, since, why = '' }: AccountStatus,
  { now, counts }: Past,
): Trouble | undefined {
  const prefix = side === 'source' ? 'SOURCE' : 'DEST';
  const of = { route, side, since: counts(since) } as const;
  if (is === 'refused')
    return {
      ...of,
      cause: 'account-refused',
      says: `${sentences(`The ${side} server refuses the login`, why)} ${STAYS} imapferry tries again every 15 minutes.`,
      help: `Check ${prefix}_USER and ${prefix}_PASSWORD; many providers want an app password.`,
      unhealthy: true,
    };
  if (is !== 'connecting') return undefined;
  const ago = now - of.since;
  if (why === '' && ago < GRACE) return undefined;
  return {
    ...of,
    cause: 'account-lost',
    says: `${sentences(`The ${side} server can not be reached`, why)} ${STAYS} imapferry tries again, at growing intervals of at most 5 minutes.`,
    help: `Look whether the network works and whether ${prefix}_HOST is still right; often the provider is to be waited for.`,
    unhealthy: ago > Math.min(GRACE, 2 * sweepInterval),
  };
}

function blockedTrouble({ route, blocked }: RouteStatus): Trouble[] | undefined {
  if (blocked === undefined) return undefined;
  return [
    {
      cause: 'route-blocked',
      route,
      since: blocked.since,
      says: `${sentences(`The route ${route} delivers nothing`, blocked.why)} ${STAYS}`,
      help: 'Decide what is to be done, and start imapferry again.',
      unhealthy: true,
    },
  ];
}

function heldTrouble({ route, held }: RouteStatus, past: Past): Trouble[] | undefined {
  if (held === undefined || held.paced) return undefined;
  const of = { route, since: past.counts(held.since) };
  if (held.full)
    return [
      {
        ...of,
        side: 'destination',
        cause: 'destination-full',
        says: `${sentences('The new mailbox takes no more mail', held.why)} ${STAYS} imapferry tries again at least every hour.`,
        help: 'Make room in the new mailbox, or get more of it.',
        unhealthy: true,
      },
    ];
  return [
    {
      ...of,
      cause: 'deliveries-held',
      says: `${sentences('Deliveries pause', held.why)} ${STAYS} imapferry tries again by itself.`,
      help: 'Wait; if it lasts, the log tells more.',
      unhealthy: past.now - of.since > GRACE,
    },
  ];
}

/** The source is not there at all: of each of its folders that is a matter of course. */
function isAway({ accounts }: RouteStatus): boolean {
  return accounts.some(({ side, is }) => side === 'source' && is !== 'connected');
}

/** A first drain, or another large one, that goes on: folders wait their turn meanwhile. */
function advances({ sweepInterval, carriedAt = 0, queued }: RouteStatus, { now }: Past): boolean {
  return queued > 0 && carriedAt <= now && now - carriedAt <= sweepInterval;
}

/** The folder was not looked through for a whole interval longer than it should. */
function sweepTrouble(
  route: RouteStatus,
  { folder, leftOut, sweptAt, since }: FolderStatus,
  past: Past,
): Trouble[] | undefined {
  const { sweepInterval, ready, blocked } = route;
  if (!ready || blocked) return undefined;
  // A folder that has just appeared has not been missed yet.
  const last = past.counts(sweptAt ?? Math.max(past.startedAt, since));
  const ago = past.now - last;
  if (ago <= 2 * sweepInterval || (leftOut === undefined && advances(route, past)))
    return undefined;
  const of = { route: route.route, folder, since: last + sweepInterval, unhealthy: true };
  if (leftOut !== undefined)
    return [
      {
        ...of,
        cause: 'folder-left-out',
        says: `${sentences(`${folder} can not be looked through`, leftOut)} ${STAYS} imapferry tries again at each sweep.`,
        help: `If the folder is not to be carried, add !${folder} to FOLDERS.`,
      },
    ];
  const when =
    sweptAt === undefined ? 'never looked through' : `looked through ${duration(ago)} ago`;
  return [
    {
      ...of,
      cause: 'sweep-overdue',
      says: `${folder} was ${when}, and should be every ${duration(sweepInterval)}. ${STAYS}`,
      help: 'Look at the log; starting imapferry again does no harm.',
    },
  ];
}

/** New mail waits, or old mail and nothing of the route is carried meanwhile. */
function waitTrouble(
  { route, carriedAt = 0 }: RouteStatus,
  { folder, waiting: { late, old, messages } }: FolderStatus,
  { now, counts }: Past,
): Trouble[] | undefined {
  const of = { cause: 'mail-waits', route, folder, unhealthy: true } as const;
  const help = 'Look at the log; starting imapferry again does no harm.';
  const lateSince = late && counts(late.since);
  if (late && lateSince !== undefined && now - lateSince > GRACE)
    return [
      {
        ...of,
        since: lateSince,
        says: `A message in ${folder} (UID ${late.uid}) has been waiting for ${duration(now - lateSince)} to be carried. ${STAYS}`,
        help,
      },
    ];
  const oldSince = old && counts(Math.max(old.since, carriedAt));
  if (oldSince === undefined || now - oldSince <= GRACE) return undefined;
  return [
    {
      ...of,
      since: oldSince,
      says: `Nothing was carried for ${duration(now - oldSince)}, although ${many(messages)} in ${folder} ${messages === 1 ? 'waits' : 'wait'}. ${STAYS}`,
      help,
    },
  ];
}

function asideTroubles({ route }: RouteStatus, folder: FolderStatus): Trouble[] {
  const { refused, unverified, asideSince = 0, asideWhy } = folder;
  const of = { route, folder: folder.folder, since: asideSince, unhealthy: false };
  const help = '`imapferry stuck` lists them with the reason; with --retry they are tried again.';
  return [
    ...(refused === 0
      ? []
      : [
          {
            ...of,
            cause: 'messages-refused' as const,
            says: `${sentences(`${many(refused)} in ${folder.folder} can not be carried`, asideWhy ?? '')} The original stays, and is tried again at growing intervals; everything else goes on.`,
            help,
          },
        ]),
    ...(unverified === 0
      ? []
      : [
          {
            ...of,
            cause: 'copies-unverified' as const,
            says: `Of ${many(unverified)} in ${folder.folder} the copy is not the same as the original. The original stays, and is looked at again once a day; everything else goes on.`,
            help,
          },
        ]),
  ];
}

function many(count: number): string {
  return count === 1 ? 'one message' : `${count} messages`;
}

/** What is so, and why, each as a sentence. */
function sentences(what: string, why: string): string {
  const reason = withoutStop(why.trim());
  const whole = `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
  return reason === '' ? `${whole}.` : `${whole}: ${reason}.`;
}
