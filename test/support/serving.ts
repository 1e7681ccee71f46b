/** The status page's server with a board set by hand, and plain requests to it over real sockets. */
import { type IncomingHttpHeaders, request } from 'node:http';
import type { EventFields, EventName } from '../../src/domain/events.ts';
import { LIVE_PACE, type LivePace } from '../../src/report/http/live.ts';
import { type ServeOptions, type ServeSettings, serve } from '../../src/report/http.ts';
import { type BoardState, HandBoard, STATES } from './boards.ts';

/** All that waits, waits briefly. */
export const QUICK: LivePace = { ...LIVE_PACE, least: 20, beat: 100, history: 20, patience: 300 };

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** The local address to ask from. */
  readonly from?: string;
}

/** One server, and what it told. */
export class Serving implements AsyncDisposable {
  readonly board: HandBoard;
  readonly events: [EventName, EventFields][] = [];
  readonly port: number;
  readonly url: string;
  readonly #host: string;
  readonly #end: () => PromiseLike<void>;

  private constructor(
    board: HandBoard,
    host: string,
    port: number,
    events: [EventName, EventFields][],
    end: () => PromiseLike<void>,
  ) {
    this.board = board;
    this.#host = host;
    this.port = port;
    this.events = events;
    this.#end = end;
    this.url = `http://127.0.0.1:${port}/`;
  }

  static async of(
    state: BoardState = STATES.flowing(),
    settings: Partial<ServeSettings> = {},
    options: Partial<ServeOptions> & { live?: Partial<LivePace> } = {},
  ): Promise<Serving> {
    const board = new HandBoard(state);
    const events: [EventName, EventFields][] = [];
    const { live, ...more } = options;
    const whole = { port: 0, host: '127.0.0.1', ...settings };
    const served = serve(board, whole, {
      emit: (event, fields = {}) => events.push([event, fields]),
      pace: { again: 50, wrong: 20, live: { ...QUICK, ...live } },
      ...more,
    });
    const { port } = await served.listening;
    const end = () => served[Symbol.asyncDispose]();
    return new Serving(
      board,
      whole.host === '0.0.0.0' ? '127.0.0.1' : whole.host,
      port,
      events,
      end,
    );
  }

  ask(path: string, { method = 'GET', headers = {}, body, from }: Asking = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const asking = request({
        host: this.#host,
        port: this.port,
        path,
        method,
        headers,
        agent: false,
        ...(from !== undefined && { localAddress: from }),
      });
      asking.on('error', reject);
      asking.on('response', (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(pieces).toString(),
          }),
        );
      });
      asking.end(body);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}

/** The header of basic auth. */
export function basic(password: string, user = 'anyone'): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
