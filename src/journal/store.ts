/** The open database with its statements, prepared once; every call is one transaction or one read. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ROUTES_OPENED, WRITTEN } from './arrivals.ts';
import { journalFailure } from './failures.ts';
import { CLAIM_COLUMNS, NOTE_COLUMNS } from './rows.ts';

const KEY = 'route = $route AND folder = $folder AND uid_validity = $uidValidity AND uid = $uid';

/** What has no date, or one of a time to come, came when it was carried. */
const ARRIVED_AT = 'iif(internal_date <= proven_at + 86400000, internal_date, proven_at)';

const SQL = {
  addAccount: 'INSERT INTO account (name) VALUES ($name) ON CONFLICT DO NOTHING',
  account: 'SELECT id, refusals, refused_at AS refusedAt FROM account WHERE name = $name',
  refused: 'UPDATE account SET refusals = refusals + 1, refused_at = $at WHERE name = $name',
  notRefused: 'UPDATE account SET refusals = 0, refused_at = 0 WHERE name = $name',
  addRoute: `INSERT INTO route (name, source, destination, since, opened_at)
    VALUES ($name, $source, $destination, $at, $at)
    ON CONFLICT DO UPDATE SET opened_at = excluded.opened_at
    WHERE opened_at < coalesce((SELECT begun_at FROM heartbeat), 0)`,
  route:
    'SELECT id FROM route WHERE name = $name AND source = $source AND destination = $destination',
  beat: 'UPDATE heartbeat SET at = $at',
  say: 'UPDATE heartbeat SET status = $status',
  begun: 'UPDATE heartbeat SET begun_at = $at',
  revision: 'PRAGMA data_version',
  begin: 'UPDATE hand INDEXED BY hand_held SET held = 2, deaths = deaths + 1 WHERE held = 1',
  prune: 'DELETE FROM message WHERE present = 0 AND retired_at < $before',
  pruneCarried: "DELETE FROM carried WHERE day < date($before / 1000, 'unixepoch', 'localtime')",
  pruneSpeed: "DELETE FROM speed WHERE day < date($before / 1000, 'unixepoch', 'localtime')",
  carried: `SELECT name AS route, folder, day, sum(messages) AS messages, sum(bytes) AS bytes
    FROM carried JOIN route ON route.id = carried.route
    WHERE day >= $since GROUP BY name, folder, day ORDER BY name, folder, day`,
  speeds: `SELECT name AS route, day, CAST(round(pow(2, step / 5.0)) AS INTEGER) - 1 AS ms, sum(messages) AS messages
    FROM speed JOIN route ON route.id = speed.route
    WHERE day >= $since GROUP BY name, day, step ORDER BY name, day, step`,
  used: `SELECT since, messages, bytes FROM used
    WHERE account = $account AND side = $side AND span = $span ORDER BY since`,
  noteUse: `INSERT INTO used (account, side, span, since, messages, bytes)
    VALUES ($account, $side, $span, $since, $messages, $bytes)
    ON CONFLICT DO UPDATE SET messages = excluded.messages, bytes = excluded.bytes`,
  forgetUse: `DELETE FROM used
    WHERE account = $account AND side = $side AND span = $span AND since < $before`,

  senderKey: 'SELECT key FROM sender_book',
  addSender: `INSERT INTO sender (hash, domain, address) VALUES ($hash, $domain, $address)
    ON CONFLICT DO UPDATE SET address = excluded.address
    WHERE address IS NULL AND excluded.address IS NOT NULL`,
  addArrival: `INSERT INTO arrival (route, at, sender, sha256, bulk)
    SELECT $route, ${ARRIVED_AT}, (SELECT id FROM sender WHERE hash = $hash), substr(sha256, -16), $bulk
    FROM message WHERE ${KEY} ON CONFLICT DO NOTHING`,
  forgetArrival: `DELETE FROM arrival WHERE route = $route AND (at, sha256) = (
      SELECT ${ARRIVED_AT}, substr(sha256, -16) FROM message WHERE ${KEY})`,
  forgetArrivals: `DELETE FROM arrival
    WHERE route IN (SELECT id FROM route) AND at < $before`,
  forgetSenders: 'DELETE FROM sender WHERE id NOT IN (SELECT sender FROM arrival)',
  forgotten: 'UPDATE sender_book SET forgotten = max(forgotten, $before)',
  routesOpened: ROUTES_OPENED,
  written: WRITTEN,

  validity: 'SELECT uid_validity AS uidValidity FROM folder WHERE route = $route AND path = $path',
  seen: `INSERT INTO folder (route, path, uid_validity) VALUES ($route, $path, $uidValidity)
    ON CONFLICT DO UPDATE SET uid_validity = excluded.uid_validity`,
  letGoRenumbered: `DELETE FROM claim WHERE source = $source AND source_folder = $path
      AND source_uid_validity <> $uidValidity AND EXISTS (
        SELECT 1 FROM message INDEXED BY message_present
        WHERE route = $route AND message.folder = $path AND present = 1
          AND message.uid_validity = claim.source_uid_validity AND message.uid = claim.source_uid
          AND retired IS NOT 'marked')`,
  loosen: `UPDATE claim SET loose = 1 WHERE source = $source AND source_folder = $path
      AND source_uid_validity <> $uidValidity`,
  closeRetired: `UPDATE message SET present = 0 WHERE route = $route AND folder = $path
      AND uid_validity <> $uidValidity AND present = 1 AND state = 'retired'`,
  dropOthers: `DELETE FROM message WHERE route = $route AND folder = $path
      AND uid_validity <> $uidValidity AND state <> 'retired'`,

  takeUp: `INSERT INTO hand (route, folder, uid_validity, uid, held)
    VALUES ($route, $folder, $uidValidity, $uid, 1) ON CONFLICT DO UPDATE SET held = 1`,
  putDown: `UPDATE hand SET held = 0 WHERE ${KEY}`,
  forgetHand: `DELETE FROM hand WHERE ${KEY} AND deaths <= $deaths`,
  dropHands: `DELETE FROM hand WHERE route = $route AND folder = $path
      AND uid_validity <> $uidValidity`,
  deaths: `SELECT uid, deaths, held FROM hand
    WHERE route = $route AND folder = $folder AND uid_validity = $uidValidity AND deaths > 0`,

  turnOver: `INSERT INTO turned (route, folder, uid_validity, uid, flag, was)
    VALUES ($route, $folder, $uidValidity, $uid, $flag, $was) ON CONFLICT DO NOTHING`,
  turnedBack: `DELETE FROM turned WHERE ${KEY} AND flag = $flag`,
  turned: `SELECT uid, flag, was FROM turned
    WHERE route = $route AND folder = $folder AND uid_validity = $uidValidity ORDER BY uid, flag`,
  dropTurned: `DELETE FROM turned WHERE route = $route AND folder = $path
      AND uid_validity <> $uidValidity`,

  // Indices by name: the planner would take the primary key and read all of the history too.
  notes: `SELECT ${NOTE_COLUMNS} FROM message INDEXED BY message_present
    WHERE route = $route AND folder = $folder AND uid_validity = $uidValidity AND present = 1`,
  note: `SELECT ${NOTE_COLUMNS} FROM message WHERE ${KEY}`,
  // First seen and tries outlive a replaced row; a standing Receipt is never replaced.
  put: `INSERT INTO message (route, folder, uid_validity, uid, state, sha256, message_id, size,
      dest_folder, dest_uid_validity, dest_uid_next, dest_uid, why, tries, noted_at, retry_at,
      internal_date)
    VALUES ($route, $folder, $uidValidity, $uid, $state, $sha256, $messageId, $size,
      $destFolder, $destUidValidity, $destUidNext, $destUid, $why, $tries, $at, $retryAt,
      $internalDate)
    ON CONFLICT DO UPDATE SET state = excluded.state, present = 1, sha256 = excluded.sha256,
      message_id = excluded.message_id, size = excluded.size, dest_folder = excluded.dest_folder,
      dest_uid_validity = excluded.dest_uid_validity, dest_uid_next = excluded.dest_uid_next,
      dest_uid = excluded.dest_uid, proof = NULL, retired = NULL, why = excluded.why,
      tries = message.tries + excluded.tries, retry_at = excluded.retry_at,
      internal_date = excluded.internal_date, proven_at = NULL, retired_at = NULL, ms = NULL
    WHERE message.present = 0 OR message.state NOT IN ('proven', 'retired')`,
  withdraw: `DELETE FROM message WHERE ${KEY} AND state = 'appending'`,
  prove: `UPDATE message SET state = 'proven', present = 1, dest_folder = $destFolder,
      dest_uid_validity = $destUidValidity, dest_uid = $destUid, proof = $proof, retired = NULL,
      why = NULL, retry_at = NULL, proven_at = coalesce(proven_at, $at), retired_at = NULL
    WHERE ${KEY}`,
  // Changes a row unless the copy is another original's.
  claim: `INSERT INTO claim (destination, folder, uid_validity, uid, source, source_folder,
      source_uid_validity, source_uid, sha256, internal_date)
    SELECT $destination, $destFolder, $destUidValidity, $destUid, $source, $folder, $uidValidity,
      $uid, sha256, internal_date FROM message WHERE ${KEY}
    ON CONFLICT DO UPDATE SET source_uid_validity = excluded.source_uid_validity,
      source_uid = excluded.source_uid, loose = 0
    WHERE source = excluded.source AND source_folder = excluded.source_folder
      AND (source_uid_validity = excluded.source_uid_validity AND source_uid = excluded.source_uid
        OR loose = 1 AND sha256 = excluded.sha256 AND internal_date = excluded.internal_date)`,
  claimed: `SELECT ${CLAIM_COLUMNS} FROM claim
    WHERE destination = $destination AND folder = $folder AND uid_validity = $uidValidity`,
  isClaimed: `SELECT ${CLAIM_COLUMNS} FROM claim
    WHERE destination = $destination AND folder = $folder AND uid_validity = $uidValidity
      AND uid = $uid`,
  claimedBefore: `SELECT ${CLAIM_COLUMNS} FROM claim INDEXED BY claim_sha256
    WHERE sha256 = $sha256 AND destination = $destination AND folder = $folder
      AND uid_validity <> $uidValidity AND NOT EXISTS (
        SELECT 1 FROM claim AS now INDEXED BY claim_sha256
        WHERE now.sha256 = $sha256 AND now.destination = $destination AND now.folder = $folder
          AND now.uid_validity = $uidValidity AND now.source = claim.source
          AND now.source_folder = claim.source_folder
          AND now.source_uid_validity = claim.source_uid_validity
          AND now.source_uid = claim.source_uid)`,
  onTheWay: `SELECT ${NOTE_COLUMNS} FROM message INDEXED BY message_state
    WHERE route = $route AND state = 'appending' AND folder = $folder
      AND uid_validity = $uidValidity AND sha256 = $sha256`,
  presentAgain: `UPDATE message SET present = 1 WHERE ${KEY} AND state = 'retired'`,
  receipt: `SELECT dest_folder AS folder, dest_uid_validity AS uidValidity, dest_uid AS uid, proof
    FROM message WHERE ${KEY} AND state IN ('proven', 'retired')`,
  retire: `UPDATE message SET state = 'retired', present = $present, retired = $how,
      retired_at = $at, ms = coalesce(ms, $ms)
    WHERE ${KEY} AND state IN ('proven', 'retired')`,
  goneProven: `UPDATE message SET state = 'retired', present = 0, retired = 'expunged',
      retired_at = $at
    WHERE ${KEY} AND state = 'proven'`,
  goneRetired: `UPDATE message SET present = 0 WHERE ${KEY} AND state = 'retired'`,
  goneOther: `DELETE FROM message WHERE ${KEY} AND state NOT IN ('proven', 'retired')`,
  forget: `DELETE FROM message WHERE ${KEY}`,
  unclaim: `DELETE FROM claim WHERE (destination, folder, uid_validity, uid) = (
      SELECT $destination, dest_folder, dest_uid_validity, dest_uid FROM message WHERE ${KEY})
      AND source = $source AND source_folder = $folder AND source_uid_validity = $uidValidity
      AND source_uid = $uid`,
  count: 'SELECT count(*) AS rows FROM message WHERE route = $route AND state = $state',
  aside: `SELECT ${NOTE_COLUMNS}, folder, uid_validity FROM message INDEXED BY message_state
    WHERE route = $route AND state IN ('unverified', 'refused') ORDER BY folder, uid_validity, uid`,

  alerts: `SELECT cause, side, folder, since, told_at AS toldAt, way, over FROM alert
    WHERE route = $route ORDER BY cause, side, folder`,
  forgetAlerts: 'DELETE FROM alert WHERE route = $route',
  noteAlert: `INSERT INTO alert (route, cause, side, folder, since, told_at, way, over)
    VALUES ($route, $cause, $side, $folder, $since, $toldAt, $way, $over)`,
} as const;

