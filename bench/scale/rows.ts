/** Rows of the journal: what was carried long ago must not slow down what is carried now. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { JOURNAL_FILE } from '../../src/journal/schema.ts';
import { Place } from '../../test/journey/program.ts';
import { message } from '../../test/support/mail.ts';
import { imapferry } from '../contenders/imapferry.ts';
import { CONCURRENCY } from '../drain/cases.ts';
import { firstFetch, lastAnswer } from '../drain/turn.ts';
import { wired } from '../latency/single.ts';
import type { Servers } from '../memory/rest.ts';
import { load } from '../tools/load.ts';
import { run } from '../tools/run.ts';
import { median } from '../tools/statistics.ts';
import type { Wires } from '../wire/wires.ts';
import { type Point, pointsOf, type Scale } from './point.ts';

const MESSAGES = 500;
const SIZE = 8 * 1024;
const PATIENCE = 10 * 60_000;

/** Measures at each size. */
export async function rows(
  servers: Servers & { wires: Wires },
  sizes: readonly number[],
  rounds: number,
): Promise<Scale> {
  const points = await pointsOf('rows', sizes, (at) => point(servers, at, rounds));
  return {
    name: 'rows',
    title: 'Messages that the journal remembers',
    of: 'rows',
    points,
    linear: ['start, ms', 'a message, ms', 'a message, ms of CPU', 'peak, MB', 'journal, MB'],
    notes: [
      `Rows of messages that were carried and expunged, with their claims, written into the journal; then ${MESSAGES} messages of 8 KB by \`sweep\`, loopback. Start: from the process begun to its first FETCH. Medians of ${rounds} rounds.`,
    ],
  };
}

async function point(
  servers: Servers & { wires: Wires },
  at: number,
  rounds: number,
): Promise<Point> {
  const { source, destination } = servers;
  using place = new Place();
  const [user, to] = [source.fresh(), destination.fresh()];
  const wire = await wired(servers, 0);
  const { home } = place;
  const command = imapferry.command({
    source: source.side(user, wire.source),
    destination: destination.side(to, wire.destination),
    appending: 'multiappend',
    concurrency: CONCURRENCY,
    home,
  });
  await load(source.login(user), 'INBOX', letters(1));
  await run(command, PATIENCE);
  const journal = join(place.stateDir, JOURNAL_FILE);
  grow(journal, at);
  for (const [mailboxes, name] of [
    [source, user],
    [destination, to],
  ] as const) {
    mailboxes.advance(name, at + 10);
  }
  const [start, ms, cpu, peak]: number[][] = [[], [], [], []];
  for (let round = 1; round <= rounds; round++) {
    await load(source.login(user), 'INBOX', letters(MESSAGES));
    await Promise.all([wire.source.take(), wire.destination.take()]);
    const { began, watch } = await run(command, PATIENCE);
    const notes = await wire.source.take();
    const [first, last] = [firstFetch(notes), lastAnswer(notes, ['UID EXPUNGE'])];
    start?.push(first - began);
    ms?.push((last - first) / MESSAGES);
    cpu?.push(watch.between(first, last) / MESSAGES);
    peak?.push(watch.peak);
  }
  await Promise.all([wire.source.close(), wire.destination.close()]);
  return {
    at,
    figures: {
      'start, ms': median(start ?? []),
      'a message, ms': median(ms ?? []),
      'a message, ms of CPU': median(cpu ?? []),
      'peak, MB': median(peak ?? []),
      'journal, MB': statSync(journal).size / 1024 / 1024,
    },
  };
}

/** Copies the one message that was carried, and its claim, until there are so many, each with UIDs and a hash of its own. */
function grow(journal: string, count: number): void {
  using db = new DatabaseSync(journal);
  db.exec('PRAGMA synchronous = OFF; BEGIN');
  const own: Record<string, string> = {
    uid: 'i',
    dest_uid: 'i',
    source_uid: 'i',
    sha256: 'lower(hex(randomblob(32)))',
    message_id: "'<' || i || '@example.org>'",
  };
  for (const table of ['message', 'claim']) {
    const columns = db
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map(({ name }) => String(name));
    const values = columns.map((column) => own[column] ?? `one.${column}`);
    db.exec(`
      WITH RECURSIVE numbers (i) AS (VALUES (2) UNION ALL SELECT i + 1 FROM numbers WHERE i < ${count})
      INSERT INTO ${table} (${columns.join(', ')})
      SELECT ${values.join(', ')} FROM numbers, (SELECT * FROM ${table} LIMIT 1) AS one`);
  }
  db.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
}

function* letters(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield message({ size: SIZE });
}
