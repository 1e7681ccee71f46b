/** Which accounts of which routes are connected: heard from the events. */
import type { EventFields, EventName } from '../domain/events.ts';
import type { AccountStatus } from '../domain/status.ts';

type Side = AccountStatus['side'];

const SIDES = ['source', 'destination'] as const;

export class Accounts {
  readonly #known = new Map<string, AccountStatus>();
  readonly #startedAt: number;

  /** @param startedAt epoch ms */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /** @param now epoch ms */
  hear(event: EventName, { route, side, why }: EventFields, now: number): void {
    if (route === undefined) return;
    // What was appended was answered by the destination, whatever became of other connections to it.
    if (event === 'delivery.appended') this.#become(route, 'destination', 'connected', now);
    const is = BECOMES[event];
    if (is === undefined || side === undefined) return;
    // Its last connection may end while there is nothing to carry, and is begun anew for the next message.
    if (is === 'lost' && side === 'destination') return;
    // A refused login stays so while it is not tried again.
    if (event === 'account.reconnecting' && this.#of(route, side).is === 'refused') return;
    this.#become(route, side, is, now, why);
  }

  /**
   * Both accounts of a route.
   * @param noticed some of the source's folders are noticed, so that it is connected, whatever became of other connections
   */
  of(route: string, noticed: boolean): AccountStatus[] {
    return SIDES.map((side) => {
      const status = this.#of(route, side);
      const isFine = side === 'source' && noticed && status.is !== 'refused';
      return isFine ? { side, is: 'connected', since: status.since } : status;
    });
  }

  #of(route: string, side: Side): AccountStatus {
    const unknown = { side, is: 'connecting', since: this.#startedAt } as const;
    return this.#known.get(`${side} ${route}`) ?? unknown;
  }

  #become(route: string, side: Side, is: AccountStatus['is'], now: number, why?: string): void {
    const before = this.#of(route, side);
    const isSame = before.is === is || (isAway(before.is) && isAway(is));
    const since = isSame ? before.since : now;
    this.#known.set(`${side} ${route}`, { side, is, since, ...(why !== undefined && { why }) });
  }
}

const BECOMES: Partial<Record<EventName, AccountStatus['is']>> = {
  'account.connected': 'connected',
  'account.lost': 'lost',
  'account.reconnecting': 'connecting',
  'account.refused': 'refused',
};

function isAway(is: AccountStatus['is']): boolean {
  return is === 'lost' || is === 'connecting';
}
