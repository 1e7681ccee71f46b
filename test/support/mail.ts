/** Another client: a small IMAP client of the tests' own, so that what they see does not come by the library under test. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

export interface Stored {
  readonly uid: number;
  readonly flags: readonly string[];
  readonly internalDate: Date;
  readonly bytes: Buffer;
}

export interface Put {
  readonly flags?: readonly string[];
  readonly internalDate?: Date;
  /** Sent as literal8 (RFC 3516 §4.4), which may hold NULs. */
  readonly binary?: boolean;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function dateTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  const day = String(date.getUTCDate()).padStart(2, ' ');
  return `"${day}-${MONTHS[date.getUTCMonth()]}-${date.getUTCFullYear()} ${time} +0000"`;
}

function quoted(folder: string): string {
  return `"${folder.replace(/["\\]/g, '\\$&')}"`;
}

/** A plain-text connection to a server on loopback, logged in. */
export class Mail implements AsyncDisposable {
  readonly #socket: Socket;
  #buffer = Buffer.alloc(0);
  /** What came since. */
  #late: Buffer[] = [];
  #tag = 0;
  #wake: () => void = () => undefined;
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#late.push(chunk);
      this.#wake();
    });
    for (const event of ['end', 'close', 'error'] as const) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  static async login(port: number, user: string, password: string): Promise<Mail> {
    const socket = connect(port, '127.0.0.1');
    const mail = new Mail(socket);
    await mail.#line();
    await mail.command(`LOGIN ${quoted(user)} ${quoted(password)}`);
    return mail;
  }

  /** Sends a command and resolves with the untagged answers, literals in place; rejects where it is refused. */
  async command(text: string, literal?: Buffer): Promise<Buffer[]> {
    const tag = `t${++this.#tag}`;
    this.#socket.write(`${tag} ${text}\r\n`);
    if (literal) {
      for (;;) {
        const line = (await this.#line()).toString('latin1');
        if (line.startsWith('+')) break;
        if (line.startsWith(`${tag} `)) throw new Error(line);
      }
      this.#socket.write(literal);
      this.#socket.write('\r\n');
    }
    const answers: Buffer[] = [];
    for (;;) {
      const answer = await this.#line();
      const start = answer.subarray(0, tag.length + 1).toString('latin1');
      if (start !== `${tag} `) {
        answers.push(answer);
        continue;
      }
      const status = answer.toString('latin1');
      if (!status.startsWith(`${tag} OK`)) throw new Error(`${text.slice(0, 80)}: ${status}`);
      answers.push(answer);
      return answers;
    }
  }

  /** Appends a message; rejects where the server refuses it. Resolves with its UID, where the server says it. */
  async put(folder: string, bytes: Buffer, how: Put = {}): Promise<number | undefined> {
    const { flags = [], internalDate, binary = false } = how;
    const date = internalDate ? ` ${dateTime(internalDate)}` : '';
    const literal = `${binary ? '~' : ''}{${bytes.length}}`;
    const answers = await this.command(
      `APPEND ${quoted(folder)} (${flags.join(' ')})${date} ${literal}`,
      bytes,
    );
    const uid = /\[APPENDUID \d+ (\d+)\]/.exec(answers.at(-1)?.toString('latin1') ?? '');
    return uid ? Number(uid[1]) : undefined;
  }

  /** Every message of a folder, opened afresh and read-only. */
  async dump(folder: string): Promise<Stored[]> {
    await this.command(`EXAMINE ${quoted(folder)}`);
    const answers = await this.command('UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])');
    await this.#leave(folder);
    return answers.flatMap((answer) => parsed(answer) ?? []).sort((a, b) => a.uid - b.uid);
  }

  async count(folder: string): Promise<number> {
    const answers = await this.command(`STATUS ${quoted(folder)} (MESSAGES)`);
    return Number(
      /MESSAGES (\d+)/.exec(Buffer.concat(answers).toString('latin1'))?.[1] ?? Number.NaN,
    );
  }

  async uidValidity(folder: string): Promise<number> {
    const answers = await this.command(`STATUS ${quoted(folder)} (UIDVALIDITY)`);
    return Number(/UIDVALIDITY (\d+)/.exec(Buffer.concat(answers).toString('latin1'))?.[1]);
  }

  async create(folder: string): Promise<void> {
    await this.command(`CREATE ${quoted(folder)}`);
  }

  async folders(pattern = '*'): Promise<string[]> {
    const answers = await this.command(`LIST "" ${quoted(pattern)}`);
    return answers.flatMap(
      (answer) => /^\* LIST \(.*?\) \S+ "?(.*?)"?\r\n$/.exec(answer.toString('latin1'))?.[1] ?? [],
    );
  }

  /** Adds or removes flags of messages by UID. */
  async flag(folder: string, uids: string, change: string): Promise<void> {
    await this.command(`SELECT ${quoted(folder)}`);
    await this.command(`UID STORE ${uids} ${change}`);
    await this.#leave(folder);
  }

  async expunge(folder: string, uids: string): Promise<void> {
    await this.command(`SELECT ${quoted(folder)}`);
    await this.command(`UID STORE ${uids} +FLAGS (\\Deleted)`);
    await this.command(`UID EXPUNGE ${uids}`);
    await this.#leave(folder);
  }

  /**
   * Leaves a folder, expunging nothing: one that stays open keeps its old view, and STATUS tells that. Without UNSELECT
   * it is opened read-only first, so that CLOSE leaves what is marked.
   */
  async #leave(folder: string): Promise<void> {
    try {
      await this.command('UNSELECT');
    } catch {
      await this.command(`EXAMINE ${quoted(folder)}`);
      await this.command('CLOSE');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await this.command('LOGOUT').catch(() => undefined);
    this.#socket.destroy();
  }

  /** Takes in what came, once there are so many bytes: each time all of them are copied. Says whether there were any. */
  #gather(least: number): boolean {
    const there = this.#late.reduce((sum, { length }) => sum + length, this.#buffer.length);
    if (this.#late.length === 0 || there < least) return false;
    this.#buffer = Buffer.concat([this.#buffer, ...this.#late.splice(0)]);
    return true;
  }

  /** One answer with its literals. */
  async #line(): Promise<Buffer> {
    let from = 0;
    for (;;) {
      const came = this.#gather(from);
      const end = this.#buffer.indexOf('\r\n', from);
      if (end >= 0) {
        const literal = /\{(\d+)\}$/.exec(
          this.#buffer.subarray(Math.max(from, end - 20), end).toString('latin1'),
        );
        if (literal === null) {
          const line = this.#buffer.subarray(0, end + 2);
          this.#buffer = this.#buffer.subarray(end + 2);
          return line;
        }
        from = end + 2 + Number(literal[1]);
        continue;
      }
      if (came) continue;
      if (this.#ended) throw new Error('The server closed the connection');
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}

/** What is asked of a `Mail` from outside: to put and to read. */
export type Eyes = Pick<Mail, 'put' | 'dump' | 'count' | 'folders'>;

/** Eyes that log in anew for each question: Dovecot remembers a folder for a while after it is another one by now. */
export class FreshEyes implements Eyes {
  readonly #login: () => Promise<Mail>;

  constructor(login: () => Promise<Mail>) {
    this.#login = login;
  }

  put(folder: string, bytes: Buffer, how?: Put): Promise<number | undefined> {
    return this.#asked((mail) => mail.put(folder, bytes, how));
  }

  dump(folder: string): Promise<Stored[]> {
    return this.#asked((mail) => mail.dump(folder));
  }

  count(folder: string): Promise<number> {
    return this.#asked((mail) => mail.count(folder));
  }

  folders(): Promise<string[]> {
    return this.#asked((mail) => mail.folders());
  }

  async #asked<T>(question: (mail: Mail) => Promise<T>): Promise<T> {
    await using mail = await this.#login();
    return await question(mail);
  }
}

function parsed(answer: Buffer): Stored | undefined {
  const text = answer.toString('latin1');
  if (!/^\* \d+ FETCH /.test(text)) return undefined;
  const body = /BODY\[\] (?:\{(\d+)\}\r\n|"")/.exec(text);
  if (!body) return undefined;
  const start = body.index + body[0].length;
  // What a message says about itself in its body is no answer of the server.
  const attributes = text.slice(0, body.index) + text.slice(start + Number(body[1] ?? 0));
  const uid = /\bUID (\d+)/.exec(attributes);
  const date = /INTERNALDATE "([^"]+)"/.exec(attributes);
  const flags = /FLAGS \(([^)]*)\)/.exec(attributes);
  if (!uid || !date || !flags) return undefined;
  return {
    uid: Number(uid[1]),
    flags: (flags[1] ?? '')
      .split(' ')
      .filter((flag) => flag !== '' && flag !== '\\Recent')
      .sort(),
    internalDate: new Date((date[1] ?? '').trim().replace(/-/g, ' ')),
    bytes: Buffer.from(answer.subarray(start, start + Number(body[1] ?? 0))),
  };
}

let made = 0;

/** A message of its own, with CRLF line ends. `size`: at least so many bytes. */
export function message({
  id,
  size = 0,
  body = 'Hello',
}: {
  id?: string;
  size?: number;
  body?: string;
} = {}): Buffer {
  const nth = ++made;
  const lines = 'The quick brown fox jumps over the lazy dog, and again, for the length of it.\r\n';
  return Buffer.from(
    `Message-ID: ${id ?? `<${nth}.${process.pid}@example.org>`}\r\nDate: Mon, 6 May 2024 07:08:09 +0000\r\nFrom: someone@example.org\r\nTo: anna@example.org\r\nSubject: Letter ${nth}\r\n\r\n${body}\r\n${lines.repeat(Math.ceil(size / lines.length))}`,
    'latin1',
  );
}

export interface Sample {
  readonly file: string;
  readonly bytes: Buffer;
  readonly traits: readonly string[];
}

/** The real messages of test/corpus. */
export function corpus(): Sample[] {
  const folder = new URL('../corpus/', import.meta.url);
  const index = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as Omit<
    Sample,
    'bytes'
  >[];
  return index.map(({ file, traits }) => ({
    file,
    traits,
    bytes: readFileSync(new URL(file, folder)),
  }));
}
