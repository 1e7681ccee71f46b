/**
 * APPENDs one behind another on the wire (RFC 9051 §5.5): the next command does not wait for the answer to the one before.
 *
 * With literals that wait for no answer (RFC 7888) as many are under way as the window lets; each answer that is OK opens it by one more,
 * so that a whole round trip is filled after a few, and a refusal closes it to one. A literal that has to be asked for
 * goes out together with the next command's line: one round trip a message in place of two. That line's literal follows when
 * the server asks for it after it has answered all before: asked for earlier, it may be that a "+" too many was meant for
 * another command, and what is in the message would be read as commands. A message that is not in memory is read and sent
 * piece by piece, as the connection takes it; the next command comes behind it.
 */
import { encodePath, normalizePath } from 'imapflow/lib/tools.js';
import { Failure } from '../domain/failure.ts';
import type { Placement } from '../domain/ports.ts';
import { failureOf, readable } from './answers.ts';
import type { Client } from './client.ts';
import { headOf, type Outgoing, waits, writeLiteral } from './literals.ts';
import { refusal, TAGGED, UNTAGGED_REFUSAL } from './tagged.ts';
import type { Window } from './window.ts';

/**
 * Appends messages, each by a command of its own, in their order. Resolves with one placement for each that was sent: after
 * the first refusal nothing more is, and where the connection fails, what was not answered is unknown. Rejects with a
 * Failure only where nothing was sent.
 */
export async function pipelined(
  client: Client,
  folder: string,
  messages: readonly Outgoing[],
  window: Window,
): Promise<Placement[]> {
  const run = new Run(client, folder, messages, window);
  try {
    await client.step('append', () =>
      client.reading(
        (line) => run.reads(line),
        () => run.whole,
      ),
    );
  } catch (thrown) {
    run.cutShort(failureOf(thrown, 'append'));
    // The server may still wait for a literal, and would take the next command for it.
    client.close();
  }
  return run.placements;
}

const PLUS = 0x2b;

/** One row of APPENDs. */
class Run {
  readonly placements: Placement[] = [];
  readonly #client: Client;
  readonly #path: string;
  readonly #messages: readonly Outgoing[];
  readonly #window: Window;
  readonly #whole = Promise.withResolvers<void>();
  /** Sent, and not answered: the place of each by its tag. */
  readonly #underWay = new Map<string, number>();
  /** Its literal has to be asked for by the server; it is the last of those under way. */
  #wanted: number | undefined;
  /** The server asked for a literal before its time. */
  #early = false;
  /** A literal goes out as it is read, and nothing may come in between. */
  #streaming = false;
  #sent = 0;
  #refused = false;
  /** Nothing more is sent, and no answer believed. */
  #failed = false;

  constructor(client: Client, folder: string, messages: readonly Outgoing[], window: Window) {
    this.#client = client;
    this.#path = pathOf(client, folder);
    this.#messages = messages;
    this.#window = window;
  }

  /** Sends the first ones; resolves once all that were sent are answered. */
  get whole(): Promise<void> {
    this.#send();
    return this.#whole.promise;
  }

  /** Whether a line of the server is about one of these commands. */
  reads(line: Buffer): boolean {
    if (this.#failed) return false;
    if (line[0] === PLUS) {
      this.#asked();
      return true;
    }
    const text = line.toString('utf8');
    const [, tag = '', status = '', words = ''] = TAGGED.exec(text) ?? [];
    const place = this.#underWay.get(tag);
    if (place === undefined) {
      // Whose answer it is nobody knows.
      if (UNTAGGED_REFUSAL.test(text)) this.#fail(unclear(text));
      return false;
    }
    // Of what was not sent nothing can be stored.
    if (place === this.#wanted && status.toUpperCase() === 'OK') this.#fail(tooEarly(text));
    else {
      this.#underWay.delete(tag);
      this.#answered(place, status.toUpperCase(), words);
    }
    return true;
  }

  /** The server said "+". */
  #asked(): void {
    const wanted = this.#wanted === undefined ? undefined : this.#messages[this.#wanted];
    if (wanted !== undefined && this.#underWay.size === 1) {
      this.#wanted = undefined;
      void this.#writeLiteral(wanted);
      return;
    }
    this.#window.asking.orderly = false;
    this.#early = this.#wanted !== undefined;
  }

  #fail(why: unknown): void {
    this.#failed = true;
    this.#whole.reject(why);
  }

