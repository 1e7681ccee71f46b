/**
 * Where the mail of every route goes, folder by folder. Names that only counterparts join show here what FOLDERS does not: a
 * circle. Two names of one server are known as such once a message is met under one of them that was brought under the other.
 */

import { nameOf } from '../domain/folder-name.ts';
import type { Original } from '../domain/message.ts';
import type { FolderKey } from '../domain/ports.ts';
import type { Receipt } from '../domain/receipt.ts';
import { type Account, type FolderPair, loginId, type Route } from '../domain/route.ts';

interface Way {
  readonly route: string;
  readonly pair: FolderPair;
  readonly from: string;
  readonly to: string;
}

/** A copy that a route has brought somewhere. */
interface Brought {
  readonly place: string;
  readonly sha256: string;
}

/** How many of the last copies are remembered. */
const MOST_BROUGHT = 10_000;

export class Ways {
  readonly #ways = new Map<string, readonly Way[]>();
  /** By UIDVALIDITY and UID; those of several accounts may have the same. */
  readonly #brought = new Map<string, readonly Brought[]>();
  /** Places, each with another name of it. */
  readonly #aliases = new Map<string, string>();

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

  /**
   * Remembers copies that a route has brought.
   * @param sums gives the SHA-256 of their originals by UID; asked only where there are other routes
   */
  brought(
    { destination }: Route,
    receipts: readonly Receipt[],
    sums: () => ReadonlyMap<number, string>,
  ): void {
    const same = receipts.filter(({ proof }) => proof === 'identical');
    if (this.#ways.size < 2 || same.length === 0) return;
    const known = sums();
    for (const { original, copy } of same) {
      const sum = known.get(original.uid);
      if (sum === undefined) continue;
      const place = placeOf(destination, copy.folder);
      const key = numberOf(copy);
      this.#brought.set(key, [...(this.#brought.get(key) ?? []), { place, sha256: sum }]);
    }
    for (const key of this.#brought.keys()) {
      if (this.#brought.size <= MOST_BROUGHT) break;
      this.#brought.delete(key);
    }
  }

  /**
   * Looks at messages that are about to be carried from a folder: UIDVALIDITY, UID and bytes of one that a route has just
   * brought elsewhere show that both are one place. Says whether any did.
   */
  recognise(
    { source }: Route,
    { folder, uidValidity }: FolderKey,
    messages: readonly Pick<Original, 'uid' | 'content'>[],
  ): boolean {
    const here = placeOf(source, folder);
    let any = false;
    for (const { uid, content } of messages) {
      const maybe = this.#brought.get(numberOf({ uidValidity, uid })) ?? [];
      const sum = maybe.length > 0 ? content.sha256 : '';
      for (const { place } of maybe.filter((each) => each.sha256 === sum)) {
        const [one, other] = [this.#real(here), this.#real(place)];
        if (one !== other) this.#aliases.set(one, other);
        any = true;
      }
    }
    return any;
  }

  #real(place: string): string {
    const other = this.#aliases.get(place);
    return other === undefined ? place : this.#real(other);
  }

  /** Sentences without their full stop, one for each folder of the route whose mail other routes would bring back. */
  circles(route: string): string[] {
    const all = Map.groupBy([...this.#ways.values()].flat(), ({ from }) => this.#real(from));
    return (this.#ways.get(route) ?? []).flatMap((way) => {
      const circle = this.#wayBack(way, all);
      if (circle === undefined) return [];
      const legs = circle.map(({ route: by, pair }) => `${by}: ${pair.source} → ${pair.dest}`);
      return [
        `The mail of ${way.pair.source} would go round in a circle and come back to where it came from, for ever: ${legs.join(', ')}. Leave a folder of these out of its route in FOLDERS, by "!${way.pair.source}"`,
      ];
    });
  }

  /** The shortest way from a folder back to it by way of another route; what one route does within itself its own plan tells. */
  #wayBack(first: Way, all: ReadonlyMap<string, readonly Way[]>): readonly Way[] | undefined {
    const start = this.#real(first.from);
    const seen = new Set<string>();
    let ends: (readonly Way[])[] = [[first]];
    while (ends.length > 0) {
      const longer = ends.flatMap((way) =>
        (all.get(this.#real(way.at(-1)?.to ?? '')) ?? []).map((next) => [...way, next]),
      );
      ends = [];
      for (const way of longer) {
        const last = way.at(-1);
        if (last === undefined || seen.has(this.#real(last.to))) continue;
        const isBack =
          this.#real(last.to) === start && way.some(({ route }) => route !== first.route);
        if (isBack) return way;
        seen.add(this.#real(last.to));
        ends.push(way);
      }
    }
    return undefined;
  }
}

function numberOf({ uidValidity, uid }: { uidValidity: number; uid: number }): string {
  return `${uidValidity} ${uid}`;
}

function placeOf(account: Account, folder: string): string {
  return `${loginId(account)} ${nameOf(folder)}`;
}
