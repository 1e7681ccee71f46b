/**
 * Which troubles of a route are to be told, and which of those that were told are over. Pure: what was told before, and what
 * time it is, is given. One message a cause a day, however often it comes and goes; over is what is seen to work again, since
 * after a start most troubles are not yet known.
 */
import type { AlertNote } from '../domain/ports.ts';
import type { Cause, FolderStatus, RouteStatus, Trouble } from '../domain/status.ts';

const DAY = 24 * 60 * 60_000;
/** For so long all has to be well before it is told. */
const CALM = 10 * 60_000;

const SINGLE: ReadonlySet<Cause> = new Set(['messages-refused', 'copies-unverified']);

export interface Look {
  /** Those of this route. */
  readonly troubles: readonly Trouble[];
  /** What was told of this route before. */
  readonly told: readonly AlertNote[];
  /** Epoch ms. */
  readonly now: number;
  /** ALERT_AFTER, in ms. */
  readonly after: number;
}

/**
 * The troubles that one message tells now. Once one has lasted long enough, those that have lasted half as long are told
 * along, so that what follows from it makes no message of its own.
 */
export function due({ troubles, told, now, after }: Look): Trouble[] {
  const news = troubles.filter((trouble) => isNews(trouble, told, now));
  const lasted = (ms: number) => news.filter(({ since }) => now - since >= ms);
  return lasted(after).length === 0 ? [] : lasted(after / 2);
}

function isNews(trouble: Trouble, told: readonly AlertNote[], now: number): boolean {
  const alike = told.filter((note) => kind(note) === kind(trouble));
  // A clock that was set back must not make imapferry silent for longer than a day.
  const isFresh = ({ toldAt }: AlertNote) => Math.abs(now - toldAt) < DAY;
  return (
    !alike.some(isFresh) && !alike.some((note) => !note.over && note.folder === trouble.folder)
  );
}

/** What is noted once these troubles are told. */
export function withTold(
  { told, now }: Look,
  troubles: readonly Trouble[],
  by: AlertNote['by'],
): AlertNote[] {
  const notes = troubles.map(({ cause, side, folder, since }) => ({
    cause,
    ...(side !== undefined && { side }),
    ...(folder !== undefined && { folder }),
    since,
    toldAt: now,
    by,
    over: false,
  }));
  const kept = told.filter(
    (note) =>
      !notes.some((fresh) => isSame(fresh, note)) && (!note.over || now - note.toldAt < DAY),
  );
  return [...kept, ...notes];
}

/** What is noted once it is told that these are over. */
export function withOver(told: readonly AlertNote[], over: readonly AlertNote[]): AlertNote[] {
  return told.map((note) => (over.includes(note) ? { ...note, over: true } : note));
}

/** What was told and is not yet told to be over. */
export function open(told: readonly AlertNote[]): AlertNote[] {
  return told.filter(({ over }) => !over);
}

/** For how long all has to be well, in ms, before it is told that what was told is over. */
export function calmOf(after: number): number {
  return Math.min(after, CALM);
}

/** Whether nothing of what was told is left, and the route is seen to work. */
export function isWell(route: RouteStatus, { troubles, told, now, after }: Look): boolean {
  const still = open(told);
  const isLeft = (trouble: Trouble) =>
    !isSingle(trouble) || still.some((note) => isSame(note, trouble));
  if (troubles.some(isLeft) || !route.ready) return false;
  const { accounts, folders } = route;
  return (
    accounts.every(({ side, is }) => is === 'connected' || mayRest(side, is, still)) &&
    folders.every((folder) => isLooked(folder, still)) &&
    !(still.some(({ cause }) => cause === 'mail-waits') && waits(route, now - calmOf(after)))
  );
}

/** The destination's last connection may end while there is nothing to carry, and is begun anew for the next message. */
function mayRest(side: string, is: string, still: readonly AlertNote[]): boolean {
  return side === 'destination' && is === 'lost' && !still.some((note) => note.side === side);
}

/** Of what was told of a folder, only a look through it after that can tell that it is over. */
function isLooked({ folder, sweptAt, leftOut }: FolderStatus, still: readonly AlertNote[]) {
  const told = still.filter((note) => note.folder === folder);
  if (told.length === 0) return sweptAt !== undefined || leftOut !== undefined;
  return leftOut === undefined && told.every(({ toldAt }) => (sweptAt ?? 0) > toldAt);
}

function waits({ folders }: RouteStatus, before: number): boolean {
  return folders.some(
    ({ waiting: { oldest } }) => oldest && oldest.why === undefined && oldest.since < before,
  );
}

/** Whether single messages stay behind, while all others go on. */
export function isSingle({ cause }: Pick<Trouble, 'cause'>): boolean {
  return SINGLE.has(cause);
}

/** Whether the destination itself is the trouble, so that nothing can be told there. */
export function isDestinations({ cause, side }: Pick<Trouble, 'cause' | 'side'>): boolean {
  return cause === 'destination-full' || side === 'destination';
}

function isSame(a: Pick<Trouble, 'cause' | 'side' | 'folder'>, b: typeof a): boolean {
  return kind(a) === kind(b) && a.folder === b.folder;
}

/** After a restart an account that was refused is not reached until it is tried again: that is no news. */
function kind({ cause, side }: Pick<Trouble, 'cause' | 'side'>): string {
  return cause === 'account-refused' || cause === 'account-lost' ? `account ${side}` : cause;
}
