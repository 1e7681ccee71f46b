/** `imapferry check` itself, between two Dovecots: what it says, and that it changes nothing. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Place, Program, type Settings } from '../journey/program.ts';
import { type Dovecot, startDovecot, withQuota } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';

const QUOTA = withQuota('storage=1G');
const PLAIN = 'IMAP4rev1 LITERAL+ ID NAMESPACE';

const NEW = message({ id: 'new' });
const SEEN = message({ id: 'seen' });
const GONE = message({ id: 'gone' });
const BYTES = NEW.length + SEEN.length + GONE.length;

let source: Dovecot;
let destination: Dovecot;
let bare: Dovecot;

beforeAll(async () => {
  [source, destination, bare] = await Promise.all([
    startDovecot({ separator: '.' }),
    startDovecot({ extra: QUOTA }),
    startDovecot({ capability: PLAIN }),
  ]);
  for (const server of [source, bare]) await fill(server, 'anna');
  await using mail = await login(destination, 'bert');
  await mail.put('INBOX', message({ id: 'there' }));
});

afterAll(async () => {
  await Promise.all([source?.stop(), destination?.stop(), bare?.stop()]);
});

function login(server: Dovecot, user: string): Promise<Mail> {
  return Mail.login(server.port, user, server.users[user] ?? '');
}

/** Mail that is recent, seen, flagged and \Deleted, in three folders. */
async function fill(server: Dovecot, user: string): Promise<void> {
  await using mail = await login(server, user);
  await mail.command('CREATE Sent');
  await mail.command('CREATE "a \\"quoted\\" name"');
  for (const folder of ['INBOX', 'Sent', 'a "quoted" name']) {
    await mail.put(folder, NEW);
    await mail.put(folder, SEEN, { flags: ['\\Seen'] });
    await mail.put(folder, GONE, { flags: ['\\Deleted', '\\Flagged'] });
  }
}

