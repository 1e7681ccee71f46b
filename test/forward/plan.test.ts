import { describe, expect, it } from 'vitest';
import type { FolderRule, SpecialUse } from '../../src/domain/route.ts';
import { folded, useByName } from '../../src/forward/folder-names.ts';
import { makePlan, type Plan, type PlanInput } from '../../src/forward/plan.ts';
import { Dice } from '../soak/dice.ts';
import { SEED } from '../support/seed.ts';
import { MAILBOXES, type Mailbox, mailbox } from './list-answers.ts';

const ALL: FolderRule[] = [{ kind: 'pattern', pattern: '*' }];
const SLASH = mailbox(['"/" INBOX']);
const DOT = mailbox(['"." INBOX'], { personal: 'INBOX.', foreign: [] });

function plan(
  source: Mailbox,
  dest: Mailbox,
  { rules = ALL, ...more }: Partial<PlanInput> = {},
): Plan {
  const namespaces = { source: source.namespaces, dest: dest.namespaces };
  return makePlan({ source: source.folders, dest: dest.folders, rules, namespaces, ...more });
}

/** Each source folder with where it goes. */
function ways({ pairs }: Plan): Record<string, string> {
  return Object.fromEntries(pairs.map(({ source, dest }) => [source, dest]));
}

const whys = ({ leftOut }: Plan) =>
  Object.fromEntries(leftOut.map(({ folder, why }) => [folder, why]));

describe('folders of special use go to their counterparts', () => {
  const USES: readonly SpecialUse[] = ['\\Sent', '\\Drafts', '\\Junk', '\\Trash'];
  /** The folder of each use, by name, as a person who reads that language sees it. */
  const MEANT: Readonly<Partial<Record<keyof typeof MAILBOXES, readonly (string | undefined)[]>>> =
    {
      'Gmail in English': ['[Gmail]/Sent Mail', '[Gmail]/Drafts', '[Gmail]/Spam', '[Gmail]/Trash'],
      'Gmail in German': [
        '[Google Mail]/Gesendet',
        '[Google Mail]/Entwürfe',
        '[Google Mail]/Spam',
        '[Google Mail]/Papierkorb',
      ],
      'Gmail in Turkish': [
        '[Gmail]/Gönderilmiş Postalar',
        '[Gmail]/Taslaklar',
        '[Gmail]/Spam',
        '[Gmail]/Çöp Kutusu',
      ],
      'Outlook.com in English': ['Sent Items', 'Drafts', 'Junk Email', 'Deleted Items'],
      'Exchange in Italian, without attributes': [
        'Posta inviata',
        'Bozze',
        'Posta indesiderata',
        'Posta eliminata',
      ],
      'Exchange in Dutch, without attributes': [
        'Verzonden items',
        'Concepten',
        'Ongewenste e-mail',
        'Verwijderde items',
      ],
      iCloud: ['Sent Messages', 'Drafts', 'Junk', 'Deleted Messages'],
      Yahoo: ['Sent', 'Draft', 'Bulk', 'Trash'],
      GMX: ['Gesendet', 'Entwürfe', 'Spamverdacht', 'Gelöscht'],
      'Web.de': ['Gesendet', 'Entwürfe', 'Spam', 'Papierkorb'],
      'T-Online': ['Gesendete Objekte', 'Entwürfe', 'Spamverdacht', 'Papierkorb'],
      Fastmail: ['Sent', 'Drafts', 'Spam', 'Trash'],
      Courier: ['INBOX.Sent', 'INBOX.Drafts', undefined, 'INBOX.Trash'],
      'Courier in French': [
        'INBOX.Éléments envoyés',
        'INBOX.Brouillons',
        'INBOX.Courrier indésirable',
        'INBOX.Corbeille',
      ],
      'Dovecot in Polish': ['Wysłane', 'Kopie robocze', 'Spam', 'Kosz'],
      'Dovecot in Czech, below INBOX and without NAMESPACE': [
        'INBOX.Odeslané',
        'INBOX.Koncepty',
        'INBOX.Nevyžádaná pošta',
        'INBOX.Koš',
      ],
      'Dovecot in Spanish': ['Enviados', 'Borradores', 'Correo no deseado', 'Papelera'],
      'Dovecot in Portuguese': ['Enviados', 'Rascunhos', 'Spam', 'Lixeira'],
      'Dovecot in Russian': ['Отправленные', 'Черновики', 'Спам', 'Корзина'],
      'Dovecot in Chinese': ['已发送', '草稿', '垃圾邮件', '已删除邮件'],
      'Dovecot in Japanese': ['送信済み', '下書き', '迷惑メール', 'ゴミ箱'],
      'Dovecot in Swedish': ['Skickat', 'Utkast', 'Skräppost', 'Papperskorgen'],
      'Cyrus with prefix': ['INBOX.Sent', undefined, undefined, undefined],
    };
  const known = Object.entries(MEANT) as [keyof typeof MAILBOXES, (string | undefined)[]][];
  const crossings = known.flatMap(([from, fromNames]) =>
    known.map(([to, toNames]) => ({ from, to, fromNames, toNames })),
  );

  it.each(crossings)('from $from to $to', ({ from, to, fromNames, toNames }) => {
    const made = plan(MAILBOXES[from], MAILBOXES[to]);
    expect(made.mistakes).toEqual([]);
    const expected = USES.flatMap((_, i) => {
      const [source, dest] = [fromNames[i], toNames[i]];
      return source !== undefined && dest !== undefined ? [[source, dest] as const] : [];
    });
    expect(ways(made)).toMatchObject(Object.fromEntries(expected));
  });
});

