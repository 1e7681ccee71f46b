/** What can be wrong between routes: one source folder in two of them, and mail that goes round in a circle. */
import { nameOf, sameFolder } from '../domain/folder-name.ts';
import { type FolderRule, loginId, type Rival, type Route } from '../domain/route.ts';
import { matches } from '../domain/wildcards.ts';
import type { Mistake } from './mistakes.ts';

/** A route as it is configured, and the variable that names its folders. */
export interface Drawn {
  readonly route: Route;
  readonly variable: string;
}

/** The routes whose source folders a route must not share, since one of the two removes what it has carried. */
export function rivalsOf(route: Route, all: readonly Drawn[]): Pick<Route, 'rivals'> {
  const rivals = all.flatMap(({ route: other }) => (areRivals(route, other) ? [other] : []));
  if (rivals.length === 0) return {};
  return { rivals: rivals.map(rivalOf) };
}

function rivalOf({ name, folders, afterDelivery: after }: Route): Rival {
  return { name, folders, ...(after.kind === 'move' && { moveTo: after.folder }) };
}

function areRivals(one: Route, other: Route): boolean {
  const removes = ({ afterDelivery }: Route) => afterDelivery.kind !== 'keep';
  return (
    one.name !== other.name &&
    loginId(one.source) === loginId(other.source) &&
    (removes(one) || removes(other))
  );
}

/** What patterns stand for is known only with the servers' folders: that is the plan's to tell. */
export function betweenRoutes(all: readonly Drawn[]): Mistake[] {
  return [...sharedFolders(all), ...carriedAgain(all), ...circles(all)];
}

/** A folder that one route names, and another one names or matches. */
function sharedFolders(all: readonly Drawn[]): Mistake[] {
  return all.flatMap(({ route, variable }) =>
    all.flatMap(({ route: other }) => {
      if (!areRivals(route, other)) return [];
      const shared = route.folders.findIndex(
        (rule) => rule.kind === 'folder' && carries(other.folders, rule.name, 'for sure'),
      );
      if (shared < 0) return [];
      return [
        {
          variable,
          wrong: `names in entry ${shared + 1} a folder that the route ${other.name} carries, too, from the same account: one of the two would remove what the other has not carried yet`,
          example: 'AFTER_DELIVERY=keep for both routes, or each folder in one of them',
        },
      ];
    }),
  );
}

/** A folder that one route names, and to which another one moves what it has carried. */
function carriedAgain(all: readonly Drawn[]): Mistake[] {
  return all.flatMap(({ route, variable }) =>
    all.flatMap(({ route: other }) => {
      const { moveTo } = rivalOf(other);
      if (moveTo === undefined || !areRivals(route, other)) return [];
      const named = route.folders.findIndex(
        (rule) => rule.kind === 'folder' && isOne(rule.name, moveTo),
      );
      if (named < 0) return [];
      return [
        {
          variable,
          wrong: `names in entry ${named + 1} the folder to which the route ${other.name} moves what it has carried from the same account: that would be carried once more`,
          example: 'AFTER_DELIVERY=move:Carried, with a folder that no route carries',
        },
      ];
    }),
  );
}

/** Some servers take two names that differ in case for one. */
function isOne(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase();
}

/** Whether rules mean a folder of that name. What `%` stands for is not sure: separators are not known yet. */
function carries(rules: readonly FolderRule[], name: string, how: 'for sure' | 'perhaps'): boolean {
  const named = (rule: FolderRule, sure: boolean) => {
    if (!('pattern' in rule)) return sameFolder(rule.name, name);
    return !(sure && rule.pattern.includes('%')) && fits(rule.pattern, name);
  };
  const sure = how === 'for sure';
  if (rules.some((rule) => rule.kind === 'folder' && named(rule, true))) return true;
  if (rules.some((rule) => rule.kind === 'not' && named(rule, !sure))) return false;
  // Who only says what to leave out means all the rest.
  if (rules.every(({ kind }) => kind === 'not')) return true;
  return rules.some((rule) => rule.kind === 'pattern' && named(rule, sure));
}

/** `%` is taken for anything. */
function fits(pattern: string, name: string): boolean {
  return matches(nameOf(pattern), nameOf(name));
}

/** Where a route's mail arrives, as far as FOLDERS tells: folders by name, or any. */
function arrivals({ folders }: Route): readonly (string | undefined)[] {
  return folders.flatMap((rule) => {
    if (rule.kind === 'not') return [];
    if (rule.kind === 'pattern') return [undefined];
    return [rule.to ?? rule.name];
  });
}

/** Whether what one route brings is carried on by the other. */
function leadsTo(one: Route, other: Route): boolean {
  if (loginId(one.destination) !== loginId(other.source)) return false;
  if (arrivals(one).length === 0) return true;
  return arrivals(one).some(
    (name) => name === undefined || carries(other.folders, name, 'perhaps'),
  );
}

/** Circles of two routes or more; each is told once, at its first route. A route that leads to itself is told by itself. */
function circles(all: readonly Drawn[]): Mistake[] {
  return all.flatMap(({ route, variable }, first) => {
    const way = wayBack(
      route,
      route,
      all.slice(first).map((each) => each.route),
      [],
    );
    if (way === undefined) return [];
    return [
      {
        variable,
        wrong: `sends mail round in a circle: ${[...way, route].map(({ name }) => name).join(' → ')}; what is carried would come back to where it came from, for ever`,
        example: 'FOLDERS=INBOX, with each account a source or a destination only',
      },
    ];
  });
}

function wayBack(
  from: Route,
  to: Route,
  among: readonly Route[],
  before: readonly Route[],
): readonly Route[] | undefined {
  const way = [...before, from];
  if (before.length > 0 && leadsTo(from, to)) return way;
  for (const next of among) {
    if (way.includes(next) || !leadsTo(from, next)) continue;
    const found = wayBack(next, to, among, way);
    if (found !== undefined) return found;
  }
  return undefined;
}