/** All there is to see of an account, looked at without changing it: \Recent too, and where each file lies on the disk. */
async function everything(server: Dovecot, user: string): Promise<unknown> {
  await using mail = await login(server, user);
  const text = async (command: string) =>
    (await mail.command(command)).slice(0, -1).map((line) => line.toString('latin1'));
  const folders = ['INBOX', 'Sent', '"a \\"quoted\\" name"'];
  const seen: unknown[] = [await text('LIST "" "*"'), await text('LSUB "" "*"')];
  for (const folder of folders) {
    const status = `STATUS ${folder} (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)`;
    seen.push(await text(status).catch(() => 'none'));
    const opened = await text(`EXAMINE ${folder}`).catch(() => 'none');
    if (opened === 'none') continue;
    seen.push(opened, await text('UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])'));
  }
  const files = readdirSync(join(dirname(server.logFile), 'mail', user), { recursive: true });
  const mails = files.map(String).filter((file) => /(^|\/)(new|cur|tmp)\//.test(file));
  return [...seen, mails.sort()];
}

async function run(settings: (place: Place) => Settings, args: readonly string[] = []) {
  using place = new Place();
  await using program = new Program(place, settings(place), ['check', ...args]);
  const { code } = await program.ended;
  const printed = Buffer.concat(program.printed).toString();
  return { code, printed, stderr: program.stderr, left: readdirSync(place.home) };
}

/** The kinds of server whose looking differs: STATUS SIZE or sums, QUOTA or none. */
const servers = [
  ['with STATUS SIZE', () => source],
  ['that can hardly do anything', () => bare],
] as const;

it.each(servers)('changes nothing on either side, from a server %s', async (_, from) => {
  const look = () => Promise.all([everything(from(), 'anna'), everything(destination, 'bert')]);
  const before = await look();
  const { code, left } = await run((place) => place.settings(from(), destination));
  expect(code).toBe(0);
  expect(await look()).toEqual(before);
  expect(JSON.stringify(before)).toContain('\\\\Recent');
  expect(left).not.toContain('state');
});

it('says what goes where, how much it is, and where it ends', async () => {
  const { code, printed } = await run((place) => place.settings(source, destination), ['--json']);
  const { routes } = JSON.parse(printed);
  expect(code).toBe(0);
  const [route] = routes;
  expect(route).toMatchObject({ route: 'default', ready: true });
  expect(route.source).toMatchObject({ reached: true, loggedIn: true, server: 'Dovecot' });
  expect(route.source.tls.protocol).toBe('TLSv1.3');
  expect(Date.parse(route.source.tls.certificateEnds)).toBeGreaterThan(Date.now());
  expect(route.destination.quotas).toEqual([
    { root: 'User quota', used: expect.any(Number), limit: 2 ** 30 },
  ]);
  const inEach = { messages: 3, bytes: BYTES };
  const names = ['INBOX', 'Sent', 'a "quoted" name'];
  expect(route.plan.folders).toHaveLength(3);
  for (const name of names) {
    const there = name === 'INBOX';
    expect(route.plan.folders).toContainEqual({
      source: name,
      destination: name,
      exists: there,
      watched: 'IDLE',
      ...inEach,
    });
  }
});

it('adds up sizes where the server does not, and says what is lacking', async () => {
  const { printed } = await run((place) => place.settings(bare, destination), ['--json']);
  const { routes } = JSON.parse(printed);
  expect(routes[0].plan.bytes).toBe(3 * BYTES);
  expect(routes[0].plan.folders.map((each: { watched: string }) => each.watched)).toEqual([
    'NOOP',
    'NOOP',
    'NOOP',
  ]);
  const lacks = routes[0].source.lacks.map((each: { capability: string }) => each.capability);
  expect(lacks).toEqual(['IDLE', 'UIDPLUS']);
});

interface Trouble {
  readonly title: string;
  readonly changes: (place: Place) => Settings;
  readonly code: 0 | 1 | 2;
  readonly says: readonly RegExp[];
}

const troubles: Trouble[] = [
  {
    title: 'a wrong password',
    changes: (place) => ({ SOURCE_PASSWORD_FILE: place.file('wrong', 'not-it-at-all') }),
    code: 1,
    says: [
      /not ready/,
      /refuses the login/,
      /reached, TLS 1\.3, certificate good until/,
      /not logged in/,
    ],
  },
  {
    title: 'a certificate nobody trusts',
    changes: () => ({ DEST_CA_FILE: '' }),
    code: 1,
    says: [/not ready/, /authority that is not trusted/, /DEST_CA_FILE/],
  },
  {
    title: 'a host that is not there',
    changes: () => ({ SOURCE_HOST: 'imap.example.invalid' }),
    code: 1,
    says: [/not ready/, /not reached/, /name can not be/],
  },
  {
    title: 'a folder that does not exist',
    changes: () => ({ FOLDERS: 'INBOX, Snet' }),
    code: 0,
    says: [/to know Snet is left out, although FOLDERS asks for it: the source has no such folder/],
  },
  {
    title: 'one mailbox under two names of its server',
    changes: (place) => ({
      DEST_HOST: '127.0.0.1',
      DEST_TLS_NAME: source.host,
      DEST_PORT: String(source.tlsPort),
      DEST_CA_FILE: source.caFile,
      DEST_USER: 'anna',
      DEST_PASSWORD_FILE: place.file('same', source.users.anna ?? ''),
    }),
    code: 0,
    says: [
      /to know INBOX at the source and INBOX at the destination have the same UIDVALIDITY, UIDNEXT and number of messages \(and 2 more pairs\)/,
    ],
  },
  {
    title: 'a folder to move to that ends in a separator',
    changes: () => ({ AFTER_DELIVERY: 'move:Carried.' }),
    code: 1,
    says: [/not ready AFTER_DELIVERY=move:Carried\. names no folder/, /Write "move:Carried"/],
  },
  {
    title: 'settings that can not be used',
    changes: () => ({ MAX_WATCHERS: 'many' }),
    code: 2,
    says: [/MAX_WATCHERS/],
  },
];

it.each(troubles)('helps with $title', async ({ changes, code, says }) => {
  const ended = await run((place) => place.settings(source, destination, changes(place)));
  const text = `${ended.printed}${ended.stderr}`.replace(/\s+/g, ' ');
  expect(ended.code).toBe(code);
  for (const words of says) expect(text).toMatch(words);
});