describe('a missing counterpart', () => {
  const source = mailbox([
    '"/" INBOX',
    '"/" Spam',
    '"/" Papierkorb',
    '"/" Wysłane',
    '"/" Spam/old',
  ]);

  it('of Junk and Trash is made with its special use', () => {
    const made = plan(source, DOT, { createsSpecialUse: true });
    expect(ways(made)).toEqual({
      INBOX: 'INBOX',
      Spam: 'INBOX.Junk',
      Papierkorb: 'INBOX.Trash',
      Wysłane: 'INBOX.Wysłane',
      'Spam/old': 'INBOX.Junk.old',
    });
    expect(made.pairs.map(({ createAs }) => createAs)).toEqual([
      undefined,
      '\\Junk',
      '\\Trash',
      '\\Sent',
      undefined,
    ]);
  });

  it('of Junk is left out and said where its name is that of another folder', () => {
    const dest = mailbox(['"/" INBOX', '\\Trash "/" Junk']);
    const made = plan(source, dest, { createsSpecialUse: true });
    expect(ways(made)).toEqual({ INBOX: 'INBOX', Papierkorb: 'Junk', Wysłane: 'Wysłane' });
    expect(whys(made).Spam).toContain('no folder of the use \\Junk');
  });

  it('of Junk is left out and said where the server has refused to make it', () => {
    const refusedUses = new Set<SpecialUse>(['\\Junk']);
    const made = plan(source, SLASH, { createsSpecialUse: true, refusedUses });
    expect(Object.keys(whys(made))).toEqual(['Spam', 'Spam/old']);
  });

  it('of Junk and Trash is left out and said where none can be made', () => {
    const made = plan(source, DOT);
    expect(Object.keys(ways(made))).toEqual(['INBOX', 'Wysłane']);
    expect(Object.keys(whys(made))).toEqual(['Spam', 'Papierkorb', 'Spam/old']);
    expect(made.leftOut.every(({ ofCourse }) => !ofCourse)).toBe(true);
  });
});

