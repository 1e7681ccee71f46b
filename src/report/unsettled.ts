/** What a running imapferry knows that speaks against "the old mailbox can go": for `senders` and the status page. Pure. */
import type { Cause, FolderStatus, RouteStatus, Trouble } from '../domain/status.ts';
import { withoutStop } from './sentences.ts';

const MINUTE = 60_000;

/** They are told as messages that are stuck. */
const STUCK: ReadonlySet<Cause> = new Set(['messages-refused', 'copies-unverified']);

/** A route as it stands, and what is wrong with it. */
export interface RouteState {
  /** Absent: nothing is known of it. */
  readonly status?: RouteStatus | undefined;
  readonly troubles: readonly Trouble[];
}

/**
 * Why mail may still be in the old mailbox, or come there unseen: whole sentences. None: all that there is was looked
 * through, and nothing of it is left to carry.
 * @param now epoch ms
 */
export function unsettled({ status, troubles }: RouteState, now: number): string[] {
  if (status === undefined) return ['How this route stands is not known yet.'];
  const its = troubles.filter(({ cause }) => !STUCK.has(cause));
  const says = [
    ...(status.dryRun ? ['This is a dry run: nothing is carried.'] : []),
    ...its.map((trouble) => trouble.says),
    ...away(status, its),
  ];
  if (!status.ready)
    return says.length > 0
      ? says
      : ['imapferry is starting: it has not looked through the old mailbox yet.'];
  return [...says, ...paused(status), ...unseen(status, now), ...waiting(status), ...left(status)];
}

/** Messages that could not be carried. */
export function stuckOf({ folders }: RouteStatus): number {
  return folders.reduce((all, { refused, unverified }) => all + refused + unverified, 0);
}

/** Those that are known as a trouble are told as one. */
function away({ accounts }: RouteStatus, troubles: readonly Trouble[]): string[] {
  return accounts
    .filter(
      ({ side, is }) =>
        is !== 'connected' &&
        !troubles.some((each) => each.side === side && each.cause.startsWith('account-')),
    )
    .map(
      ({ side, why }) =>
        `The ${side === 'source' ? 'old' : 'new'} mailbox is not connected just now${why ? `: ${ended(why)}` : '.'}`,
    );
}

function paused({ held }: RouteStatus): string[] {
  return held?.paced ? [`Deliveries pause: ${ended(held.why)}`] : [];
}

function unseen({ folders, sweepInterval }: RouteStatus, now: number): string[] {
  if (folders.length === 0) return ['No folder of the old mailbox is carried.'];
  const never = folders.filter(({ sweptAt }) => sweptAt === undefined);
  const late = 2 * sweepInterval + MINUTE;
  const long = folders.filter(({ sweptAt, leftOut }) =>
    sweptAt === undefined ? false : leftOut !== undefined || now - sweptAt > late,
  );
  return [
    ...(never.length === 0
      ? []
      : [`${named(never)} not been looked through since imapferry was started.`]),
    ...(long.length === 0 ? [] : [`${named(long)} not been looked through lately.`]),
  ];
}

function waiting({ folders }: RouteStatus): string[] {
  const count = (folder: FolderStatus) =>
    Math.max(0, folder.waiting.messages - folder.refused - folder.unverified);
  const all = folders.reduce((sum, folder) => sum + count(folder), 0);
  if (all === 0) return [];
  return [`${all} message${all === 1 ? ' waits' : 's wait'} in the old mailbox to be carried.`];
}

function left({ uncarried }: RouteStatus): string[] {
  if (uncarried === undefined) return [];
  const { folders, first } = uncarried;
  const who = folders === 1 ? `${first} is` : `${first} and ${others(folders - 1)} are`;
  return [`${who} not carried: what is there would go with the old mailbox.`];
}

/** "INBOX has", "INBOX and 2 other folders have". */
function named(folders: readonly FolderStatus[]): string {
  const first = folders[0]?.folder ?? '';
  return folders.length === 1 ? `${first} has` : `${first} and ${others(folders.length - 1)} have`;
}

function others(count: number): string {
  return count === 1 ? 'one other folder' : `${count} other folders`;
}

function ended(why: string): string {
  return `${withoutStop(why.trim())}.`;
}
