/** The Journal on SQLite in STATE_DIR: what is on its way, what was carried. */
import type { Journal, RouteJournal, Tallies, Use, UseKey, UseNote } from '../domain/ports.ts';
import type { RouteWritten } from '../domain/senders.ts';
import { Arrivals, settleAddresses, writtenBy } from './arrivals.ts';
import { journalFailure } from './failures.ts';
import { type OpenedFile, openFile } from './file.ts';
import { SqliteRouteJournal } from './route-journal.ts';
import { blankSetAside } from './set-aside.ts';
import { Store } from './store.ts';

export interface OpenedJournal {
  readonly journal: Journal;
  /** There was none (that could be used): what was carried before has to be looked for. */
  readonly created: boolean;
  /** Where a journal that was torn, or not ours, has been moved. */
  readonly setAside?: string;
  /** Journals set aside, by their names, that may hold addresses and could not be written. */
  readonly uncleaned?: readonly string[];
}

/**
 * Opens the journal of a STATE_DIR that `lockStateDir` has locked, and makes it where there is none. An older version
 * is migrated. Throws a Failure (step `journal`): lasting where the journal is of a newer version.
 * @param now epoch ms; stamps rows whose caller gives no time
 * @param keepSenders keeps senders' addresses; without it none stays that was kept before, also where it was set aside
 */
export function openJournal(
  stateDir: string,
  now: () => number = Date.now,
  keepSenders = false,
): OpenedJournal {
  let opened: OpenedFile | undefined;
  try {
    opened = openFile(stateDir, now());
    const { db, ...rest } = opened;
    settleAddresses(db, keepSenders);
    const uncleaned = keepSenders ? [] : blankSetAside(stateDir);
    return {
      journal: new SqliteJournal(new Store(db, stateDir), now, keepSenders),
      ...rest,
      ...(uncleaned.length > 0 && { uncleaned }),
    };
  } catch (thrown) {
    opened?.db.close();
    throw journalFailure(thrown, stateDir);
  }
}

export class SqliteJournal implements Journal {
  readonly #store: Store;
  readonly #arrivals: Arrivals;
  readonly #now: () => number;

  constructor(store: Store, now: () => number, keepSenders = false) {
    this.#store = store;
    this.#arrivals = new Arrivals(store, keepSenders);
    this.#now = now;
  }

  route(name: string, source: string, destination: string): RouteJournal {
    const ids = this.#store.write((sql) => {
      const accountOf = (account: string) => {
        sql.addAccount.run({ name: account });
        return sql.account.get({ name: account })?.id as number;
      };
      const accounts = { source: accountOf(source), destination: accountOf(destination) };
      sql.addRoute.run({ name, ...accounts, at: this.#now() });
      return { route: sql.route.get({ name, ...accounts })?.id as number, ...accounts };
    });
    return new SqliteRouteJournal(this.#store, ids, this.#arrivals, this.#now);
  }

  refusals(account: string): { count: number; lastAt: number } {
    const row = this.#store.read((sql) => sql.account.get({ name: account }));
    return { count: Number(row?.refusals ?? 0), lastAt: Number(row?.refusedAt ?? 0) };
  }

  noteRefusal(account: string, at: number): void {
    this.#store.write((sql) => {
      sql.addAccount.run({ name: account });
      sql.refused.run({ name: account, at });
    });
  }

  clearRefusals(account: string): void {
    this.#store.write((sql) => sql.notRefused.run({ name: account }));
  }

  used({ account, side, span }: UseKey): Use[] {
    return this.#store.read((sql) => sql.used.all({ account, side, span })) as unknown as Use[];
  }

  noteUse(notes: readonly UseNote[]): void {
    this.#store.writeSoon((sql) => {
      for (const { key, use, before } of notes) {
        const { account, side, span } = key;
        const { since, messages, bytes } = use;
        sql.noteUse.run({ account, side, span, since, messages, bytes });
        sql.forgetUse.run({ account, side, span, before });
      }
    });
  }

  begin(): void {
    this.#store.write((sql) => {
      sql.begin.run();
      sql.begun.run({ at: this.#now() });
    });
  }

  revision(): number {
    return this.#store.read((sql) => sql.revision.get()?.data_version) as number;
  }

  beat(at: number, status?: string): void {
    this.#store.write((sql) => {
      sql.beat.run({ at });
      if (status !== undefined) sql.say.run({ status });
    });
  }

  tallies(since: string): Tallies {
    const rows = this.#store.read((sql) => ({
      carried: sql.carried.all({ since }),
      speeds: sql.speeds.all({ since }),
    }));
    return rows as unknown as Tallies;
  }

  prune(before: number): number {
    return this.#store.write((sql) => {
      sql.pruneCarried.run({ before });
      sql.pruneSpeed.run({ before });
      sql.forgetArrivals.run({ before });
      sql.forgetSenders.run();
      sql.forgotten.run({ before });
      return Number(sql.prune.run({ before }).changes);
    });
  }

  written(after: number): RouteWritten[] {
    return this.#store.read((sql) => writtenBy(sql.routesOpened, sql.written, after));
  }

  close(): void {
    this.#store.close();
  }
}
