/** A real Courier IMAP server on loopback: Debian's packages, unpacked, in its own folder; it ends with the test. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { authority, type Issued } from './certificates.ts';
import { startAuthdaemon } from './courier-auth.ts';
import { end, greeted, type MailServer, mailServer, USERS } from './daemon.ts';
import { libraryPath, unpacked } from './debian.ts';
import { type MailUser, mailUser, owned } from './mail-user.ts';
import { freePorts } from './ports.ts';

export interface CourierOptions {
  /** Login names and their passwords. */
  readonly users?: Readonly<Record<string, string>>;
  /** Settings of /etc/courier/imapd that differ from Debian's: `IMAP_CAPABILITY`, `IMAP_EMPTYTRASH`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Courier extends MailServer {
  /** What Courier wrote to its log. */
  readonly logFile: string;
}

const PACKAGES = ['courier-imap', 'courier-base', 'courier-authlib', 'gamin', 'libnss-wrapper'];

/** Folders are `INBOX.name`. Four connections per address are Courier's own limit, Debian's is 20; here it is 60. */
export async function startCourier(options: CourierOptions = {}): Promise<Courier> {
  const { users = USERS, settings = {} } = options;
  const root = unpacked('courier', PACKAGES);
  // Not below TMPDIR: the path of the socket has to be as short as the one it replaces.
  const home = mkdtempSync('/tmp/ifc-');
  const logFile = join(home, 'log');
  const [port, tlsPort] = await freePorts(2);
  const issued = authority(home);
  const user = mailUser();
  const { close, library } = await startAuthdaemon(root, home, users, user);
  const env = {
    PATH: '/usr/bin:/bin',
    ...debianSettings(join(root, 'etc/courier/imapd')),
    ...tlsSettings(root, home, issued),
    ...settings,
    ...userCourier(home, user),
    LD_LIBRARY_PATH: `${library}:${libraryPath(root).LD_LIBRARY_PATH}`,
    GAM_CLIENT_ID: basename(home),
  };
  for (const name of Object.keys(users)) {
    mkdirSync(join(home, name));
    execFileSync(join(root, 'usr/bin/maildirmake.courier'), [join(home, name, 'Maildir')], { env });
  }
  owned(home, user);
  const log = openSync(logFile, 'a');
  const listen = (on: number, changes: Record<string, string>, ...before: string[]) =>
    spawn(
      join(root, 'usr/sbin/couriertcpd'),
      [
        ...['-address=127.0.0.1', '-maxprocs=100', '-maxperip=60', '-nodnslookup'],
        ...['-noidentlookup', String(on), ...before],
        ...[
          join(root, 'usr/lib/courier/courier/imaplogin'),
          join(root, 'usr/bin/imapd'),
          'Maildir',
        ],
      ],
      { stdio: ['ignore', log, log], env: { ...env, ...changes }, uid: user.uid, gid: user.gid },
    );
  const monitor = fileMonitor(root, env, user);
  const plain = listen(port, { IMAP_STARTTLS: 'YES' });
  const secure = listen(tlsPort, { IMAP_TLS: '1' }, env.COURIERTLS, '-server', '-tcpd');
  const stop = async () => {
    await Promise.all([end(plain), end(secure), end(monitor)]);
    close();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await greeted('Courier', plain, port);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  const server = mailServer({ port, tlsPort, ca: issued.ca, caFile: issued.caFile, users, stop });
  return { ...server, logFile };
}

/**
 * Tells Courier what changes in a folder. Without one, Courier waits more than a second for it at every command that
 * opens or changes a folder. `GAM_CLIENT_ID` keeps ours apart from the machine's own.
 */
function fileMonitor(
  root: string,
  env: { readonly GAM_CLIENT_ID: string },
  { uid, gid }: MailUser,
): ChildProcess {
  const args = ['--notimeout', env.GAM_CLIENT_ID];
  return spawn(join(root, 'usr/libexec/gam_server'), args, { stdio: 'ignore', env, uid, gid });
}

/** The settings that Debian ships: lines of a shell, `NAME=value` or `NAME="value"`, where `$NAME` is one of those before. */
function debianSettings(file: string): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [, name = '', value = ''] of readFileSync(file, 'utf8').matchAll(
    /^([A-Z_]+)="?([^"\n]*)"?$/gm,
  )) {
    settings[name] = value.replace(/\$([A-Z_]+)/g, (_, other: string) => settings[other] ?? '');
  }
  return settings;
}

/**
 * For STARTTLS, Courier has couriertls become the user `courier`, whom only an installed package makes: here that is the
 * name of whom Courier runs as.
 */
function userCourier(home: string, { uid, gid }: MailUser) {
  const passwd = join(home, 'passwd');
  const group = join(home, 'group');
  writeFileSync(passwd, `courier:x:${uid}:${gid}::/:/bin/sh\n`);
  writeFileSync(group, `courier:x:${gid}:\n`);
  return {
    LD_PRELOAD: 'libnss_wrapper.so',
    NSS_WRAPPER_PASSWD: passwd,
    NSS_WRAPPER_GROUP: group,
  };
}

function tlsSettings(root: string, home: string, { certFile, keyFile }: Issued) {
  const file = join(home, 'both.pem');
  writeFileSync(file, readFileSync(keyFile, 'utf8') + readFileSync(certFile, 'utf8'));
  return {
    COURIERTLS: join(root, 'usr/bin/couriertls'),
    TLS_CERTFILE: file,
    TLS_VERIFYPEER: 'NONE',
    IMAP_TLS_REQUIRED: '0',
  };
}
