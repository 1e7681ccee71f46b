/** A real Dovecot on loopback: its own folder, free ports, TLS and logins; it ends with the test. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { authority } from './certificates.ts';
import { end, greeted, type MailServer, mailServer, USERS } from './daemon.ts';
import { freePorts } from './ports.ts';

export interface DovecotOptions {
  /** Login names and their passwords. */
  readonly users?: Readonly<Record<string, string>>;
  /** The whole capability line, in place of Dovecot's own: `IMAP4rev1 IDLE`. Dovecot obeys commands it does not list. */
  readonly capability?: string;
  readonly separator?: '/' | '.';
  readonly prefix?: string;
  /** Stored mail is on disk when the server says so, as it is out there. What only tests can do without that. */
  readonly durable?: boolean;
  /** The first UIDVALIDITY that it gives a folder. Two servers never have the same ones unless they are told to. */
  readonly uidValidity?: number;
  /** Further lines of the configuration. */
  readonly extra?: string;
}

export interface Dovecot extends MailServer {
  /** Gives a folder another UIDVALIDITY, a new one or `to`; its messages stay, under the UIDs that they have. */
  renumber(user: string, folder: string, to?: number): Promise<void>;
  /** What Dovecot wrote to its log. */
  readonly logFile: string;
}

/** Higher than any that Dovecot makes of the time of day, and so are those that its folders begin with. */
const UID_VALIDITY = 4_000_000_000;
let renumberings = 0;
const FIRST_VALIDITY = 3_000_000_000;
const VALIDITIES = 1_000_000;
let servers = 0;

const FOLDERS = [
  '/usr/sbin',
  '/usr/bin',
  '/usr/local/sbin',
  ...(process.env.PATH ?? '').split(':'),
];

function program(name: 'dovecot' | 'doveadm'): string {
  for (const folder of FOLDERS) {
    try {
      const path = join(folder, name);
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next one.
    }
  }
  throw new Error(
    'These tests run a real Dovecot. Install it first: apt-get install dovecot-imapd',
  );
}

/** Whom Dovecot's processes run as: as root its own users, else whoever runs the tests. */
function identity(): { login: string; internal: string; mail: string; group: string } {
  if (process.getuid?.() === 0) {
    return { login: 'dovenull', internal: 'dovecot', mail: 'dovenull', group: 'dovenull' };
  }
  const user = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
  const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
  return { login: user, internal: user, mail: user, group };
}

/**
 * Settings (`extra`) with which each user has a quota.
 * @param rule as Dovecot has it: `storage=1G`, `messages=2`
 */
export function withQuota(rule: string): string {
  return `
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:${rule}
}`;
}

/** So many users, `user1` and so on, each with a password. */
export function someUsers(count: number): Record<string, string> {
  const names = Array.from({ length: count }, (_, i) => `user${i + 1}`);
  return Object.fromEntries(names.map((name) => [name, `secret-of-${name}`]));
}

export async function startDovecot(options: DovecotOptions = {}): Promise<Dovecot> {
  const { users = USERS } = options;
  const path = program('dovecot');
  const home = mkdtempSync(join(tmpdir(), 'imapferry-dovecot-'));
  chmodSync(home, 0o755);
  const [port, tlsPort] = await freePorts(2);
  const { ca, caFile, certFile, keyFile } = authority(home);
  writeFileSync(
    join(home, 'users'),
    Object.entries(users)
      .map(([user, password]) => `${user}:{PLAIN}${password}::::::`)
      .join('\n'),
  );
  mkdirSync(join(home, 'mail'));
  chmodSync(join(home, 'mail'), 0o777);
  const { uidValidity = FIRST_VALIDITY + ++servers * VALIDITIES } = options;
  for (const user of Object.keys(users)) firstValidity(join(home, 'mail', user), uidValidity);
  const config = join(home, 'dovecot.conf');
  const logFile = join(home, 'log');
  writeFileSync(
    config,
    configuration({ home, logFile, port, tlsPort, certFile, keyFile }, options),
  );
  const daemon = spawn(path, ['-F', '-c', config], { stdio: 'ignore' });
  let stopping = false;
  daemon.once('exit', (code, signal) => {
    if (stopping) return;
    const last = readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n');
    console.error(`A Dovecot of a test ended by itself (${code ?? signal}). Its log:\n${last}`);
  });
  const stop = async () => {
    stopping = true;
    await end(daemon);
    // Thousands of files, and who else uses this process is not to wait for them.
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await greeted('Dovecot', daemon, port);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  const server = mailServer({ port, tlsPort, ca, caFile, users, stop });
  return {
    ...server,
    logFile,
    renumber: async (user, folder, to = UID_VALIDITY + ++renumberings) => {
      const validity = String(to);
      const update = ['mailbox', 'update', '-u', user, '--uid-validity', validity, folder];
      await promisify(execFile)(program('doveadm'), ['-c', config, ...update]);
    },
  };
}

/** Dovecot goes on from the UIDVALIDITY that these files name, where it is not behind the time of day. */
function firstValidity(mailbox: string, uidValidity: number): void {
  const last = (uidValidity - 1).toString(16).padStart(8, '0');
  mkdirSync(mailbox);
  chmodSync(mailbox, 0o777);
  for (const [name, text] of [
    ['dovecot-uidvalidity', last],
    [`dovecot-uidvalidity.${last}`, ''],
  ] as const) {
    writeFileSync(join(mailbox, name), text);
    chmodSync(join(mailbox, name), 0o666);
  }
}

interface Places {
  readonly home: string;
  readonly logFile: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly certFile: string;
  readonly keyFile: string;
}

function configuration(
  { home, logFile, port, tlsPort, certFile, keyFile }: Places,
  { capability, separator = '/', prefix = '', durable = false, extra = '' }: DovecotOptions,
): string {
  const { login, internal, mail, group } = identity();
  return `
base_dir = ${home}/run
state_dir = ${home}/run
log_path = ${logFile}
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <${certFile}
ssl_key = <${keyFile}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:${home}/mail/%u
default_internal_user = ${internal}
default_internal_group = ${group === 'dovenull' ? 'dovecot' : group}
default_login_user = ${login}
first_valid_uid = 0
first_valid_gid = 0
mail_max_userip_connections = 60
mail_fsync = ${durable ? 'optimized' : 'never'}
${capability === undefined ? '' : `imap_capability = ${capability}`}
passdb {
  driver = passwd-file
  args = ${home}/users
}
userdb {
  driver = static
  args = uid=${mail} gid=${group} home=${home}/mail/%u
}
namespace inbox {
  inbox = yes
  separator = ${separator}
  prefix = ${prefix}
}
service imap-login {
  chroot =
  service_count = 0
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${tlsPort}
    ssl = yes
  }
}
service imap {
  service_count = 100
}
service anvil {
  chroot =
}
${extra}
`;
}
