/**
 * Whether a source folder is the folder of AFTER_DELIVERY=move under another name: what both show under the numbers that a
 * move gave its copies. Folders made in one second may have one UIDVALIDITY, so that the numbers alone say nothing.
 */
import { Failure } from '../domain/failure.ts';
import type { SourceSession } from '../domain/ports.ts';
import { compare } from '../domain/receipt.ts';
import { LOOKS, pause } from './both-sides.ts';
import type { Works } from './works.ts';

/** Copies as the source says it has made them (COPYUID, RFC 4315 §3). */
export interface Copied {
  readonly uidValidity: number;
  readonly uids: readonly number[];
}

/**
 * - `one`: both show the same message under a number that was new
 * - `apart`: they show different ones, or only the move folder shows one
 * - `moot`: there is nothing left by which to ask
 * - `unclear`: it was not to be found out this time
 */
export type Answer = 'one' | 'apart' | 'moot' | 'unclear';

/** Looks, each on a connection of its own, that have to say so: one answer may be a lie. */
const AGREEING = 2;

/** Asks on connections of their own, since no lane is to have another folder open than its own. */
export async function isSecondName(
  works: Works,
  source: string,
  folder: string,
  copied: Copied,
): Promise<Answer> {
  const agreeing = { apart: 0, moot: 0, unclear: 0 };
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await pause(works, look);
    const seen = await works.beside((session) => compareAt(works, session, source, folder, copied));
    // No connection was to be had, or it ended.
    if (seen === undefined) return 'unclear';
    if (seen === 'one' || ++agreeing[seen] === AGREEING) return seen;
  }
  return 'unclear';
}

/** One look, at the smallest of the copies that is still in the move folder: at the source folder, then at the move folder again. */
async function compareAt(
  works: Works,
  session: SourceSession,
  source: string,
  folder: string,
  { uidValidity, uids }: Copied,
): Promise<Answer> {
  const isOpen = async (name: string): Promise<boolean> => {
    const how = { readOnly: true, idle: false };
    const view = await session.open(name, how).catch(unlessMissing);
    return view?.uidValidity === uidValidity;
  };
  if (!(await isOpen(folder))) return 'moot';
  const [smallest] = (await session.list(uids)).sort((a, b) => a.size - b.size);
  if (smallest === undefined) return 'moot';
  const fetched = async () => (await session.fetch([smallest]))[0]?.content;
  works.traffic.fetching([smallest, smallest]);
  if (!(await isOpen(source))) return 'moot';
  const there = await fetched();
  if (!(await isOpen(folder))) return 'moot';
  const copy = await fetched();
  if (copy === undefined || copy.length === 0) return 'unclear';
  const isSame = there && compare(there, copy, works.route.verify) !== undefined;
  return isSame ? 'one' : 'apart';
}

function unlessMissing(thrown: unknown): undefined {
  if (!(thrown instanceof Failure) || thrown.kind !== 'folder-missing') throw thrown;
}