describe('a path', () => {
  const rows: readonly (readonly [string, Mailbox, Mailbox, Record<string, string>])[] = [
    [
      'gets the other separator and prefix',
      mailbox(['"/" INBOX', '"/" Lists/imap/2024']),
      DOT,
      { INBOX: 'INBOX', 'Lists/imap/2024': 'INBOX.Lists.imap.2024' },
    ],
    [
      'loses the prefix where the other side has none',
      MAILBOXES['Cyrus with prefix'],
      SLASH,
      { INBOX: 'INBOX', 'INBOX.Sent': 'Sent', 'INBOX.Lists.imap': 'Lists/imap' },
    ],
    [
      'has a separator inside a name replaced',
      mailbox(['"/" INBOX', '"/" v1.2/a.b']),
      DOT,
      { INBOX: 'INBOX', 'v1.2/a.b': 'INBOX.v1_2.a_b' },
    ],
    [
      'stays one name where the source has no hierarchy',
      MAILBOXES['a server without hierarchy'],
      mailbox(['"/" INBOX', '"/" Trash']),
      { INBOX: 'INBOX', Sent: 'Sent', Trash: 'Trash', 'a/b': 'a_b', 'v1.2': 'v1.2' },
    ],
    [
      'becomes one name where the destination has no hierarchy',
      mailbox(['"/" INBOX', '"/" a/b', '"/" a/b/c']),
      mailbox(['NIL INBOX']),
      { INBOX: 'INBOX', 'a/b': 'a_b', 'a/b/c': 'a_b_c' },
    ],
    [
      'keeps letters of all kinds, quotes, ampersands and spaces',
      mailbox(['"/" INBOX', '"/" 草稿箱 & "x"', '"/"   spaced']),
      SLASH,
      { INBOX: 'INBOX', '草稿箱 & "x"': '草稿箱 & "x"', '  spaced': '  spaced' },
    ],
    [
      'finds INBOX in any letter case',
      mailbox(['"/" Inbox', '"/" inbox/a']),
      DOT,
      { Inbox: 'INBOX', 'inbox/a': 'INBOX.a' },
    ],
    [
      'follows the folder above it, six deep',
      mailbox(['"/" INBOX', '"/" Gesendet/a/b/c/d/e']),
      mailbox(['"/" INBOX', '\\Sent "/" Sent Items']),
      { INBOX: 'INBOX', 'Gesendet/a/b/c/d/e': 'Gesendet/a/b/c/d/e' },
    ],
    [
      'follows the counterpart of the folder above it',
      mailbox(['"/" INBOX', '"/" Gesendet', '"/" Gesendet/a/b/c/d/e']),
      mailbox(['"/" INBOX', '\\Sent "/" Sent Items']),
      { INBOX: 'INBOX', Gesendet: 'Sent Items', 'Gesendet/a/b/c/d/e': 'Sent Items/a/b/c/d/e' },
    ],
    [
      'goes through a name that holds no mail',
      mailbox(['"/" INBOX', '\\Noselect "/" Old', '"/" Old/1999']),
      DOT,
      { INBOX: 'INBOX', 'Old/1999': 'INBOX.Old.1999' },
    ],
  ];
  it.each(rows)('%s', (_, source, dest, expected) => {
    const made = plan(source, dest);
    expect(ways(made)).toEqual(expected);
    expect(made.mistakes).toEqual([]);
  });

  it('says that a separator was replaced', () => {
    const made = plan(mailbox(['"/" v1.2']), DOT);
    expect(made.pairs[0]?.said).toBe(
      '"." separates folders at the destination and becomes "_" in this name',
    );
  });

  it('is planned for fifty thousand folders within the time of a test', () => {
    const many = mailbox(Array.from({ length: 50_000 }, (_, i) => `"/" Folder ${i}`));
    expect(plan(many, DOT).pairs).toHaveLength(50_000);
  });
});

describe('two folders of one use', () => {
  const ONLY_INBOX = ['"/" INBOX'];
  const rows: readonly (readonly [string, string[], string[], Record<string, string>])[] = [
    [
      'go each to its own name, where the destination says which is which',
      ['"/" Gesendet', '"/" Sent'],
      ['"/" Gesendet', '\\Sent "/" Sent'],
      { Gesendet: 'Gesendet', Sent: 'Sent' },
    ],
    [
      'go each to its own name, where no side says it and each lists them in its order',
      ['"/" Gesendet', '"/" Sent'],
      ['"/" Sent', '"/" Gesendet'],
      { Gesendet: 'Gesendet', Sent: 'Sent' },
    ],
    [
      'go each to its own name, where both say both',
      ['\\Sent "/" Sent Messages', '\\Sent "/" Sent'],
      ['\\Sent "/" Sent', '\\Sent "/" Sent Messages'],
      { 'Sent Messages': 'Sent Messages', Sent: 'Sent' },
    ],
    [
      'go one to the counterpart, the other to its own name',
      ['"/" Sent', '"/" Enviados', '"/" Sent/2024'],
      ['"/" Gesendete Objekte'],
      { Sent: 'Gesendete Objekte', Enviados: 'Enviados', 'Sent/2024': 'Gesendete Objekte/2024' },
    ],
    [
      'leave the only one that is carried the counterpart',
      ['\\Noselect "/" Sent', '"/" Gesendet'],
      ['\\Sent "/" Outgoing'],
      { Gesendet: 'Outgoing' },
    ],
    [
      'of which one says so leave the other its name',
      ['\\Sent "/" Gesendete Objekte', '"/" Sent'],
      ['"/" Sent'],
      { 'Gesendete Objekte': 'Gesendete Objekte', Sent: 'Sent' },
    ],
    ['are not made as Junk beside each other', ['"/" Spam', '"/" Junk'], ONLY_INBOX, {}],
    ['are not made as Trash beside each other', ['"/" Papierkorb', '"/" Trash'], ONLY_INBOX, {}],
    [
      'go one to Junk, and the other nowhere',
      ['"/" Spam', '"/" Junk'],
      ['"/" Junk'],
      { Junk: 'Junk' },
    ],
  ];
  it.each(rows)('%s', (_, source, dest, expected) => {
    const made = plan(mailbox(source), mailbox(dest));
    expect(made.mistakes).toEqual([]);
    expect(ways(made)).toEqual(expected);
  });

  it('are one made as Junk with its use, the other left out', () => {
    const made = plan(mailbox(['"/" Spam', '"/" Junk']), SLASH, { createsSpecialUse: true });
    expect(made.pairs).toMatchObject([{ source: 'Junk', dest: 'Junk', createAs: '\\Junk' }]);
    expect(whys(made).Spam).toContain(
      "the destination's folder of the use \\Junk, Junk, is that of",
    );
    expect(made.leftOut).toMatchObject([{ folder: 'Spam', ofCourse: false }]);
  });

  it('are both drafts, which rest a while', () => {
    const made = plan(mailbox(['"/" Drafts', '"/" Entwürfe']), SLASH);
    expect(made.pairs.map(({ use }) => use)).toEqual(['\\Drafts', '\\Drafts']);
  });
});

