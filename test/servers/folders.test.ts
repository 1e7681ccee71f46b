/**
 * Folders with every awkward name, from each kind of server to each: with `/` and with `.` between their levels, with one's
 * own below `INBOX.`, with special uses said and unsaid. Each message arrives in the counterpart of its folder.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Place, Program } from '../journey/program.ts';
import { startCourier } from '../support/courier.ts';
import { startCyrus } from '../support/cyrus.ts';
import { type DovecotOptions, startDovecot } from '../support/dovecot.ts';
import { Mail, message } from '../support/mail.ts';

const NAMES = Array.from({ length: 24 }, (_, i) => `user${i + 1}`);
const users = Object.fromEntries(NAMES.map((name) => [name, `secret-of-${name}`]));
const cache = mkdtempSync(join(tmpdir(), 'imapferry-compiled-'));

const GERMAN = `
namespace inbox {
  mailbox "Gesendete Objekte" {
    special_use = \\Sent
    auto = create
  }
  mailbox Entwürfe {
    special_use = \\Drafts
    auto = create
  }
}
`;
const ENGLISH = `
namespace inbox {
  mailbox "Sent Messages" {
    special_use = \\Sent
    auto = subscribe
  }
  mailbox Drafts {
    special_use = \\Drafts
    auto = subscribe
  }
  mailbox Junk {
    special_use = \\Junk
    auto = subscribe
  }
}
`;

interface Kind {
  readonly start: () => Promise<Server>;
  readonly prefix: string;
  readonly separator: '/' | '.';
}

interface Server {
  readonly host: 'localhost';
  readonly port: number;
  readonly tlsPort: number;
  readonly caFile: string;
  stop(): Promise<void>;
}

const dovecot = (options: DovecotOptions): Kind => ({
  start: () => startDovecot({ users, ...options }),
  prefix: options.prefix ?? '',
  separator: options.separator ?? '/',
});

const KINDS = {
  // A name may hold a dot there.
  slash: dovecot({ extra: 'mail_location = maildir:~/:LAYOUT=fs' }),
  dot: dovecot({ separator: '.' }),
  below: dovecot({ separator: '.', prefix: 'INBOX.' }),
  german: dovecot({ extra: GERMAN }),
  english: dovecot({ separator: '.', extra: ENGLISH }),
  courier: { start: () => startCourier({ users }), prefix: 'INBOX.', separator: '.' },
  cyrus: { start: () => startCyrus({ users }), prefix: 'INBOX/', separator: '/' },
} as const satisfies Record<string, Kind>;
type Name = keyof typeof KINDS;

const TITLES: Readonly<Record<Name, string>> = {
  slash: 'Dovecot with `/`',
  dot: 'Dovecot with `.`',
  below: 'Dovecot with `INBOX.` in front',
  german: 'a Dovecot that says its special uses, in German',
  english: 'a Dovecot that says its special uses, in English',
  courier: 'Courier',
  cyrus: 'Cyrus',
};

const servers = new Map<Name, Server>();
await Promise.all(
  (Object.keys(KINDS) as Name[]).map(async (name) => servers.set(name, await KINDS[name].start())),
);
afterAll(async () => {
  await Promise.all([...servers.values()].map((server) => server.stop()));
  rmSync(cache, { recursive: true, force: true });
});

/** A name as it is on the wire: modified UTF-7 (RFC 3501 §5.1.3). */
function encoded(name: string): string {
  return name.replaceAll('&', '&-').replaceAll(/[^\x20-\x7e]+/g, (text) => {
    const bytes = Buffer.from(text, 'utf16le').swap16();
    return `&${bytes.toString('base64').replace(/=+$/, '').replaceAll('/', ',')}-`;
  });
}

/** A folder by its levels, at the source; where its mail is to go, where that is not the same levels. */
interface Folder {
  readonly levels: readonly string[];
  readonly to?: readonly string[];
}

const PLAIN: readonly Folder[] = [
  { levels: ['草稿'] },
  { levels: ['草稿 und mehr'] },
  { levels: ['Q&A'] },
  { levels: ['  spaced'] },
  { levels: ['a', 'b', 'c', 'd', 'e', 'f'] },
  { levels: ['Vereine', 'Schützen'] },
];
const QUOTED: Folder = { levels: ['a "quoted" name'] };

interface Row {
  readonly from: Name;
  readonly to: Name;
  readonly folders: readonly Folder[];
  /** Has no counterpart, and none can be made. */
  readonly leftOut?: string;
}

