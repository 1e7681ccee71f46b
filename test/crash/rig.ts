/** One scene to kill imapferry in: two mailboxes with mail of every awkward kind, two wires, and what killing needs. */
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sweep } from '../../src/commands/sweep.ts';
import { loadConfig } from '../../src/config/config.ts';
import { eventStream } from '../../src/domain/events.ts';
import { overWires, Place, Program, type Settings } from '../journey/program.ts';
import type { Dovecot } from '../support/dovecot.ts';
import { ImapWire, type Moment } from '../support/imap-wire.ts';
import { Mail, message, type Put } from '../support/mail.ts';
import { Oracle, type Reading } from '../support/oracle.ts';
import { PACE_OF_LIVES } from './pace.ts';

/** The program that is killed. */
export const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));

/** How the program is started: a file for Node.js, and the folder of what it compiled before. */
export interface Start {
  readonly main: string;
  readonly cache: string;
  /** Settings besides those of the scene. */
  readonly settings?: Settings;
}

export type Side = 'source' | 'destination';

/** A moment in imapferry's life, found again in another life by what it is and how many of its kind came before. */
export interface Point {
  readonly side: Side;
  readonly when: Moment['when'];
  /** The IMAP command: `UID EXPUNGE`. */
  readonly name: string;
  /** The connection of that side on which it is sent, from 1. */
  readonly connection: number;
  /** The nth of this kind on that connection, from 1. */
  readonly nth: number;
  /** The nth command at this side, from 1. */
  readonly command: number;
}

/** UIDs of the messages in the source's INBOX that are marked \\Deleted. */
export function marked({ source }: Reading): number[] {
  const all = source.get('INBOX') ?? [];
  return all.filter(({ flags }) => flags.includes('\\Deleted')).map(({ uid }) => uid);
}

/** Numbers the moments of one life as they come. */
export class Points {
  readonly all: Point[] = [];
  readonly #counts = new Map<string, number>();

  come(side: Side, { when, command: { name, connection, nth: command } }: Moment): Point {
    const kind = `${side} ${connection} ${when} ${name}`;
    const nth = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, nth);
    const point = { side, when, name, connection, nth, command };
    this.all.push(point);
    return point;
  }
}

export function same(a: Point, b: Point): boolean {
  return (['side', 'when', 'name', 'connection', 'nth'] as const).every((key) => a[key] === b[key]);
}

const WHERE: Readonly<Record<Point['when'], string>> = {
  before: 'before',
  after: 'after',
  up: 'in the middle of a literal of',
  down: 'in the middle of a literal in the answer to',
};

/** `killed after UID EXPUNGE at the source (31st command)` without its first word. */
export function told({ side, when, name, nth, command }: Point): string {
  const literal = when === 'up' || when === 'down' ? `, ${ordinal(nth)} such literal` : '';
  return `${WHERE[when]} ${name} at the ${side} (${ordinal(command)} command${literal})`;
}

function ordinal(n: number): string {
  const teen = n % 100 > 10 && n % 100 < 14;
  return `${n}${teen ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')}`;
}

type Letter = readonly [folder: string, bytes: Buffer, how: Put];

const twin = message({ body: 'Two of us, and then a third' });
const nameless = (body: string) =>
  Buffer.from(`Date: Tue, 7 May 2024 07:08:09 +0000\r\nFrom: a@example.org\r\n\r\n${body}\r\n`);
const date = (text: string) => ({ internalDate: new Date(text) });

