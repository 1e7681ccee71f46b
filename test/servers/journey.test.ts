/**
 * The whole journey with poor servers and with other servers, each as source and as destination, a full Dovecot on the
 * other side: mail that waits and mail that comes, killed in the middle and started again, over TLS.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventName } from '../../src/domain/events.ts';
import type { Pace } from '../../src/forward/pace.ts';
import { HURRIED } from '../faults/child-world.ts';
import { Place, Program, type Settings } from '../journey/program.ts';
import { startCourier } from '../support/courier.ts';
import { startCyrus } from '../support/cyrus.ts';
import type { MailServer } from '../support/daemon.ts';
import { type DovecotOptions, startDovecot } from '../support/dovecot.ts';
import { Mail, message, type Put } from '../support/mail.ts';
import { Oracle } from '../support/oracle.ts';
import { record } from '../support/results.ts';

type Daemon = Pick<MailServer, 'port' | 'tlsPort' | 'caFile' | 'stop'>;

interface Row {
  readonly name: string;
  readonly start: () => Promise<Daemon>;
  /** What the names of all folders but INBOX begin with, and the separator. */
  readonly prefix: string;
  readonly separator: string;
  /** What the server must not list, so that the row is what it says. */
  readonly without: readonly string[];
}

/** A user a journey, and one to look at the server. */
const USERS = Object.fromEntries(
  Array.from({ length: 24 }, (_, i) => [`user${i + 1}`, `secret-of-user${i + 1}`]),
);

const CAPABILITIES = [
  'IMAP4rev1',
  'IDLE',
  'UIDPLUS',
  'LITERAL+',
  'MULTIAPPEND',
  'MOVE',
  'UNSELECT',
];

function dovecot(name: string, options: DovecotOptions = {}, without: readonly string[] = []): Row {
  const { prefix = '', separator = '/' } = options;
  return {
    name,
    start: () => startDovecot({ users: USERS, ...options }),
    prefix,
    separator,
    without,
  };
}

function dovecotWithout(...without: readonly string[]): Row {
  const capability = CAPABILITIES.filter((each) => !without.includes(each)).join(' ');
  return dovecot(`Dovecot without ${without.join(' and ')}`, { capability }, without);
}

const SERVERS: readonly Row[] = [
  {
    name: 'Cyrus',
    start: () => startCyrus({ users: USERS }),
    prefix: 'INBOX/',
    separator: '/',
    without: [],
  },
  {
    name: 'Courier',
    // As Debian has it, Courier looks for new mail once a minute.
    start: () => startCourier({ users: USERS, settings: { IMAP_ENHANCEDIDLE: '1' } }),
    prefix: 'INBOX.',
    separator: '.',
    without: ['MOVE', 'LITERAL+', 'MULTIAPPEND'],
  },
  dovecot('Dovecot with IMAP4rev1 alone', { capability: 'IMAP4rev1' }, CAPABILITIES.slice(1)),
  dovecotWithout('IDLE'),
  dovecotWithout('UIDPLUS'),
  dovecotWithout('LITERAL+'),
  dovecotWithout('MULTIAPPEND'),
  dovecot('Dovecot with folders under INBOX.', { prefix: 'INBOX.', separator: '.' }),
];

const FULL = dovecot('Dovecot');

const daemons = new Map<Row, Daemon>();
const cache = mkdtempSync(join(tmpdir(), 'imapferry-compiled-'));

beforeAll(async () => {
  await Promise.all([FULL, ...SERVERS].map(async (row) => daemons.set(row, await row.start())));
});

afterAll(async () => {
  await Promise.all([...daemons.values()].map((daemon) => daemon.stop()));
  rmSync(cache, { recursive: true, force: true });
});

function daemonOf(row: Row): Daemon {
  const found = daemons.get(row);
  if (!found) throw new Error(`${row.name} has not started`);
  return found;
}

function folderOf({ prefix, separator }: Row, ...levels: readonly string[]): string {
  return prefix + levels.join(separator);
}

let users = 0;

/** A user nobody used before on two servers, what is there, and the program between them. */
class Journey implements AsyncDisposable {
  readonly place = new Place();
  readonly oracle: Oracle;
  readonly lists: readonly [from: string, to: string];
  readonly #user: string;
  readonly #rows: readonly [Row, Row];
  readonly #mails: readonly [Mail, Mail];

  private constructor(user: string, rows: readonly [Row, Row], mails: readonly [Mail, Mail]) {
    this.#user = user;
    this.#rows = rows;
    this.#mails = mails;
    this.lists = [folderOf(rows[0], 'Lists', 'imap'), folderOf(rows[1], 'New', 'Lists')];
    const to = (folder: string) => (folder === this.lists[0] ? this.lists[1] : folder);
    this.oracle = new Oracle(...mails, to);
  }

  static async between(source: Row, destination: Row): Promise<Journey> {
    const user = `user${++users}`;
    const rows = [source, destination] as const;
    const login = (row: Row) => Mail.login(daemonOf(row).port, user, `secret-of-${user}`);
    const mails = await Promise.all([login(source), login(destination)]);
    return new Journey(user, rows, mails);
  }

  get old(): Mail {
    return this.#mails[0];
  }

