/** How many connections to one source account may hold IDLE (MAX_WATCHERS), shared by the routes that begin there. */

/** What one route has of them. */
export interface Share {
  /** So many folders of the route would have a watcher, if there were enough. */
  want(folders: number): void;
  /** Whether one more may watch: it then has a seat, until it is given back. */
  take(): boolean;
  give(): void;
}

interface Member {
  wanted: number;
  taken: number;
}

export class Seats {
  readonly #most: number;
  readonly #members: Member[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Every route that begins there joins before the first one takes a seat. */
  join(): Share {
    const member: Member = { wanted: Number.POSITIVE_INFINITY, taken: 0 };
    this.#members.push(member);
    return {
      want: (folders) => {
        member.wanted = folders;
      },
      take: () => {
        if (!this.#mayTake(member)) return false;
        member.taken++;
        return true;
      },
      give: () => {
        member.taken--;
      },
    };
  }

  /** Each may have its even part; what others do not want of theirs is free for all. */
  #mayTake(member: Member): boolean {
    const taken = this.#members.reduce((sum, each) => sum + each.taken, 0);
    const kept = this.#members.reduce((sum, each, i) => {
      const part = Math.min(this.#part(i), each.wanted) - each.taken;
      return each === member ? sum : sum + Math.max(0, part);
    }, 0);
    return taken + kept < this.#most;
  }

  #part(place: number): number {
    const { length } = this.#members;
    return Math.floor(this.#most / length) + Number(place < this.#most % length);
  }
}
