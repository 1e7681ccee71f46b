/**
 * Known providers: what their servers need of us, and the one sentence that helps. Facts with their source, as of the
 * date that it bears; providers change, and what a server itself says always goes first.
 */

export interface Provider {
  readonly name: string;
  /** Host names, or their ends: `gmx.net` fits `imap.gmx.net`. */
  readonly hosts: readonly string[];
  /** Fits what a server calls itself (ID), where hosts do not tell. */
  readonly server?: RegExp;
  /** Connections that an account may have at once, all clients together. */
  readonly connections?: number;
  /** Stores what it makes of a message, not its bytes: nothing but VERIFY=headers can prove a copy there. */
  readonly rewrites?: true;
  /** What helps where nobody is let in. */
  readonly signIn?: string;
  /** What to know of it as a source, or as a destination. */
  readonly asSource?: string;
  readonly asDestination?: string;
  readonly source: string;
}

const OAUTH_ONLY =
  'takes no passwords any more, only OAuth 2: set {AUTH}=oauth2, and {PASSWORD_COMMAND} to a command that prints an access token';
const IMAP_OFF = 'IMAP has to be switched on in the web settings first';
const CLIENTS =
  'provider lists of mail clients: FairEmail (2026-08), K-9 Mail (2026-08), Delta Chat (2024-11)';

