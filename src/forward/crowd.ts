/**
 * The routes that have connections to one source server. Where it lets no more in, whatever the account (Courier counts by
 * address), a route that has several gives one up for a route that has none.
 */
import type { Failure } from '../domain/failure.ts';

/** A route at that server. */
export interface Guest {
  /** Its connections that stand. */
  readonly standing: number;
  /** Gives one connection up, where it can. */
  giveWay(why: Failure): void;
}

/** A port where nobody answers is taken for a sign of too many connections the second time: a server that ends says so once. */
const UNANSWERED = 2;

export class Crowd {
  readonly #guests = new Set<Guest>();

  join(guest: Guest): void {
    this.#guests.add(guest);
  }

  leave(guest: Guest): void {
    this.#guests.delete(guest);
  }

  /** A connection of a route that has none was not let in, for the `attempt`th time in a row. */
  refused(failure: Failure, attempt: number): void {
    if (!isCrowded(failure, attempt)) return;
    const [largest] = [...this.#guests].sort((a, b) => b.standing - a.standing);
    if (largest !== undefined && largest.standing > 1) largest.giveWay(failure);
  }
}

/** Whether a server that does not let a connection in may mind their number. */
export function isCrowded({ kind, code }: Failure, attempt: number): boolean {
  return kind === 'crowded' || (code === 'ECONNREFUSED' && attempt >= UNANSWERED);
}
