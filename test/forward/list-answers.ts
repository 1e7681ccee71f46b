/**
 * LIST answers as mail providers give them, in many languages: separators, prefixes, attributes (advertised or not) and
 * localized names as these servers are known to have them.
 */
import type { ListedFolder, Namespaces } from '../../src/domain/route.ts';

export interface Mailbox {
  readonly folders: readonly ListedFolder[];
  readonly namespaces?: Namespaces;
}

/** A folder from its line: `\Sent "/" Gesendet`. */
function line(text: string): ListedFolder {
  const [, attributes = '', delimiter = '', path = ''] =
    /^(.*?)\s*("."|NIL) (.*)$/.exec(text) ?? [];
  return {
    path,
    delimiter: delimiter === 'NIL' ? '' : delimiter.slice(1, -1),
    attributes: new Set(attributes.split(' ').filter((each) => each !== '')),
  };
}

/** An account from its LIST lines, and what NAMESPACE says, if it says something. */
export function mailbox(lines: readonly string[], namespaces?: Namespaces): Mailbox {
  return { folders: lines.map(line), ...(namespaces && { namespaces }) };
}

const slash = (...paths: string[]) =>
  paths.map((path) => (/ "\/" /.test(path) ? path : `"/" ${path}`));

function gmail(container: string, names: readonly string[], own: readonly string[]): Mailbox {
  const uses = ['\\All', '\\Drafts', '\\Important', '\\Sent', '\\Junk', '\\Flagged', '\\Trash'];
  return mailbox(
    [
      '"/" INBOX',
      ...own.map((name) => `"/" ${name}`),
      `\\HasChildren \\Noselect "/" ${container}`,
      ...names.map((name, i) => `\\HasNoChildren ${uses[i]} "/" ${container}/${name}`),
    ],
    { personal: '', foreign: [] },
  );
}