const ROWS: readonly Row[] = [
  { from: 'slash', to: 'dot', folders: [...PLAIN, QUOTED, { levels: ['v1.2'], to: ['v1_2'] }] },
  {
    from: 'dot',
    to: 'slash',
    folders: [...PLAIN, QUOTED],
  },
  { from: 'below', to: 'slash', folders: [...PLAIN, QUOTED] },
  { from: 'slash', to: 'below', folders: [...PLAIN, QUOTED] },
  {
    from: 'german',
    to: 'english',
    folders: [
      ...PLAIN,
      { levels: ['Gesendete Objekte'], to: ['Sent Messages'] },
      { levels: ['Gesendete Objekte', '2024'], to: ['Sent Messages', '2024'] },
      { levels: ['Entwürfe'], to: ['Drafts'] },
      { levels: ['Spamverdacht'], to: ['Junk'] },
    ],
  },
  {
    from: 'english',
    to: 'german',
    folders: [
      { levels: ['Sent Messages'], to: ['Gesendete Objekte'] },
      { levels: ['Drafts'], to: ['Entwürfe'] },
    ],
    leftOut: 'Junk',
  },
  { from: 'courier', to: 'slash', folders: PLAIN },
  { from: 'slash', to: 'courier', folders: PLAIN },
  { from: 'cyrus', to: 'slash', folders: PLAIN },
  { from: 'slash', to: 'cyrus', folders: PLAIN },
];

let used = 0;

describe.concurrent('folders', () => {
  it.each(ROWS.map((row) => [TITLES[row.from], TITLES[row.to], row] as const))(
    'from %s to %s',
    async (_, __, { from, to, folders, leftOut }) => {
      const user = NAMES[used++] ?? '';
      const secret = users[user] ?? '';
      const [source, destination] = [servers.get(from), servers.get(to)];
      if (!source || !destination) throw new Error('a server has not started');
      await using old = await Mail.login(source.port, user, secret);
      await using fresh = await Mail.login(destination.port, user, secret);
      using place = new Place();
      const pathOf = (name: Name, levels: readonly string[]) =>
        encoded(KINDS[name].prefix + levels.join(KINDS[name].separator));
      // What is a draft goes once nobody has touched it for an hour.
      const internalDate = new Date(Date.now() - 2 * 60 * 60 * 1000);
      const letters = new Map<Folder, Buffer>();
      const there = new Set(await old.folders());
      for (const folder of folders) {
        for (let depth = 1; depth <= folder.levels.length; depth++) {
          const path = pathOf(from, folder.levels.slice(0, depth));
          if (there.has(path)) continue;
          await old.create(path);
          there.add(path);
        }
        const bytes = message({ body: folder.levels.join(' > ') });
        letters.set(folder, bytes);
        await old.put(pathOf(from, folder.levels), bytes, { internalDate });
      }
      const password = place.file('password', `${secret}\n`);
      const settings = {
        SOURCE_HOST: source.host,
        SOURCE_PORT: String(source.tlsPort),
        SOURCE_CA_FILE: source.caFile,
        SOURCE_USER: user,
        SOURCE_PASSWORD_FILE: password,
        DEST_HOST: destination.host,
        DEST_PORT: String(destination.tlsPort),
        DEST_CA_FILE: destination.caFile,
        DEST_USER: user,
        DEST_PASSWORD_FILE: password,
        STATE_DIR: place.stateDir,
        NODE_COMPILE_CACHE: cache,
      };
      await using program = new Program(place, settings, ['sweep']);
      const { code } = await program.ended;
      const summary = program.plain.join('\n');
      expect(code, summary).toBe(leftOut === undefined ? 0 : 1);
      expect(summary).toContain(
        leftOut === undefined ? 'messages carried' : `${leftOut} was not carried`,
      );
      const shown = new Set(await fresh.folders());
      for (const [folder, bytes] of letters) {
        expect(await old.count(pathOf(from, folder.levels))).toBe(0);
        const dest = pathOf(to, folder.to ?? folder.levels);
        const copies = await fresh.dump(dest);
        expect(copies.map((copy) => copy.bytes.toString())).toEqual([bytes.toString()]);
        if (!/["\\]/.test(dest)) expect(shown).toContain(dest);
      }
      const subscribed = await fresh.command('LSUB "" "*"');
      const text = Buffer.concat(subscribed).toString('latin1');
      for (const { to: elsewhere, levels } of folders)
        if (elsewhere === undefined && levels !== QUOTED.levels)
          expect(text).toContain(pathOf(to, levels));
    },
    60_000,
  );
});
