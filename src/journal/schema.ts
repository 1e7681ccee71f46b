/** The journal's tables, and the ladder that brings an older journal up to them, a step a version. */
import type { DatabaseSync } from 'node:sqlite';

/** The journal's file in STATE_DIR. SQLite keeps `-wal` and `-shm` beside it. */
export const JOURNAL_FILE = 'journal.sqlite';

/** Tells our journal from another program's database (`PRAGMA application_id`): the letters `ifry`. */
export const APPLICATION_ID = 0x69667279;

/**
 * The ladder: the step at index n turns version n into version n + 1. A step that was once released is never edited;
 * what changes later is a new step at the end.
 *
 * `message.present`: the original may still be in its folder. Rows without it are history; nothing else is pruned.
 * `claim`: which original a copy proves, and what that one is known by. It outlives every row of `message`. `loose`: the
 * original's folder was renumbered since, and it may come back under another number.
 * `used`: what was used of an account within a limit's span, in stretches of a fiftieth of it, so that there are few rows.
 * `carried`, `speed`: what was carried on which day by the clock of this machine, and how many messages that came meanwhile
 * took how long: 2^(step/5) - 1 ms, within 7 %. They outlive the rows that they count.
 * `heartbeat.status`: what the process that beats says of itself (domain/status.ts), as JSON.
 * `alert`: which troubles somebody was told of; `over`: and that they are over. No `side` or `folder`: an empty text.
 * `route.since`: senders are noted since then. `opened_at`, against `heartbeat.begun_at`: the process that runs has opened it.
 * `arrival`: a carried message that somebody wrote to the source; `at` is its INTERNALDATE. A message is the same one again by
 * its date, its sender and the end of its SHA-256. `sender.hash`: HMAC-SHA256 of the address, by `sender_book.key`.
 * `sender_book.kept`: addresses may be there. `forgotten`: nothing is known of messages of an INTERNALDATE before that.
 * `hand.held`: 1 in hand, 0 not; 2 it was in hand when a process died, and none has taken it up since.
 * `turned`: flags of originals that are turned over for a while, by which it is asked whose folder it is; `was`: how they were.
 */
