/**
 * HEARTBEAT_URL: called once a minute while mail flows, so that somebody else notices when it does not, or when this machine is
 * off. Its path is mostly a token: no URL, and nothing that an error says of one, gets into the log.
 */
import type { Emit } from '../domain/events.ts';
import type { Clock } from '../domain/ports.ts';

const MINUTE = 60_000;
const LIMIT = 10_000;
const MOST_REDIRECTS = 3;

export interface HeartbeatWorld {
  readonly url: URL;
  readonly clock: Pick<Clock, 'ticks'>;
  readonly emit: Emit;
  /** ms between two calls, and for one. */
  readonly every?: number;
  readonly limit?: number;
}

/** Gives a function to be called with each verdict, every few seconds. It returns at once and never throws. */
export function heartbeat({
  url,
  clock,
  emit,
  every = MINUTE,
  limit = LIMIT,
}: HeartbeatWorld): (health: { readonly healthy: boolean }) => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  let calling = false;
  let works = true;
  return ({ healthy }) => {
    // A verdict comes a little early now and then.
    if (!healthy || calling || clock.ticks() - lastAt < every * 0.95) return;
    lastAt = clock.ticks();
    calling = true;
    void call(url, limit).then((wrong) => {
      calling = false;
      if (wrong === undefined && !works) emit('heartbeat.resumed');
      if (wrong !== undefined && works) emit('heartbeat.failed', { why: wrong });
      works = wrong === undefined;
    });
  };
}

/** Why it did not work, or `undefined`. Never rejects. */
async function call(whole: URL, limit: number): Promise<string | undefined> {
  const { username, password } = whole;
  const plain = (name: string) => decodeURIComponent(name);
  const basic = Buffer.from(`${plain(username)}:${plain(password)}`).toString('base64');
  // fetch takes no URL with a login in it.
  const headers: Record<string, string> =
    username || password ? { authorization: `Basic ${basic}` } : {};
  const signal = AbortSignal.timeout(limit);
  let url = withoutLogin(whole);
  try {
    for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
      const answer = await fetch(url, { headers, signal, redirect: 'manual' });
      await answer.body?.cancel();
      if (answer.ok) return undefined;
      const location = answer.headers.get('location');
      if (answer.status < 300 || answer.status > 399 || location === null)
        return `the server answered ${answer.status}`;
      const next = withoutLogin(new URL(location, url));
      if (!isSameHost(url, next))
        return 'the server sends imapferry on to another one, where the secret in the URL does not belong';
      url = next;
    }
    return 'the server sends imapferry in a circle';
  } catch (thrown) {
    return reason(thrown, limit);
  }
}

function withoutLogin(url: URL): URL {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  return plain;
}

/** The same name, and no way back from https to http. */
function isSameHost(from: URL, to: URL): boolean {
  const isAsSafe = to.protocol === 'https:' || to.protocol === from.protocol;
  return to.hostname === from.hostname && isAsSafe && /^https?:$/.test(to.protocol);
}

/** Nothing that an error says is passed on but its code, which names no URL. */
function reason(thrown: unknown, limit: number): string {
  if (thrown instanceof Error && thrown.name === 'TimeoutError')
    return `the server did not answer within ${limit / 1000} s`;
  const { cause } = thrown instanceof Error ? thrown : {};
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z\d_]+$/.test(code)
    ? `the server can not be reached (${code})`
    : 'the server can not be reached';
}
