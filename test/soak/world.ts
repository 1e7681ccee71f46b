/** The world of a round: two servers, the program's lives between them, and what the oracle says of it all. */
import { cpSync, existsSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ChildWorld } from '../faults/child-world.ts';
import {
  failingDisk,
  lostNames,
  smallFiles,
  type Tampering,
  WallClock,
} from '../faults/tampering.ts';
import { Servers } from '../faults/world.ts';
import { Mail, message } from '../support/mail.ts';
import { isCopy, type Letter, verdict } from '../support/oracle.ts';
import type { Dice } from './dice.ts';
import { Eyes } from './eyes.ts';
import type { Kind } from './kinds.ts';
import { MISFILED } from './lies.ts';
import { Mischief, type Side } from './mischief.ts';
import { ARCHIVE, ASIDE, People } from './people.ts';
import type { Trace } from './trace.ts';

/** Folders that are carried, and one that is not and that nobody touches. */
export const CARRIED = ['INBOX', 'Box'] as const;
const UNTOUCHED = 'Drafts';

/** Waits of the program that differ from those of the tables of faults. */
const PACE = {
  // A cut connection's APPEND is stored within that time also on a machine that is busy.
  settle: 1500,
  reconnectLongest: 100,
  unverified: 500,
};

/** Memory that the program may take, in MB. */
const MOST_MEMORY = 300;

export type Fate = 'kept' | 'wiped' | 'older' | 'torn';

export class Wrong extends Error {}

interface Judged {
  readonly wrong: readonly string[];
  /** UIDs of what the destination has stored wrongly, by its folder. */
  readonly bad: ReadonlyMap<string, readonly number[]>;
}

export class SoakWorld implements AsyncDisposable {
  readonly people: People;
  readonly mischief: Mischief;
  readonly kind: Kind;
  readonly trace: Trace;
  readonly child: ChildWorld;
  /** The program was killed or stopped, and not started again. */
  dead = true;
  frozen = false;
  lives = 0;
  looks = 0;
  /** The most memory that was seen, in MB. */
  peak = 0;
  readonly logs: string[] = [];
  readonly #servers: Servers;
  readonly #eyes: Readonly<Record<Side, Eyes>>;
  readonly #strangers = { source: [] as Letter[], destination: [] as Letter[] };
  readonly #names: Tampering;
  readonly #disk: Tampering;
  readonly #clock: WallClock | undefined;
  #backups = 0;
  #trouble: Tampering | undefined;
  #crashed: string | undefined;
  /** Whether the end of the present life was asked for. */
  #asked = false;

  private constructor(kind: Kind, dice: Dice, trace: Trace, servers: Servers, child: ChildWorld) {
    this.kind = kind;
    this.trace = trace;
    this.child = child;
    this.#servers = servers;
    const { user } = child;
    const eyes = ({ port }: { port: number }) =>
      new Eyes(() => Mail.login(port, user, `secret-of-${user}`));
    this.#eyes = { source: eyes(servers.source), destination: eyes(servers.destination) };
    const { to } = kind;
    const wires = { source: child.source, destination: child.destination };
    this.people = new People({ dice: dice.of('people'), trace, user: child.user, servers, to });
    this.mischief = new Mischief(
      {
        dice: dice.of('mischief'),
        trace,
        wires,
        to,
        kill: () => void this.#end('SIGKILL'),
        isDead: () => this.dead,
      },
      kind.rows,
    );
    this.#names = lostNames(child, dice.of('names').pick(['ENOTFOUND', 'EAI_AGAIN', 'silent']));
    this.#disk =
      kind.tampering === 'disk'
        ? failingDisk(child, dice.of('disk').pick(['ENOSPC', 'EROFS', 'EIO']))
        : smallFiles(child);
    this.#clock = kind.tampering === 'clock' ? new WallClock(child) : undefined;
  }

  static async make(kind: Kind, dice: Dice, trace: Trace): Promise<SoakWorld> {
    const servers = await Servers.start(kind);
    const child = await ChildWorld.between(servers);
    const world = new SoakWorld(kind, dice, trace, servers, child);
    await world.#furnish();
    return world;
  }

