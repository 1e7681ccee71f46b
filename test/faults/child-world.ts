/**
 * A world in which the program is a process of its own, so that its disk, its clock, its names and its life can be
 * tampered with: two Dovecots with a wire before each, and mailboxes that nobody used before.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Pace } from '../../src/forward/pace.ts';
import { type LogLine, Place, Program, type Settings } from '../journey/program.ts';
import { ImapWire } from '../support/imap-wire.ts';
import { Mail } from '../support/mail.ts';
import { Oracle } from '../support/oracle.ts';
import { BRISK, type Servers } from './world.ts';

/** The program with the waits that TEST_PACE says. */
export const HURRIED = fileURLToPath(new URL('child-main.ts', import.meta.url));

let users = 0;

/** How the program is started. */
export interface Life {
  readonly settings?: Settings;
  readonly pace?: Partial<Pace>;
  readonly wrap?: readonly string[];
  /** Whether to wait until it has looked at its folder. */
  readonly ready?: boolean;
}

export class ChildWorld implements AsyncDisposable {
  readonly user: string;
  readonly place = new Place();
  readonly source: ImapWire;
  readonly destination: ImapWire;
  /** The test's own connections, past the wires. */
  readonly old: Mail;
  readonly fresh: Mail;
  readonly oracle: Oracle;
  readonly #eyes: readonly Mail[];
  #program: Program | undefined;
  #life: Life = {};

  private constructor(
    user: string,
    [source, destination]: readonly [ImapWire, ImapWire],
    [old, fresh, ...eyes]: readonly [Mail, Mail, Mail, Mail],
  ) {
    this.user = user;
    this.source = source;
    this.destination = destination;
    this.old = old;
    this.fresh = fresh;
    this.#eyes = eyes;
    this.oracle = new Oracle(eyes[0], eyes[1]);
  }

  static async between({ source, destination }: Servers): Promise<ChildWorld> {
    const user = `user${++users}`;
    const [from, to] = [source.port, destination.port];
    const login = (port: number) => Mail.login(port, user, `secret-of-${user}`);
    const wires = await Promise.all([ImapWire.between({ to: from }), ImapWire.between({ to })]);
    const mails = await Promise.all([login(from), login(to), login(from), login(to)]);
    return new ChildWorld(user, wires, mails);
  }

  get program(): Program {
    if (this.#program === undefined) throw new Error('The program was not started');
    return this.#program;
  }

  get log(): readonly LogLine[] {
    return this.program.log;
  }

  get stateDir(): string {
    return this.place.stateDir;
  }

  /** Starts the program, and waits until it watches unless `ready` says otherwise. */
  async start(life: Life = {}): Promise<void> {
    this.#life = life;
    const { settings = {}, pace = {}, wrap = [], ready = true } = life;
    const account = (side: string, { port }: ImapWire) => ({
      [`${side}_HOST`]: '127.0.0.1',
      [`${side}_PORT`]: String(port),
      [`${side}_TLS`]: 'none',
      [`${side}_USER`]: this.user,
      [`${side}_PASSWORD_FILE`]: passwordFile,
    });
    const passwordFile = join(this.place.home, 'password');
    if (!existsSync(passwordFile)) this.place.file('password', `secret-of-${this.user}\n`);
    const all = {
      ...account('SOURCE', this.source),
      ...account('DEST', this.destination),
      FOLDERS: 'INBOX',
      CONCURRENCY: '1',
      STATE_DIR: this.stateDir,
      LOG_LEVEL: 'trace',
      TEST_PACE: JSON.stringify({ ...BRISK, ...pace }),
      ...settings,
    };
    this.#program = new Program(this.place, all, [], { main: HURRIED, wrap });
    if (ready) await this.program.saw('folder.looked');
  }

  /** Starts it as before, but for what is said here. */
  again(changes: Life = {}): Promise<void> {
    return this.start({ ...this.#life, ...changes });
  }

  /** Stops the program in order. */
  async stop(): Promise<void> {
    const { code } = await this.program.kill('SIGTERM');
    if (code !== 0) throw new Error(`The program ended with ${code}: ${this.program.stderr}`);
  }

  /** Waits until the source's INBOX holds so many messages. */
  left(count = 0): Promise<void> {
    return this.program.until(
      `INBOX holds ${count} messages at the source`,
      async () => (await this.old.count('INBOX')) === count,
    );
  }

  /** How often a command has come to the destination. */
  sent(name: string, wire: ImapWire = this.destination): number {
    return wire.commands.filter((command) => command.name === name).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
    await Promise.all(
      [this.source, this.destination, this.old, this.fresh, ...this.#eyes].map((each) =>
        each[Symbol.asyncDispose](),
      ),
    );
    this.place[Symbol.dispose]();
  }
}
