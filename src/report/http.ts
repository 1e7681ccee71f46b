/** Serves the status page, health and metrics. Mail never stops, and never waits, because of it. The only node:http. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Emit } from '../domain/events.ts';
import { plain, send } from './http/answer.ts';
import { ALIVE, answerTo } from './http/answers.ts';
import { Door } from './http/door.ts';
import { type Glance, glanceAt } from './http/glance.ts';
import { LIVE_PACE, Live, type LivePace } from './http/live.ts';
import type { HttpWorld } from './http/world.ts';
import type { Metrics } from './metrics.ts';

export type { HttpWorld, SenderDomain, Senders } from './http/world.ts';

export interface ServeSettings {
  /** 0: any free one. */
  readonly port: number;
  readonly host: string;
  /** The password as it is now; throws an Error that says why there is none. Absent: none is asked for. */
  readonly password?: () => string;
}

export interface ServeOptions {
  readonly emit: Emit;
  /** Absent: there is no /metrics. */
  readonly metrics?: Metrics;
  readonly pace?: ServePace;
}

export interface ServePace {
  /** How long (ms) until listening is tried again. */
  readonly again: number;
  /** How long the first wrong password is kept waiting. */
  readonly wrong: number;
  readonly live: LivePace;
}

const PACE: ServePace = { again: 30_000, wrong: 250, live: LIVE_PACE };

/** Those who read slowly, or say nothing, do not keep others from reading. */
const LIMITS: ServerOptions = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
};
const CONNECTIONS = 128;
/** How long (ms) a connection may stand still while it is answered. */
const STILL = 60_000;

/** A server that serves, or tries to. */
export interface Served extends AsyncDisposable {
  /** Where it is served; resolves once it is. */
  readonly listening: Promise<AddressInfo>;
}

/**
 * Serves until it is disposed of, which takes no time: whoever is being answered then is cut off. Never rejects or throws:
 * where it can't listen it tells `http.failed` once, and tries again.
 */
export function serve(
  world: HttpWorld,
  settings: ServeSettings,
  { emit, metrics, pace = PACE }: ServeOptions,
): Served {
  const listened = Promise.withResolvers<AddressInfo>();
  const glance = glanceAt(world, () => live.changed());
  const live = new Live(glance, pace.live);
  const once = onceEach(emit);
  const door = new Door({
    password: settings.password,
    unreadable: (thrown) => once.tell(...unreadable(thrown)),
    delay: pace.wrong,
  });
  const server = createServer(LIMITS, (request, response) => {
    // Without listeners, a connection that breaks while it is written to would be an error of the whole process.
    for (const each of [request, response]) each.on('error', () => undefined);
    respond(request, response, { door, glance, live, metrics }).catch(() => {
      if (response.headersSent) response.destroy();
      else send(request, response, plain(500, 'imapferry can not tell that just now.'));
    });
  });
  server.maxConnections = CONNECTIONS;
  server.timeout = STILL;
  server.on('clientError', refuse);
  let again: NodeJS.Timeout | undefined;
  let ended = false;
  const listen = () => {
    server.listen({ port: settings.port, host: settings.host });
    server.unref();
  };
  server.on('listening', () => {
    const address = server.address() as AddressInfo;
    once.again();
    emit('http.listening', { msg: `The status page is at ${urlOf(address)}` });
    listened.resolve(address);
  });
  server.on('error', (thrown) => {
    once.tell(codeOf(thrown), troubleOf(thrown, settings, pace.again), thrown);
    clearTimeout(again);
    if (!server.listening && !ended) again = setTimeout(listen, pace.again).unref();
  });
  listen();
  return {
    listening: listened.promise,
    async [Symbol.asyncDispose]() {
      ended = true;
      clearTimeout(again);
      live[Symbol.dispose]();
      glance[Symbol.dispose]();
      await closed(server);
    },
  };
}

interface Parts {
  readonly door: Door;
  readonly glance: Glance;
  readonly live: Live;
  readonly metrics: Metrics | undefined;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { door, glance, live, metrics }: Parts,
): Promise<void> {
  const path = request.url?.split('?')[0] ?? '';
  const refusal = strange(request);
  if (refusal) return send(request, response, refusal);
  if (path === '/livez') return send(request, response, ALIVE);
  const away = await door.turnAway(request);
  if (away) return send(request, response, away);
  if (path !== '/api/events')
    return send(request, response, await answerTo(request, path, glance, metrics));
  if (live.hasRoom) return live.join(request, response);
  send(
    request,
    response,
    plain(503, 'Too many look at this page live just now.', { 'Retry-After': '30' }),
  );
}

/** Nothing is written here, and nothing is sent here: what comes with a body is not read. */
function strange({ method = '', headers }: IncomingMessage) {
  if (method !== 'GET' && method !== 'HEAD')
    return plain(405, 'This can only be read.', { Allow: 'GET, HEAD', Connection: 'close' });
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length']);
  return hasBody ? plain(400, 'Nothing can be sent here.', { Connection: 'close' }) : undefined;
}

const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What came is no request. */
function refuse(thrown: NodeJS.ErrnoException, socket: Duplex): void {
  if (thrown.code === 'ECONNRESET' || !socket.writable) socket.destroy();
  else
    socket.end(
      `HTTP/1.1 ${REFUSALS[codeOf(thrown)] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`,
    );
}

/** Tells `http.failed` when it is another thing than was told last. */
function onceEach(emit: Emit) {
  let told: string | undefined;
  return {
    tell(what: string, msg: string, err: unknown) {
      if (what === told) return;
      told = what;
      emit('http.failed', { msg, err });
    },
    /** What comes next is told whatever was told before. */
    again() {
      told = undefined;
    },
  };
}

const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  EADDRINUSE: [
    'another program uses that port',
    'Stop that program, or set HTTP_PORT to another port.',
  ],
  EACCES: [
    'this user may not use that port',
    'Set HTTP_PORT to a port from 1024 on, such as 8025.',
  ],
  EADDRNOTAVAIL: [
    'this machine has no such address',
    'Set HTTP_HOST to 127.0.0.1, or to an address that this machine has.',
  ],
  ENOTFOUND: ['there is no such host', 'Set HTTP_HOST to 127.0.0.1, or to another address.'],
};

function troubleOf(thrown: Error, { host, port }: ServeSettings, again: number): string {
  const code = codeOf(thrown);
  const [why, help] = REASONS[code] ?? [code, 'Look at HTTP_HOST and HTTP_PORT.'];
  return `The status page can't be served at ${host}, port ${port}: ${why}. Mail is carried all the same, and it is tried again every ${Math.round(again / 1000)} s. ${help}`;
}

function unreadable(thrown: unknown): [string, string, unknown] {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return [
    why,
    `The status page lets nobody in, because ${why}. Mail is carried all the same; the file is read again at the next request.`,
    thrown,
  ];
}

function codeOf(thrown: NodeJS.ErrnoException): string {
  return thrown.code ?? thrown.message;
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/`;
}

function closed(server: Server): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return ended;
}
