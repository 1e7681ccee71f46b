/** What a message, a batch, a wake-up and a sweep cost: commands and connections, counted on the wire. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { type Command, ImapWire } from '../support/imap-wire.ts';
import { Mail, message } from '../support/mail.ts';
import { overWires, Place, Program, type Settings } from './program.ts';

const NAMES = Array.from({ length: 12 }, (_, i) => `user${i + 1}`);
const users = Object.fromEntries(NAMES.map((name) => [name, `secret-of-${name}`]));
const LITERAL = 'IMAP4rev1 SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT LITERAL+';
let source: Dovecot;
let destination: Dovecot;
let literal: Dovecot;
let used = 0;

beforeAll(async () => {
  [source, destination, literal] = await Promise.all([
    startDovecot({ users, uidValidity: 1000 }),
    startDovecot({ users, uidValidity: 2000 }),
    startDovecot({ users, uidValidity: 3000, capability: LITERAL }),
  ]);
});
afterAll(() => Promise.all([source, destination, literal].map((server) => server?.stop())));

/** imapferry between two mailboxes that nobody used before, on wires that count. */
class Counted implements AsyncDisposable {
  readonly old: Mail;
  readonly up: ImapWire;
  readonly down: ImapWire;
  readonly #place = new Place();
  readonly #user: string;
  readonly #to: Dovecot;
  program!: Program;

  private constructor(user: string, to: Dovecot, old: Mail, up: ImapWire, down: ImapWire) {
    this.#user = user;
    this.#to = to;
    this.old = old;
    this.up = up;
    this.down = down;
  }

  static async between(to = destination): Promise<Counted> {
    const user = NAMES[used++] ?? '';
    const old = await Mail.login(source.port, user, users[user] ?? '');
    const [up, down] = await Promise.all([
      ImapWire.between({ to: source.port }),
      ImapWire.between({ to: to.port }),
    ]);
    return new Counted(user, to, old, up, down);
  }

  async start(changes: Settings = {}): Promise<Program> {
    const password = this.#place.file('password', `${users[this.#user]}\n`);
    this.program = new Program(
      this.#place,
      this.#place.settings(source, this.#to, {
        ...overWires(this.up, this.down),
        SOURCE_USER: this.#user,
        DEST_USER: this.#user,
        SOURCE_PASSWORD_FILE: password,
        DEST_PASSWORD_FILE: password,
        FOLDERS: 'INBOX',
        ...changes,
      }),
    );
    await this.program.saw('watcher.idling');
    return this.program;
  }

  async put(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.old.put('INBOX', message());
  }

  /** The commands that were sent from now on until `work` is done, how often each. */
  async sends(work: () => Promise<unknown>) {
    const before = [this.up.commands.length, this.down.commands.length];
    await work();
    return {
      source: counts(this.up.commands.slice(before[0])),
      destination: counts(this.down.commands.slice(before[1])),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program?.[Symbol.asyncDispose]();
    await Promise.all([this.up, this.down, this.old].map((each) => each[Symbol.asyncDispose]()));
    this.#place[Symbol.dispose]();
  }
}

/** IDLE and what ends it come and go as time has it. */
function counts(commands: readonly Command[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { name } of commands) {
    if (name === 'IDLE' || name === 'DONE') continue;
    all[name] = (all[name] ?? 0) + 1;
  }
  return all;
}

const connections = (commands: readonly Command[]) =>
  new Set(commands.map(({ connection }) => connection)).size;

describe('it costs', () => {
  it('a message that comes: three FETCHes, STORE and EXPUNGE at the source, APPEND and FETCH at the destination', async () => {
    await using ferry = await Counted.between();
    const program = await ferry.start();
    await program.saw('folder.looked');
    await ferry.put(1);
    await program.saw('delivery.done');
    const sent = await ferry.sends(async () => {
      await ferry.put(1);
      await program.saw('delivery.done', 2);
    });
    expect(sent).toEqual({
      source: { 'UID FETCH': 3, 'UID STORE': 1, 'UID EXPUNGE': 1 },
      destination: { APPEND: 1, 'UID FETCH': 1 },
    });
    expect(connections(ferry.up.commands)).toBe(1);
    expect(connections(ferry.down.commands)).toBe(1);
  });

  it('no round trip of their own for the FETCHes of batches that are under way together', async () => {
    await using ferry = await Counted.between();
    await ferry.put(600);
    const last = Promise.withResolvers<void>();
    let asked = 0;
    // The first batch goes ahead; the second is not answered before the third is asked for.
    ferry.up.at = ({ when, command }) => {
      if (command.name !== 'UID FETCH' || !command.line.includes('BODY.PEEK[]')) return undefined;
      if (when === 'before' && ++asked === 3) last.resolve();
      return when === 'after' && asked >= 2 ? { first: () => last.promise } : undefined;
    };
    const program = await ferry.start();
    await program.saw('delivery.done', 600);
    expect(asked).toBe(3);
  });

  it('six hundred old messages: a handful of commands for each two hundred', async () => {
    await using ferry = await Counted.between();
    await ferry.put(600);
    const program = await ferry.start();
    await program.saw('delivery.done', 600);
    const { source: asked, destination: sent } = {
      source: counts(ferry.up.commands),
      destination: counts(ferry.down.commands),
    };
    expect(sent.APPEND).toBe(3);
    // Three to list the folder for what may be there already, at the most, and three to read back.
    expect(sent['UID FETCH']).toBeLessThanOrEqual(6);
    expect(asked['UID SEARCH']).toBe(1);
    // One to list, three for the bytes, and for each STORE and EXPUNGE one to see that they are gone.
    expect(asked['UID STORE']).toBeLessThanOrEqual(3);
    expect(asked['UID EXPUNGE']).toBe(asked['UID STORE']);
    expect(asked['UID FETCH']).toBe(4 + (asked['UID STORE'] ?? 0));
    expect(connections(ferry.down.commands)).toBeLessThanOrEqual(4);
    expect(connections(ferry.up.commands)).toBe(1);
  });

  it('a hundred messages without MULTIAPPEND: an APPEND each, and one FETCH to read them back', async () => {
    await using ferry = await Counted.between(literal);
    await ferry.put(100);
    const program = await ferry.start();
    await program.saw('delivery.done', 100);
    const sent = counts(ferry.down.commands);
    expect(sent.APPEND).toBe(100);
    expect(sent['UID FETCH']).toBeLessThanOrEqual(2);
  });

  it('under keep a sweep: one EXAMINE and one SEARCH, however much was kept; a message that comes: what it alone costs', async () => {
    await using ferry = await Counted.between();
    await ferry.put(100);
    const program = await ferry.start({ AFTER_DELIVERY: 'keep', SWEEP_INTERVAL: '2s' });
    await program.saw('delivery.done', 100);
    await program.saw('sweep.finished', program.count('sweep.finished') + 1);
    const swept = await ferry.sends(() =>
      program.saw('sweep.finished', program.count('sweep.finished') + 1),
    );
    // Both accounts' folders are listed anew for the plan.
    const plan = { LIST: 1, LSUB: 1 };
    expect(swept.destination).toEqual(plan);
    expect(swept.source).toEqual({ ...plan, EXAMINE: 1, 'UID SEARCH': 1 });
    const told = await ferry.sends(async () => {
      await ferry.put(1);
      await program.saw('delivery.done', 101);
    });
    // What a sweep that came in between asked aside: one FETCH to list, one for the bytes, and one look at the flags.
    expect(told.source['UID FETCH']).toBe(3);
    expect(told.destination).toMatchObject({ APPEND: 1, 'UID FETCH': 1 });
  });
});
