/** One calm sentence about how imapferry is, for a household. Pure. */
import type { Cause, RouteStatus, Status, Trouble } from '../domain/status.ts';
import { printable } from './sentences.ts';

/** - `good`: nothing to do · `starting`: not there yet · `care`: worth a look · `bad`: mail does not flow as it should */
export interface Verdict {
  readonly tone: 'good' | 'starting' | 'care' | 'bad';
  readonly says: string;
}

/** What holds mail up, and is over by itself, or becomes worse than that. */
const HOLDING: ReadonlySet<Cause> = new Set(['account-lost', 'deliveries-held']);
/** So many routes are named in a sentence. */
const NAMED = 3;

/** What is on top of the status page, of /healthz, and of what `health` prints. */
export function verdictOf(status: Status): Verdict {
  const { routes, troubles } = status;
  const lasting = troubles.filter(({ unhealthy }) => unhealthy);
  if (!status.healthy || lasting.length > 0)
    return { tone: 'bad', says: standing(routes, lasting) };
  const absent = routes.filter(({ ready }) => !ready);
  if (absent.length > 0 && absent.length === routes.length)
    return { tone: 'starting', says: 'imapferry is starting.' };
  if (routes.length > 0 && routes.every(({ dryRun }) => dryRun))
    return { tone: 'care', says: 'This is a dry run: nothing is carried.' };
  const held = troubles.filter(({ cause }) => HOLDING.has(cause));
  if (held.length > 0) {
    const who = concernedBy(held, routes);
    return {
      tone: 'care',
      says: `Mail is held up just now${who === undefined ? '' : ` for ${who}`}.`,
    };
  }
  const aside = sum(routes, ({ refused, unverified }) => refused + unverified);
  if (aside > 0)
    return {
      tone: 'care',
      says: `Mail is flowing, but ${messages(aside)} could not be carried.`,
    };
  if (troubles.length > 0)
    return { tone: 'care', says: 'Mail is flowing, but something wants a look.' };
  if (absent.length > 0)
    return { tone: 'starting', says: `Mail is flowing. ${named(absent, routes)} still starting.` };
  return { tone: 'good', says: 'Mail is flowing.' };
}

/** Where only single folders are concerned, the rest does flow. */
function standing(routes: readonly RouteStatus[], troubles: readonly Trouble[]): string {
  const folders = troubles.length > 0 && troubles.every(({ folder }) => folder !== undefined);
  const says = folders ? 'Mail does not flow as it should' : 'Mail is not flowing';
  const who = concernedBy(troubles, routes);
  return who === undefined ? `${says}.` : `${says} for ${who}.`;
}

/** The routes that are concerned; `undefined`: all. */
function concernedBy(
  troubles: readonly Trouble[],
  routes: readonly RouteStatus[],
): string | undefined {
  const concerned = routes.filter(({ route }) => troubles.some((each) => each.route === route));
  const all =
    concerned.length === 0 ||
    concerned.length === routes.length ||
    troubles.some(({ route }) => route === undefined);
  return all ? undefined : whose(concerned, routes);
}

function named(some: readonly RouteStatus[], all: readonly RouteStatus[]): string {
  return `${whose(some, all)} ${some.length === 1 ? 'is' : 'are'}`;
}

function whose(some: readonly RouteStatus[], all: readonly RouteStatus[]): string {
  if (some.length > NAMED) return `${some.length} of ${all.length} routes`;
  const names = some.map(({ route }) => printable(route));
  return names.length < 2
    ? names.join()
    : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

function sum(
  routes: readonly RouteStatus[],
  count: (folder: RouteStatus['folders'][number]) => number,
): number {
  return routes.flatMap(({ folders }) => folders).reduce((all, folder) => all + count(folder), 0);
}

/** `12,345 messages`. By hand: toLocaleString takes 7 MB, from its first use on. */
function messages(count: number): string {
  return count === 1
    ? 'one message'
    : `${String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')} messages`;
}
