/** An answer, and the headers that every answer bears. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Answer {
  readonly status: number;
  /** The media type; plain text by default. */
  readonly type?: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The page takes nothing from elsewhere, is shown in nobody's frame, sends nothing anywhere, and is kept by no cache. */
export const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Robots-Tag': 'noindex',
} as const;

const PLAIN = 'text/plain; charset=utf-8';

/** Sends an answer; to HEAD all but its body. */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, type = PLAIN, body, headers = {} }: Answer,
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, {
    ...HEADERS,
    'Content-Type': type,
    'Content-Length': bytes.length,
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/** A line of plain text. */
export function plain(
  status: number,
  line: string,
  headers?: Readonly<Record<string, string>>,
): Answer {
  return { status, body: `${line}\n`, ...(headers && { headers }) };
}

/** @param indented for people who look at it as it is */
export function json(status: number, value: unknown, indented = false): Answer {
  return {
    status,
    type: 'application/json; charset=utf-8',
    body: `${JSON.stringify(value, undefined, indented ? 2 : undefined)}\n`,
  };
}
