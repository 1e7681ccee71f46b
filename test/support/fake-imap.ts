/** A mail server that says what a test tells it to, word for word, on loopback; and what was said to it. */

import { createServer, type Server, type Socket } from 'node:net';
import {
  createSecureContext,
  type SecureContextOptions,
  type SecureVersion,
  TLSSocket,
} from 'node:tls';
import type { Account } from '../../src/domain/route.ts';
import { listening } from './ports.ts';

/** Answers one command. Returns the lines to send, or nothing where it sends by itself, or says nothing at all. */
export type Reply = (
  command: { readonly tag: string; readonly args: string },
  line: Line,
) => string | undefined;

export interface FakeOptions {
  /** Certificate and key as PEM; TLS from the first byte with `implicit`, else after STARTTLS. */
  readonly tls?: SecureContextOptions & { readonly maxVersion?: SecureVersion };
  readonly implicit?: boolean;
  /** The greeting's line; `null` for a server that says nothing by itself. */
  readonly greeting?: string | null;
  /** Called for each connection, before the greeting. */
  readonly onConnect?: (line: Line) => void;
  readonly capability?: string;
  /** Answers by command name, in place of the usual ones. */
  readonly replies?: Readonly<Record<string, Reply>>;
  /**
   * What is said to an APPEND whose literal waits to be asked for, in place of "+ go on"; '' for nothing yet. With a tag it is
   * the answer, and no literal is read.
   */
  readonly announced?: (tag: string, line: Line) => string | undefined;
}

/** One client's connection as the server sees it. */
export class Line {
  socket: Socket;
  readonly server: FakeImap;
  #buffer = Buffer.alloc(0);
  #command = '';
  #literal = 0;

  constructor(server: FakeImap, socket: Socket) {
    this.server = server;
    this.socket = socket;
    this.listen(socket);
  }

  listen(socket: Socket): void {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.server.heard.push(chunk);
      this.#take(chunk);
    });
  }

  send(lines: string): void {
    if (!this.socket.destroyed) this.socket.write(`${lines}\r\n`, 'latin1');
  }

  /** Asks for a literal, or says what it is told to. Whether the command is answered by that. */
  #refuses(): boolean {
    const [tag = ''] = this.#command.split(' ');
    const said = this.server.options.announced?.(tag, this) ?? '+ go on';
    if (said !== '') this.send(said);
    return said.startsWith(`${tag} `);
  }

  startTls(): void {
    const plain = this.socket;
    plain.removeAllListeners('data');
    const secureContext = createSecureContext(this.server.options.tls);
    this.listen(new TLSSocket(plain, { isServer: true, secureContext }));
  }

  #take(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      if (this.#literal > 0) {
        if (this.#buffer.length < this.#literal) return;
        this.#command += this.#buffer.toString('latin1', 0, this.#literal);
        this.#buffer = this.#buffer.subarray(this.#literal);
        this.#literal = 0;
      }
      const end = this.#buffer.indexOf('\r\n');
      if (end < 0) return;
      const text = this.#buffer.toString('latin1', 0, end);
      this.#buffer = this.#buffer.subarray(end + 2);
      const literal = /\{(\d+)(\+?)\}$/.exec(text);
      this.#command += literal ? `${text}\r\n` : text;
      if (literal) {
        if (literal[2] === '' && this.#refuses()) this.#command = '';
        else this.#literal = Number(literal[1]);
        continue;
      }
      const command = this.#command;
      this.#command = '';
      this.server.answer(command, this);
    }
  }
}

const MB = 1024 * 1024;

/**
 * Sends `piece` over and over, as fast as it is taken, until the connection ends or `most` bytes went out; then calls
 * `then`, unless the connection ended.
 */
export function flood({ socket }: Line, piece: string, most = 200 * MB, then?: () => void): void {
  const chunk = Buffer.from(piece.repeat(Math.ceil(MB / 4 / piece.length)), 'latin1');
  let left = most;
  const more = () => {
    while (!socket.destroyed && left > 0) {
      const next = chunk.subarray(0, left);
      left -= next.length;
      if (socket.write(next)) continue;
      socket.once('drain', more);
      return;
    }
    if (!socket.destroyed) then?.();
  };
  more();
}