export type Statements = { readonly [name in keyof typeof SQL]: StatementSync };

export class Store {
  readonly sql: Statements;
  readonly #db: DatabaseSync;
  readonly #stateDir: string;

  constructor(db: DatabaseSync, stateDir: string) {
    this.#db = db;
    this.#stateDir = stateDir;
    const prepared = Object.entries(SQL).map(([name, text]) => [name, db.prepare(text)]);
    this.sql = Object.fromEntries(prepared) as Statements;
    for (const name of [
      'notes',
      'note',
      'aside',
      'claimed',
      'isClaimed',
      'claimedBefore',
      'onTheWay',
    ] as const)
      this.sql[name].setReturnArrays(true);
  }

  /** Runs `work` as one transaction: on disk when this returns, or a Failure is thrown and nothing has changed. */
  write<T>(work: (sql: Statements) => T): T {
    return this.#transact('FULL', work);
  }

  /** As `write`, for what has to outlive the process only: a power cut may take it back. Saves the wait for the disk. */
  writeSoon<T>(work: (sql: Statements) => T): T {
    return this.#transact('NORMAL', work);
  }

  #transact<T>(synchronous: 'FULL' | 'NORMAL', work: (sql: Statements) => T): T {
    try {
      this.#db.exec(`PRAGMA synchronous = ${synchronous}; BEGIN IMMEDIATE`);
      const result = work(this.sql);
      this.#db.exec('COMMIT');
      return result;
    } catch (thrown) {
      // SQLite has ended the transaction itself after some errors, a full disk among them, and not after others.
      if (this.#db.isOpen && this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw journalFailure(thrown, this.#stateDir);
    }
  }

  /** Runs `work`, which only reads. Throws a Failure. */
  read<T>(work: (sql: Statements) => T): T {
    try {
      return work(this.sql);
    } catch (thrown) {
      throw journalFailure(thrown, this.#stateDir);
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }
}