export const PROVIDERS: readonly Provider[] = [
  {
    name: 'Gmail',
    hosts: ['imap.gmail.com', 'imap.googlemail.com'],
    connections: 15,
    signIn:
      'make an app password at myaccount.google.com/apppasswords (it wants 2-step verification); the account password is refused',
    asSource:
      'an expunged message leaves the folder but stays in All Mail, unless Settings, Forwarding and POP/IMAP says otherwise; 2500 MB a day come out by IMAP',
    asDestination:
      '500 MB a day go in by IMAP; a larger mailbox takes several days, and loses nothing',
    source: 'Google, Gmail Help 7126229 and Admin Help 1071518; imapsync, FAQ.Gmail (2025-07)',
  },
  {
    name: 'Outlook.com and Microsoft 365',
    hosts: [
      'outlook.office365.com',
      'outlook.com',
      'office365.com',
      'imap-mail.outlook.com',
      'hotmail.com',
    ],
    server: /^Microsoft/i,
    rewrites: true,
    signIn: `${OAUTH_ONLY}; IMAP also has to be switched on in Settings, Mail, Forwarding and IMAP`,
    asSource: 'it builds messages anew on reading; that is borne, but a size need not be exact',
    source:
      'Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth" (2026-06) and "POP3/IMAP4 settings for a user"',
  },
  {
    name: 'iCloud',
    hosts: ['imap.mail.me.com', 'mail.me.com', 'icloud.com'],
    signIn:
      'make an app-specific password at account.apple.com; it ends when the Apple password changes. The login name is the address, never an alias',
    source: 'live notes of a mail client (2026-09)',
  },
  {
    name: 'Fastmail',
    hosts: ['imap.fastmail.com', 'messagingengine.com'],
    signIn: 'make an app password under Settings, Privacy & Security; the Basic plan has no IMAP',
    source: CLIENTS,
  },
  {
    name: 'Yahoo and AOL',
    hosts: [
      'mail.yahoo.com',
      'imap.aol.com',
      'export.imap.aol.com',
      'imap.mail.att.net',
      'imap.verizon.net',
    ],
    signIn:
      'make an app password under Account security (AT&T calls it secure mail key); where that is refused, too, only OAuth 2 is taken',
    asSource:
      'it shows the newest 10,000 messages of a folder only: as these are carried, older ones come into view and are taken up by the next sweeps',
    source: 'Yahoo Help SLN15241 and Sender Hub (2026); reports of users (2026-05, 2026-07)',
  },
  {
    name: 'GMX',
    hosts: ['imap.gmx.net', 'imap.gmx.com', 'imap.gmx.de', 'imap.gmx.at', 'imap.gmx.ch'],
    signIn: `${IMAP_OFF} (with a browser on a computer: E-Mail, Settings, POP3 & IMAP); with 2-factor login, or from a VPN, it wants an app password`,
    source: CLIENTS,
  },
  {
    name: 'Web.de',
    hosts: ['imap.web.de'],
    signIn: `${IMAP_OFF} (with a browser on a computer: E-Mail, Settings, POP3 & IMAP); with 2-factor login, or from a VPN, it wants an app password`,
    asSource:
      'wanted mail of unknown senders lies in the folder Unbekannt, not in INBOX: carry that, too',
    source: CLIENTS,
  },
  {
    name: 'mail.com',
    hosts: ['imap.mail.com'],
    signIn: 'IMAP comes with the premium account only, with an app password',
    source: CLIENTS,
  },
  {
    name: 'T-Online',
    hosts: ['secureimap.t-online.de', 't-online.de', 'magenta.de'],
    signIn:
      'it wants the separate password for e-mail programs, made in the settings of its web mail; never the account password',
    source: CLIENTS,
  },
  {
    name: 'Proton Mail Bridge',
    hosts: [],
    server: /gluon|proton/i,
    rewrites: true,
    signIn:
      'use the password that Bridge shows, with {TLS}=starttls, and pin its certificate by {TLS_FINGERPRINT}',
    asSource:
      'a message that is expunged from a folder only loses that label, and stays in All Mail',
    source: 'Proton Mail Bridge (2025-06) and gluon (2024-10), source code',
  },
  {
    name: 'mailbox.org',
    hosts: ['imap.mailbox.org'],
    signIn: 'with 2-factor login it wants an app password',
    source: CLIENTS,
  },
  {
    name: 'Posteo',
    hosts: ['posteo.de'],
    signIn: 'with extra mailbox protection it wants an app password',
    source: CLIENTS,
  },
  {
    name: 'IONOS',
    hosts: [
      'imap.ionos.de',
      'imap.ionos.com',
      'imap.ionos.co.uk',
      'imap.ionos.fr',
      'imap.1und1.de',
    ],
    signIn: 'it wants the password of the mailbox, not that of the customer account',
    source: CLIENTS,
  },
  {
    name: 'freenet',
    hosts: ['mx.freenet.de'],
    signIn: IMAP_OFF,
    source: CLIENTS,
  },
  {
    name: 'Interia',
    hosts: ['poczta.interia.pl'],
    signIn: IMAP_OFF,
    source: CLIENTS,
  },
  {
    name: 'Comcast',
    hosts: ['imap.comcast.net'],
    signIn: 'third-party access has to be allowed in the security settings of its web mail',
    source: CLIENTS,
  },
  {
    name: 'Laposte.net',
    hosts: ['imap.laposte.net'],
    signIn: 'it takes the main address as login name only, no alias',
    source: CLIENTS,
  },
  {
    name: 'Mail.ru and Yandex',
    hosts: ['imap.mail.ru', 'imap.yandex.ru', 'imap.yandex.com'],
    signIn: 'make an app password in the account settings; the account password is refused',
    source: CLIENTS,
  },
  {
    name: 'TIM, Alice and Tin.it',
    hosts: ['imap.tim.it', 'in.alice.it', 'imaps.tin.it'],
    signIn: 'it speaks STARTTLS: {PORT}=143 and {TLS}=starttls',
    source: CLIENTS,
  },
  {
    name: 'Earthlink',
    hosts: ['imap.earthlink.net'],
    signIn: 'it speaks STARTTLS: {PORT}=143 and {TLS}=starttls',
    source: CLIENTS,
  },
  {
    name: 'Exchange',
    hosts: [],
    server: /exchange/i,
    rewrites: true,
    source: 'Microsoft, "POP3/IMAP4 settings for a user" (EnableExactRFC822Size)',
  },
  {
    name: 'Courier',
    hosts: [],
    server: /courier/i,
    connections: 4,
    asDestination: 'it empties Trash of what is older than a week by itself (IMAP_EMPTYTRASH)',
    source: 'Courier-IMAP, imapd.dist (2026): MAXPERIP, IMAP_EMPTYTRASH',
  },
];

/** The provider of a server, or `undefined`. `server`: what it calls itself. */
export function providerOf(host: string, server: string | undefined): Provider | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  return (
    PROVIDERS.find(({ hosts }) => hosts.some((end) => name === end || name.endsWith(`.${end}`))) ??
    PROVIDERS.find((each) => server !== undefined && each.server?.test(server.slice(0, 200)))
  );
}
