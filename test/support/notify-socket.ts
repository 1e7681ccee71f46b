/**
 * What systemd is to a service: a datagram socket that hears how it is. Perl listens on it, since Node.js can not; every Debian
 * has it.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';

const LISTEN = `
use Socket; $| = 1;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
bind($s, pack_sockaddr_un($ARGV[0])) or die;
print "listens\\n";
while (defined recv($s, my $told, 65536, 0)) { $told =~ s/\\n/|/g; print "$told\\n"; }
`;

/** What systemd-notify does with variables, in its place. */
const NOTIFY = `#!/usr/bin/perl
use Socket;
shift if $ARGV[0] eq '--';
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
send($s, join("\\n", @ARGV), 0, pack_sockaddr_un($ENV{NOTIFY_SOCKET})) or die;
`;

/** Where the real systemd-notify is, if it is there. */
export const SYSTEMD_NOTIFY = existsSync('/usr/bin/systemd-notify') ? '/usr/bin' : undefined;

export interface NotifySocket extends AsyncDisposable {
  readonly socket: string;
  /** A folder with a program `systemd-notify` that says what the real one says. */
  readonly path: string;
  /** A datagram each, its lines with `|` between them. */
  readonly told: string[];
  until(what: string, condition: (told: readonly string[]) => boolean): Promise<void>;
}

export async function notifySocket(): Promise<NotifySocket> {
  const home = mkdtempSync(join(tmpdir(), 'imapferry-notify-'));
  const socket = join(home, 'socket');
  writeFileSync(join(home, 'systemd-notify'), NOTIFY, { mode: 0o755 });
  const listener = spawn('perl', ['-e', LISTEN, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => listener.once('close', resolve));
  const told: string[] = [];
  createInterface({ input: listener.stdout }).on('line', (line) => {
    // The real one asks whether all before it was heard (sd_notify_barrier(3)).
    if (line !== 'BARRIER=1') told.push(line);
  });
  const until: NotifySocket['until'] = async (what, condition) => {
    for (const deadline = Date.now() + 20_000; !condition(told); await wait(10))
      if (Date.now() > deadline) throw new Error(`never ${what}: ${JSON.stringify(told)}`);
  };
  await until('listens', () => told.shift() === 'listens');
  return {
    socket,
    path: home,
    told,
    until,
    [Symbol.asyncDispose]: async () => {
      listener.kill('SIGKILL');
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}
