import { describe, expect, it } from 'vitest';
import type { AlertNote } from '../../src/domain/ports.ts';
import { rememberSecret } from '../../src/domain/secrets.ts';
import type { Cause, Trouble } from '../../src/domain/status.ts';
import { alertMail } from '../../src/report/alert-mail.ts';
import { overWords, troubleWords } from '../../src/report/alert-text.ts';
import { parsed } from '../support/parsed.ts';

const WHOSE = { route: 'default', source: 'imap.old.example', destination: 'imap.new.example' };
const SINCE = Date.UTC(2026, 10, 28, 13, 5);

function trouble(changes: Partial<Trouble> = {}): Trouble {
  return {
    cause: 'account-refused',
    side: 'source',
    route: 'default',
    since: SINCE,
    says: 'The source server refuses the login.',
    help: 'Check SOURCE_USER and SOURCE_PASSWORD.',
    unhealthy: true,
    ...changes,
  };
}

function note(changes: Partial<AlertNote> = {}): AlertNote {
  const of = { cause: 'account-refused', side: 'source', by: 'inbox', over: false } as const;
  return { ...of, since: SINCE, toldAt: SINCE + 3_600_000, ...changes };
}

const CAUSES: [Cause, Trouble['side']?][] = [
  ['account-refused', 'source'],
  ['account-refused', 'destination'],
  ['account-lost', 'source'],
  ['account-lost', 'destination'],
  ['destination-full', 'destination'],
  ['route-blocked'],
  ['deliveries-held'],
  ['folder-left-out'],
  ['sweep-overdue'],
  ['mail-waits'],
  ['messages-refused'],
  ['copies-unverified'],
  ['journal-failed'],
];

