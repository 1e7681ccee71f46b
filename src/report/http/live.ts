/**
 * The status as server-sent events: pushed when it changes, at most once a second, and less often the larger it is.
 *
 * A reader is level with us, or behind: what was written to him is still on its way. Who is behind is written nothing; as soon
 * as he has taken what he was sent, he gets what holds then. Who stays behind for long is dropped.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HEADERS } from './answer.ts';
import type { Glance } from './glance.ts';

export interface LivePace {
  /** The least time between two pushes, ms. */
  readonly least: number;
  /** How often a quiet stream shows that it lives; whatever changes by time alone is pushed then, too. */
  readonly beat: number;
  /** The least time between two pushes of what was carried. */
  readonly history: number;
  /** How long a reader may be behind. */
  readonly patience: number;
  /** So many readers at once. */
  readonly most: number;
}

export const LIVE_PACE: LivePace = {
  least: 1_000,
  beat: 20_000,
  history: 10_000,
  patience: 30_000,
  most: 20,
};

/** So many bytes are pushed a second, to all readers together. */
const RATE = 1_000_000;

type Topic = 'status' | 'histories' | 'senders';
const TOPICS = ['status', 'histories', 'senders'] as const;

interface Reader {
  readonly response: ServerResponse;
  /** Since when he is behind; `undefined`: he is not. */
  behind: number | undefined;
  readonly missed: Set<Topic>;
}

export class Live implements Disposable {
  readonly #glance: Glance;
  readonly #pace: LivePace;
  readonly #readers = new Set<Reader>();
  /** What was said last on each topic: `text` as it is sent, `says` without what always changes. */
  readonly #said = new Map<Topic, { text: string; says: string }>();
  #pushing: NodeJS.Timeout | undefined;
  #beating: NodeJS.Timeout | undefined;
  #pushedAt = Number.NEGATIVE_INFINITY;
  #historyAt = Number.NEGATIVE_INFINITY;

  constructor(glance: Glance, pace: LivePace = LIVE_PACE) {
    this.#glance = glance;
    this.#pace = pace;
  }

  /** Whether one reader more is taken. */
  get hasRoom(): boolean {
    return this.#readers.size < this.#pace.most;
  }

  /** Sends what is so now, and every change from now on, until the reader goes. */
  join(request: IncomingMessage, response: ServerResponse): void {
    const headers = { ...HEADERS, 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' };
    response.writeHead(200, headers);
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const reader: Reader = { response, behind: undefined, missed: new Set() };
    response.on('close', () => this.#leave(reader));
    response.on('drain', () => this.#catchUp(reader));
    response.write('retry: 3000\n\n');
    this.#spread(this.#refresh(true));
    this.#readers.add(reader);
    for (const topic of TOPICS) this.#tell(reader, topic);
    this.#beating ??= setInterval(() => this.#beat(), this.#pace.beat).unref();
  }

  /** The status may be another one. */
  changed(): void {
    if (this.#readers.size === 0 || this.#pushing !== undefined) return;
    const bytes = (this.#said.get('status')?.text.length ?? 0) * this.#readers.size;
    const pause = Math.max(this.#pace.least, (bytes / RATE) * 1_000);
    const due = Math.max(0, this.#pushedAt + pause - performance.now());
    this.#pushing = setTimeout(() => {
      this.#pushing = undefined;
      this.#push();
    }, due).unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#pushing);
    clearInterval(this.#beating);
    for (const { response } of this.#readers) response.destroy();
    this.#readers.clear();
  }

  #leave(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    clearTimeout(this.#pushing);
    clearInterval(this.#beating);
    this.#pushing = undefined;
    this.#beating = undefined;
  }

  #beat(): void {
    const now = performance.now();
    for (const { response, behind } of this.#readers)
      if (behind !== undefined && now - behind >= this.#pace.patience) response.destroy();
    this.changed();
    for (const reader of this.#readers)
      this.#write(reader, `: imapferry is here\nevent: alive\ndata: ${Date.now()}\n\n`);
  }

  #push(): void {
    this.#pushedAt = performance.now();
    this.#spread(this.#refresh(false));
  }

  #spread(topics: readonly Topic[]): void {
    for (const topic of topics) for (const reader of this.#readers) this.#tell(reader, topic);
  }

  /** Asks anew what is so; returns the topics on which it is another thing than was said last. */
  #refresh(all: boolean): Topic[] {
    const now = performance.now();
    const withHistory = all || now - this.#historyAt >= this.#pace.history;
    if (withHistory) this.#historyAt = now;
    return TOPICS.filter((topic) => {
      if (topic !== 'status' && !withHistory) return false;
      try {
        return this.#ask(topic);
      } catch {
        // The world can't tell it just now, and is asked again; the log says what is wrong with the journal.
        return false;
      }
    });
  }

  #ask(topic: Topic): boolean {
    const value = topic === 'status' ? this.#glance.told() : (this.#glance[topic]() ?? null);
    const whole = JSON.stringify(value);
    const says = topic === 'status' ? JSON.stringify({ ...value, at: 0 }) : whole;
    const known = this.#said.get(topic)?.says;
    this.#said.set(topic, { says, text: `event: ${topic}\ndata: ${whole}\n\n` });
    return says !== known;
  }

  #tell(reader: Reader, topic: Topic): void {
    const said = this.#said.get(topic);
    if (said === undefined) return;
    if (reader.behind === undefined) this.#write(reader, said.text);
    else reader.missed.add(topic);
  }

  #write(reader: Reader, text: string): void {
    if (reader.behind !== undefined || reader.response.destroyed) return;
    // `false`: it is taken all the same, and `drain` tells when it is out.
    if (!reader.response.write(text)) reader.behind = performance.now();
  }

  #catchUp(reader: Reader): void {
    reader.behind = undefined;
    const missed = [...reader.missed];
    reader.missed.clear();
    for (const topic of missed) this.#tell(reader, topic);
  }
}
