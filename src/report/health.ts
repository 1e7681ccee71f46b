/** Whether mail flows, and what stands in its way, told for people. Pure. */
import type {
  AccountStatus,
  Findings,
  FolderStatus,
  Health,
  RouteStatus,
  Trouble,
} from '../domain/status.ts';
import { duration } from './sentences.ts';

/** What may pass by itself gets this long before mail counts as not flowing, in ms. */
const GRACE = 30 * 60_000;

const STAYS = 'Mail stays at the source meanwhile; nothing is lost.';

/**
 * Judges what there is to be known.
 * @param now epoch ms
 */
export function healthOf(findings: Findings, now: number): Health {
  const { routes, journalFailed } = findings;
  const troubles = [
    ...(journalFailed ? [journalTrouble(journalFailed)] : []),
    ...routes.flatMap((route) => troublesOf(route, findings.startedAt, now)),
  ];
  return { healthy: !troubles.some(({ unhealthy }) => unhealthy), troubles };
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

function troublesOf(route: RouteStatus, startedAt: number, now: number): Trouble[] {
  const broad = [
    ...route.accounts.flatMap((account) => accountTrouble(route, account, now) ?? []),
    ...(blockedTrouble(route) ?? heldTrouble(route, now) ?? []),
  ];
  const explained = broad.length > 0 || route.held?.paced === true;
  const single = route.folders.flatMap((folder) => [
    ...(overdue(route, folder, startedAt, now) && !isAway(route)
      ? [sweepTrouble(route, folder, startedAt, now)]
      : []),
    ...(explained ? [] : (lateTrouble(route, folder, now) ?? [])),
    ...asideTroubles(route, folder),
  ]);
  return [...broad, ...single];
}

function accountTrouble(
  { route, sweepInterval }: RouteStatus,
  { side, is, since, why = '' }: AccountStatus,
  now: number,
): Trouble | undefined {
  const prefix = side === 'source' ? 'SOURCE' : 'DEST';
  const of = { route, side, since } as const;
  if (is === 'refused')
    return {
      ...of,
      cause: 'account-refused',
      says: `${sentences(`The ${side} server refuses the login`, why)} ${STAYS} imapferry tries again every 15 minutes.`,
      help: `Check ${prefix}_USER and ${prefix}_PASSWORD; many providers want an app password.`,
      unhealthy: true,
    };
  if (is !== 'connecting') return undefined;
  const ago = now - since;
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

function heldTrouble({ route, held }: RouteStatus, now: number): Trouble[] | undefined {
  if (held === undefined || held.paced) return undefined;
  const of = { route, since: held.since };
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
      unhealthy: now - held.since > GRACE,
    },
  ];
}

/** The source is not there at all: of each of its folders that is a matter of course. */
function isAway({ accounts }: RouteStatus): boolean {
  return accounts.some(({ side, is }) => side === 'source' && is !== 'connected');
}

/** A whole interval late, unless the route is busy carrying. */
function overdue(
  { sweepInterval, carriedAt = 0, ready, blocked }: RouteStatus,
  folder: FolderStatus,
  startedAt: number,
  now: number,
): boolean {
  if (!ready || blocked) return false;
  // A folder that has just appeared has not been missed yet.
  const since = folder.sweptAt ?? Math.max(startedAt, folder.since);
  return now - since > 2 * sweepInterval && now - carriedAt > sweepInterval;
}

function sweepTrouble(
  { route, sweepInterval }: RouteStatus,
  { folder, leftOut, sweptAt = 0 }: FolderStatus,
  startedAt: number,
  now: number,
): Trouble {
  const last = Math.max(sweptAt, startedAt);
  const of = { route, folder, since: last + sweepInterval, unhealthy: true };
  if (leftOut !== undefined)
    return {
      ...of,
      cause: 'folder-left-out',
      says: `${sentences(`${folder} can not be looked through`, leftOut)} ${STAYS} imapferry tries again at each sweep.`,
      help: `If the folder is not to be carried, add !${folder} to FOLDERS.`,
    };
  return {
    ...of,
    cause: 'sweep-overdue',
    says: `${folder} was ${sweptAt ? `looked through ${duration(now - last)} ago` : 'never looked through'}, and should be every ${duration(sweepInterval)}. ${STAYS}`,
    help: 'Look at the log; starting imapferry again does no harm.',
  };
}

function lateTrouble(
  { route }: RouteStatus,
  { folder, waiting: { late } }: FolderStatus,
  now: number,
): Trouble[] | undefined {
  if (late === undefined || now - late.since <= GRACE) return undefined;
  return [
    {
      cause: 'mail-waits',
      route,
      folder,
      since: late.since,
      says: `A message in ${folder} (UID ${late.uid}) has been waiting for ${duration(now - late.since)} to be carried. ${STAYS}`,
      help: 'Look at the log; starting imapferry again does no harm.',
      unhealthy: true,
    },
  ];
}

function asideTroubles({ route }: RouteStatus, folder: FolderStatus): Trouble[] {
  const { refused, unverified, asideSince = 0, waiting } = folder;
  const of = { route, folder: folder.folder, since: asideSince, unhealthy: false };
  const why = waiting.oldest?.why;
  const help = '`imapferry stuck` lists them with the reason; with --retry they are tried again.';
  return [
    ...(refused === 0
      ? []
      : [
          {
            ...of,
            cause: 'messages-refused' as const,
            says: `${sentences(`${many(refused)} in ${folder.folder} can not be carried`, why ?? '')} The original stays, and is tried again at growing intervals; everything else goes on.`,
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
  const reason = why.trim().replace(/[.\s]+$/, '');
  const whole = `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
  return reason === '' ? `${whole}.` : `${whole}: ${reason}.`;
}
