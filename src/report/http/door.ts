/** Who may read: whoever knows the password; without one, whoever calls this machine by its own name. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, plain } from './answer.ts';

export interface DoorOptions {
  /** The password as it is now; throws where it can't be read. Absent: none is asked for. */
  readonly password?: (() => string) | undefined;
  /** Is called with the reason each time the password can't be read. */
  readonly unreadable: (thrown: unknown) => void;
  /** How long (ms) the first wrong password is kept waiting. */
  readonly delay?: number;
}

interface Strikes {
  count: number;
  lastAt: number;
  /** Wrong passwords that are kept waiting just now. */
  waiting: number;
}

const DELAY = 250;
const LONGEST = 5_000;
/** Wrong passwords of one address that are kept waiting at once; more are turned away. */
const AT_ONCE = 4;
const FORGOTTEN = 10 * 60_000;
const ADDRESSES = 1_000;

/**
 * Guessing is slowed down: each wrong password of an address is answered later than the one before, and only few of them are
 * kept waiting at once. Who knows the password does not notice, also behind the address of who guesses: a proxy has one for all.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #strikes = new Map<string, Strikes>();

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** Resolves with the answer for who may not read, and with `undefined` for who may. */
  async turnAway(request: IncomingMessage): Promise<Answer | undefined> {
    const { password } = this.#options;
    if (password === undefined) return strangersName(request);
    let right: string;
    try {
      right = password();
    } catch (thrown) {
      this.#options.unreadable(thrown);
      return plain(503, 'The password of this page can not be read just now; the log says why.');
    }
    const given = passwordIn(request.headers.authorization);
    if (given === undefined) return ASK;
    if (isSame(given, right)) return undefined;
    const strikes = this.#of(request.socket.remoteAddress ?? '');
    if (strikes.waiting >= AT_ONCE)
      return plain(429, 'Too many wrong passwords at once.', { 'Retry-After': '5' });
    await this.#keepWaiting(strikes);
    return ASK;
  }

  async #keepWaiting(strikes: Strikes): Promise<void> {
    const { delay = DELAY } = this.#options;
    const ms = Math.min(delay * 2 ** Math.min(strikes.count, 16), Math.max(delay, LONGEST));
    strikes.count++;
    strikes.waiting++;
    strikes.lastAt = performance.now();
    await wait(ms, undefined, { ref: false });
    strikes.waiting--;
  }

  #of(address: string): Strikes {
    const now = performance.now();
    const known = this.#strikes.get(address);
    if (known && (known.waiting > 0 || now - known.lastAt < FORGOTTEN)) return known;
    const fresh = { count: 0, lastAt: now, waiting: 0 };
    this.#strikes.delete(address);
    if (this.#strikes.size >= ADDRESSES)
      for (const earliest of this.#strikes.keys()) {
        this.#strikes.delete(earliest);
        break;
      }
    this.#strikes.set(address, fresh);
    return fresh;
  }
}

const ASK = plain(401, 'This page asks for its password; any user name will do.', {
  'WWW-Authenticate': 'Basic realm="imapferry", charset="UTF-8"',
});

/** The password of basic auth (RFC 7617); any user name. */
function passwordIn(header = ''): string | undefined {
  const encoded = /^basic +([\w+/=-]+) *$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? undefined : pair.slice(colon + 1);
}

/** How long it takes does not tell how much of it was right. */
function isSame(given: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(right));
}

/**
 * Without a password, a server on loopback is open to what runs on this machine, and so to any website that has its own name
 * lead here (DNS rebinding). Such a request bears that name.
 */
function strangersName(request: IncomingMessage): Answer | undefined {
  const { host } = request.headers;
  if (host === undefined || !isLoopbackAddress(request.socket.localAddress ?? '')) return undefined;
  const name = host.replace(/:\d*$/, '').toLowerCase();
  if (name === '[::1]' || name === 'localhost' || name.endsWith('.localhost')) return undefined;
  if (isLoopbackAddress(name)) return undefined;
  return plain(
    403,
    'This page answers to localhost only. To reach it by another name, set HTTP_PASSWORD_FILE.',
  );
}

function isLoopbackAddress(address: string): boolean {
  const plainly = address.replace(/^::ffff:/, '');
  return plainly === '::1' || (isIPv4(plainly) && plainly.startsWith('127.'));
}
