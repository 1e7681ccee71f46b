/** What each trouble means to the household: what is so, what imapferry does, what the reader can do. Pure. */
import type { Cause, Trouble } from '../domain/status.ts';

export interface Telling {
  /** What is so, and what it was when it is over: goes on with a point in time. */
  readonly is: string;
  readonly was: string;
  /** What imapferry does, and what the reader can do: whole sentences. */
  readonly now: string;
  readonly you: string;
}

/** @param folder as it may be shown */
export function tellingOf({ cause, side }: Pick<Trouble, 'cause' | 'side'>, folder = ''): Telling {
  if (cause === 'account-refused') return refused(side === 'destination' ? 'new' : 'old');
  if (cause === 'account-lost') return lost(side === 'destination' ? 'new' : 'old');
  return TELLINGS[cause](`"${folder}"`);
}

const TRIES = 'It tries again by itself, and goes on as soon as it can.';
const SHOW =
  'Please show this message to whoever looks after imapferry; what is needed stands below.';
const RESTART =
  'Mostly it is enough to wait for a day. If that does not help, please show this message to whoever looks after imapferry; starting it again does no harm.';

function refused(mailbox: 'old' | 'new'): Telling {
  return {
    is: `The ${mailbox} mailbox does not let imapferry in: it does not accept the password, or the login name`,
    was: `the ${mailbox} mailbox did not let imapferry in`,
    now: 'It tries again every 15 minutes, and goes on by itself as soon as it is let in.',
    you: `Was the password of the ${mailbox} mailbox changed? Then imapferry needs the new one in its settings. Many providers want a password of its own for a program like this (they call it "app password"); it is made on their website.`,
  };
}

function lost(mailbox: 'old' | 'new'): Telling {
  return {
    is: `The ${mailbox} mailbox can not be reached`,
    was: `the ${mailbox} mailbox could not be reached`,
    now: 'It tries again every few minutes, and goes on by itself as soon as there is an answer.',
    you: `Mostly it is enough to wait. If nothing else in the house gets into the internet either, look at your router. If only the ${mailbox} mailbox does not answer for more than a day, ask its provider.`,
  };
}

const TELLINGS: Record<
  Exclude<Cause, 'account-refused' | 'account-lost'>,
  (folder: string) => Telling
> = {
  'destination-full': () => ({
    is: 'The new mailbox is full and takes no more mail',
    was: 'the new mailbox was full',
    now: 'It tries again at least once an hour, and goes on by itself as soon as there is room.',
    you: 'Make room in the new mailbox: remove what you do not need any more, and empty the trash. Or get more room from its provider.',
  }),
  'route-blocked': () => ({
    is: 'imapferry has stopped, because somebody has to decide something first',
    was: 'imapferry had stopped, because somebody had to decide something',
    now: 'It carries nothing and changes nothing until then.',
    you: SHOW,
  }),
  'deliveries-held': () => ({
    is: 'The new mailbox takes no mail for now',
    was: 'the new mailbox took no mail',
    now: TRIES,
    you: 'Mostly it is enough to wait. If it lasts for more than a day, please show this message to whoever looks after imapferry.',
  }),
  'folder-left-out': (folder) => ({
    is: `The folder ${folder} of the old mailbox can not be opened`,
    was: `the folder ${folder} of the old mailbox could not be opened`,
    now: 'It tries again every few minutes; the other folders go on.',
    you: SHOW,
  }),
  'folder-missing': (folder) => ({
    is: `The folder ${folder} of the old mailbox is not carried`,
    was: `the folder ${folder} of the old mailbox was not carried`,
    now: 'It looks every few minutes whether that has changed; other folders go on.',
    you: SHOW,
  }),
  'sweep-overdue': (folder) => ({
    is: `imapferry could not look through the folder ${folder} of the old mailbox for longer than it should`,
    was: `imapferry could not look through the folder ${folder} of the old mailbox`,
    now: TRIES,
    you: RESTART,
  }),
  'mail-waits': (folder) => ({
    is: `Mail in the folder ${folder} of the old mailbox waits for longer than it should`,
    was: `mail in the folder ${folder} of the old mailbox had to wait`,
    now: TRIES,
    you: RESTART,
  }),
  'messages-refused': (folder) => ({
    is: `Some messages in the folder ${folder} of the old mailbox can not be carried`,
    was: `some messages in the folder ${folder} of the old mailbox could not be carried`,
    now: 'It tries these again from time to time.',
    you: 'Look for them in the old mailbox. Whoever looks after imapferry can see the reason with the command "imapferry stuck".',
  }),
  'copies-unverified': (folder) => ({
    is: `Some messages from the folder ${folder} did not arrive quite as they were, so that imapferry keeps their originals in the old mailbox`,
    was: `some messages from the folder ${folder} had not arrived quite as they were`,
    now: 'It looks at these again once a day.',
    you: 'Look for them in the old mailbox. Whoever looks after imapferry can see which they are with the command "imapferry stuck".',
  }),
  'journal-failed': () => ({
    is: 'imapferry can not write down what it does, and so carries nothing: mostly a disk is full',
    was: 'imapferry could not write down what it does',
    now: TRIES,
    you: SHOW,
  }),
};
