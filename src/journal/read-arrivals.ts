/** Reads beside a running imapferry who wrote what it carried, and what has to be known to judge by it. */
import type { DatabaseSync } from 'node:sqlite';
import type { RouteWritten } from '../domain/senders.ts';
import { ROUTES_OPENED, WRITTEN, writtenBy } from './arrivals.ts';
import { openForReading, reading } from './read-journal.ts';

export interface ArrivalsRead {
  readonly routes: readonly RouteRead[];
  /** When imapferry last gave a sign of life, or was started; `undefined` if never. */
  readonly lastSign: number | undefined;
  /** Nothing is known of messages of an INTERNALDATE before that. */
  readonly forgotten: number;
}

export interface RouteRead extends RouteWritten {
  /** Messages that could not be carried, and are not counted. */
  readonly aside: number;
}

/** Of messages of an INTERNALDATE from `after` on. Throws as `readJournal` does; `undefined` where there is no journal yet. */
export function readArrivals(stateDir: string, after: number): ArrivalsRead | undefined {
  const db = openForReading(stateDir);
  if (db === undefined) return undefined;
  try {
    return reading(stateDir, () => read(db, after));
  } finally {
    db.close();
  }
}

const ASIDE = `SELECT (SELECT count(*) FROM message INDEXED BY message_state
    WHERE message.route = route.id AND state IN ('unverified', 'refused')) AS aside
  FROM route ORDER BY route.name, route.id`;

function read(db: DatabaseSync, after: number): ArrivalsRead {
  // All that is read is of one moment.
  db.exec('BEGIN');
  const written = writtenBy(db.prepare(ROUTES_OPENED), db.prepare(WRITTEN), after);
  const aside = db.prepare(ASIDE).all();
  const signs = db.prepare('SELECT at, begun_at FROM heartbeat').get() ?? {};
  const last = Math.max(Number(signs.at), Number(signs.begun_at));
  const routes = written.map((route, i) => ({ ...route, aside: Number(aside[i]?.aside) }));
  const forgotten = Number(db.prepare('SELECT forgotten FROM sender_book').get()?.forgotten);
  return { routes, lastSign: last > 0 ? last : undefined, forgotten };
}
