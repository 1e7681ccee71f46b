/** What a log line says: an event and its fields, told as a sentence. Pure. */
import { EVENTS, type EventFields, type EventName } from '../domain/events.ts';

/** The sentence of an event: the one it brings, the one it has here, or the catalogue's. Free of addresses. */
export function sentence(event: EventName, fields: EventFields): string {
  return withoutAddresses(fields.msg ?? SENTENCES[event]?.(fields) ?? plain(event, fields));
}

/** Events that are worth more words than the catalogue has. Their fields stand beside them all the same. */
const SENTENCES: Partial<Record<EventName, (fields: EventFields) => string>> = {
  'account.connected': ({ side }) => `Logged in at the ${side ?? 'server'}`,
  'account.lost': ({ side, why }) =>
    `The connection to the ${side ?? 'server'} ended${because(why)}; it is begun anew`,
  'account.reconnecting': ({ side, attempt, why }) =>
    `Connecting to the ${side ?? 'server'} did not work${nth(attempt)}${because(why)}; it is tried again after a pause`,
  'route.ready': ({ count }) => `Every folder is watched or swept${paren(count, 'folder')}`,
  'plan.made': ({ folder, dest, why }) => `${pair(folder, dest)} is carried${because(why)}`,
  'folder.created': ({ dest }) => `Made and subscribed the destination folder ${dest ?? ''}`,
  'folder.renumbered': ({ folder }) =>
    `${folder ?? 'The folder'} was renumbered (UIDVALIDITY changed); its mail is looked for anew`,
  'folder.left-out': ({ folder, why }) => `${folder ?? 'A folder'} is not carried${because(why)}`,
  'delivery.done': ({ folder, dest, bytes, ms }) =>
    `${pair(folder, dest)}${sizeAndTime(bytes, ms)}`,
  'delivery.planned': ({ folder, dest, bytes, plan, why }) => {
    const what = `${pair(folder, dest)}${sizeAndTime(bytes, undefined)}`;
    if (plan === 'leave') return `${what}: would stay at the source${because(why)}`;
    if (plan === 'retire') return `${what}: would not be sent, its copy is there${because(why)}`;
    return `${what}: would be carried${because(why)}`;
  },
  'delivery.recovered': ({ folder, dest, why }) =>
    why === undefined
      ? `${pair(folder, dest)}: a copy made before an interruption was found and proven`
      : `${pair(folder, dest)}: an equal message was at the destination already, and counts as the copy${because(why)}`,
  'delivery.retried': ({ folder, count, step, attempt, why }) =>
    `${many(count, 'message')} of ${folder ?? 'a folder'}: ${step ?? 'a step'} did not work${nth(attempt)}${because(why)}; it is tried again`,
  'delivery.postponed': ({ folder, count, why }) =>
    `${many(count, 'message')} of ${folder ?? 'a folder'} stayed at the source${because(why)}; the next sweep takes them up again`,
  'delivery.slowed': ({ folder, ms, why }) =>
    `A server asks to go slower${because(why)}; deliveries from ${folder ?? 'the source'} pause${ms === undefined ? '' : ` for ${duration(ms)}`}, and go on with fewer at once`,
  'delivery.paced': ({ side, left, ms, until, why }) =>
    `The rate limit of the ${side ?? 'account'} is reached: ${many(left, 'message')} ${left === 1 ? 'waits' : 'wait'}${because(why)}; deliveries go on${ms === undefined ? '' : ` in ${duration(ms)}`}${until === undefined ? '' : ` (${until})`}`,
  'drain.progress': ({ count, left, bytes, rate, eta }) =>
    `${many(count, 'message')} carried${sizeAndTime(bytes, undefined)}, ${left ?? 'some'} left${rate ? `, ${size(rate)}/s` : ''}${eta !== undefined && left ? `, about ${duration(eta)} to go` : ''}`,
  'journal.replayed': ({ count }) =>
    `${many(count, 'message')} on the way when imapferry last ended, taken up again`,
  'watcher.lost': ({ folder, why }) =>
    `The connection that watches ${folder ?? 'a folder'} ended${because(why)}; it is begun anew`,
  'watcher.idling': ({ folder }) => `${folder ?? 'A folder'} is watched by IDLE`,
  'watcher.noticed': ({ folder }) => `${folder ?? 'A folder'} has changed, says the server`,
  'folder.looked': ({ folder, count }) =>
    `${folder ?? 'A folder'} was looked through: ${count ?? 0} to carry`,
  'delivery.fetched': ({ folder, count }) =>
    `${many(count, 'message')} fetched from ${folder ?? ''}`,
  'delivery.appended': ({ dest, count }) => `${many(count, 'message')} appended to ${dest ?? ''}`,
  'delivery.verified': ({ dest, count }) =>
    `${many(count, 'message')} read back from ${dest ?? ''} and proven`,
};

/** The catalogue's sentence, with the reason where there is one. */
function plain(event: EventName, { why }: EventFields): string {
  return `${EVENTS[event][1]}${because(why)}`;
}

/** A number of bytes for people, in thousands: `980 B`, `12.3 KB`, `4.0 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [divisor, unit] = bytes < 999_950 ? [1e3, 'KB'] : [1e6, 'MB'];
  return `${(bytes / divisor).toFixed(1)} ${unit}`;
}

/** Milliseconds for people: `14 ms`, `0.4 s`, `12 s`, `3 min`, `5 h`, `2 days`. */
export function duration(ms: number): string {
  if (ms < 99.5) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 119_500) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_170_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 171_000_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} days`;
}

/** Whatever looks like a mail address is made unreadable: servers like to quote them in what they say. */
export function withoutAddresses(text: string): string {
  // Word by word: looking for what may stand before an @ takes for ever in a long text that has none.
  return text.replace(/[^\s<>"'(),;:]+/g, (word) => (/^.+@./s.test(word) ? '…@…' : word));
}

/** A sentence that goes on in another one: without its full stop. */
export function withoutStop(text: string): string {
  return text.replace(/[.\s]+$/, '');
}

/** `2026-11-28`, by the clock of this machine. */
export function localDay(at: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
}

/** No line needs more than this of one thing that a server said or called so. */
const LONGEST = 500;

/** A text that is far too long, such as a folder's name, ends after its first characters. */
export function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST).toWellFormed()}…`;
}

/** Makes control and text-direction characters visible, so that nothing from a server steers a terminal. */
export function printable(text: string): string {
  return text.replace(UNSEEN, escaped);
}

/** `\u001b` for an escape character: the same in a sentence and inside a JSON string. */
export function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to be found
export const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function pair(folder: string | undefined, dest: string | undefined): string {
  return `${folder ?? 'source'} → ${dest ?? 'destination'}`;
}

function sizeAndTime(bytes: number | undefined, ms: number | undefined): string {
  const took = ms === undefined ? '' : ` in ${duration(ms)}`;
  return bytes === undefined ? took : `, ${size(bytes)}${took}`;
}

function many(count: number | undefined, noun: string): string {
  if (count === undefined) return `${noun}s`;
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function paren(count: number | undefined, noun: string): string {
  return count === undefined ? '' : ` (${many(count, noun)})`;
}

function nth(attempt: number | undefined): string {
  return attempt === undefined ? '' : ` (attempt ${attempt})`;
}

function because(why: string | undefined): string {
  return why === undefined ? '' : `: ${withoutStop(why)}`;
}
