/**
 * Commands asked ahead, one behind another on the wire (RFC 9051 §5.5): a round trip for some of them together, where the
 * library sends none before it has the answer to the one before.
 */
import type { MailboxObject } from 'imapflow';
import { Failure, type Step } from '../domain/failure.ts';
import { failureOf, readable } from './answers.ts';
import type { Client } from './client.ts';
import { openMailbox, type Row, rowOf } from './fetch.ts';
import type { Answer } from './internals.ts';
import { refusal, TAGGED, UNTAGGED_REFUSAL } from './tagged.ts';

export interface Question {
  /** The command as it goes out, without its tag and without literals. */
  readonly command: string;
  /** Called once it is answered with OK. */
  readonly answered?: () => void;
}

export interface Asking {
  /** So many questions at most have no answer yet. */
  readonly most: number;
  /** The question to be sent now, if there is one; asked again after each answer. */
  readonly next: () => Question | undefined;
  /**
   * Gets each message that the server tells of meanwhile, and is waited for before more is read. To which of the questions
   * that belongs only its content says: Dovecot answers them in their order, but may say later that it has.
   */
  readonly take: (row: Row) => void | Promise<void>;
}

/** A tag that nobody else has on any connection: the library's are hexadecimal. */
let tags = 0;

/**
 * Asks until there is no further question; resolves once all are answered. Several may ask on one connection at a time. No
 * question may change what is told to another: Dovecot still shows what a command expunges to the one right behind it. What
 * is refused, or thrown by whom an answer is handed to, ends the asking: rejects with that once the others are answered.
 */
export function askAhead(client: Client, step: Step, asking: Asking): Promise<void> {
  return client.step(step, () => client.turns.beside(() => joined(client, step, asking)));
}

/** Where somebody asks just now. */
const RUNS = new WeakMap<Client, Run>();

async function joined(client: Client, step: Step, asking: Asking): Promise<void> {
  let run = RUNS.get(client);
  while (run?.isOver) {
    await run.closed;
    run = RUNS.get(client);
  }
  if (run === undefined) {
    run = new Run(client);
    RUNS.set(client, run);
    run.begin();
  }
  try {
    await run.join(step, asking);
  } finally {
    // Who comes next finds the connection as it was.
    if (run.isOver) await run.closed;
  }
}

/** Who asks, and what has come of it. */
interface Asked extends Asking {
  readonly step: Step;
  readonly done: PromiseWithResolvers<void>;
  /** So many of its questions are not answered. */
  open: number;
  failure?: { readonly thrown: unknown };
}

/** All that is asked on a connection from the first question to when none is left. */
class Run {
  readonly #client: Client;
  readonly #mailbox: MailboxObject;
  readonly #whole = Promise.withResolvers<void>();
  readonly #askers = new Set<Asked>();
  /** Sent, and not answered, by their tags. */
  readonly #underWay = new Map<string, { readonly asker: Asked; readonly question: Question }>();
  #goesOn = false;
  /** Nobody can join it any more. */
  isOver = false;
  /** Resolves, never rejects, once the library has the connection again. */
  closed: Promise<void> = Promise.resolve();

  constructor(client: Client) {
    this.#client = client;
    this.#mailbox = openMailbox(client);
    // It may be rejected before anybody waits for it.
    this.#whole.promise.catch(() => undefined);
  }

  begin(): void {
    this.closed = this.#read().catch((thrown: unknown) => this.#end(thrown));
  }

  async #read(): Promise<void> {
    const { untaggedHandlers } = this.#client.flow;
    const { FETCH: before } = untaggedHandlers;
    try {
      await this.#client.reading(
        (line) => this.#reads(line),
        () => {
          untaggedHandlers.FETCH = (answer) => this.#fetched(answer);
          this.#goesOn = true;
          for (const asker of [...this.#askers]) this.#send(asker);
          return this.#whole.promise;
        },
      );
    } finally {
      if (before) untaggedHandlers.FETCH = before;
      RUNS.delete(this.#client);
      // What is still to come would be taken for the answer to the next command.
      if (this.#underWay.size > 0) this.#client.close();
    }
  }

  join(step: Step, asking: Asking): Promise<void> {
    const asker: Asked = { ...asking, step, done: Promise.withResolvers(), open: 0 };
    this.#askers.add(asker);
    if (this.#goesOn) this.#send(asker);
    return asker.done.promise;
  }

  async #fetched(answer: Answer): Promise<void> {
    const row = await rowOf(answer, this.#mailbox).catch((thrown: unknown) => this.#end(thrown));
    for (const asker of row ? [...this.#askers] : []) {
      if (asker.failure) continue;
      try {
        await asker.take(row as Row);
      } catch (thrown) {
        // Thrown from here it would only be logged.
        asker.failure = { thrown };
      }
    }
  }

  /** Whether a line of the server is the answer to one of these commands. */
  #reads(line: Buffer): boolean {
    const text = line.toString('utf8');
    const [, tag = '', status = '', words = ''] = TAGGED.exec(text) ?? [];
    const { asker, question } = this.#underWay.get(tag) ?? {};
    if (asker === undefined) {
      const [first] = this.#askers;
      if (first && UNTAGGED_REFUSAL.test(text)) this.#end(unclear(first.step, text));
      return false;
    }
    this.#underWay.delete(tag);
    asker.open--;
    if (status.toUpperCase() !== 'OK')
      asker.failure ??= { thrown: failureOf(refusal(status, words), asker.step) };
    else if (!asker.failure) answered(asker, question);
    this.#send(asker);
    return true;
  }

  #send(asker: Asked): void {
    try {
      while (!asker.failure && asker.open < asker.most) {
        const question = asker.next();
        if (question === undefined) break;
        const tag = `Q${++tags}`;
        this.#client.writable.write(`${tag} ${question.command}\r\n`);
        this.#underWay.set(tag, { asker, question });
        asker.open++;
      }
    } catch (thrown) {
      asker.failure = { thrown };
    }
    if (asker.open > 0) return;
    this.#askers.delete(asker);
    if (asker.failure) asker.done.reject(asker.failure.thrown);
    else asker.done.resolve();
    if (this.#askers.size > 0) return;
    this.isOver = true;
    this.#whole.resolve();
  }

  /** For all that ask: what comes on this connection can not be told apart any more. */
  #end(thrown: unknown): void {
    this.isOver = true;
    for (const { done } of this.#askers) done.reject(thrown);
    this.#askers.clear();
    this.#whole.reject(thrown);
  }
}

function answered(asker: Asked, question: Question | undefined): void {
  try {
    question?.answered?.();
  } catch (thrown) {
    asker.failure = { thrown };
  }
}

function unclear(step: Step, text: string): Failure {
  return new Failure(
    `The server answered in a way that can not be understood (${readable(text)}); imapferry connects anew.`,
    { step, scope: 'connection' },
  );
}
