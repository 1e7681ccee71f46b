/** How a route stands: gathered from its parts when somebody asks. Its accounts are told of as they change. */
import type { Clock } from '../domain/ports.ts';
import type { FolderPair, Route } from '../domain/route.ts';
import type { FolderStatus, RouteStatus } from '../domain/status.ts';
import type { Blockade } from './blockade.ts';
import type { Drain } from './drain.ts';
import type { Pacing } from './pacing.ts';
import type { Planning } from './planning.ts';
import type { Posts } from './posts.ts';
import type { Waits } from './waits.ts';

export type Standing = Omit<RouteStatus, 'accounts'>;

/** The parts that know something of it. */
export interface Parts {
  readonly planning: Planning;
  /** Absent until there is a plan. */
  readonly posts: Posts | undefined;
  readonly waits: Waits;
  readonly blockade: Blockade;
  readonly pacing: Pacing;
  readonly drain: Drain;
  readonly clock: Clock;
}

export function standingOf(route: Route, parts: Parts): Standing {
  const { planning, posts, blockade, pacing, drain } = parts;
  const { progress } = drain;
  const blocked = planning.blocked ?? blockade.blocked;
  const folders = planning.pairs.map((pair) => folderOf(pair, parts));
  // What had to wait may be gone: then nobody knows what would hold the next message.
  const isHeld = blockade.pause > 0 || folders.some(({ waiting }) => waiting.messages > 0);
  const held = (isHeld ? blockade.held : undefined) ?? pacing.held;
  const missing = planning.disappointments.map(({ folder, why }) => ({ folder, why }));
  const carriedAt = folders.reduce((last, { carriedAt = 0 }) => Math.max(last, carriedAt), 0);
  return {
    route: route.name,
    dryRun: route.dryRun,
    sweepInterval: route.sweepInterval,
    ready: posts !== undefined,
    ...(blocked && { blocked }),
    ...(held && { held }),
    folders,
    ...(missing.length > 0 && { missing }),
    queued: progress.left,
    ...(carriedAt > 0 && { carriedAt }),
    ...(progress.count > 0 && progress.left > 0 && { drain: progress }),
  };
}

function folderOf({ source, dest }: FolderPair, { posts, waits, clock }: Parts): FolderStatus {
  const watching = posts?.watching(source);
  const ago = watching ? clock.ticks() - watching.since : 0;
  return {
    folder: source,
    dest,
    watched: 'not',
    ...watching,
    since: clock.now() - ago,
    ...waits.of(source),
  };
}
