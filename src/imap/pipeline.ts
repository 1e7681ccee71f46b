/**
 * APPENDs one behind another on the wire (RFC 9051 §5.5): the next command does not wait for the answer to the one before. A
 * command holds one message, or, on a server that takes that (RFC 3502), several.
 *
 * With literals that wait for no answer (RFC 7888) as many are under way as the window lets; each answer that is OK opens it by one more,
 * so that a whole round trip is filled after a few, and a refusal closes it to one. A literal that has to be asked for
 * goes out together with the next command's line: one round trip a message in place of two. That line's literal follows when
 * the server asks for it after it has answered all before: asked for earlier, it may be that a "+" too many was meant for
 * another command, and what is in the message would be read as commands. A message goes out as the connection takes it; the
 * next command comes behind it, also where this one was refused by then. It is over when all of it is out and answered: no
 * byte of it is needed any more.
 */
import { encodePath, normalizePath } from 'imapflow/lib/tools.js';
import { Failure } from '../domain/failure.ts';
import type { Placement } from '../domain/ports.ts';
import { failureOf, readable } from './answers.ts';
import type { Client } from './client.ts';
import { headOf, type Outgoing, waits, writeLiteral } from './literals.ts';
import { uidsOf } from './sets.ts';
import { refusal, TAGGED, UNTAGGED_REFUSAL } from './tagged.ts';
import type { Window } from './window.ts';

/**
 * Appends messages, each by a command of its own, in their order. Resolves with one placement for each that was sent: after
 * the first refusal nothing more is, and where the connection fails, what was not answered is unknown. Rejects with a
 * Failure only where nothing was sent.
 */
export function pipelined(
  client: Client,
  folder: string,
  messages: readonly Outgoing[],
  window: Window,
): Promise<Placement[]> {
  const commands = messages.map((message) => [message]);
  return appended(client, folder, commands, window);
}

/**
 * Appends all of them by one command, or none (RFC 3502 §6.3.11), with literals that wait for no answer. Rejects with a
 * Failure where the server refuses, or the outcome is not known. APPENDUID must name as many distinct UIDs as there are
 * messages, which then are theirs in order; otherwise they are stored under UIDs not known.
 */
export async function multiAppend(
  client: Client,
  folder: string,
  messages: readonly Outgoing[],
  window: Window,
): Promise<Placement[]> {
  const placements = await appended(client, folder, [messages], window);
  for (const placement of placements) if (placement.is !== 'stored') throw placement.failure;
  return placements;
}

async function appended(
  client: Client,
  folder: string,
  commands: readonly Command[],
  window: Window,
): Promise<Placement[]> {
  const run = new Run(client, folder, commands, window);
  try {
    await client.step('append', () =>
      client.turns.alone(() =>
        client.reading(
          (line) => run.reads(line),
          () => run.whole,
        ),
      ),
    );
  } catch (thrown) {
    run.cutShort(failureOf(thrown, 'append'));
    // The server may still wait for a literal, and would take the next command for it.
    client.close();
  }
  return run.placements.flat();
}

const PLUS = 0x2b;

/** The messages of one APPEND. */
type Command = readonly Outgoing[];

/** One row of APPENDs. */
class Run {
  /** Of each command that is answered, or that is known never to be. */
  readonly placements: Placement[][] = [];
  readonly #client: Client;
  readonly #path: string;
  readonly #commands: readonly Command[];
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
  /** So many were written, and are not out. */
  #leaving = 0;
  #sent = 0;
  #refused = false;
  /** Nothing more is sent, and no answer believed. */
  #failed = false;

  constructor(client: Client, folder: string, commands: readonly Command[], window: Window) {
    this.#client = client;
    this.#path = pathOf(client, folder);
    this.#commands = commands;
    this.#window = window;
  }

