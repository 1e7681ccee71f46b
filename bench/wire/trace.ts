/** What passes over one IMAP connection, with the times at which it did. */
import { now } from '../tools/clock.ts';
import { Lines } from './lines.ts';

export interface Command {
  /** Which connection of the wire it came over, from 1. */
  readonly connection: number;
  readonly name: string;
  /** When the client had sent its first line. */
  readonly sent: number;
  /** When the server had answered it; and when that had reached the client. 0: not yet. */
  said: number;
  answered: number;
  ok: boolean;
  /** Of an APPEND: the Message-ID of each message, where it is the first line of its header. */
  readonly ids: string[];
}

export interface Exists {
  readonly connection: number;
  readonly count: number;
  /** When the server had said it. */
  readonly said: number;
}

/** What a wire has noted over all its connections. */
export interface Notes {
  commands: Command[];
  exists: Exists[];
  connections: number;
  bytesUp: number;
  bytesDown: number;
}

export function noNotes(): Notes {
  return { commands: [], exists: [], connections: 0, bytesUp: 0, bytesDown: 0 };
}

const COMMAND = /^(\S+) ((?:UID )?[A-Z]+)/i;
const EXISTS = /^\* (\d+) EXISTS$/i;
const ID = /^Message-ID: <([^>]+)>/i;

export class Trace {
  readonly #wire: { readonly notes: Notes };
  readonly #connection: number;
  readonly #running = new Map<string, Command>();
  #coming: Command | undefined;
  #answered: Command[] = [];
  readonly #up = new Lines({
    line: (text, goesOn) => {
      if (!goesOn) this.#command(text);
    },
    literal: (beginning) => {
      const id = ID.exec(beginning)?.[1];
      if (id !== undefined && this.#coming?.name === 'APPEND') this.#coming.ids.push(id);
    },
  });
  readonly #down = new Lines({
    line: (text, goesOn) => {
      if (!goesOn) this.#answer(text);
    },
  });

  /** @param wire whose notes may be taken away at any time */
  constructor(wire: { readonly notes: Notes }) {
    this.#wire = wire;
    this.#connection = ++wire.notes.connections;
  }

  up(chunk: Buffer): void {
    this.#wire.notes.bytesUp += chunk.length;
    this.#up.feed(chunk);
  }

  /** Returns the commands whose answers end in this chunk: their time has come when it reaches the client. */
  down(chunk: Buffer): readonly Command[] {
    this.#wire.notes.bytesDown += chunk.length;
    this.#answered = [];
    this.#down.feed(chunk);
    return this.#answered;
  }

  #command(text: string): void {
    const [, tag, name] = COMMAND.exec(text) ?? [];
    if (tag === undefined || name === undefined) return;
    const command: Command = {
      connection: this.#connection,
      name: name.toUpperCase(),
      sent: now(),
      said: 0,
      answered: 0,
      ok: false,
      ids: [],
    };
    this.#coming = command;
    this.#running.set(tag, command);
    this.#wire.notes.commands.push(command);
  }

  #answer(text: string): void {
    const exists = text.startsWith('* ') ? EXISTS.exec(text) : null;
    if (exists) {
      const count = Number(exists[1]);
      this.#wire.notes.exists.push({ connection: this.#connection, count, said: now() });
      return;
    }
    const tag = text.slice(0, text.indexOf(' '));
    const command = this.#running.get(tag);
    if (!command) return;
    this.#running.delete(tag);
    command.said = now();
    command.ok = text.startsWith(`${tag} OK`);
    this.#answered.push(command);
  }
}
