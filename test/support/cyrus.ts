/** A real Cyrus IMAP server on loopback: Debian's packages, unpacked, in its own folder; it ends with the test. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authority, type Issued } from './certificates.ts';
import { end, greeted, type MailServer, mailServer, USERS } from './daemon.ts';
import { libraryPath, unpacked } from './debian.ts';
import { mailUser, owned } from './mail-user.ts';
import { freePorts } from './ports.ts';

export interface CyrusOptions {
  /** Login names and their passwords. */
  readonly users?: Readonly<Record<string, string>>;
  /** Further lines of imapd.conf. */
  readonly extra?: string;
}

/** Folders are `INBOX/name`, as in Debian's own configuration. The first login makes a user's INBOX. */
export async function startCyrus(options: CyrusOptions = {}): Promise<MailServer> {
  const { users = USERS, extra = '' } = options;
  const root = unpacked('cyrus', ['cyrus-imapd', 'cyrus-common']);
  const bin = join(root, 'usr/lib/cyrus/bin');
  const home = mkdtempSync(join(tmpdir(), 'imapferry-cyrus-'));
  const [port, tlsPort] = await freePorts(2);
  const issued = authority(home);
  // In conf/socket Cyrus listens for what its idled has to say; without it IDLE tells of mail once a minute.
  for (const folder of ['conf', 'conf/socket', 'mail', 'run']) mkdirSync(join(home, folder));
  writeFileSync(join(home, 'imapd.conf'), settings(home, issued, extra));
  writeFileSync(join(home, 'cyrus.conf'), services(home, bin, port, tlsPort));
  const passwords = await saslauthd(join(home, 'run/mux'), users);
  const user = mailUser();
  owned(home, user);
  const daemon = spawn(
    join(bin, 'master'),
    ['-C', join(home, 'imapd.conf'), '-M', join(home, 'cyrus.conf'), '-p', join(home, 'run/pid')],
    {
      stdio: 'ignore',
      // At its end it sends SIGTERM to all of its process group, which is to be none of ours.
      detached: true,
      uid: user.uid,
      gid: user.gid,
      env: { PATH: process.env.PATH, ...libraryPath(root) },
    },
  );
  const stop = async () => {
    await end(daemon);
    passwords.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await greeted('Cyrus', daemon, port);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return mailServer({ port, tlsPort, ca: issued.ca, caFile: issued.caFile, users, stop });
}

/** imapd.conf(5). The user `cyrus` of Debian's installed package is not made by an unpacked one. */
function settings(home: string, { certFile, keyFile }: Issued, extra: string): string {
  return `
cyrus_user: ${mailUser().name}
configdirectory: ${home}/conf
defaultpartition: default
partition-default: ${home}/mail
idlesocket: ${home}/run/idle
servername: localhost
altnamespace: no
unixhierarchysep: yes
autocreate_quota: 0
allowplaintext: yes
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: ${home}/run/mux
tls_server_cert: ${certFile}
tls_server_key: ${keyFile}
${extra}
`;
}

/** cyrus.conf(5). */
function services(home: string, bin: string, port: number, tlsPort: number): string {
  const config = `-C ${home}/imapd.conf`;
  return `
START {
  recover cmd="${bin}/ctl_cyrusdb ${config} -r"
  idled cmd="${bin}/idled ${config}"
}
SERVICES {
  imap cmd="${bin}/imapd ${config} -U 30" listen="127.0.0.1:${port}" prefork=0
  imaps cmd="${bin}/imapd ${config} -s -U 30" listen="127.0.0.1:${tlsPort}" prefork=0
}
EVENTS {
}
`;
}

/** Answers Cyrus' question whether a password is right, as Debian's saslauthd does: strings with their length in front. */
function saslauthd(path: string, users: Readonly<Record<string, string>>): Promise<Server> {
  const server = createServer((socket) => {
    let heard = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      heard = Buffer.concat([heard, chunk]);
      const [user, password, , realm] = strings(heard);
      if (realm === undefined || user === undefined) return;
      const answer = users[user] === password ? 'OK' : 'NO';
      socket.end(Buffer.from([0, answer.length, ...Buffer.from(answer)]));
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

function strings(bytes: Buffer): string[] {
  const found: string[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) break;
    found.push(bytes.toString('utf8', at + 2, end));
    at = end;
  }
  return found;
}
