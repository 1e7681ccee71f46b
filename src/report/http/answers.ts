/** Which path is answered with what. Read only: whatever is asked, nothing changes. */
import type { IncomingMessage } from 'node:http';
import type { RouteStatus } from '../../domain/status.ts';
import { linesOf } from '../lines.ts';
import type { Metrics } from '../metrics.ts';
import { printable } from '../sentences.ts';
import { type Answer, json, plain } from './answer.ts';
import { assetAt } from './assets.ts';
import type { Glance } from './glance.ts';

/** What the process answers to whoever asks whether it works; restarts hang on this one. */
export const ALIVE: Answer = plain(200, 'ok');

/** The answer to a path. Rejects where the status or the metrics can't tell just now. */
export async function answerTo(
  request: IncomingMessage,
  path: string,
  glance: Glance,
  metrics: Metrics | undefined,
): Promise<Answer> {
  switch (path) {
    case '/readyz':
      return readiness(glance);
    case '/healthz':
      return health(request, glance);
    case '/metrics':
      return metrics === undefined ? NOWHERE : measured(metrics);
    case '/api/status':
      // What stands in the journal is left out while that can't be read: what is wrong then is told all the same.
      return json(200, {
        ...glance.told(),
        histories: unlessItThrows(glance.histories),
        senders: unlessItThrows(() => glance.senders() ?? null),
      });
    default:
      return assetAt(path) ?? NOWHERE;
  }
}

function unlessItThrows<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

const NOWHERE = plain(404, 'Nothing is here. The status page is at /.');

function readiness(glance: Glance): Answer {
  const lines = unready(glance.status().routes);
  if (lines.length === 0) return plain(200, 'ready');
  return { status: 503, body: text(['not ready', ...lines]) };
}

/** Plain lines for people; JSON where it is asked for. */
function health(request: IncomingMessage, glance: Glance): Answer {
  const told = glance.told();
  const status = told.healthy ? 200 : 503;
  return wantsJson(request)
    ? json(status, told, true)
    : { status, body: text(linesOf(told)), headers: { Vary: 'Accept' } };
}

function wantsJson({ url = '', headers: { accept = '' } }: IncomingMessage): boolean {
  const format = new URLSearchParams(url.split('?')[1]).get('format');
  if (format !== null) return format === 'json';
  return /\bapplication\/json\b/i.test(accept) && !/\btext\/(?:html|plain)\b/i.test(accept);
}

async function measured(metrics: Metrics): Promise<Answer> {
  return { status: 200, type: metrics.contentType, body: await metrics.render() };
}

/** Which routes are not ready, a line each; nothing where all are. */
function unready(routes: readonly RouteStatus[]): string[] {
  return routes
    .filter(({ ready }) => !ready)
    .map(({ route, accounts }) => {
      const away = accounts.filter(({ is }) => is !== 'connected');
      const words = away.map(
        ({ side, is, why }) => `${side} ${is}${why === undefined ? '' : ` (${why})`}`,
      );
      return `${route}: ${words.length > 0 ? words.join(', ') : 'the plan is being made'}`;
    });
}

function text(lines: readonly string[]): string {
  return `${lines.map(printable).join('\n')}\n`;
}