const USUAL: Readonly<Record<string, Reply>> = {
  CAPABILITY: ({ tag }, { server }) => `* CAPABILITY ${server.capability}\r\n${tag} OK done`,
  ID: ({ tag }) => `* ID ("name" "fake" "version" "1")\r\n${tag} OK done`,
  LOGIN: ({ tag }, { server }) => `${tag} OK [CAPABILITY ${server.capability}] logged in`,
  NAMESPACE: ({ tag }) => `* NAMESPACE (("" "/")) NIL NIL\r\n${tag} OK done`,
  LIST: ({ tag }) => `* LIST (\\HasNoChildren) "/" INBOX\r\n${tag} OK done`,
  LSUB: ({ tag }) => `${tag} OK done`,
  SELECT: ({ tag }) =>
    `* FLAGS (\\Seen \\Deleted)\r\n* 0 EXISTS\r\n* OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] ok\r\n` +
    `* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 1] ok\r\n${tag} OK [READ-WRITE] done`,
  NOOP: ({ tag }) => `${tag} OK done`,
  LOGOUT: ({ tag }, line) => {
    line.send(`* BYE see you\r\n${tag} OK done`);
    line.socket.end();
    return undefined;
  },
  IDLE: ({ tag }, line) => {
    line.server.idleTag = tag;
    return '+ idling';
  },
  DONE: (_, { server }) => `${server.idleTag} OK done`,
  STARTTLS: ({ tag }, line) => {
    line.send(`${tag} OK begin`);
    line.startTls();
    return undefined;
  },
};

/** Whom a fake server lets in, in plain text on loopback: everybody. */
export function fakeAccount(side: Account['side'], port: number): Account {
  return {
    side,
    host: '127.0.0.1',
    port,
    security: 'none',
    user: 'anna',
    auth: 'password',
    secret: async () => 'secret-of-anna',
  };
}

export class FakeImap implements AsyncDisposable {
  port = 0;
  /** Every byte heard, inside TLS where there is TLS. */
  readonly heard: Buffer[] = [];
  /** Every command heard, whole, literals included, as Latin-1. */
  readonly commands: string[] = [];
  readonly lines: Line[] = [];
  idleTag = '';
  readonly options: FakeOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Set<() => void>();

  private constructor(options: FakeOptions) {
    this.options = options;
    this.#server = createServer({ noDelay: true }, (plain) => this.#welcome(plain));
  }

  static async start(options: FakeOptions = {}): Promise<FakeImap> {
    const fake = new FakeImap(options);
    fake.port = await listening(fake.#server);
    return fake;
  }

  get capability(): string {
    return this.options.capability ?? 'IMAP4rev1 IDLE UIDPLUS LITERAL+ MULTIAPPEND';
  }

  /** All that was heard as text. */
  get text(): string {
    return Buffer.concat(this.heard).toString('latin1');
  }

  /** Resolves once `seen` holds, which is asked after each command. */
  async until(seen: () => boolean): Promise<void> {
    while (!seen()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  answer(command: string, line: Line): void {
    this.commands.push(command);
    const [tag = '', first = '', second = ''] = command.split(' ');
    const name = (tag === 'DONE' ? tag : first === 'UID' ? `UID ${second}` : first).toUpperCase();
    const reply = this.options.replies?.[name] ?? USUAL[name];
    const args = command.slice(`${tag} ${name} `.length);
    const lines = reply ? reply({ tag, args }, line) : `${tag} BAD what?`;
    if (lines !== undefined) line.send(lines);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #welcome(plain: Socket): void {
    this.#sockets.add(plain);
    plain.on('error', () => undefined);
    plain.on('close', () => this.#sockets.delete(plain));
    const { implicit, tls, greeting = `* OK [CAPABILITY ${this.capability}] hello` } = this.options;
    const socket = implicit
      ? new TLSSocket(plain, { isServer: true, secureContext: createSecureContext(tls) })
      : plain;
    const line = new Line(this, socket);
    this.lines.push(line);
    this.options.onConnect?.(line);
    if (greeting === null) return;
    if (implicit) socket.once('secure', () => line.send(greeting));
    else line.send(greeting);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