  /** Implicit TLS at the source, STARTTLS at the destination. */
  settings(): Settings {
    const [source, destination] = this.#rows.map(daemonOf) as [Daemon, Daemon];
    const password = this.place.file('password', `secret-of-${this.#user}\n`);
    return {
      SOURCE_HOST: 'localhost',
      SOURCE_PORT: String(source.tlsPort),
      SOURCE_CA_FILE: source.caFile,
      SOURCE_USER: this.#user,
      SOURCE_PASSWORD_FILE: password,
      DEST_HOST: 'localhost',
      DEST_PORT: String(destination.port),
      DEST_TLS: 'starttls',
      DEST_CA_FILE: destination.caFile,
      DEST_USER: this.#user,
      DEST_PASSWORD_FILE: password,
      FOLDERS: `INBOX, ${this.lists.join('=')}`,
      // What comes is carried because the server announces it, or is asked.
      SWEEP_INTERVAL: '1h',
      CONCURRENCY: '1',
      STATE_DIR: this.place.stateDir,
      LOG_LEVEL: 'debug',
      LOG_FORMAT: 'json',
      NODE_COMPILE_CACHE: cache,
      TEST_PACE: JSON.stringify(PACE),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#mails.map((mail) => mail[Symbol.asyncDispose]()));
    this.place[Symbol.dispose]();
  }
}

const FLAGGED: readonly Put[] = [
  { flags: [], internalDate: new Date('1999-12-31T23:59:59Z') },
  { flags: ['\\Seen'], internalDate: new Date('2024-02-29T12:00:00Z') },
  {
    flags: ['\\Answered', '\\Flagged', '$Forwarded'],
    internalDate: new Date('2009-02-13T23:31:30Z'),
  },
  { flags: ['\\Draft', 'NonJunk', '$label1'], internalDate: new Date('2024-10-27T01:30:00Z') },
];

/** What is in the folders before the program starts. */
async function waiting({ oracle, old, lists: [lists] }: Journey): Promise<void> {
  const twin = message({ body: 'one of two that are the same' });
  const header = 'From: someone@example.org\r\nSubject: Letter\r\n';
  await old.create(lists);
  for (const [i, how] of [...FLAGGED, ...FLAGGED].entries()) {
    await oracle.put('INBOX', message({ size: i * 700 }), how);
  }
  await oracle.put('INBOX', message({ size: 500_000 }), FLAGGED[2]);
  await oracle.put('INBOX', twin, FLAGGED[1]);
  await oracle.put('INBOX', twin, FLAGGED[1]);
  await oracle.put('INBOX', message({ id: '<same@example.org>', body: 'one' }));
  await oracle.put('INBOX', message({ id: '<same@example.org>', body: 'another' }));
  await oracle.put('INBOX', Buffer.from(`${header}\r\nno Message-ID\r\n`));
  await oracle.put('INBOX', Buffer.from(`${header}X-One: caf\xe9\r\n\r\nna\xefve\r\n`, 'latin1'));
  for (const how of FLAGGED) await oracle.put(lists, message(), how);
  await oracle.stranger('destination', 'INBOX', message(), FLAGGED[2]);
}

/** The server asked sooner where it can't announce mail; it would be the only wait here. */
const PACE: Partial<Pace> = { ask: 500 };

async function journey(source: Row, destination: Row, diesAt: EventName): Promise<void> {
  await using here = await Journey.between(source, destination);
  const { oracle, old, lists } = here;
  const left = async () => (await old.count('INBOX')) + (await old.count(lists[0]));
  const live = (changes: Settings = {}) =>
    new Program(here.place, { ...here.settings(), ...changes }, [], { main: HURRIED });
  await waiting(here);
  await using first = live({ TEST_DIES_AT: diesAt });
  expect(await first.ended).toEqual({ code: null, signal: 'SIGKILL' });
  expect(first.log.at(-1)).toMatchObject({ event: diesAt });
  expect(await left()).toBeGreaterThan(0);
  expect(await oracle.now()).toEqual([]);
  await using second = live();
  for (let i = 0; i < 5; i++) {
    await oracle.put(i % 2 ? lists[0] : 'INBOX', message({ size: i * 3000 }), FLAGGED[i % 4]);
    if (i > 2) await second.until('it is carried', async () => (await left()) === 0);
  }
  await second.until('all is carried', async () => (await left()) === 0);
  expect(await second.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(await oracle.end()).toEqual([]);
  const trouble = [...first.log, ...second.log].filter(({ level }) => level === 'error');
  expect(trouble).toEqual([]);
}

describe.concurrent.each(SERVERS)(
  '$name',
  (server) => {
    const { name } = server;
    const made = (point: string) =>
      record({ part: 'poor servers', point: `${name} ${point}`, outcome: 'each message once' });

    it('is what it is said to be', async () => {
      const user = `user${++users}`;
      await using mail = await Mail.login(daemonOf(server).port, user, `secret-of-${user}`);
      const lines = Buffer.concat(await mail.command('CAPABILITY')).toString();
      const listed = (/^\* CAPABILITY (.*)\r$/m.exec(lines)?.[1] ?? '').split(' ');
      expect(listed).toContain('IMAP4rev1');
      expect(server.without.filter((each) => listed.includes(each))).toEqual([]);
      const namespace = Buffer.concat(await mail.command('NAMESPACE')).toString();
      expect(namespace).toContain(`(("${server.prefix}" "${server.separator}"))`);
    });

    // Some originals are expunged, and of those that wait in the other folder nothing is begun.
    it('gives up its mail, each message once', async () => {
      await journey(server, FULL, 'delivery.done');
      made('gives up its mail, killed between two folders');
    });

    // All of a batch is stored, and none of it is proven.
    it('takes mail in, each message once', async () => {
      await journey(FULL, server, 'delivery.appended');
      made('takes mail in, killed before it was read back');
    });
  },
  120_000,
);