describe('folders in which Exchange keeps other things than mail', () => {
  const names = ['Calendar', 'Calendar/Birthdays', 'Contacts', 'Tasks', 'Journal', 'Outbox'];
  const exchange = mailbox(
    [...names, 'Sync Issues', 'Kalender', 'INBOX', 'Inbox notes', 'Work/Calendar'].map(
      (name) => `\\HasNoChildren "/" ${name}`,
    ),
  );
  const how = { exchange: { source: true } };

  it('are left out as a matter of course', () => {
    const made = plan(exchange, SLASH, how);
    expect(Object.keys(ways(made))).toEqual(['INBOX', 'Inbox notes', 'Work/Calendar']);
    expect(whys(made).Calendar).toBe('Exchange keeps other things than mail there');
    expect(made.leftOut.every(({ ofCourse }) => ofCourse)).toBe(true);
  });

  it('are taken where FOLDERS names them', () => {
    const rules: FolderRule[] = [{ kind: 'folder', name: 'Calendar' }, ...ALL];
    const made = plan(exchange, SLASH, { ...how, rules });
    expect(Object.keys(ways(made))).toContain('Calendar');
    expect(whys(made)).toHaveProperty('Calendar/Birthdays');
  });

  it('are ordinary ones on other servers', () => {
    expect(plan(exchange, SLASH).leftOut).toEqual([]);
  });

  it('are given no mail, and that is said', () => {
    const made = plan(mailbox(['"/" Contacts']), exchange, { exchange: { dest: true } });
    expect(made.leftOut).toMatchObject([{ folder: 'Contacts', ofCourse: false }]);
  });
});

describe('a folder that is being carried', () => {
  const dest = mailbox(['"/" INBOX', '\\Sent "/" Sent']);
  const kept = new Map(
    plan(mailbox(['"/" Gesendete Objekte']), dest).pairs.map((pair) => [pair.source, pair]),
  );

  it('keeps its way, and one that would join it is a mistake', () => {
    const made = plan(mailbox(['"/" Gesendete Objekte', '"/" Sent']), dest, { kept });
    expect(ways(made)).toEqual({ 'Gesendete Objekte': 'Sent', Sent: 'Sent' });
    expect(made.mistakes).toHaveLength(1);
    expect(made.mistakes[0]).toMatch(/^Gesendete Objekte and Sent would both go to Sent/);
  });

  it('keeps its counterpart, although another name is better known', () => {
    const made = plan(mailbox(['"/" Gesendet', '"/" Gesendete Objekte']), dest, { kept });
    expect(ways(made)).toEqual({ Gesendet: 'Gesendet', 'Gesendete Objekte': 'Sent' });
    expect(made.mistakes).toEqual([]);
  });

  it('is left out where its way ends in the Trash by now', () => {
    const trash = mailbox(['"/" INBOX', '\\Trash "/" Sent']);
    const made = plan(mailbox(['"/" Gesendete Objekte']), trash, { kept });
    expect(ways(made)).toEqual({});
  });
});