  /** The connection failed: of what was sent and not answered nobody knows. */
  cutShort(failure: Failure): void {
    if (this.#sent === 0) throw failure;
    for (const place of this.#underWay.values()) {
      // Of one whose literal was not asked for only the announcement went out.
      this.placements[place] = { is: place === this.#wanted ? 'held' : 'unknown', failure };
    }
  }

  #answered(place: number, status: string, words: string): void {
    // Refused before its literal was asked for: it is not sent.
    if (this.#wanted === place) {
      this.#wanted = undefined;
      this.#early = false;
    }
    if (status === 'OK') {
      this.placements[place] = { is: 'stored', ...copyOf(words) };
      if (!this.#refused) this.#window.stored();
    } else {
      this.placements[place] = placementOf(failureOf(refusal(status, words), 'append'));
      this.#window.refused();
      this.#refused = true;
    }
    this.#send();
  }

  #send(): void {
    while (this.#mayGoOn) this.#begin(this.#sent++);
    if (this.#underWay.size === 0 && !this.#streaming) this.#whole.resolve();
    // Whether it will ask for this one again nobody knows. On another connection nothing is announced before its turn.
    if (this.#early && this.#underWay.size === 1) this.#fail(tooEarly('+'));
  }

  get #mayGoOn(): boolean {
    const next = this.#messages[this.#sent];
    const isFree = this.#wanted === undefined && !this.#streaming;
    if (next === undefined || this.#refused || this.#failed || !isFree) return false;
    const { size, asking } = this.#window;
    const mayWait = asking.orderly || this.#underWay.size === 0 || !waits(this.#client, next);
    return mayWait && this.#underWay.size < size;
  }

  #begin(place: number): void {
    const message = this.#messages[place];
    if (message === undefined) return;
    const tag = this.#window.nextTag();
    this.#underWay.set(tag, place);
    this.#client.writable.write(`${tag} APPEND ${this.#path} ${headOf(this.#client, message)}\r\n`);
    if (waits(this.#client, message)) this.#wanted = place;
    else void this.#writeLiteral(message);
  }

  async #writeLiteral({ content }: Outgoing): Promise<void> {
    this.#streaming = true;
    try {
      const { writable } = this.#client;
      await writeLiteral(writable, content);
      if (writable.destroyed) return;
      writable.write('\r\n');
      this.#streaming = false;
      this.#send();
    } catch (thrown) {
      // In the middle of a literal there is no other way to say that it does not come: nothing of it is stored.
      this.#client.close();
      this.#fail(thrown);
    }
  }
}

/** Where the copy lies, as far as the answer says so (APPENDUID, RFC 4315 §3). */
function copyOf(words: string): { copy?: { uidValidity: number; uid: number } } {
  const [, uidValidity, uid] = /^\[APPENDUID (\d{1,10}) (\d{1,10})\]/i.exec(words) ?? [];
  return uid === undefined ? {} : { copy: { uidValidity: Number(uidValidity), uid: Number(uid) } };
}

function placementOf(failure: Failure): Placement {
  return { is: failure.scope === 'message' ? 'refused' : 'held', failure };
}

function unclear(text: string): Failure {
  return new Failure(
    `The server answered in a way that can not be understood (${readable(text)}). Whether it stored the message is not known: imapferry connects anew and looks for it.`,
    {
      step: 'append',
      scope: 'connection',
      outcomeUnknown: true,
    },
  );
}

function tooEarly(text: string): Failure {
  return new Failure(
    `The server answered an APPEND before its turn (${readable(text)}). Nothing of that message was sent: imapferry connects anew and tries it again.`,
    { step: 'append', scope: 'connection' },
  );
}

/** A folder's name as it goes out: modified UTF-7 (RFC 3501 §5.1.3), as an atom or quoted. */
function pathOf({ flow }: Client, folder: string): string {
  const path = encodePath(flow, normalizePath(flow, folder));
  if (/^[\w./&+,#:-]+$/.test(path) && path.toUpperCase() !== 'NIL') return path;
  if (!/[\r\n\0]/.test(path)) return `"${path.replace(/["\\]/g, '\\$&')}"`;
  throw new Failure(
    `The name of the folder ${readable(folder)} holds a line break or NUL, and can not be sent. Its mail stays at the source: name another folder in FOLDERS.`,
    {
      step: 'append',
      scope: 'folder',
      lasting: true,
    },
  );
}
