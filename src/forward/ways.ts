/** Where the mail of every route goes, folder by folder. Names that only counterparts join show here what FOLDERS does not: a circle. */
import { type Account, type FolderPair, loginId, type Route } from '../domain/route.ts';

interface Way {
  readonly route: string;
  readonly pair: FolderPair;
  readonly from: string;
  readonly to: string;
}

export class Ways {
  readonly #ways = new Map<string, readonly Way[]>();

  /** Notes where a route would carry mail by its plan. */
  lay({ name: route, source, destination }: Route, pairs: readonly FolderPair[]): void {
    const ways = pairs.map((pair) => ({
      route,
      pair,
      from: placeOf(source, pair.source),
      to: placeOf(destination, pair.dest),
    }));
    this.#ways.set(route, ways);
  }

  /** Sentences without their full stop, one for each folder of the route whose mail other routes would bring back. */
  circles(route: string): string[] {
    return (this.#ways.get(route) ?? []).flatMap((way) => {
      const circle = this.#wayBack(way);
      if (circle === undefined) return [];
      const legs = circle.map(({ route: by, pair }) => `${by}: ${pair.source} → ${pair.dest}`);
      return [
        `The mail of ${way.pair.source} would go round in a circle and come back to where it came from, for ever: ${legs.join(', ')}. Leave a folder of these out of its route in FOLDERS, by "!${way.pair.source}"`,
      ];
    });
  }

  /** The shortest way from a folder back to it by way of another route; what one route does within itself its own plan tells. */
  #wayBack(first: Way): readonly Way[] | undefined {
    const all = [...this.#ways.values()].flat();
    const seen = new Set<string>();
    let ends: (readonly Way[])[] = [[first]];
    while (ends.length > 0) {
      const longer = ends.flatMap((way) =>
        all.filter(({ from }) => from === way.at(-1)?.to).map((next) => [...way, next]),
      );
      ends = [];
      for (const way of longer) {
        const last = way.at(-1);
        if (last === undefined || seen.has(last.to)) continue;
        const isBack = last.to === first.from && way.some(({ route }) => route !== first.route);
        if (isBack) return way;
        seen.add(last.to);
        ends.push(way);
      }
    }
    return undefined;
  }
}

/** INBOX is the same in any letter case (RFC 9051 §5.1); every other name is not. */
function placeOf(account: Account, folder: string): string {
  const name = folder.toUpperCase() === 'INBOX' ? 'INBOX' : folder;
  return `${loginId(account)} ${name}`;
}
