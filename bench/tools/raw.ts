/** A bare IMAP connection: what is written goes out at once, answers come as they are. It checks nothing. */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** An answer or a part of one: its text without literals and line end, and its first literal. */
export interface Answered {
  readonly text: string;
  readonly literal: Buffer | undefined;
}

export interface Where {
  readonly port: number;
  /** Over TLS, trusting this authority; else in plain text. */
  readonly ca?: string;
}

const LITERAL = /\{(\d+)\}$/;
const NONE = Buffer.alloc(0);

export class Raw implements Disposable {
  readonly socket: Socket;
  /** Called with each untagged answer. */
  onUntagged: (answer: Answered) => void = () => undefined;
  readonly #waiting = new Map<string, (answer: string) => void>();
  readonly #continued: (() => void)[] = [];
  #tag = 0;
  #draining: Promise<void> | undefined;
  #rest: Buffer = NONE;
  #text = '';
  #literal: Buffer | undefined;
  #parts: Buffer[] = [];
  #missing = 0;
  #failed: (error: Error) => void = () => undefined;
  /** Rejects when the connection ends or a command is refused. */
  readonly failed: Promise<never>;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.failed = new Promise((_, reject) => {
      this.#failed = reject;
    });
    this.failed.catch(() => undefined);
    socket.on('data', (chunk: Buffer) => this.#heard(chunk));
    socket.on('error', (error) => this.#failed(error));
    socket.on('close', () => this.#failed(new Error('The server closed the connection')));
  }

  static async login({ port, ca }: Where, user: string, password: string): Promise<Raw> {
    const to = { port, host: 'localhost', noDelay: true };
    const raw = new Raw(ca === undefined ? connectPlain(to) : connectTls({ ...to, ca }));
    raw.socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      raw.onUntagged = () => resolve();
      raw.failed.catch(reject);
    });
    raw.onUntagged = () => undefined;
    await raw.command(`LOGIN "${user}" "${password}"`);
    return raw;
  }

  /** Writes a command and resolves with its tagged answer; does not wait for what was written before. */
  command(text: string): Promise<string> {
    const { tag, answered } = this.begin();
    this.socket.write(`${tag} ${text}\r\n`);
    return answered;
  }

  /** A tag for a command that the caller writes itself. */
  begin(): { tag: string; answered: Promise<string> } {
    const tag = `r${++this.#tag}`;
    const told = new Promise<string>((resolve) => this.#waiting.set(tag, resolve));
    const answered = Promise.race([told, this.failed]);
    answered.catch(() => undefined);
    return { tag, answered };
  }

  /** Resolves when the server asks for the next part of a command. */
  continued(): Promise<void> {
    const asked = new Promise<void>((resolve) => this.#continued.push(resolve));
    return Promise.race([asked, this.failed]);
  }

  /** Whether so many bytes at most wait to be sent; if not, `room` waits until it is so. */
  hasRoom(bytes: number): boolean {
    return this.socket.writableLength <= bytes;
  }

  async room(bytes: number): Promise<void> {
    while (!this.hasRoom(bytes)) await Promise.race([this.#drained(), this.failed]);
  }

  #drained(): Promise<void> {
    this.#draining ??= new Promise((resolve) => {
      this.socket.once('drain', () => {
        this.#draining = undefined;
        resolve();
      });
    });
    return this.#draining;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #heard(heard: Buffer): void {
    let at = 0;
    const chunk = this.#rest.length > 0 ? Buffer.concat([this.#rest, heard]) : heard;
    this.#rest = NONE;
    while (at < chunk.length) {
      if (this.#missing > 0) {
        const part = chunk.subarray(at, at + this.#missing);
        this.#parts.push(part);
        this.#missing -= part.length;
        at += part.length;
        if (this.#missing === 0) this.#literal ??= whole(this.#parts.splice(0));
        continue;
      }
      const end = chunk.indexOf('\r\n', at);
      if (end < 0) {
        this.#rest = chunk.subarray(at);
        return;
      }
      const line = chunk.toString('latin1', at, end);
      at = end + 2;
      const literal = LITERAL.exec(line);
      this.#text += literal ? line.slice(0, literal.index) : line;
      this.#missing = Number(literal?.[1] ?? 0);
      if (literal && this.#missing === 0) this.#literal ??= NONE;
      if (!literal) this.#answer();
    }
  }

  #answer(): void {
    const answer = { text: this.#text, literal: this.#literal };
    this.#text = '';
    this.#literal = undefined;
    if (answer.text.startsWith('* ')) this.onUntagged(answer);
    else if (answer.text.startsWith('+')) this.#continued.shift()?.();
    else {
      const [tag = '', status] = answer.text.split(' ', 2);
      if (status !== 'OK') this.#failed(new Error(answer.text));
      this.#waiting.get(tag)?.(answer.text);
      this.#waiting.delete(tag);
    }
  }
}

function whole(parts: Buffer[]): Buffer {
  const [first] = parts;
  return parts.length === 1 && first ? first : Buffer.concat(parts);
}
