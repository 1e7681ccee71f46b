/** Which messages of a route's folders are still to be carried: as looks have found them, and as they have gone since. */
import type { EventFields, EventName } from '../domain/events.ts';
import { isDeleted, type Listed } from '../domain/message.ts';
import type { Note } from '../domain/ports.ts';
import type { Waiting, WaitingMessage } from '../domain/status.ts';
import type { Epoch } from './folder-state.ts';
import type { Road } from './triage.ts';

/** A message that is still to be carried. */
interface Wait extends WaitingMessage {
  /** It came since this process runs. */
  readonly arrived: boolean;
  readonly aside?: 'refused' | 'unverified';
}

interface FolderWaits {
  readonly uidValidity: number;
  readonly waits: Map<number, Wait>;
  sweptAt?: number;
  carriedAt?: number;
}

/** A folder as it is known here. */
export interface FolderWaiting {
  readonly waiting: Waiting;
  readonly refused: number;
  readonly unverified: number;
  /** Epoch ms. */
  readonly asideSince?: number;
  readonly asideWhy?: string;
  readonly sweptAt?: number;
  readonly carriedAt?: number;
}

const BEING_WRITTEN = 'it is a draft, and goes once nobody has touched it for an hour';

/**
 * Whether a message that a look has found is still to be carried, and what lasting reason keeps it; `undefined` for one that
 * is carried already, that a dry run has told of, or that somebody has marked \Deleted.
 */
export function waitOf(
  message: Listed,
  note: Note | undefined,
  road: Road,
  epoch: Epoch,
  now: number,
): Wait | undefined {
  const { uid, flags, internalDate } = message;
  if (note?.state === 'proven' || note?.state === 'retired') return undefined;
  if (isDeleted(flags) || epoch.rehearsed.has(uid)) return undefined;
  const aside = note?.state === 'refused' || note?.state === 'unverified' ? note.state : undefined;
  const why = aside
    ? note?.why
    : road === 'rest' && !epoch.inHand.has(uid)
      ? BEING_WRITTEN
      : undefined;
  return {
    uid,
    since: now,
    arrived: uid >= epoch.fence,
    ...(internalDate && { internalDate: internalDate.getTime() }),
    ...(why !== undefined && { why }),
    ...(aside !== undefined && { aside }),
  };
}

export class Waits {
  readonly #folders = new Map<string, FolderWaits>();

  /**
   * A look has found these still to be carried. They are all of the folder's where it was looked through whole; who was
   * known before has waited since then.
   * @param now epoch ms
   */
  looked({ key }: Epoch, depth: 'new' | 'all', found: readonly Wait[], now: number): void {
    const known = this.#folders.get(key.folder);
    const same = known?.uidValidity === key.uidValidity ? known : undefined;
    const before = same?.waits ?? new Map<number, Wait>();
    const waits = depth === 'all' ? new Map<number, Wait>() : before;
    for (const wait of found) {
      const { since = wait.since } = before.get(wait.uid) ?? {};
      waits.set(wait.uid, since === wait.since ? wait : { ...wait, since });
    }
    const sweptAt = depth === 'all' ? now : same?.sweptAt;
    this.#folders.set(key.folder, {
      uidValidity: key.uidValidity,
      waits,
      ...(sweptAt !== undefined && { sweptAt }),
      ...(known?.carriedAt !== undefined && { carriedAt: known.carriedAt }),
    });
  }

  /** What is told of single messages. */
  hear(event: EventName, { folder = '', uid, why }: EventFields, now: number): void {
    const known = this.#folders.get(folder);
    if (known === undefined || uid === undefined) return;
    if (event === 'delivery.done') known.carriedAt = now;
    if (event === 'delivery.done' || event === 'delivery.planned') known.waits.delete(uid);
    const aside = ASIDE[event];
    const wait = known.waits.get(uid);
    if (aside && wait) known.waits.set(uid, { ...wait, aside, ...(why !== undefined && { why }) });
  }

  /** What is known of a folder. */
  of(folder: string): FolderWaiting {
    const known = this.#folders.get(folder);
    const waits = [...(known?.waits.values() ?? [])];
    const count = (aside: Wait['aside']) => waits.filter((wait) => wait.aside === aside).length;
    const oldest = first(waits, ({ internalDate, since }) => internalDate ?? since);
    const open = (isNew: boolean) =>
      first(
        waits.filter(({ arrived, why }) => arrived === isNew && why === undefined),
        ({ since }) => since,
      );
    const [late, old] = [open(true), open(false)];
    const aside = first(
      waits.filter(({ aside }) => aside !== undefined),
      ({ since }) => since,
    );
    return {
      waiting: {
        messages: waits.length,
        ...(oldest && { oldest: told(oldest) }),
        ...(late && { late: told(late) }),
        ...(old && { old: told(old) }),
      },
      refused: count('refused'),
      unverified: count('unverified'),
      ...(aside && { asideSince: aside.since }),
      ...(aside?.why !== undefined && { asideWhy: aside.why }),
      ...(known?.sweptAt !== undefined && { sweptAt: known.sweptAt }),
      ...(known?.carriedAt !== undefined && { carriedAt: known.carriedAt }),
    };
  }
}

const ASIDE: Partial<Record<EventName, Wait['aside']>> = {
  'delivery.refused': 'refused',
  'delivery.unverified': 'unverified',
};

function first(waits: readonly Wait[], at: (wait: Wait) => number): Wait | undefined {
  let earliest: Wait | undefined;
  for (const wait of waits) if (!earliest || at(wait) < at(earliest)) earliest = wait;
  return earliest;
}

function told({ arrived: _, aside: __, ...message }: Wait): WaitingMessage {
  return message;
}