export const MAILBOXES = {
  'Gmail in English': gmail(
    '[Gmail]',
    ['All Mail', 'Drafts', 'Important', 'Sent Mail', 'Spam', 'Starred', 'Trash'],
    ['Receipts', 'Receipts/2024'],
  ),
  'Gmail in German': gmail(
    '[Google Mail]',
    ['Alle Nachrichten', 'Entwürfe', 'Wichtig', 'Gesendet', 'Spam', 'Markiert', 'Papierkorb'],
    ['Rechnungen'],
  ),
  'Gmail in Turkish': gmail(
    '[Gmail]',
    [
      'Tüm Postalar',
      'Taslaklar',
      'Önemli',
      'Gönderilmiş Postalar',
      'Spam',
      'Yıldızlı',
      'Çöp Kutusu',
    ],
    [],
  ),
  'Outlook.com in English': mailbox(
    slash(
      'INBOX',
      '\\HasNoChildren \\Archive "/" Archive',
      '\\HasNoChildren \\Trash "/" Deleted Items',
      '\\HasNoChildren \\Drafts "/" Drafts',
      '\\HasNoChildren \\Junk "/" Junk Email',
      'Notes',
      'Outbox',
      '\\HasNoChildren \\Sent "/" Sent Items',
    ),
  ),
  'Exchange in Italian, without attributes': mailbox(
    slash('INBOX', 'Bozze', 'Posta eliminata', 'Posta inviata', 'Posta indesiderata', 'Attività'),
  ),
  'Exchange in Dutch, without attributes': mailbox(
    slash('INBOX', 'Concepten', 'Verwijderde items', 'Verzonden items', 'Ongewenste e-mail'),
  ),
  iCloud: mailbox(
    slash(
      'INBOX',
      '\\HasNoChildren \\Sent "/" Sent Messages',
      '\\HasNoChildren \\Trash "/" Deleted Messages',
      'Drafts',
      'Junk',
      'Archive',
      'Notes',
    ),
    { personal: '', foreign: [] },
  ),
  Yahoo: mailbox(
    slash(
      '\\Archive "/" Archive',
      '\\Junk "/" Bulk',
      '\\Drafts "/" Draft',
      'INBOX',
      '\\Sent "/" Sent',
      '\\Trash "/" Trash',
      'Old friends',
    ),
    { personal: '', foreign: [] },
  ),
  GMX: mailbox(
    slash(
      'INBOX',
      '\\Drafts "/" Entwürfe',
      '\\Sent "/" Gesendet',
      '\\Trash "/" Gelöscht',
      '\\Junk "/" Spamverdacht',
    ),
    { personal: '', foreign: [] },
  ),
  'Web.de': mailbox(slash('INBOX', 'Unbekannt', 'Entwürfe', 'Gesendet', 'Papierkorb', 'Spam')),
  'T-Online': mailbox(
    slash('INBOX', 'Entwürfe', 'Gesendete Objekte', 'Papierkorb', 'Spamverdacht'),
  ),
  Fastmail: mailbox(
    slash(
      'INBOX',
      '\\Archive "/" Archive',
      '\\Drafts "/" Drafts',
      '\\Sent "/" Sent',
      '\\Junk "/" Spam',
      '\\Trash "/" Trash',
      'user/neighbour/Shared',
    ),
    { personal: '', foreign: ['user/', 'shared/'] },
  ),
  Courier: mailbox(
    [
      '"." INBOX',
      '"." INBOX.Trash',
      '"." INBOX.Sent',
      '"." INBOX.Drafts',
      '"." INBOX.Famille.Noël',
    ],
    { personal: 'INBOX.', foreign: ['#shared.', 'shared.'] },
  ),
  'Courier in French': mailbox(
    [
      '"." INBOX',
      '"." INBOX.Brouillons',
      '"." INBOX.Éléments envoyés',
      '"." INBOX.Corbeille',
      '"." INBOX.Courrier indésirable',
    ],
    { personal: 'INBOX.', foreign: [] },
  ),
  'Cyrus with prefix': mailbox(
    ['"." INBOX', '"." INBOX.Sent', '"." INBOX.Lists.imap', '"." user.other', '"." Shared.news'],
    { personal: 'INBOX.', foreign: ['user.', ''] },
  ),
  'Dovecot in Polish': mailbox(
    slash('INBOX', 'Wysłane', 'Kopie robocze', 'Kosz', 'Spam', 'Praca', 'Praca/2023'),
    { personal: '', foreign: [] },
  ),
  'Dovecot in Czech, below INBOX and without NAMESPACE': mailbox([
    '"." INBOX',
    '"." INBOX.Odeslané',
    '"." INBOX.Koncepty',
    '"." INBOX.Koš',
    '"." INBOX.Nevyžádaná pošta',
  ]),
  'Dovecot in Spanish': mailbox(
    slash('INBOX', 'Enviados', 'Borradores', 'Papelera', 'Correo no deseado'),
  ),
  'Dovecot in Portuguese': mailbox(slash('INBOX', 'Enviados', 'Rascunhos', 'Lixeira', 'Spam')),
  'Dovecot in Russian': mailbox(slash('INBOX', 'Отправленные', 'Черновики', 'Корзина', 'Спам')),
  'Dovecot in Chinese': mailbox(slash('INBOX', '已发送', '草稿', '已删除邮件', '垃圾邮件', '工作')),
  'Dovecot in Japanese': mailbox(slash('INBOX', '送信済み', '下書き', 'ゴミ箱', '迷惑メール')),
  'Dovecot in Swedish': mailbox(slash('INBOX', 'Skickat', 'Utkast', 'Papperskorgen', 'Skräppost')),
  'a server without hierarchy': mailbox([
    'NIL INBOX',
    'NIL Sent',
    'NIL Trash',
    'NIL a/b',
    'NIL v1.2',
  ]),
} as const satisfies Readonly<Record<string, Mailbox>>;
