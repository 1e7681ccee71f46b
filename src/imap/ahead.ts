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
 * Asks until there is no further question; resolves once all are answered. None of them may change what is told to another:
 * Dovecot still shows what a command expunges to the one right behind it. What is refused, or thrown by whom an answer is
 * handed to, ends the asking: rejects with that once the others are answered.
 */
export async function askAhead(client: Client, step: Step, asking: Asking): Promise<void> {
  await client.step(step, async () => {
    const { untaggedHandlers } = client.flow;
    const { FETCH: before } = untaggedHandlers;
    const run = new Run(client, step, asking);
    untaggedHandlers.FETCH = (answer) => run.fetched(answer);
    try {
      await client.reading(
        (line) => run.reads(line),
        () => run.whole,
      );
    } finally {
      if (before) untaggedHandlers.FETCH = before;
      // What is still to come would be taken for the answer to the next command.
      if (run.isOpen) client.close();
    }
  });
}

class Run {
  readonly #client: Client;
  readonly #step: Step;
  readonly #asking: Asking;
  readonly #mailbox: MailboxObject;
  readonly #whole = Promise.withResolvers<void>();
  /** Sent, and not answered, by their tags. */
  readonly #underWay = new Map<string, Question>();
  #failure: { readonly thrown: unknown } | undefined;

  constructor(client: Client, step: Step, asking: Asking) {
    this.#client = client;
    this.#step = step;
    this.#asking = asking;
    this.#mailbox = openMailbox(client);
  }

  /** Sends the first ones; resolves once all that were sent are answered. */
  get whole(): Promise<void> {
    this.#send();
    return this.#whole.promise;
  }

  get isOpen(): boolean {
    return this.#underWay.size > 0;
  }

  async fetched(answer: Answer): Promise<void> {
    if (this.#failure) return;
    try {
      await this.#asking.take(await rowOf(answer, this.#mailbox));
    } catch (thrown) {
      // Thrown from here it would only be logged.
      this.#failed(thrown);
    }
  }

  /** Whether a line of the server is the answer to one of these commands. */
  reads(line: Buffer): boolean {
    const text = line.toString('utf8');
    const [, tag = '', status = '', words = ''] = TAGGED.exec(text) ?? [];
    const question = this.#underWay.get(tag);
    if (question === undefined) {
      if (UNTAGGED_REFUSAL.test(text)) this.#whole.reject(unclear(this.#step, text));
      return false;
    }
    this.#underWay.delete(tag);
    if (status.toUpperCase() === 'OK') this.#answered(question);
    else this.#failed(failureOf(refusal(status, words), this.#step));
    this.#send();
    return true;
  }

  #answered({ answered }: Question): void {
    try {
      if (!this.#failure) answered?.();
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  #failed(thrown: unknown): void {
    this.#failure ??= { thrown };
  }

  #send(): void {
    const { most, next } = this.#asking;
    while (!this.#failure && this.#underWay.size < most) {
      const question = next();
      if (question === undefined) break;
      const tag = `Q${++tags}`;
      this.#underWay.set(tag, question);
      this.#client.writable.write(`${tag} ${question.command}\r\n`);
    }
    if (this.#underWay.size > 0) return;
    if (this.#failure) this.#whole.reject(this.#failure.thrown);
    else this.#whole.resolve();
  }
}

function unclear(step: Step, text: string): Failure {
  return new Failure(
    `The server answered in a way that can not be understood (${readable(text)}); imapferry connects anew.`,
    { step, scope: 'connection' },
  );
}