describe('left out', () => {
  it.each(['\\All', '\\Flagged', '\\Important', '\\Noselect', '\\NoSelect', '\\NonExistent'])(
    'as a matter of course: folders that are %s',
    (attribute) => {
      const made = plan(mailbox(['"/" INBOX', `${attribute} "/" View`]), SLASH);
      expect(ways(made)).toEqual({ INBOX: 'INBOX' });
      expect(made.leftOut).toMatchObject([{ folder: 'View', ofCourse: true }]);
    },
  );

  it('as a matter of course: views of Gmail, whatever they are called', () => {
    for (const name of ['Gmail in English', 'Gmail in German', 'Gmail in Turkish'] as const) {
      const bare = MAILBOXES[name].folders.map((folder) => ({
        ...folder,
        attributes: new Set<string>(),
      }));
      const { pairs } = plan({ folders: bare }, SLASH);
      expect(pairs.map(({ source }) => source).join()).not.toMatch(
        /All Mail|Alle|Tüm|Starred|Markiert|Yıldızlı|Important|Wichtig/,
      );
    }
  });

  it("as a matter of course: other users' and shared folders, unless one is named", () => {
    const made = plan(MAILBOXES.Fastmail, SLASH, { createsSpecialUse: true });
    expect(whys(made)['user/neighbour/Shared']).toBe('it belongs to another user or is shared');
    const named: FolderRule[] = [
      { kind: 'folder', name: 'user/neighbour/Shared', to: 'Neighbour' },
    ];
    expect(ways(plan(MAILBOXES.Fastmail, SLASH, { rules: named }))).toEqual({
      'user/neighbour/Shared': 'Neighbour',
    });
  });

  it('the folder to which carried mail is moved', () => {
    const made = plan(mailbox(['"/" INBOX', '"/" Carried']), SLASH, { moveTo: 'Carried' });
    expect(whys(made)).toEqual({ Carried: 'AFTER_DELIVERY moves carried mail there' });
    const ofAnother = plan(mailbox(['"/" INBOX', '"/" Done']), SLASH, {
      rivals: [{ name: 'other', folders: [{ kind: 'folder', name: 'INBOX2' }], moveTo: 'Done' }],
    });
    expect(whys(ofAnother)).toEqual({
      Done: 'AFTER_DELIVERY of the route other moves carried mail there',
    });
    const otherCase = plan(mailbox(['"/" INBOX', '"/" Carried']), SLASH, { moveTo: 'carried' });
    expect(ways(otherCase)).toEqual({ INBOX: 'INBOX' });
  });

  it("what would end in the destination's Trash or Junk and is not their counterpart", () => {
    const source = mailbox(['"/" INBOX', '"/" Bulk', '\\Junk "/" Verdacht']);
    const made = plan(source, mailbox(['"/" INBOX', '\\Junk "/" Bulk']));
    expect(ways(made)).toEqual({ INBOX: 'INBOX', Verdacht: 'Bulk' });
    expect(whys(made).Bulk).toContain('empty by themselves');
    const byHand: FolderRule[] = [{ kind: 'folder', name: 'Bulk', to: 'Bulk' }];
    expect(ways(plan(source, SLASH, { rules: byHand }))).toEqual({ Bulk: 'Bulk' });
  });

  it('what would go to a view of the destination', () => {
    const made = plan(mailbox(['"/" Starred']), mailbox(['"/" INBOX', '\\Flagged "/" Starred']));
    expect(made.pairs).toEqual([]);
    expect(whys(made).Starred).toContain('only shows mail of other folders');
  });

  it('what would go by hand to a view, or to what holds no mail', () => {
    const rules: FolderRule[] = [
      { kind: 'folder', name: 'X', to: 'All' },
      { kind: 'folder', name: 'Y', to: 'Box' },
    ];
    const dest = mailbox(['"/" INBOX', '\\All "/" All', '\\Noselect "/" Box']);
    const made = plan(mailbox(['"/" X', '"/" Y']), dest, { rules });
    expect(made.pairs).toEqual([]);
    expect(Object.keys(whys(made))).toEqual(['X', 'Y']);
  });

  it("what would end in the destination's Trash by another letter case", () => {
    const source = mailbox(['"/" INBOX', '\\Trash "/" Papierkorb', '"/" trash']);
    const made = plan(source, mailbox(['"/" INBOX', '\\Trash "/" Trash']));
    expect(ways(made)).toEqual({ INBOX: 'INBOX', Papierkorb: 'Trash' });
  });
});

describe('names', () => {
  it.each([
    'Lixo',
    'sampah',
    'Szemét',
    'Søppel',
    '垃圾箱',
    'Bandeja de salida',
    'Sent to clients',
    'Templates',
  ])('that mean more than one thing, or none, are not guessed: %s', (name) =>
    expect(useByName([name])).toBeUndefined(),
  );

  it('are compared without case, invisible characters and other ways to write a letter', () => {
    expect(useByName(['  ENTWU\u0308RFE\u00ad '])).toMatchObject({ use: '\\Drafts' });
    expect(folded('Gesendete Größe')).toBe(folded('GESENDETE GRÖSSE'));
  });

  it('below another folder are somebody’s own', () => {
    expect(useByName(['Customers', 'Sent'])).toBeUndefined();
  });

  it('count only where the server is silent on a use', () => {
    const source = mailbox(['"/" Sent', '\\Sent "/" Gesendet 2']);
    const made = plan(source, mailbox(['"/" INBOX', '\\Sent "/" Outgoing']));
    expect(ways(made)).toEqual({ Sent: 'Sent', 'Gesendet 2': 'Outgoing' });
  });
});

