/** One parser per kind of value. Each takes the trimmed text and throws Unusable, which never shows that text. */
import { isIP } from 'node:net';
import type { AfterDelivery } from '../domain/route.ts';
import { isNear } from './likeness.ts';
import { Unusable } from './mistakes.ts';

export type Parser<T> = (text: string) => T;

/** Any text on one line. */
export function text(value: string): string {
  if (/[\r\n]/.test(value))
    throw new Unusable('holds a line break: is a quotation mark left open?');
  return value;
}

/** Any text on one line that does not wear quotation marks. */
export function bare(value: string): string {
  if (isQuoted(value)) throw new Unusable('still wears its quotation marks: leave them out');
  return text(value);
}

/** One of a few words, in lower case. A near miss is told which word was probably meant. */
export function oneOf<const W extends string>(...words: readonly W[]): Parser<W> {
  return (value) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    const meant = words.find((word) => isNear(value.toLowerCase(), word));
    const hint = meant === undefined ? '' : `; probably \`${meant}\` was meant`;
    throw new Unusable(`must be ${listed(words)}${hint}${quoted(value)}`);
  };
}

/** `true` or `false`. */
export const toggle: Parser<boolean> = (value) => oneOf('true', 'false')(value) === 'true';

/** A whole number within bounds. */
export function wholeNumber(least: number, most: number): Parser<number> {
  return (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new Unusable(`must be a whole number from ${least} to ${most}${quoted(value)}`);
  };
}

export const port: Parser<number> = wholeNumber(1, 65535);

const DURATION = /^(?=\d)(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?$/;

/** A duration such as `500ms`, `30s`, `4m30s`, within bounds written the same way. In milliseconds. */
export function duration(least: string, most: string): Parser<number> {
  return (value) => {
    const ms = milliseconds(value);
    if (ms === undefined)
      throw new Unusable(
        `must be a duration: whole numbers, each with its unit h, m, s or ms${quoted(value)}`,
      );
    if (ms < (milliseconds(least) ?? 0) || ms > (milliseconds(most) ?? Infinity))
      throw new Unusable(`must be a duration from ${least} to ${most}`);
    return ms;
  };
}

function milliseconds(value: string): number | undefined {
  const [matched, h = 0, m = 0, s = 0, ms = 0] = DURATION.exec(value) ?? [];
  if (matched === undefined) return undefined;
  return ((Number(h) * 60 + Number(m)) * 60 + Number(s)) * 1000 + Number(ms);
}

const UNITS = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;

/** A size such as `500KB` or `64MB`, in bytes. 1 KB is 1024 bytes, as mail servers count. */
export const size: Parser<number> = (value) => {
  const [, number, unit] = /^(\d{1,12})(B|KB|MB|GB)$/i.exec(value) ?? [];
  const bytes = Number(number) * (UNITS[unit?.toUpperCase() as keyof typeof UNITS] ?? Number.NaN);
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new Unusable(
    `must be a size above 0: a whole number with its unit KB, MB or GB${quoted(value)}`,
  );
};

/** The name or address of a server, without scheme, port or login name. */
export const host: Parser<string> = (value) => {
  if (isIP(value) !== 0 || /^[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_.])?$/u.test(value))
    return value;
  throw new Unusable(`must be a server name alone${hostHint(value)}${quoted(value)}`);
};

function hostHint(value: string): string {
  if (value.includes('://')) return ', not a URL';
  if (value.includes('@')) return ', without a login name';
  if (/:\d+$/.test(value)) return ': the port has a variable of its own';
  return '';
}

/** SHA-256 of a certificate, with or without colons: 64 lower-case hex digits. */
export const fingerprint: Parser<string> = (value) => {
  const digits = value.replace(/^sha-?256(?: fingerprint)?[=: ]/i, '').replaceAll(/[: ]/g, '');
  if (/^[\da-f]{64}$/i.test(digits)) return digits.toLowerCase();
  const sha1 = /^[\da-f]{40}$/i.test(digits) ? '; a SHA-1 fingerprint is too weak' : '';
  throw new Unusable(
    `must be the certificate's SHA-256: 64 hex digits, colons between them or not${sha1}${quoted(value)}`,
  );
};

/** What becomes of carried originals. */
export const afterDelivery: Parser<AfterDelivery> = (value) => {
  const folder = /^move:(.*)$/s.exec(value)?.[1]?.trim();
  if (folder) return { kind: 'move', folder: bare(folder) };
  if (folder === '' || value === 'move') throw new Unusable('must name a folder after `move:`');
  const word = oneOf('expunge', 'mark', 'keep', 'move:FOLDER')(value);
  if (word === 'move:FOLDER') throw new Unusable('must name a folder after `move:`');
  return { kind: word };
};

/** Quotation marks are left on by `docker run --env-file`, which takes a line as it is. */
export function quoted(value: string): string {
  return isQuoted(value) ? '; it still wears its quotation marks: leave them out' : '';
}

/** Whether a text begins and ends with the same quotation mark. */
export function isQuoted(value: string): boolean {
  return /^(['"`]).*\1$/s.test(value);
}

function listed(words: readonly string[]): string {
  const marked = words.map((word) => `\`${word}\``);
  return marked.length < 2
    ? marked.join()
    : `${marked.slice(0, -1).join(', ')} or ${marked.at(-1)}`;
}

/** `off`, or else what another parser makes of it. */
export function orOff<T>(parse: Parser<T>): Parser<T | undefined> {
  return (value) => (value === 'off' ? undefined : parse(value));
}

/** The whole URL of something on the web. May hold a secret, like any value: it is never shown. */
export const webUrl: Parser<URL> = (value) => {
  const url = URL.parse(text(value));
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw new Unusable(
    `must be a whole URL that begins with \`https://\` or \`http://\`${quoted(value)}`,
  );
};
