/** ROUTES: the routes' names, and the variables that bear them in front. */
import { type Mistake, Unusable } from './mistakes.ts';

const NAME = /^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/i;

/** @throws Unusable where a name can't stand in front of a variable, or two are the same there */
export function parseRoutes(value: string): string[] {
  const names = value.split(',').map((name) => name.trim());
  for (const [i, name] of names.entries()) {
    if (name === '') throw new Unusable(`names no route in entry ${i + 1}`);
    if (!NAME.test(name))
      throw new Unusable(
        `holds a name in entry ${i + 1} that can't stand in front of a variable: letters, digits, \`-\` and \`_\` between them, a letter first`,
      );
    const earlier = names.findIndex((other) => prefixOf(other) === prefixOf(name));
    if (earlier < i)
      throw new Unusable(`names one route twice, in entries ${earlier + 1} and ${i + 1}`);
  }
  return names;
}

/** What stands in front of a route's own variables: `MUM_`. */
export function prefixOf(route: string): string {
  return `${route.toUpperCase().replaceAll('-', '_')}_`;
}

/** Names by which a variable would be two things at once: two routes', or a route's and one of all. */
export function doubleMeanings(
  routes: readonly string[],
  routed: Iterable<string>,
  all: Iterable<string>,
): Mistake[] {
  const meant = new Map([...all].map((name) => [name, '']));
  const mistakes = new Map<string, Mistake>();
  const variables = [...routed];
  for (const route of routes) {
    for (const variable of variables) {
      const name = `${prefixOf(route)}${variable}`;
      const other = meant.get(name);
      meant.set(name, route);
      if (other === undefined || mistakes.has(`${other} ${route}`)) continue;
      const which = other === '' ? `the route ${route}` : `the routes ${other} and ${route}`;
      mistakes.set(`${other} ${route}`, {
        variable: 'ROUTES',
        wrong: `names ${which}, and ${name} would mean two things`,
        example: 'ROUTES=mum,dad',
      });
    }
  }
  return [...mistakes.values()];
}