describe('rules', () => {
  const source = mailbox([
    '"/" INBOX',
    '"/" Sent',
    '"/" Lists',
    '"/" Lists/a',
    '"/" Lists/b/c',
    '"/" Work',
  ]);
  const rows: readonly (readonly [string, FolderRule[], string[], string[]])[] = [
    ['a name', [{ kind: 'folder', name: 'inbox' }], ['INBOX'], []],
    [
      'a name that is not there, and what to leave out',
      [
        { kind: 'folder', name: 'Liste' },
        { kind: 'not', name: 'Sent' },
      ],
      [],
      ['Liste'],
    ],
    ['* is everything', ALL, ['INBOX', 'Sent', 'Lists', 'Lists/a', 'Lists/b/c', 'Work'], []],
    [
      '% stops at the separator',
      [{ kind: 'pattern', pattern: '%' }],
      ['INBOX', 'Sent', 'Lists', 'Work'],
      [],
    ],
    ['Lists/%', [{ kind: 'pattern', pattern: 'Lists/%' }], ['Lists/a'], []],
    ['Lists/*', [{ kind: 'pattern', pattern: 'Lists/*' }], ['Lists/a', 'Lists/b/c'], []],
    ['*s', [{ kind: 'pattern', pattern: '*s' }], ['Lists'], []],
    [
      '! leaves out, wherever it stands',
      [{ kind: 'not', name: 'Sent' }, ...ALL, { kind: 'not', pattern: 'Lists*' }],
      ['INBOX', 'Work'],
      [],
    ],
    [
      '! alone means all the rest',
      [{ kind: 'not', pattern: 'Lists*' }],
      ['INBOX', 'Sent', 'Work'],
      [],
    ],
    [
      'a name counts for more than a pattern',
      [{ kind: 'not', pattern: 'Lists/*' }, { kind: 'folder', name: 'Lists/a' }, ...ALL],
      ['INBOX', 'Lists/a', 'Sent', 'Lists', 'Work'],
      [],
    ],
    [
      'what matches nothing is named',
      [
        { kind: 'folder', name: 'Snet' },
        { kind: 'pattern', pattern: 'X*' },
        { kind: 'not', name: 'Y' },
        { kind: 'not', pattern: 'Z/%' },
      ],
      [],
      ['Snet', 'X*', '!Y', '!Z/%'],
    ],
    [
      'characters of patterns elsewhere mean nothing here',
      [{ kind: 'pattern', pattern: 'L.sts(/|[a-z])?*' }],
      [],
      ['L.sts(/|[a-z])?*'],
    ],
  ];
  it.each(rows)('%s', (_, rules, carried, unmatched) => {
    const made = plan(source, SLASH, { rules });
    expect(made.pairs.map(({ source: path }) => path)).toEqual(carried);
    expect(made.leftOut.filter(({ ofCourse }) => !ofCourse).map(({ folder }) => folder)).toEqual(
      unmatched,
    );
  });

  it('by hand lead where they say, and what lies below follows', () => {
    const rules: FolderRule[] = [{ kind: 'folder', name: 'Lists', to: 'Old/Lists' }, ...ALL];
    expect(ways(plan(source, DOT, { rules }))).toMatchObject({
      Lists: 'Old/Lists',
      'Lists/a': 'Old/Lists.a',
      'Lists/b/c': 'Old/Lists.b.c',
    });
  });

  it('of a thousand stars take no time', () => {
    const rules: FolderRule[] = [{ kind: 'pattern', pattern: `${'*'.repeat(1000)}x` }];
    expect(plan(mailbox([`"/" ${'a'.repeat(5000)}`]), SLASH, { rules }).pairs).toEqual([]);
  });
});

describe('mistakes', () => {
  it('two folders in one, unasked, stop the route with both names', () => {
    const { mistakes } = plan(mailbox(['"/" v1.2', '"/" v1_2']), DOT);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(/^v1\.2 and v1_2 would both go to INBOX\.v1_2/);
  });

  it('two folders in one, one of them by hand, stop it, too', () => {
    const rules: FolderRule[] = [{ kind: 'folder', name: 'A', to: 'B' }, ...ALL];
    expect(plan(mailbox(['"/" A', '"/" B']), SLASH, { rules }).mistakes).toHaveLength(1);
  });

  it('names that differ in case only may be one folder there, unless that server shows both', () => {
    const source = mailbox(['"/" Lists', '"/" lists']);
    expect(plan(source, SLASH).mistakes).toHaveLength(1);
    expect(plan(source, mailbox(['"/" INBOX', '"/" Lists', '"/" lists'])).mistakes).toEqual([]);
    expect(plan(source, mailbox(['"/" INBOX', '"/" Lists'])).mistakes).toHaveLength(1);
  });

  it('two folders in one by hand are none', () => {
    const rules: FolderRule[] = [
      { kind: 'folder', name: 'A', to: 'All' },
      { kind: 'folder', name: 'B', to: 'All' },
    ];
    const made = plan(mailbox(['"/" A', '"/" B']), SLASH, { rules });
    expect(made.mistakes).toEqual([]);
    expect(ways(made)).toEqual({ A: 'All', B: 'All' });
  });

  it('a folder in itself, where both sides are one account', () => {
    const rules: FolderRule[] = [{ kind: 'folder', name: 'INBOX' }];
    expect(plan(SLASH, SLASH, { rules, sameAccount: true }).mistakes[0]).toContain(
      'carried into itself',
    );
  });
});

