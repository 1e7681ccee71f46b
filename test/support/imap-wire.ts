/**
 * A wire that understands IMAP: it sees every command and every answer between client and server, and does to them what
 * the test says. Plain text only. Literals are kept apart from lines, so that mail can't be taken for protocol.
 */

import { connect, createServer, type Server, type Socket } from 'node:net';
import { listening } from './ports.ts';

export interface Command {
  readonly tag: string;
  /** In capitals; `UID FETCH`, not `UID`. */
  readonly name: string;
  /** The command's first line, without its end. */
  readonly line: string;
  /** The nth command on this wire, from 1, over all its connections. */
  readonly nth: number;
  /** The nth connection of this wire, from 1. */
  readonly connection: number;
}

/** A moment at which a test may interfere. */
export interface Moment {
  /**
   * - `before`: the command's first line has come, nothing of it has gone on
   * - `up`: half of a literal of the command has gone on to the server
   * - `down`: half of a literal of its answer has gone on to the client
   * - `after`: the server's tagged answer has come, and has not gone on
   */
  readonly when: 'before' | 'up' | 'down' | 'after';
  readonly command: Command;
  /** With `after`: the tagged answer's line. */
  readonly answer?: string;
}

/** What is done at a moment. Nothing: all goes its way. */
export type Deed =
  | undefined
  /** The connection is closed (FIN), or broken off (RST), on both sides. */
  | 'end'
  | 'reset'
  /** The connection stays; whatever is sent on it, by whomever, goes nowhere from now on. */
  | 'silence'
  /**
   * `before`: the server hears nothing of the command, the client hears this. `after`: in place of the tagged answer.
   * `end`: the connection is closed then, as after a BYE.
   */
  | Say
  /** `before`, `after`: goes its way once this is done, and nothing else on that connection before it. */
  | Hold
  /**
   * `before`: the server gets this in place of the whole command with its literals, and the answer goes its way. Where a
   * string is returned, the server gets nothing, and the client hears that.
   */
  | Send;

interface Say {
  readonly say: string;
  readonly end?: true;
}

interface Hold {
  readonly first: () => Promise<unknown>;
}

interface Send {
  readonly send: (command: Buffer) => Buffer | string;
}

export interface ImapWireOptions {
  readonly to: number;
  /** Called at each moment, on each connection. */
  readonly at?: (moment: Moment) => Deed;
  /**
   * Called with each untagged answer as a whole, literals included, and the command it is most likely meant for.
   * Resolves with what the client gets instead.
   */
  readonly untagged?: (answer: Buffer, command: Command | undefined) => Buffer;
}