describe('an alert', () => {
  it('reads so', () => {
    const { subject, text } = troubleWords({ ...WHOSE, route: 'mum' }, [trouble()]);
    expect(subject).toBe('Mail from your old mailbox is not coming through (mum)');
    expect(text.replaceAll(/28 November 2026 at \d\d:\d\d [\w+:-]+/g, 'NOVEMBER')).toBe(`Hello,

this is imapferry (mum), the program that carries the mail from your old mailbox at imap.old.example to the new one at imap.new.example.

What has happened: The old mailbox does not let imapferry in: it does not accept the password, or the login name. It has been so since Saturday, NOVEMBER.

No mail is lost. Whatever comes in stays safe in the old mailbox, and you can read it there meanwhile.

What imapferry does now: It tries again every 15 minutes, and goes on by itself as soon as it is let in.

What you can do: Was the password of the old mailbox changed? Then imapferry needs the new one in its settings. Many providers want a password of its own for a program like this (they call it "app password"); it is made on their website.

Once it is over you get one more message. Answers to this one reach nobody, and imapferry never asks for a password by mail.

For whoever looks after imapferry (route mum):
- The source server refuses the login. Check SOURCE_USER and SOURCE_PASSWORD.
`);
  });

  it.each(CAUSES)('says of %s (%s) what happened, what is done, what to do', (cause, side) => {
    const { side: _, ...rest } = trouble({ cause, folder: 'Entwürfe' });
    const { text } = troubleWords(WHOSE, [{ ...rest, ...(side && { side }) }]);
    expect(text).toMatch(/What has happened: \S.*\. It has been so since \w+day, /);
    expect(text).toMatch(/\n\nWhat imapferry does now: \S.*\.\n\nWhat you can do: \S.*[.?]\n\n/);
    expect(text).toContain('No mail is lost.');
    expect(text).not.toMatch(/undefined|""| {2}| \n/);
    const other = side === 'destination' ? 'The old' : 'The new';
    if (cause.startsWith('account')) expect(text).not.toContain(`happened: ${other}`);
    const over = overWords(WHOSE, [note({ cause, ...(side && { side }), folder: 'Entwürfe' })]);
    expect(over.text).toMatch(/The trouble was: \S.*, since \w+day, .*\.\n\nNo mail was lost\./);
    expect(over.text).not.toMatch(/undefined|""| {2}| \n/);
  });

  it('tells several troubles in one, and each answer once', () => {
    const many = ['INBOX', 'Sent'].map((folder) => trouble({ cause: 'sweep-overdue', folder }));
    const { text } = troubleWords(WHOSE, [trouble(), ...many]);
    expect(text).toContain('What has happened:\n- The old mailbox does not');
    expect(text.match(/could not look through the folder/g)).toHaveLength(2);
    expect(text.match(/Mostly it is enough to wait/g)).toHaveLength(1);
  });

  it('tells five of many, and how many more there are', () => {
    const folders = Array.from({ length: 40 }, (_, i) => `Folder ${i}`);
    const { text } = troubleWords(
      WHOSE,
      folders.map((folder) => trouble({ cause: 'folder-left-out', folder })),
    );
    expect(text.match(/can not be opened/g)).toHaveLength(5);
    expect(text).toContain('- And 35 more like these.');
  });

  it('says that all other mail arrives where only single messages stay behind', () => {
    const single = trouble({ cause: 'messages-refused', folder: 'INBOX', unhealthy: false });
    const { subject, text } = troubleWords(WHOSE, [single]);
    expect(subject).toBe('Some messages stay in your old mailbox');
    expect(text).toContain('all other mail arrives as usual');
  });

  it('says that mail does not come where it may pass by itself, too', () => {
    const lost = trouble({ cause: 'account-lost', unhealthy: false });
    expect(troubleWords(WHOSE, [lost]).subject).toContain('is not coming through');
  });

  it('shows no address, no password and nothing that steers a terminal, whatever a server says', () => {
    rememberSecret('hunter22-and-more');
    const says = 'It said: <aunt@private.example> may not, "hunter22-and-more"\u001b[2J\u202e.';
    const { text } = troubleWords(WHOSE, [trouble({ says, folder: 'a\nb\u0007' })]);
    expect(text).not.toMatch(/aunt|private|hunter22/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });
});

describe('its end', () => {
  it('reads so', () => {
    const { subject, text } = overWords(WHOSE, [note()]);
    expect(subject).toBe('It is over: mail from your old mailbox flows again');
    expect(text.replaceAll(/28 November 2026 at \d\d:\d\d [\w+:-]+/g, 'NOVEMBER')).toBe(`Hello,

this is imapferry, the program that carries the mail from your old mailbox at imap.old.example to the new one at imap.new.example.

What it told you of on Saturday, NOVEMBER is over; mail flows again. The trouble was: the old mailbox did not let imapferry in, since Saturday, NOVEMBER.

No mail was lost. What has come in meanwhile is here by now, or on its way here from the old mailbox.

There is nothing for you to do.
`);
  });
});

describe('as a message', () => {
  const at = new Date(Date.UTC(2026, 10, 28, 14, 5, 6));
  const words = troubleWords(WHOSE, [trouble({ cause: 'mail-waits', folder: 'Entwürfe' })]);
  const build = async (user: string, route = 'default') =>
    parsed(await alertMail(words, { route, user, at }));

  it('is plain text from a name of its own, at an address that can not be', async () => {
    const { header, text } = await build('mum@new.example', 'mum');
    expect(header.get('from')).toBe('"imapferry (mum)" <no-reply@imapferry.invalid>');
    expect(header.get('to')).toBe('mum@new.example');
    expect(header.get('subject')).toBe(words.subject);
    expect(header.get('date')).toBe('Sat, 28 Nov 2026 14:05:06 +0000');
    expect(header.get('message-id')).toMatch(/^<[\da-f-]{36}@imapferry\.invalid>$/);
    expect(header.get('auto-submitted')).toBe('auto-generated');
    expect(header.get('mime-version')).toBe('1.0');
    expect([...header.keys()].sort()).toEqual([
      'auto-submitted',
      'content-transfer-encoding',
      'content-type',
      'date',
      'from',
      'message-id',
      'mime-version',
      'subject',
      'to',
    ]);
    expect(text).toBe(words.text);
    expect(text).toContain('Entwürfe');
  });

  it('comes from imapferry alone where there is one route', async () => {
    const { header } = await build('mum@new.example');
    expect(header.get('from')).toBe('imapferry <no-reply@imapferry.invalid>');
  });

  it.each(['mum', 'mum@localhost'])('of a login %s', async (user) => {
    const { header } = await build(user);
    expect(header.get('to')).toBe(user.includes('@') ? user : undefined);
  });

  it.each(['mum@a.example, dad@b.example', 'a b@c.example', 'x@y\r\nBcc: z@z', '<a@b>', 'a@b@c'])(
    'is addressed to nobody where the login is %j',
    async (user) => {
      const { header } = await build(user);
      expect(header.has('to')).toBe(false);
      expect(header.has('bcc')).toBe(false);
    },
  );
});