describe('a folder to move to', () => {
  const box = mailbox(['"/" INBOX', '"/" Carried']);

  it.each([
    [
      'Done/',
      'move:Done/ names no folder: "/" separates folders at the source',
      'Write "move:Done"',
    ],
    ['/Done', 'move:/Done names no folder', 'Write "move:Done"'],
    ['a//b', 'move:a//b names no folder', 'Write "move:a/b"'],
    [
      'carried',
      'move:carried names a folder that the source lists as Carried',
      'Write "move:Carried"',
    ],
  ])('that is misspelt is a mistake: %s', (moveTo, ...says) => {
    const { mistakes } = plan(box, SLASH, { moveTo });
    expect(mistakes).toHaveLength(1);
    for (const words of says) expect(mistakes[0]).toContain(words);
  });

  it.each(['Carried', 'inbox', 'Done', 'a/b', 'a.b.'])('is fine: %s', (moveTo) => {
    expect(plan(box, SLASH, { moveTo }).mistakes).toEqual([]);
  });
});

describe(`whatever the folders (SEED=${SEED})`, () => {
  const NAMES = [
    'INBOX',
    'Sent',
    'Gesendet',
    'Gesendete Objekte',
    'Junk',
    'Spam',
    'Trash',
    'Papierkorb',
    'Drafts',
    'Archive',
    '[Gmail]',
    'Starred',
    'a.b',
    'a/b',
    'a_b',
    'A',
    'Ä',
    '草稿',
    'x',
  ];
  const ATTRIBUTES = [
    '\\Sent',
    '\\Junk',
    '\\Trash',
    '\\Drafts',
    '\\Archive',
    '\\All',
    '\\Noselect',
  ];

  function anyMailbox(dice: Dice): Mailbox {
    const delimiter = dice.pick(['/', '.', '']);
    const prefix = delimiter !== '' && dice.chance(1 / 3) ? `INBOX${delimiter}` : '';
    const shown = delimiter === '' ? 'NIL' : `"${delimiter}"`;
    const lines = new Map<string, string>([['INBOX', `${shown} INBOX`]]);
    for (let i = dice.below(12); i > 0; i--) {
      const depth = delimiter === '' || dice.chance(1 / 2) ? 1 : dice.between(1, 3);
      const names = Array.from({ length: depth }, () => dice.pick(NAMES));
      const legal = names.map((name) =>
        delimiter === '' ? name : name.replaceAll(delimiter, '-'),
      );
      const path = `${prefix}${legal.join(delimiter)}`;
      const attribute = dice.chance(1 / 4) ? dice.pick(ATTRIBUTES) : '';
      if (!lines.has(path)) lines.set(path, `${attribute} ${shown} ${path}`);
    }
    return mailbox([...lines.values()], { personal: prefix, foreign: [] });
  }

  /** The destination after folders of a plan were made, in any order. */
  function carriedOut(dest: Mailbox, pairs: Plan['pairs']): Mailbox {
    const delimiter = dest.folders[0]?.delimiter ?? '';
    const missing = new Map(pairs.filter(({ exists }) => !exists).map((pair) => [pair.dest, pair]));
    const made = [...missing.values()].map(({ dest: path, createAs }) => ({
      path,
      delimiter,
      attributes: new Set(createAs ? [createAs] : []),
    }));
    const there = dest.folders.filter(({ path }) => !missing.has(path));
    return { ...dest, folders: [...there, ...made] };
  }

  const worlds = Array.from({ length: 4000 }, (_, i) => {
    const dice = new Dice(SEED, `world ${i}`);
    return {
      source: anyMailbox(dice),
      dest: anyMailbox(dice),
      createsSpecialUse: dice.chance(1 / 2),
      made: dice.of('made'),
    };
  });

  /** What a world is, for whoever reads that something went wrong in it. */
  const told = ({ source, dest, createsSpecialUse }: (typeof worlds)[number]) =>
    JSON.stringify({
      source: source.folders.map(({ attributes, path }) => [...attributes, path].join(' ')),
      dest: dest.folders.map(({ attributes, path }) => [...attributes, path].join(' ')),
      createsSpecialUse,
    });

  it('no two worlds are the same, but for the smallest', () => {
    expect(new Set(worlds.map(told)).size).toBeGreaterThan(worlds.length * 0.95);
  });

  it('no folder is lost: each is carried, or left out with a reason', () => {
    for (const { source, dest, made, ...how } of worlds) {
      const { pairs, leftOut } = plan(source, dest, how);
      const all = [...pairs.map((pair) => pair.source), ...leftOut.map(({ folder }) => folder)];
      expect(all.toSorted()).toEqual(source.folders.map(({ path }) => path).toSorted());
    }
  });

  it('no two folders merge unasked', () => {
    for (const { source, dest, made, ...how } of worlds) {
      const { pairs, mistakes } = plan(source, dest, how);
      const merged = pairs.length - new Set(pairs.map((pair) => pair.dest)).size;
      if (merged > 0) expect(mistakes.length).toBeGreaterThanOrEqual(merged);
    }
  });

  it('the plan stays the same once its folders are made', () => {
    for (const world of worlds) {
      const { source, dest, made: _, ...how } = world;
      const made = plan(source, dest, how);
      if (made.mistakes.length > 0) continue;
      const again = plan(source, carriedOut(dest, made.pairs), how);
      expect(ways(again), told(world)).toEqual(ways(made));
      expect(again.mistakes, told(world)).toEqual([]);
      expect(again.pairs.every(({ exists }) => exists)).toBe(true);
    }
  });

  it('the plan stays the same while some of its folders are made, in any order', () => {
    for (const world of worlds) {
      const { source, dest, made: dice, ...how } = world;
      const made = plan(source, dest, how);
      if (made.mistakes.length > 0) continue;
      const some = made.pairs.filter(() => dice.chance(1 / 2));
      const partly = carriedOut(dest, dice.chance(1 / 2) ? some : some.toReversed());
      const again = plan(source, partly, how);
      expect(ways(again), `${told(world)} ${some.map((pair) => pair.dest)}`).toEqual(ways(made));
      expect(again.mistakes, told(world)).toEqual([]);
    }
  });

  it('the plan of a plan is itself: an account onto a copy of it goes each to its own', () => {
    for (const world of worlds) {
      const { pairs } = plan(world.source, world.source);
      for (const pair of pairs)
        expect(pair.dest.toUpperCase(), told(world)).toBe(pair.source.toUpperCase());
    }
  });

  it("only its counterpart ends in the destination's Trash or Junk", () => {
    for (const world of worlds) {
      const { source, dest, made, ...how } = world;
      const { pairs } = plan(source, dest, how);
      for (const use of ['\\Trash', '\\Junk']) {
        const its = dest.folders.filter(({ attributes }) => attributes.has(use));
        const into = pairs.filter((pair) => its.some(({ path }) => path === pair.dest));
        for (const pair of into) expect(pair.use, told(world)).toBe(use);
      }
    }
  });
});