export const STEPS: readonly string[] = [
  `
  CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    refusals INTEGER NOT NULL DEFAULT 0,
    refused_at INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE route (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    source INTEGER NOT NULL REFERENCES account,
    destination INTEGER NOT NULL REFERENCES account,
    UNIQUE (name, source, destination)
  ) STRICT;

  CREATE TABLE folder (
    route INTEGER NOT NULL REFERENCES route,
    path TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    PRIMARY KEY (route, path)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE message (
    route INTEGER NOT NULL REFERENCES route,
    folder TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('appending', 'unverified', 'refused', 'proven', 'retired')),
    present INTEGER NOT NULL DEFAULT 1,
    sha256 TEXT NOT NULL,
    message_id TEXT,
    size INTEGER NOT NULL,
    dest_folder TEXT NOT NULL,
    dest_uid_validity INTEGER NOT NULL,
    dest_uid_next INTEGER NOT NULL,
    dest_uid INTEGER,
    proof TEXT CHECK (proof IN ('identical', 'equivalent', 'headers')),
    retired TEXT CHECK (retired IN ('expunged', 'marked', 'kept', 'moved')),
    why TEXT,
    tries INTEGER NOT NULL,
    noted_at INTEGER NOT NULL,
    retry_at INTEGER,
    proven_at INTEGER,
    retired_at INTEGER,
    ms INTEGER,
    PRIMARY KEY (route, folder, uid_validity, uid)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX message_present ON message (route, folder, uid_validity, uid) WHERE present = 1;
  CREATE INDEX message_state ON message (route, state);
  CREATE INDEX message_history ON message (retired_at) WHERE present = 0;

  CREATE TABLE claim (
    destination INTEGER NOT NULL REFERENCES account,
    folder TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    source INTEGER NOT NULL REFERENCES account,
    source_folder TEXT NOT NULL,
    source_uid_validity INTEGER NOT NULL,
    source_uid INTEGER NOT NULL,
    PRIMARY KEY (destination, folder, uid_validity, uid)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE heartbeat (at INTEGER) STRICT;
  INSERT INTO heartbeat VALUES (NULL);
  `,
  `
  ALTER TABLE message ADD COLUMN internal_date INTEGER;

  CREATE TABLE hand (
    route INTEGER NOT NULL REFERENCES route,
    folder TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    held INTEGER NOT NULL,
    deaths INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (route, folder, uid_validity, uid)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hand_held ON hand (held) WHERE held = 1;
  `,
  `
  ALTER TABLE claim ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';
  ALTER TABLE claim ADD COLUMN internal_date INTEGER;
  ALTER TABLE claim ADD COLUMN loose INTEGER NOT NULL DEFAULT 0;
  UPDATE claim SET (sha256, internal_date) = (
    SELECT sha256, internal_date FROM route CROSS JOIN message
    WHERE route.source = claim.source AND message.route = route.id
      AND message.folder = claim.source_folder
      AND message.uid_validity = claim.source_uid_validity AND message.uid = claim.source_uid)
  WHERE EXISTS (
    SELECT 1 FROM route CROSS JOIN message
    WHERE route.source = claim.source AND message.route = route.id
      AND message.folder = claim.source_folder
      AND message.uid_validity = claim.source_uid_validity AND message.uid = claim.source_uid);
  CREATE INDEX claim_sha256 ON claim (sha256);
  `,
  `
  CREATE TABLE used (
    account TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('source', 'destination')),
    span INTEGER NOT NULL,
    since INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (account, side, span, since)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE heartbeat ADD COLUMN status TEXT;

  CREATE TABLE carried (
    route INTEGER NOT NULL REFERENCES route,
    folder TEXT NOT NULL,
    day TEXT NOT NULL,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (route, day, folder)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE speed (
    route INTEGER NOT NULL REFERENCES route,
    day TEXT NOT NULL,
    step INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (route, day, step)
  ) STRICT, WITHOUT ROWID;

  CREATE TRIGGER message_carried AFTER UPDATE OF state ON message
  WHEN NEW.state = 'retired' AND OLD.state = 'proven'
  BEGIN
    INSERT INTO carried (route, folder, day, messages, bytes)
      VALUES (NEW.route, NEW.folder, date(NEW.retired_at / 1000, 'unixepoch', 'localtime'), 1, NEW.size)
      ON CONFLICT DO UPDATE SET messages = messages + 1, bytes = bytes + excluded.bytes;
    INSERT INTO speed (route, day, step, messages)
      SELECT NEW.route, date(NEW.retired_at / 1000, 'unixepoch', 'localtime'),
        CAST(round(5 * log2(NEW.ms + 1)) AS INTEGER), 1
      WHERE OLD.ms IS NULL AND NEW.ms IS NOT NULL
      ON CONFLICT DO UPDATE SET messages = messages + 1;
  END;
  `,
  `
  CREATE TABLE alert (
    route INTEGER NOT NULL REFERENCES route,
    cause TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('', 'source', 'destination')),
    folder TEXT NOT NULL,
    since INTEGER NOT NULL,
    told_at INTEGER NOT NULL,
    way TEXT NOT NULL CHECK (way IN ('inbox', 'command')),
    over INTEGER NOT NULL,
    PRIMARY KEY (route, cause, side, folder)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE turned (
    route INTEGER NOT NULL REFERENCES route,
    folder TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    flag TEXT NOT NULL,
    was INTEGER NOT NULL,
    PRIMARY KEY (route, folder, uid_validity, uid, flag)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE heartbeat ADD COLUMN begun_at INTEGER;
  ALTER TABLE route ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE route ADD COLUMN opened_at INTEGER NOT NULL DEFAULT 0;
  UPDATE route SET since = unixepoch() * 1000;

  CREATE TABLE sender (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    domain TEXT NOT NULL,
    address TEXT
  ) STRICT;

  CREATE TABLE arrival (
    route INTEGER NOT NULL REFERENCES route,
    at INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    bulk INTEGER NOT NULL,
    PRIMARY KEY (route, at, sender, sha256)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE sender_book (
    key BLOB NOT NULL,
    kept INTEGER NOT NULL DEFAULT 0,
    forgotten INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO sender_book (key) VALUES (randomblob(32));
  `,
];

/** The version this imapferry reads and writes. */
export const VERSION = STEPS.length;

/** The version of an open journal; 0 for an empty database. */
export function versionOf(db: DatabaseSync): number {
  return db.prepare('PRAGMA user_version').get()?.user_version as number;
}

/** Climbs the ladder from where the journal stands, all in one transaction: a step that fails leaves it as it was. */
export function upgrade(db: DatabaseSync, steps: readonly string[] = STEPS): void {
  const from = versionOf(db);
  if (from >= steps.length) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const step of steps.slice(from)) db.exec(step);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${steps.length}`);
    db.exec('COMMIT');
  } catch (thrown) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw thrown;
  }
}
