/** The status as plain lines for people, as /healthz answers it. Pure. */
import type { AccountStatus, FolderStatus, RouteStatus, Status } from '../../domain/status.ts';
import { duration, printable } from '../sentences.ts';
import { verdictOf } from './verdict.ts';

/** The verdict, each trouble with what to do, then every route and its folders. */
export function plainStatus(status: Status): string {
  const { at, version, startedAt } = status;
  const lines = [
    verdictOf(status).says,
    '',
    ...status.troubles.flatMap(({ says, help, since }) => [
      `! ${says}`,
      `  ${help}`,
      `  (since ${moment(since, at)})`,
      '',
    ]),
    ...status.routes.flatMap((route) => [...routeLines(route, at), '']),
    `imapferry ${version}, running since ${moment(startedAt, at)}`,
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

/** Which routes are not ready, a line each; nothing where all are. */
export function unready(routes: readonly RouteStatus[]): string[] {
  return routes
    .filter(({ ready }) => !ready)
    .map(({ route, accounts }) => {
      const away = accounts.filter(({ is }) => is !== 'connected').map(accountWords);
      return printable(`${route}: ${away.length > 0 ? away.join(', ') : 'the plan is being made'}`);
    });
}

function routeLines(route: RouteStatus, at: number): string[] {
  const { accounts, blocked, held, folders, queued, carriedAt, dryRun } = route;
  const facts = [
    dryRun ? 'a dry run, nothing is carried' : route.ready ? 'ready' : 'not ready',
    ...accounts.map((account) => `${accountWords(account)} since ${moment(account.since, at)}`),
    carriedAt === undefined
      ? 'nothing carried since the start'
      : `last message carried ${moment(carriedAt, at)}`,
    ...(queued > 0 ? [`${queued} in hand`] : []),
  ];
  return [
    `${route.route}: ${facts.join('; ')}`,
    ...(blocked ? [`  blocked since ${moment(blocked.since, at)}: ${blocked.why}`] : []),
    ...(held
      ? [
          `  paused since ${moment(held.since, at)}${held.until === undefined ? '' : `, until ${clock(held.until)} at the latest`}: ${held.why}`,
        ]
      : []),
    ...folders.map((folder) => `  ${folderLine(folder, at)}`),
  ];
}

function accountWords({ side, is, why }: AccountStatus): string {
  return `${side} ${is}${why === undefined ? '' : ` (${why})`}`;
}

const WATCHED = {
  idle: 'watched by IDLE',
  rounds: 'watched in rounds',
  not: 'not watched',
} as const;

function folderLine(status: FolderStatus, at: number): string {
  const { folder, dest, watched, since, leftOut, sweptAt, carriedAt, refused, unverified } = status;
  const facts = [
    `${WATCHED[watched]} since ${moment(since, at)}`,
    ...(leftOut === undefined ? [] : [`left out: ${leftOut}`]),
    sweptAt === undefined ? 'not swept yet' : `swept ${moment(sweptAt, at)}`,
    ...(carriedAt === undefined ? [] : [`last message ${moment(carriedAt, at)}`]),
    ...waitingWords(status, at),
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(unverified > 0 ? [`${unverified} unverified`] : []),
  ];
  return `${folder} → ${dest}: ${facts.join('; ')}`;
}

function waitingWords({ waiting: { messages, oldest } }: FolderStatus, at: number): string[] {
  if (messages === 0) return [];
  const which =
    oldest === undefined
      ? ''
      : `, the oldest (UID ${oldest.uid}) since ${moment(oldest.since, at)}: ${oldest.why ?? 'on its way'}`;
  return [`${messages} ${messages === 1 ? 'waits' : 'wait'}${which}`];
}

/** `2026-11-28 08:12:03 (5 min ago)`, by the clock of this machine. */
function moment(then: number, at: number): string {
  return `${clock(then)} (${duration(Math.max(0, at - then))} ago)`;
}

function clock(then: number): string {
  const date = new Date(then);
  const two = (number: number) => String(number).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}