describe('a folder stands apart that holds what nobody wrote to this account', () => {
  const apart = (source: Mailbox) =>
    plan(source, source)
      .pairs.filter((pair) => pair.apart)
      .map((pair) => pair.source);

  it('whatever it is called, where the server says so, and what lies below it', () => {
    const said = [
      '"/" INBOX',
      '\\Sent "/" Left',
      '"/" Left/2025',
      '\\Junk "/" Odd',
      '\\Archive "/" Old',
      '"/" Old/Sent',
      '"/" Work',
    ];
    expect(apart(mailbox(said))).toEqual(['Left', 'Left/2025', 'Odd']);
  });

  it('by any name known for one, in any language, also beside one that the server names', () => {
    const named = [
      '"." INBOX',
      '"." INBOX.Entwürfe',
      '"." INBOX.Papierkorb',
      '"." INBOX.Papierkorb.2025.Mai',
      '\\Junk "." INBOX.Junk',
      '"." INBOX.Spam',
      '"." INBOX.Work.Sent',
    ];
    const dot = mailbox(named, { personal: 'INBOX.', foreign: [] });
    expect(apart(dot)).toEqual(
      ['Entwürfe', 'Papierkorb', 'Papierkorb.2025.Mai', 'Junk', 'Spam'].map(
        (name) => `INBOX.${name}`,
      ),
    );
  });

  it.each(Object.entries(MAILBOXES))(
    'of %s: no INBOX, and every one of such a use',
    (_, source) => {
      for (const { source: path, use, apart } of plan(source, SLASH).pairs) {
        if (use !== undefined) expect([path, apart === true]).toEqual([path, use !== '\\Archive']);
        if (/^inbox$/i.test(path)) expect(apart).toBeUndefined();
      }
    },
  );
});