const LITERAL = /\{(\d+)\+?\}$/;
const COMMAND = /^([^\s+*(){%"\\\]]+) (UID [A-Za-z]+|[A-Za-z]+)/;

export class ImapWire implements AsyncDisposable {
  port = 0;
  at: ((moment: Moment) => Deed) | undefined;
  untagged: ((answer: Buffer, command: Command | undefined) => Buffer) | undefined;
  /** Called as a connection is made, by its number; nothing has gone either way, not even the greeting. */
  onJoin: ((nth: number) => 'end' | 'reset' | 'silence' | undefined) | undefined;
  /** Every command that has come, in order, as its name. */
  readonly commands: Command[] = [];
  /** Connections ever made. */
  made = 0;
  readonly #to: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #strands = new Set<Strand>();

  private constructor({ to, at, untagged }: ImapWireOptions) {
    this.#to = to;
    this.at = at;
    this.untagged = untagged;
    this.#server = createServer({ noDelay: true }, (client) => this.#join(client));
  }

  static async between(options: ImapWireOptions): Promise<ImapWire> {
    const wire = new ImapWire(options);
    wire.port = await listening(wire.#server);
    return wire;
  }

  /** From now on nobody answers on the port. What stands, stands. */
  refuse(): void {
    this.#server.close();
  }

  /** From now on it answers again. */
  answer(): void {
    this.#server.listen(this.port, '127.0.0.1');
  }

  /** How many connections stand. */
  get open(): number {
    return this.#sockets.size / 2;
  }

  /** Breaks off every connection that stands. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends, breaks off or silences every connection that stands, whatever is under way on it. */
  strike(deed: 'end' | 'reset' | 'silence'): void {
    for (const strand of this.#strands) strand.strike(deed);
  }

  note(tag: string, name: string, line: string, connection: number): Command {
    const nth = this.commands.length + 1;
    const command = { tag, name: name.toUpperCase(), line, nth, connection };
    this.commands.push(command);
    return command;
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#to, host: '127.0.0.1', noDelay: true });
    const line = new Strand(this, ++this.made, client, server);
    this.#strands.add(line);
    client.on('close', () => this.#strands.delete(line));
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('data', (chunk: Buffer) => line.heard(socket === client, chunk));
      socket.on('end', () => line.inTurn(socket === client, () => other.end()));
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        line.inTurn(socket === client, () => other.destroy());
      });
    }
    const deed = this.onJoin?.(this.made);
    if (deed) line.strike(deed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** One direction of a connection: what has come and is not yet understood. */
interface Flow {
  rest: Buffer;
  /** Bytes of a literal still to come, and how many of them are left when half of it is through. */
  literal: number;
  half: number;
  /** What makes up the command or answer that is under way, kept back until it is whole; `undefined`: it goes on at once. */
  kept: Buffer[] | undefined;
  /** What waits until a test has done something; `undefined`: nothing is waited for. */
  held: (() => void)[] | undefined;
  holds: number;
}

const flow = (): Flow => ({
  rest: Buffer.alloc(0),
  literal: 0,
  half: 0,
  kept: undefined,
  held: undefined,
  holds: 0,
});

/** One connection through the wire. */
class Strand {
  readonly #wire: ImapWire;
  readonly #nth: number;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #up = flow();
  readonly #down = flow();
  /** Commands sent and not answered, by tag. */
  readonly #running = new Map<string, Command>();
  /** The command whose parts are coming. */
  #coming: Command | undefined;
  /** What is done with that command once it is whole. */
  #swallow: Say | Send | undefined;
  /** Continuations that the server will ask for and the client must not see. */
  #unasked = 0;
  #deaf = false;

  constructor(wire: ImapWire, nth: number, client: Socket, server: Socket) {
    this.#wire = wire;
    this.#nth = nth;
    this.#client = client;
    this.#server = server;
  }

  strike(deed: 'end' | 'reset' | 'silence'): void {
    this.#deaf = true;
    if (deed === 'silence') return;
    for (const socket of [this.#client, this.#server]) {
      if (deed === 'reset') socket.resetAndDestroy();
      else socket.end();
    }
  }

  heard(up: boolean, chunk: Buffer): void {
    const one = up ? this.#up : this.#down;
    one.rest = Buffer.concat([one.rest, chunk]);
    while (!this.#deaf && one.rest.length > 0) {
      if (one.literal > 0) this.#literal(up, one);
      else {
        const end = one.rest.indexOf('\r\n');
        if (end < 0) return;
        const line = one.rest.subarray(0, end + 2);
        one.rest = one.rest.subarray(end + 2);
        if (up) this.#lineUp(line);
        else this.#lineDown(line);
      }
    }
  }

  #literal(up: boolean, one: Flow): void {
    const until = one.half > 0 ? one.half : one.literal;
    const part = one.rest.subarray(0, until);
    one.rest = one.rest.subarray(part.length);
    one.literal -= part.length;
    this.#pass(up, part);
    if (one.half === 0) return;
    one.half -= part.length;
    if (one.half > 0) return;
    const command = up ? this.#coming : this.#latest();
    if (command && one.kept === undefined) this.#do({ when: up ? 'up' : 'down', command });
  }

  /** A line from the client: a command, what comes after a literal, or a continuation (AUTHENTICATE, DONE). */
  #lineUp(line: Buffer): void {
    const text = line.toString('latin1').slice(0, -2);
    const [, tag = '', name = ''] = COMMAND.exec(text) ?? [];
    if (this.#coming === undefined && tag !== '') {
      const command = this.#wire.note(tag, name, text, this.#nth);
      this.#running.set(tag, command);
      this.#coming = command;
      this.#do({ when: 'before', command });
      if (this.#deaf) return;
    }
    this.#pass(true, line);
    const length = Number(LITERAL.exec(text)?.[1] ?? 0);
    if (LITERAL.test(text)) {
      this.#up.literal = length;
      this.#up.half = Math.floor(length / 2);
      if (this.#swallow && !text.endsWith('+}')) {
        this.#client.write('+ go ahead\r\n');
        this.#unasked++;
      }
      return;
    }
    this.#whole();
  }

  /** The command has come whole: one that was kept back is answered, or sent in its other form. */
  #whole(): void {
    const { kept } = this.#up;
    const command = this.#coming;
    this.#coming = undefined;
    this.#up.kept = undefined;
    const deed = this.#swallow;
    this.#swallow = undefined;
    if (!deed || !kept || !command) return;
    const said = 'send' in deed ? deed.send(Buffer.concat(kept)) : deed.say;
    if (typeof said === 'string') {
      this.#running.delete(command.tag);
      this.#unasked = 0;
      this.#say({ ...deed, say: said }, command);
    } else this.#write(true, said);
  }

  #say({ say, end }: Say, { tag }: Command): void {
    this.#write(false, `${say.replaceAll('TAG', tag)}\r\n`);
    if (end) this.strike('end');
  }

  #lineDown(line: Buffer): void {
    const one = this.#down;
    const text = line.toString('latin1').slice(0, -2);
    if (one.kept === undefined && text.startsWith('+') && this.#unasked > 0) {
      this.#unasked--;
      return;
    }
    const command =
      one.kept === undefined ? this.#running.get(text.split(' ')[0] ?? '') : undefined;
    if (command) {
      this.#do({ when: 'after', command, answer: text }, line);
      return;
    }
    if (one.kept === undefined && this.#wire.untagged && text.startsWith('* ')) one.kept = [];
    this.#pass(false, line);
    const length = Number(LITERAL.exec(text)?.[1] ?? 0);
    if (length > 0) {
      one.literal = length;
      one.half = Math.floor(length / 2);
      return;
    }
    const { kept } = one;
    one.kept = undefined;
    if (kept) this.#write(false, this.#wire.untagged?.(Buffer.concat(kept), this.#latest()) ?? '');
  }

  #latest(): Command | undefined {
    return [...this.#running.values()].at(-1);
  }

  #pass(up: boolean, bytes: Buffer): void {
    const one = up ? this.#up : this.#down;
    if (one.kept) one.kept.push(bytes);
    else if (!this.#deaf) this.#write(up, bytes);
  }

  #write(up: boolean, bytes: Buffer | string): void {
    const to = up ? this.#server : this.#client;
    this.inTurn(up, () => {
      if (!this.#deaf && to.writable) to.write(bytes);
    });
  }

  /** Does it once all that came before from that side has gone on. */
  inTurn(up: boolean, deed: () => void): void {
    const { held } = up ? this.#up : this.#down;
    if (held) held.push(deed);
    else deed();
  }

  /** What `first` rejects with is nobody's to catch: the test run fails of it. */
  #hold(up: boolean, { first }: Hold): void {
    const one = up ? this.#up : this.#down;
    one.held ??= [];
    one.holds++;
    void first().finally(() => {
      if (--one.holds > 0) return;
      const { held = [] } = one;
      one.held = undefined;
      for (const deed of held) deed();
    });
  }

  /** Asks the test, and does as it says. `line`: the tagged answer, which goes on unless it says otherwise. */
  #do(moment: Moment, line?: Buffer): void {
    const deed = this.#wire.at?.(moment);
    const { command, when } = moment;
    if (when === 'after') this.#running.delete(command.tag);
    if (deed === undefined) {
      if (line) this.#write(false, line);
    } else if (typeof deed === 'string') {
      this.strike(deed);
    } else if ('first' in deed) {
      this.#hold(when === 'before' || when === 'up', deed);
      if (line) this.#write(false, line);
    } else if (when === 'after') {
      if (!('say' in deed)) throw new Error('after an answer only `say` can be done');
      this.#say(deed, command);
    } else if (when === 'before') {
      this.#swallow = deed;
      this.#up.kept = [];
    } else throw new Error('in a literal nothing can be said');
  }
}