/** There before imapferry starts. */
const FIRST: readonly Letter[] = [
  [
    'INBOX',
    message({ id: '<one@example.org>', body: 'One' }),
    { flags: ['\\Seen'], ...date('2001-02-03T04:05:06Z') },
  ],
  [
    'INBOX',
    message({ id: '<one@example.org>', body: 'Two' }),
    { flags: ['\\Flagged'], ...date('2001-02-03T04:05:06Z') },
  ],
  ['INBOX', twin, { flags: ['\\Answered'], ...date('2010-01-01T00:00:00Z') }],
  ['INBOX', twin, { ...date('2011-01-01T00:00:00Z') }],
  ['INBOX', nameless('No name'), { ...date('1999-12-31T23:59:59Z') }],
  ['INBOX', nameless('No size'), { flags: ['\\Draft'], ...date('1999-12-31T23:59:59Z') }],
  [
    'INBOX',
    message({ size: 1 << 20 }),
    { flags: ['\\Seen', '$Forwarded'], ...date('1970-01-01T00:00:01Z') },
  ],
  [
    'INBOX',
    message(),
    { flags: ['NonJunk', '$label1', 'Etikett'], ...date('2000-02-29T23:59:59Z') },
  ],
  [
    'Sent',
    message({ id: '<one@example.org>', body: 'One' }),
    { flags: ['\\Seen'], ...date('2024-02-29T12:00:00Z') },
  ],
];

/** Come while imapferry runs, or while it is dead. */
const LATER: readonly Letter[] = [
  ['INBOX', twin, { flags: ['\\Seen'], ...date('2012-01-01T00:00:00Z') }],
  [
    'INBOX',
    message({ id: '<one@example.org>', body: 'Three' }),
    { ...date('2001-02-03T04:05:06Z') },
  ],
];

/** What becomes of STATE_DIR between the two lives. */
export type JournalState = 'kept' | 'wiped' | 'older';

export interface Life {
  /** Called at each moment; where it says so, imapferry dies there and then. */
  readonly dies: (point: Point) => boolean;
  /** The first life: `run`, until all is carried and mail that came later, too; or `sweep`. */
  readonly command: 'run' | 'sweep';
  /** When STATE_DIR is copied, for a restore. */
  readonly saves?: (point: Point) => boolean;
}

export interface Again {
  readonly code: number;
  readonly summary: readonly string[];
  /** The log in short, for a failure's message. */
  readonly log: readonly string[];
}

export class Scene implements AsyncDisposable {
  readonly oracle: Oracle;
  /** The moments of the latest life. */
  points = new Points();
  readonly #place = new Place();
  readonly #settings: Settings;
  readonly #main: string;
  readonly #backup: string;
  readonly #old: Mail;
  readonly #fresh: Mail;
  readonly #wires: Readonly<Record<Side, ImapWire>>;
  readonly #later = [...LATER];

  private constructor(
    old: Mail,
    fresh: Mail,
    wires: Readonly<Record<Side, ImapWire>>,
    settings: (place: Place) => Settings,
    main: string,
  ) {
    this.#old = old;
    this.#fresh = fresh;
    this.#wires = wires;
    this.oracle = new Oracle(old, fresh);
    this.#settings = settings(this.#place);
    this.#main = main;
    this.#backup = join(this.#place.home, 'backup');
  }

  /** @param user one that nobody used before, on both servers */
  static async set(
    source: Dovecot,
    destination: Dovecot,
    user: string,
    { main, cache, settings: changes = {} }: Start,
  ): Promise<Scene> {
    const password = source.users[user] ?? '';
    const old = await Mail.login(source.port, user, password);
    const fresh = await Mail.login(destination.port, user, password);
    const wires = {
      source: await ImapWire.between({ to: source.port }),
      destination: await ImapWire.between({ to: destination.port }),
    };
    const settings = (place: Place): Settings => {
      const secret = place.file('password', `${password}\n`);
      return place.settings(source, destination, {
        ...overWires(wires.source, wires.destination),
        SOURCE_USER: user,
        SOURCE_PASSWORD_FILE: secret,
        DEST_USER: user,
        DEST_PASSWORD_FILE: secret,
        FOLDERS: 'INBOX, Sent',
        // One connection, so that each life goes the same way.
        CONCURRENCY: '1',
        NODE_COMPILE_CACHE: cache,
        ...changes,
      });
    };
    const scene = new Scene(old, fresh, wires, settings, main);
    await old.create('Sent');
    await old.create('Drafts');
    for (const letter of FIRST) await scene.oracle.put(...letter);
    const { oracle } = scene;
    await oracle.stranger('source', 'Drafts', twin, { flags: ['\\Deleted'] });
    await oracle.stranger(
      'destination',
      'INBOX',
      message({ id: '<one@example.org>', body: 'Four' }),
    );
    await oracle.stranger('destination', 'INBOX', message(), { flags: ['\\Deleted'] });
    return scene;
  }

