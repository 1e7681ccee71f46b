/** How many connections to one source account may hold IDLE (MAX_WATCHERS), shared by the routes that begin there. */

/** What one route has of them. */
export interface Share {
  /** So many folders of the route would have a watcher, if there were enough. */
  want(folders: number): void;
  /** Whether one more may watch: it then has a seat, until it is given back. */
  take(): boolean;
  give(): void;
  /** How one of its watchers is let go, where it has more than its part and another route lacks its own; says whether one is. */
  onAsked(letGo: () => boolean): void;
}

interface Member {
  wanted: number;
  taken: number;
  /** Seats that it is about to give back since it was asked to. */
  leaving: number;
  letGo: () => boolean;
}

export class Seats {
  readonly #most: number;
  readonly #members: Member[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Every route that begins there joins before the first one takes a seat. */
  join(): Share {
    const member: Member = {
      wanted: Number.POSITIVE_INFINITY,
      taken: 0,
      leaving: 0,
      letGo: () => false,
    };
    this.#members.push(member);
    return {
      want: (folders) => {
        member.wanted = folders;
        this.#makeRoom(member);
      },
      take: () => {
        if (!this.#mayTake(member)) return false;
        member.taken++;
        return true;
      },
      give: () => {
        member.taken--;
        member.leaving = Math.max(0, member.leaving - 1);
      },
      onAsked: (letGo) => {
        member.letGo = letGo;
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

  /** A route that comes late finds its part taken: those that have more than theirs are asked for it. */
  #makeRoom(member: Member): void {
    const due = (each: Member) => Math.min(this.#part(this.#members.indexOf(each)), each.wanted);
    const staying = (each: Member) => each.taken - each.leaving;
    const free = this.#most - this.#members.reduce((sum, each) => sum + staying(each), 0);
    for (let lacking = due(member) - member.taken - free; lacking > 0; lacking--) {
      const rich = this.#members.find((each) => staying(each) > due(each) && each.letGo());
      if (rich === undefined) return;
      rich.leaving++;
    }
  }

  #part(place: number): number {
    const { length } = this.#members;
    return Math.floor(this.#most / length) + Number(place < this.#most % length);
  }
}
