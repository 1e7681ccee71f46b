/** One direction of a connection: what comes in goes out after the delay, in order, as much of it at once as there is. */
import type { Socket } from 'node:net';
import { now } from '../tools/clock.ts';

/** Bytes under way in one direction, as in a TCP window; with 20 ms one way they allow 400 MB a second. */
const WINDOW = 8 * 1024 * 1024;
/** Timers are this coarse, in milliseconds: rounded to the nearer one, the delay is right on average. */
const COARSE = 0.5;

interface Piece {
  readonly due: number;
  readonly chunk: Buffer | undefined;
  readonly gone: (() => void) | undefined;
}

export class Lane {
  readonly #from: Socket;
  readonly #into: Socket;
  readonly #delay: number;
  readonly #queue: Piece[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param delay milliseconds one way */
  constructor(from: Socket, into: Socket, delay: number) {
    this.#from = from;
    this.#into = into;
    this.#delay = delay;
    into.on('drain', () => this.#flow());
  }

  /** `gone` is called when the chunk has gone out. */
  send(chunk: Buffer, gone?: () => void): void {
    if (this.#delay === 0 && this.#queue.length === 0) {
      this.#out({ due: 0, chunk, gone });
      this.#flow();
      return;
    }
    this.#bytes += chunk.length;
    this.#later({ due: now() + this.#delay, chunk, gone });
    this.#flow();
  }

  /** Ends the other side once all that came before is through. */
  end(): void {
    if (this.#delay === 0 && this.#queue.length === 0) this.#into.end();
    else this.#later({ due: now() + this.#delay, chunk: undefined, gone: undefined });
  }

  /** Forgets what is under way. */
  cut(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.#into.destroy();
  }

  #later(piece: Piece): void {
    this.#queue.push(piece);
    this.#timer ??= setTimeout(() => this.#due(), this.#delay);
  }

  #due(): void {
    this.#timer = undefined;
    const until = now() + COARSE;
    let through = 0;
    this.#into.cork();
    for (const piece of this.#queue) {
      if (piece.due > until) break;
      through++;
      this.#bytes -= piece.chunk?.length ?? 0;
      this.#out(piece);
    }
    this.#into.uncork();
    this.#queue.splice(0, through);
    const [next] = this.#queue;
    if (next) this.#timer = setTimeout(() => this.#due(), Math.max(0, next.due - now()));
    this.#flow();
  }

  #out({ chunk, gone }: Piece): void {
    if (!chunk) this.#into.end();
    else if (this.#into.writable) this.#into.write(chunk);
    gone?.();
  }

  /** Reads on while there is room in the window. */
  #flow(): void {
    const full = this.#bytes + this.#into.writableLength > WINDOW;
    if (full === this.#from.isPaused()) return;
    if (full) this.#from.pause();
    else this.#from.resume();
  }
}