  /** A life. Resolves with whether it was killed; without that, it came to its end in order. */
  async live({ dies, saves, command }: Life): Promise<boolean> {
    this.points = new Points();
    await using program = new Program(this.#place, this.#settings, [command], { main: this.#main });
    let killed = false;
    for (const side of ['source', 'destination'] as const) {
      this.#wires[side].at = (moment) => {
        if (killed) return 'reset';
        const point = this.points.come(side, moment);
        if (saves?.(point)) this.#save();
        if (!dies(point)) return undefined;
        killed = true;
        void program.kill('SIGKILL');
        return 'reset';
      };
    }
    const whole = async () => {
      if (command === 'sweep') return;
      await program.saw('delivery.done', FIRST.length);
      await this.#idling(program);
      // One by one, while it idles: two that come at once may be seen in one look or in two.
      await this.comeLater(async (nth) => {
        await program.saw('delivery.done', FIRST.length + nth);
        await this.#idling(program);
      });
      await program.kill('SIGTERM');
    };
    await whole().catch((thrown) => {
      if (!killed) throw thrown;
    });
    const { code } = await program.ended;
    for (const wire of Object.values(this.#wires)) wire.at = undefined;
    if (!killed && code !== 0)
      throw new Error(`It ended with ${code}: ${program.plain.join('\n')}`);
    return killed;
  }

  /** Waits until IDLE is the last that was sent on each of the source's connections. */
  #idling(program: Program): Promise<void> {
    const idles = () => {
      const last = new Map(
        this.#wires.source.commands.map(({ connection, name }) => [connection, name]),
      );
      return [...last.values()].every((name) => name === 'IDLE');
    };
    return program.until('every folder is idled on', idles);
  }

  /** What has not come yet of the mail that comes later. `come` is called after each, with how many that makes. */
  async comeLater(come: (nth: number) => Promise<void> = async () => undefined): Promise<void> {
    for (;;) {
      const letter = this.#later.shift();
      if (letter === undefined) return;
      await this.oracle.put(...letter);
      await come(LATER.length - this.#later.length);
    }
  }

  #save(): void {
    rmSync(this.#backup, { recursive: true, force: true });
    const { stateDir } = this.#place;
    if (existsSync(stateDir)) cpSync(stateDir, this.#backup, { recursive: true });
  }

  /** Does to STATE_DIR what that state says. */
  lose(state: JournalState): void {
    if (state === 'kept') return;
    const { stateDir } = this.#place;
    rmSync(stateDir, { recursive: true, force: true });
    if (state === 'older' && existsSync(this.#backup)) {
      cpSync(this.#backup, stateDir, { recursive: true });
    }
  }

  /** The second life, straight to its end, in this process: nobody kills it. What it printed, and its exit code. */
  async again(): Promise<Again> {
    const config = loadConfig(this.#settings, { envFiles: [] });
    const stream = eventStream();
    const log: string[] = [];
    const summary: string[] = [];
    stream.subscribe((event, { folder = '', why = '' }) => log.push(`${event} ${folder} ${why}`));
    const print = (line: string) => summary.push(line);
    const { signal } = new AbortController();
    const code = await sweep(config, { signal, stream, print, pace: PACE_OF_LIVES });
    return { code, summary, log };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#old[Symbol.asyncDispose]();
    await this.#fresh[Symbol.asyncDispose]();
    for (const wire of Object.values(this.#wires)) await wire[Symbol.asyncDispose]();
    this.#place[Symbol.dispose]();
  }
}
