/** A Dovecot of a bench, and mailboxes in it that nobody has used before. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Dovecot, type DovecotOptions, startDovecot } from '../../test/support/dovecot.ts';
import type { Door, Side } from '../contenders/contender.ts';
import { type Login, load } from './load.ts';
import { Raw } from './raw.ts';

const PASSWORD = 'secret-of-all';

/** As many connections as a bench wants. */
const ROOM = `
mail_max_userip_connections = 2000
default_client_limit = 8000
service imap {
  process_limit = 4000
}
service imap-login {
  client_limit = 4000
}
`;

/** Those that run. */
const open = new Set<Mailboxes>();

/** Ends all that run: a bench that is broken off leaves no server behind. */
export async function endAll(): Promise<void> {
  await Promise.all([...open].map((mailboxes) => mailboxes[Symbol.asyncDispose]()));
}

export class Mailboxes implements AsyncDisposable {
  readonly dovecot: Dovecot;
  readonly password = PASSWORD;
  #used = 0;

  private constructor(dovecot: Dovecot) {
    this.dovecot = dovecot;
    open.add(this);
  }

  /** @param users how many mailboxes are there to be used */
  static async open(users: number, options: DovecotOptions = {}): Promise<Mailboxes> {
    const names = Array.from({ length: users }, (_, i) => [`user${i + 1}`, PASSWORD]);
    const dovecot = await startDovecot({
      durable: true,
      ...options,
      users: Object.fromEntries(names),
      extra: ROOM + (options.extra ?? ''),
    });
    return new Mailboxes(dovecot);
  }

  /** The name of a user whose mailbox is empty. */
  fresh(): string {
    const user = `user${++this.#used}`;
    if (!(user in this.dovecot.users)) throw new Error('All mailboxes are used');
    return user;
  }

  /** A user's mailbox over TLS: Dovecot's own port, or a wire before it. */
  side(user: string, door?: Door): Side {
    const { tlsPort: port, ca, caFile } = this.dovecot;
    return { door: door ?? { port, ca, caFile }, user, password: PASSWORD };
  }

  /** Makes folders. */
  async create(user: string, folders: readonly string[]): Promise<void> {
    using raw = await Raw.login(this.login(user), user, PASSWORD);
    await Promise.all(folders.map((folder) => raw.command(`CREATE "${folder}"`)));
  }

  /** The UID of the next message in INBOX is at least this one. */
  advance(user: string, uid: number): void {
    const config = join(dirname(this.dovecot.logFile), 'dovecot.conf');
    const update = ['mailbox', 'update', '-u', user, '--min-next-uid', String(uid), 'INBOX'];
    execFileSync('doveadm', ['-c', config, ...update]);
  }

  /** Plain text, without any delay. */
  login(user: string): Login {
    return { port: this.dovecot.port, user, password: PASSWORD };
  }

  /** A mailbox with these messages in INBOX, to be copied. */
  async template(messages: Iterable<Buffer>): Promise<string> {
    const user = this.fresh();
    await load(this.login(user), 'INBOX', messages);
    return user;
  }

  /** A fresh user's mailbox, the same as the template to the byte, indexes included; on disk before anything is measured. */
  copy(template: string): string {
    const user = this.fresh();
    execFileSync('cp', ['-a', '--', `${this.#folder(template)}/.`, this.#folder(user)]);
    execFileSync('sync');
    return user;
  }

  /** Gives the disk back what a mailbox holds. */
  discard(user: string): void {
    rmSync(this.#folder(user), { recursive: true, force: true, maxRetries: 5 });
  }

  #folder(user: string): string {
    return join(dirname(this.dovecot.logFile), 'mail', user);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    open.delete(this);
    await this.dovecot.stop();
  }
}