  /** Sends the first ones; resolves once all that were sent are out and answered. */
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
    const wanted = this.#wanted === undefined ? undefined : this.#commands[this.#wanted];
    if (wanted !== undefined && this.#underWay.size === 1) {
      this.#wanted = undefined;
      void this.#writeLiterals(wanted);
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
    // Whoever waits for the connection is let in, and told that it is gone.
    this.#fail(failure);
    this.#whole.promise.catch(() => undefined);
    if (this.#sent === 0) throw notBegun(failure);
    for (const place of this.#underWay.values()) {
      // Of one whose literal was not asked for only the announcement went out.
      this.#place(place, () => ({ is: place === this.#wanted ? 'held' : 'unknown', failure }));
    }
  }

  #answered(place: number, status: string, words: string): void {
    // Refused before its literal was asked for: it is not sent.
    if (this.#wanted === place) {
      this.#wanted = undefined;
      this.#early = false;
    }
    if (status === 'OK') {
      const copies = copiesOf(words, this.#commands[place]?.length ?? 0);
      this.#place(place, (i) => ({ is: 'stored', ...copies[i] }));
      if (!this.#refused) this.#window.stored();
    } else {
      const placement = placementOf(failureOf(refusal(status, words), 'append'));
      this.#place(place, () => placement);
      this.#window.refused();
      this.#refused = true;
    }
    this.#send();
  }

  /** Keeps what became of each message of one command. */
  #place(place: number, of: (i: number) => Placement): void {
    this.placements[place] = (this.#commands[place] ?? []).map((_, i) => of(i));
  }

  #send(): void {
    while (this.#mayGoOn) this.#begin(this.#sent++);
    this.#settle();
    // Whether it will ask for this one again nobody knows. On another connection nothing is announced before its turn.
    if (this.#early && this.#underWay.size === 1) this.#fail(tooEarly('+'));
  }

  /** Answered is not enough: a server may lie, and what is still to go out would go out of memory that is let go by then. */
  #settle(): void {
    if (this.#underWay.size === 0 && !this.#streaming && this.#leaving === 0) this.#whole.resolve();
  }

  get #mayGoOn(): boolean {
    const next = this.#commands[this.#sent]?.[0];
    const isFree = this.#wanted === undefined && !this.#streaming;
    if (next === undefined || this.#refused || this.#failed || !isFree) return false;
    const { size, asking } = this.#window;
    const mayWait = asking.orderly || this.#underWay.size === 0 || !waits(this.#client, next);
    return mayWait && this.#underWay.size < size;
  }

  #begin(place: number): void {
    const messages = this.#commands[place] ?? [];
    const [first] = messages;
    if (first === undefined) return;
    const tag = this.#window.nextTag();
    this.#underWay.set(tag, place);
    this.#client.writable.write(`${tag} APPEND ${this.#path} ${headOf(this.#client, first)}\r\n`);
    if (waits(this.#client, first)) this.#wanted = place;
    else void this.#writeLiterals(messages);
  }

  async #writeLiterals(messages: Command): Promise<void> {
    this.#streaming = true;
    try {
      const { writable } = this.#client;
      for (const [i, message] of messages.entries()) {
        if (i > 0) writable.write(` ${headOf(this.#client, message)}\r\n`);
        await writeLiteral(writable, message.content);
        if (writable.destroyed) return;
      }
      this.#leaving++;
      writable.write('\r\n', () => {
        this.#leaving--;
        this.#settle();
      });
      this.#streaming = false;
      this.#send();
    } catch (thrown) {
      // In the middle of a literal there is no other way to say that it does not come: nothing of it is stored.
      this.#client.fail(thrown);
      this.#fail(thrown);
    }
  }
}

/** Where each copy lies, if the answer says so of all of them (APPENDUID, RFC 4315 §3); else none. */
function copiesOf(words: string, count: number): { copy: { uidValidity: number; uid: number } }[] {
  const [, validity, set = ''] = /^\[APPENDUID (\d{1,10}) ([\d,:]+)\]/i.exec(words) ?? [];
  const uids = uidsOf(set, count);
  if (uids?.length !== count) return [];
  return uids.map((uid) => ({ copy: { uidValidity: Number(validity), uid } }));
}

/** As it is told of what was under way; this was not. */
function notBegun(failure: Failure): Failure {
  const { message, step, scope, kind } = failure;
  return new Failure(message, { step, scope, kind, cause: failure });
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
