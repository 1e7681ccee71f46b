/** How imapferry is, in lines for people: what `health` prints. Pure. */
import type { AccountStatus, FolderStatus, RouteStatus, Status } from '../domain/status.ts';
import { duration, withoutStop } from './sentences.ts';
import { verdictOf } from './verdict.ts';

/** The verdict first, then what is wrong, then every route and folder. */
export function linesOf(status: Status): string[] {
  const { troubles, routes, at } = status;
  return [
    verdictOf(status).says,
    ...troubles.map(
      ({ route, says, help, unhealthy, since }) =>
        `${unhealthy ? '!' : '·'} ${whose(route)}${says} ${help} (Since ${time(since)}.)`,
    ),
    ...routes.flatMap((route) => [
      routeLine(route),
      ...route.folders.map((folder) => `  ${folderLine(folder, at)}`),
    ]),
  ];
}

function whose(route: string | undefined): string {
  return route === undefined || route === 'default' ? '' : `${route}: `;
}

function routeLine({ route, dryRun, accounts, queued, held }: RouteStatus): string {
  const parts = [
    ...accounts.map(accountPart),
    ...(queued > 0 ? [`${queued} on the way`] : []),
    ...(held?.until ? [`deliveries pause until ${time(held.until)}`] : []),
    ...(dryRun ? ['a dry run'] : []),
  ];
  return `${route}: ${parts.join('; ')}`;
}

function accountPart({ side, is, since }: AccountStatus): string {
  return `${side} ${is} since ${time(since)}`;
}

function folderLine(status: FolderStatus, at: number): string {
  const { folder, dest, leftOut, sweptAt, carriedAt, waiting, refused, unverified } = status;
  const parts = [
    watchedPart(status),
    ...(leftOut === undefined ? [] : [`can not be looked through: ${leftOut}`]),
    sweptAt === undefined ? 'not looked through yet' : `looked through ${ago(sweptAt, at)}`,
    ...(carriedAt === undefined ? [] : [`last message carried ${ago(carriedAt, at)}`]),
    waitingPart(waiting),
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(unverified > 0 ? [`${unverified} unverified`] : []),
  ];
  return `${folder} → ${dest}: ${parts.join('; ')}`;
}

const WATCHED = {
  idle: 'watched by IDLE',
  rounds: 'noticed on the connection for many folders',
  not: 'not watched',
} as const;

function watchedPart({ watched, since }: FolderStatus): string {
  return `${WATCHED[watched]} since ${time(since)}`;
}

function waitingPart({ messages, oldest }: FolderStatus['waiting']): string {
  if (oldest === undefined) return 'nothing waits';
  const of = oldest.internalDate === undefined ? '' : ` of ${time(oldest.internalDate)}`;
  const why = withoutStop(oldest.why ?? 'it is on its way');
  return `${messages} at the source still, the oldest UID ${oldest.uid}${of}: ${why}`;
}

function ago(then: number, now: number): string {
  return `${duration(Math.max(0, now - then))} ago`;
}

/** To the second: `2026-11-28T18:04:42Z`. */
function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
