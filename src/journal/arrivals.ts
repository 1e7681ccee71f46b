/**
 * Who wrote what was carried: each sender's domain and a keyed hash of the address, the address itself only where that is
 * asked for; and of each message when it came. What is shown of it is counted in SQL.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { RouteWritten, Sender, Written } from '../domain/senders.ts';
import type { Statements, Store } from './store.ts';

/** Every route, whether the imapferry that runs has opened it, and since when senders are noted of it. */
export const ROUTES_OPENED = `SELECT route.id, route.name AS route, account.name AS source, since,
    opened_at >= coalesce(begun_at, 0) AS current
  FROM route JOIN account ON account.id = route.source, heartbeat ORDER BY route.name, route.id`;

/** What each sender wrote to a route, bulk mail and other mail apart. The inner part reads nothing but its own days. */
export const WRITTEN = `SELECT domain, address, bulk, messages, lastAt FROM (
    SELECT sender, bulk, count(*) AS messages, max(at) AS lastAt FROM arrival
    WHERE route = $route AND at >= $after GROUP BY sender, bulk
  ) JOIN sender ON sender.id = sender ORDER BY lastAt DESC, domain, bulk`;

/** Notes who wrote what. */
export class Arrivals {
  readonly #keep: boolean;
  readonly #key: KeyObject;

  /** @param keep keeps addresses, too */
  constructor(store: Store, keep: boolean) {
    this.#keep = keep;
    const key = store.read((sql) => sql.senderKey.get()?.key) as Uint8Array;
    this.#key = createSecretKey(key);
  }

  /** Part of the transaction that proves the message of this row. What is noted already stays as it is. */
  note(sql: Statements, row: Record<'route' | 'uidValidity' | 'uid', number>, sender: Sender) {
    const { domain, address, bulk } = sender;
    const hash = createHmac('sha256', this.#key).update(address).digest();
    sql.addSender.run({ hash, domain, address: this.#keep && address !== '' ? address : null });
    sql.addArrival.run({ ...row, hash, bulk: Number(bulk) });
  }
}

/** What ROUTES_OPENED and WRITTEN find. */
export function writtenBy(opened: StatementSync, written: StatementSync, after: number) {
  return opened.all().map((row): RouteWritten => {
    const { id, current, ...route } = row as unknown as Omit<RouteWritten, 'current'> & {
      readonly id: number;
      readonly current: number;
    };
    const rows = written.all({ route: id, after }) as unknown as WrittenRow[];
    return { ...route, current: current === 1, written: rows.map(writtenOf) };
  });
}

type WrittenRow = Omit<Written, 'address' | 'bulk'> & {
  readonly address: string | null;
  readonly bulk: number;
};

function writtenOf({ address, bulk, ...row }: WrittenRow): Written {
  return { ...row, bulk: bulk === 1, ...(address !== null && { address }) };
}

/**
 * Where addresses are not to be kept, those that were kept before are removed: from their rows, and from what SQLite leaves
 * of a row in the file and beside it. Where that is cut short, it is done at the next start.
 */
export function settleAddresses(db: DatabaseSync, keep: boolean): void {
  const kept = db.prepare('SELECT kept FROM sender_book').get()?.kept === 1;
  if (kept === keep) return;
  if (!keep) {
    db.exec('UPDATE sender SET address = NULL WHERE address IS NOT NULL');
    // In memory, since a container may have no other place to write to.
    db.exec('PRAGMA temp_store = MEMORY; VACUUM; PRAGMA temp_store = DEFAULT');
    // Whoever reads beside keeps the -wal from being emptied.
    if (db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy !== 0) return;
  }
  db.prepare('UPDATE sender_book SET kept = ?').run(Number(keep));
}
