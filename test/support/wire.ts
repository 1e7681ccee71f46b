/** A wire between client and server on loopback: as slow as one likes, counted, and cut where one says. */

import { connect, createServer, type Server, type Socket } from 'node:net';
import { listening } from './ports.ts';

export interface WireOptions {
  readonly to: number;
  /** Milliseconds each way; a round trip takes twice as long. */
  readonly delay?: number;
}

/** A TCP proxy. Bytes keep their order; `delay` may be changed at any time. */
export class Wire implements AsyncDisposable {
  port = 0;
  delay: number;
  /** Connections ever made, and those that stand. */
  made = 0;
  readonly open = new Set<Socket>();
  bytesUp = 0;
  bytesDown = 0;
  /** What clients sent, line by line, where the wire carries plain text. Literals are among the lines. */
  readonly lines: string[] = [];
  /** Called with each chunk of a client before it goes on. Returning `cut` ends both sides at once. */
  onUp: ((chunk: Buffer) => 'cut' | undefined) | undefined;
  /** Called with each chunk of the server before it goes on. */
  onDown: ((chunk: Buffer) => 'cut' | undefined) | undefined;
  readonly #server: Server;

  private constructor({ to, delay = 0 }: WireOptions) {
    this.delay = delay;
    this.#server = createServer({ noDelay: true }, (client) => this.#join(client, to));
  }

  static async between(options: WireOptions): Promise<Wire> {
    const wire = new Wire(options);
    wire.port = await listening(wire.#server);
    return wire;
  }

  /** Ends every connection that stands, as a router does that is switched off and on. */
  cut(): void {
    for (const socket of this.open) socket.destroy();
  }

  #join(client: Socket, to: number): void {
    this.made++;
    const server = connect({ port: to, host: '127.0.0.1', noDelay: true });
    for (const [from, into, up] of [
      [client, server, true],
      [server, client, false],
    ] as const) {
      this.open.add(from);
      const later = this.#delayed();
      from.on('data', (chunk: Buffer) => {
        if (up) this.#sent(chunk);
        else this.bytesDown += chunk.length;
        if ((up ? this.onUp : this.onDown)?.(chunk) === 'cut') {
          client.destroy();
          server.destroy();
          return;
        }
        later(() => into.writable && into.write(chunk));
      });
      from.on('end', () => later(() => into.end()));
      from.on('error', () => into.destroy());
      from.on('close', () => {
        this.open.delete(from);
        into.destroy();
      });
    }
  }

  #sent(chunk: Buffer): void {
    this.bytesUp += chunk.length;
    this.lines.push(
      ...chunk
        .toString('latin1')
        .split('\r\n')
        .filter((line) => line !== ''),
    );
  }

  /** Runs each `work` after the delay, in their order: timers of a millisecond's fraction less may fire before earlier ones. */
  #delayed(): (work: () => unknown) => void {
    const waiting: (() => unknown)[] = [];
    return (work) => {
      if (this.delay === 0 && waiting.length === 0) {
        work();
        return;
      }
      waiting.push(work);
      setTimeout(() => waiting.shift()?.(), this.delay);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
