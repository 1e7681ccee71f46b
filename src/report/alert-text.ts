/**
 * The words of an alert: for the household first, then for whoever looks after imapferry. Pure. Nothing of a message is in it,
 * no address and no password.
 */
import type { AlertNote } from '../domain/ports.ts';
import { withoutSecrets } from '../domain/secrets.ts';
import type { Trouble } from '../domain/status.ts';
import { tellingOf } from './alert-tellings.ts';
import { isSingle } from './alerts.ts';
import { printable, shortened, withoutAddresses } from './sentences.ts';

export interface Words {
  readonly subject: string;
  readonly text: string;
}

/** Of which route, and between which servers. */
export interface Whose {
  readonly route: string;
  readonly source: string;
  readonly destination: string;
}

/** So many troubles are told one by one. */
const MOST = 5;

/** Tells what is wrong, since when, what imapferry does, what the reader can do, and that nothing is lost. */
export function troubleWords(whose: Whose, troubles: readonly Trouble[]): Words {
  const shown = troubles.slice(0, MOST);
  const tellings = shown.map((trouble) => ({ ...trouble, ...telling(trouble) }));
  const flows = troubles.every(isSingle);
  const subject = flows
    ? 'Some messages stay in your old mailbox'
    : 'Mail from your old mailbox is not coming through';
  return {
    subject: `${subject}${ofRoute(whose)}`,
    text: text([
      'Hello,',
      introduction(whose),
      `What has happened: ${joined([
        ...tellings.map(({ is, since }) => `${is}. It has been so since ${moment(since)}.`),
        ...more(troubles),
      ])}`,
      flows
        ? 'No mail is lost. These messages stay in the old mailbox, where you can read them; all other mail arrives as usual.'
        : 'No mail is lost. Whatever comes in stays safe in the old mailbox, and you can read it there meanwhile.',
      `What imapferry does now: ${once(tellings.map(({ now }) => now))}`,
      `What you can do: ${once(tellings.map(({ you }) => you))}`,
      'Once it is over you get one more message. Answers to this one reach nobody, and imapferry never asks for a password by mail.',
      details(whose, shown),
    ]),
  };
}

/** Tells that what was told is over. */
export function overWords(whose: Whose, over: readonly AlertNote[]): Words {
  const shown = over.slice(0, MOST).map((note) => ({ ...note, ...telling(note) }));
  const toldAt = Math.min(...over.map((note) => note.toldAt));
  return {
    subject: `It is over: mail from your old mailbox flows again${ofRoute(whose)}`,
    text: text([
      'Hello,',
      introduction(whose),
      `What it told you of on ${moment(toldAt)} is over; mail flows again. The trouble was: ${joined(
        [...shown.map(({ was, since }) => `${was}, since ${moment(since)}.`), ...more(over)],
      )}`,
      'No mail was lost. What has come in meanwhile is here by now, or on its way here from the old mailbox.',
      'There is nothing for you to do.',
    ]),
  };
}

function introduction({ route, source, destination }: Whose): string {
  const name = route === 'default' ? 'imapferry' : `imapferry (${printable(route)})`;
  return `this is ${name}, the program that carries the mail from your old mailbox at ${source} to the new one at ${destination}.`;
}

function ofRoute({ route }: Whose): string {
  return route === 'default' ? '' : ` (${printable(route)})`;
}

function telling(about: Pick<Trouble, 'cause' | 'side' | 'folder'>) {
  return tellingOf(about, shortened(printable(about.folder ?? '')));
}

/** What the log and the status page say, for those who know what it means. */
function details({ route }: Whose, troubles: readonly Trouble[]): string {
  const said = troubles.map(({ says, help }) => `- ${clean(says)} ${clean(help)}`);
  return `For whoever looks after imapferry (route ${printable(route)}):\n${said.join('\n')}`;
}

/** Servers like to quote addresses, and anything else they were sent. */
function clean(said: string): string {
  return printable(shortened(withoutAddresses(withoutSecrets(said))));
}

/** One sentence goes on in its line; several are a list. */
function joined(sentences: readonly string[]): string {
  if (sentences.length < 2) return sentences.join('');
  return `\n${sentences.map((sentence) => `- ${sentence}`).join('\n')}`;
}

/** Several troubles often have one answer. */
function once(sentences: readonly string[]): string {
  return joined([...new Set(sentences)]);
}

function more({ length }: readonly unknown[]): string[] {
  return length > MOST ? [`And ${length - MOST} more like these.`] : [];
}

function text(paragraphs: readonly string[]): string {
  return `${paragraphs.join('\n\n').replace(/ +$/gm, '')}\n`;
}

/** `Saturday, 28 November 2026 at 14:05 CET`, by the clock of this machine. */
function moment(at: number): string {
  // What Node.js has to know of languages for it takes 7 MB, from the first use on: not before there is an alert.
  return new Intl.DateTimeFormat('en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  }).format(at);
}