  async #furnish(): Promise<void> {
    const { people, kind } = this;
    for (const folder of ['Box', ASIDE, UNTOUCHED]) {
      await people.ask('source', (mail) => mail.create(folder));
    }
    for (const folder of [ARCHIVE, MISFILED]) {
      await people.ask('destination', (mail) => mail.create(kind.to(folder)));
    }
    const internalDate = new Date('2015-05-05T05:05:05Z');
    const stranger = async (side: 'source' | 'destination', folder: string, flags: string[]) => {
      const letter = { folder, bytes: message(), flags, internalDate };
      await people.ask(side, (mail) => mail.put(folder, letter.bytes, letter));
      this.#strangers[side].push(letter);
    };
    await stranger('source', UNTOUCHED, ['\\Deleted']);
    if (kind.uidPlus) await stranger('source', 'INBOX', ['\\Deleted', '\\Seen']);
    await stranger('destination', 'INBOX', ['\\Deleted']);
    await stranger('destination', 'INBOX', ['\\Flagged']);
  }

  /** Starts the program; what the last life left is there. */
  async start(): Promise<void> {
    this.relieve();
    this.dead = false;
    this.#asked = false;
    this.lives++;
    const { LD_PRELOAD, ...disk } = this.#disk.settings;
    const clock = this.#clock?.settings ?? {};
    const preload = LD_PRELOAD === undefined ? {} : { LD_PRELOAD };
    await this.child.start({
      settings: { ...this.kind.settings, ...this.#names.settings, ...disk, ...preload, ...clock },
      pace: PACE,
      ready: false,
    });
    this.trace.tell(`life ${this.lives} begins`);
    const { program } = this.child;
    void program.ended.then(({ code, signal }) => {
      this.logs.push(`--- life ${this.lives}`, ...program.log.map((line) => JSON.stringify(line)));
      if (this.#asked) return;
      this.dead = true;
      this.#crashed = `The program ended by itself with ${code ?? signal}: ${program.stderr}`;
    });
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    this.#asked = true;
    // From now on nothing of it goes through; a stop in order goes on talking until it has ended.
    if (signal === 'SIGKILL') this.dead = true;
    const { code } = await this.child.program.kill(signal);
    this.dead = true;
    return code;
  }

  async kill(): Promise<void> {
    this.trace.tell('SIGKILL', 'SIGKILL at any time');
    await this.#end('SIGKILL');
  }

  /** SIGTERM, and no longer than it may take. */
  async stop(): Promise<void> {
    this.trace.tell('SIGTERM', 'SIGTERM');
    const late = setTimeout(() => this.child.program.kill('SIGKILL'), 15_000);
    const code = await this.#end('SIGTERM');
    clearTimeout(late);
    // It may be killed at a command while it stops.
    if (code !== 0 && code !== null) throw new Wrong(`SIGTERM ended it with ${code}`);
    if (code === null) this.trace.tell('it was killed before it had stopped');
  }

  /** Once the program has ended: keeps a copy of STATE_DIR, and does to it what is said. */
  async lose(fate: Fate, dice: Dice): Promise<void> {
    await this.child.program.ended;
    const { stateDir } = this.child;
    const backup = (nth: number) => join(this.child.place.home, `backup-${nth}`);
    if (existsSync(stateDir)) cpSync(stateDir, backup(this.#backups++), { recursive: true });
    if (fate === 'kept') return;
    this.trace.tell(`STATE_DIR: ${fate}`, `STATE_DIR ${fate}`);
    for (const post of this.people.post) post.forgotten = true;
    const journal = join(stateDir, 'journal.sqlite');
    if (fate === 'torn') {
      if (existsSync(journal)) truncateSync(journal, Math.floor(statSync(journal).size / 2));
      return;
    }
    rmSync(stateDir, { recursive: true, force: true });
    if (fate === 'older' && this.#backups > 0) {
      cpSync(backup(dice.below(this.#backups)), stateDir, { recursive: true });
    }
  }

  /** Whether the program can be tampered with: it runs, and has come so far that it is watching. */
  get steady(): boolean {
    return !this.dead && !this.frozen && this.child.program.count('folder.looked') > 0;
  }

  freeze(stopped: boolean): void {
    if (this.dead) return;
    this.frozen = stopped;
    process.kill(this.child.program.pid, stopped ? 'SIGSTOP' : 'SIGCONT');
    this.trace.tell(stopped ? 'SIGSTOP' : 'SIGCONT', stopped ? 'SIGSTOP' : undefined);
  }

  trouble(what: 'disk' | 'names'): void {
    if (!this.steady || this.#trouble) return;
    this.#trouble = what === 'disk' ? this.#disk : this.#names;
    this.#trouble.on();
    this.trace.tell(what === 'disk' ? 'the disk fails' : 'names are lost', what);
  }

  /** The disk works, and names are found again. */
  relieve(): void {
    const over = this.#trouble;
    this.#trouble = undefined;
    if (over === undefined || (this.dead && over === this.#disk)) return;
    over.off();
    this.trace.tell('the trouble is over');
  }

  setClock(days: number): void {
    if (this.#clock === undefined) return;
    this.#clock.set(days);
    this.trace.tell(`the clock is set ${days} days off`, 'clock set');
  }

  /** What the oracle says now. Ends the round where anything is wrong, unless `ended` asks for more than that. */
  async look(): Promise<void> {
    const { wrong } = await this.judge(false);
    if (wrong.length > 0) throw new Wrong(wrong.join('\n'));
  }

  async judge(ended: boolean): Promise<Judged> {
    if (this.#crashed !== undefined) throw new Wrong(this.#crashed);
    this.looks++;
    this.#measure();
    const { to } = this.kind;
    const folders = [...CARRIED, UNTOUCHED];
    // The source first: what has left it must be at the destination by then.
    const source = await this.#eyes.source.read(folders);
    const found = await this.#eyes.destination.read(folders.map(to));
    const bad = new Map<string, number[]>();
    const destination = new Map(
      [...found].map(([folder, all]) => [
        folder,
        all.filter((stored) => {
          const post = this.people.letterOf(stored);
          const spoilt = this.mischief.spoilt.has(stored.internalDate.getTime());
          if (!spoilt || post === undefined || isCopy(post.bytes, stored.bytes)) return true;
          bad.set(folder, [...(bad.get(folder) ?? []), stored.uid]);
          return false;
        }),
      ]),
    );
    const strangers = this.#strangers;
    const wrong = verdict(
      { originals: this.people.post, strangers, to, ended },
      { source, destination },
    );
    return { wrong, bad };
  }

  #measure(): void {
    if (this.dead) return;
    try {
      const status = readFileSync(`/proc/${this.child.program.pid}/status`, 'utf8');
      this.peak = Math.max(this.peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // It has just ended.
    }
    if (this.peak > MOST_MEMORY) throw new Wrong(`It takes ${Math.round(this.peak)} MB of memory`);
  }

  /** Whether the program waits for a person: it has blocked its route. */
  get blocked(): boolean {
    return !this.dead && this.child.program.count('route.blocked') > 0;
  }

  /** Waits until the wires have seen so many commands more, or none for a while. */
  async pass(commands: number): Promise<void> {
    const { source, destination } = this.child;
    const seen = () => source.commands.length + destination.commands.length;
    const until = seen() + commands;
    let last = seen();
    let quietSince = performance.now();
    const began = quietSince;
    while (seen() < until && !this.dead) {
      const now = performance.now();
      if (seen() !== last) quietSince = now;
      last = seen();
      if (now - quietSince > 150 || now - began > 2000) return;
      await wait(5);
    }
  }

  /** Every command of every life, side by side. */
  get commands(): string[] {
    const { source, destination } = this.child;
    return [source, destination].flatMap((wire, i) =>
      wire.commands.map(
        ({ nth, connection, line }) =>
          `${i === 0 ? 'source' : 'destination'} ${nth} on connection ${connection}: ${line.replace(/^(\S+ (?:LOGIN|AUTHENTICATE)).*/, '$1')}`,
      ),
    );
  }

  /** What no command at the destination may ever do, and what no line of the log may ever tell. */
  trespasses(): string[] {
    const { destination, user } = this.child;
    const forbidden = /\\Deleted|^(UID )?(EXPUNGE|MOVE)$|^(DELETE|RENAME|CLOSE)$/;
    const commands = destination.commands
      .filter(
        ({ name, line }) => forbidden.test(name) || (/STORE/.test(name) && forbidden.test(line)),
      )
      .map(({ line }) => `the destination was told ${line}`);
    const told = this.logs.filter((line) => line.includes(`secret-of-${user}`));
    return [...commands, ...told.map((line) => `a secret was told: ${line.slice(0, 200)}`)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#asked = true;
    if (this.frozen) this.freeze(false);
    await this.people[Symbol.asyncDispose]();
    for (const eyes of Object.values(this.#eyes)) await eyes[Symbol.asyncDispose]();
    await this.child[Symbol.asyncDispose]();
    await this.#servers[Symbol.asyncDispose]();
  }
}
