/** Numbers, times and names as the page writes them: no line ends between a number and its unit. Pure. */

const COUNT = new Intl.NumberFormat('en');
const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const FULL = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'medium' });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `12,340`. @param {number} count */
export function number(count) {
  return COUNT.format(count);
}

/** `one message`, `12,340 messages`. @param {number} count @param {string} noun */
export function many(count, noun) {
  return count === 1 ? `one ${noun}` : `${number(count)} ${noun}s`;
}

/** `980 B`, `12.3 KB`, `4.0 MB`. @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${bytes}\u00a0B`;
  const units = ['KB', 'MB', 'GB', 'TB'];
  let amount = bytes / 1000;
  let unit = 0;
  while (amount >= 999.95 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${amount >= 100 ? Math.round(amount) : amount.toFixed(1)}\u00a0${units[unit]}`;
}

/** `14 ms`, `0.4 s`, `12 s`, `3 min`, `5 h`, `2 days`. @param {number} ms */
export function duration(ms) {
  if (ms < 99.5) return `${Math.round(ms)}\u00a0ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)}\u00a0s`;
  if (ms < 119_500) return `${Math.round(ms / 1000)}\u00a0s`;
  if (ms < 119 * MINUTE) return `${Math.round(ms / MINUTE)}\u00a0min`;
  if (ms < 47 * HOUR) return `${Math.round(ms / HOUR)}\u00a0h`;
  return `${Math.round(ms / DAY)}\u00a0days`;
}

/** `just now`, `4 min ago`. @param {number} then @param {number} now */
export function ago(then, now) {
  const ms = now - then;
  if (ms < 45_000) return 'just now';
  return ms < 2 * MINUTE ? `${Math.round(ms / MINUTE)} min ago` : `${duration(ms)} ago`;
}

/** `09:12` where it is of the same day, else `27 Nov, 09:12`. @param {number} then @param {number} now */
export function since(then, now) {
  const time = TIME.format(then);
  return DATE.format(then) === DATE.format(now) ? time : `${DATE.format(then)}, ${time}`;
}

/** `28 November 2026 at 09:12:03`. @param {number} then */
export function fully(then) {
  return FULL.format(then);
}

/** `28 Nov` for `2026-11-28`. @param {string} day */
export function date(day) {
  const [year, month, dayOfMonth] = day.split('-').map(Number);
  return DATE.format(new Date(year ?? 0, (month ?? 1) - 1, dayOfMonth));
}

/** No name needs more than this. */
const LONGEST = 120;
/** Characters that steer a terminal or turn the direction of what comes after them. */
const UNSEEN = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** A text of a server's with whatever hides or steers in it made visible. @param {string} text */
export function visible(text) {
  return text.replace(
    UNSEEN,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

/** As `visible`, and no longer than a line bears. @param {string} name */
export function brief(name) {
  const seen = visible(name);
  return seen.length <= LONGEST ? seen : `${seen.slice(0, LONGEST).toWellFormed()}…`;
}
