/**
 * A wire before a server: TLS ends in it, as in front of many a provider's servers, so that it can read which command went
 * when; each direction takes its time, and is as wide as the machine. It lives in a process of its own.
 */

import { connect, type Socket } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { listening } from '../../test/support/ports.ts';
import { now } from '../tools/clock.ts';
import { Lane } from './lane.ts';
import { type Command, type Notes, noNotes, Trace } from './trace.ts';

export interface WireSettings {
  /** The plain-text port of the server behind. */
  readonly to: number;
  /** Milliseconds each way; a round trip takes twice as long. */
  readonly delay: number;
  readonly key: string;
  readonly cert: string;
}

export class Wire {
  port = 0;
  notes = noNotes();
  readonly #open = new Set<Socket>();
  readonly #server: Server;

  private constructor({ to, delay, key, cert }: WireSettings) {
    this.#server = createServer({ key, cert, noDelay: true }, (client) =>
      this.#join(client, connect({ port: to, host: '127.0.0.1', noDelay: true }), delay),
    );
    this.#server.on('tlsClientError', () => undefined);
  }

  static async open(settings: WireSettings): Promise<Wire> {
    const wire = new Wire(settings);
    wire.port = await listening(wire.#server);
    return wire;
  }

  /** Hands over what was noted, and begins anew. */
  take(): Notes {
    const { notes } = this;
    this.notes = { ...noNotes(), connections: notes.connections };
    return notes;
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }

  #join(client: Socket, server: Socket, delay: number): void {
    const trace = new Trace(this);
    const up = new Lane(client, server, delay);
    const down = new Lane(server, client, delay);
    client.on('data', (chunk: Buffer) => {
      trace.up(chunk);
      up.send(chunk);
    });
    server.on('data', (chunk: Buffer) => {
      const answered = trace.down(chunk);
      down.send(chunk, answered.length > 0 ? () => stamp(answered) : undefined);
    });
    for (const [from, lane] of [
      [client, up],
      [server, down],
    ] as const) {
      this.#open.add(from);
      let ended = false;
      from.on('end', () => {
        ended = true;
        lane.end();
      });
      from.on('error', () => lane.cut());
      from.on('close', () => {
        this.#open.delete(from);
        if (!ended) lane.cut();
      });
    }
  }
}

function stamp(answered: readonly Command[]): void {
  for (const command of answered) command.answered = now();
}
