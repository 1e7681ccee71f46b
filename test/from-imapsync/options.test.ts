import { describe, expect, test } from 'vitest';
import { OPTIONS } from '../../src/from-imapsync/options.ts';
import type { Told } from '../../src/from-imapsync/told.ts';
import { BASE, changed, said, told } from './support.ts';

const SAMPLE = { nothing: '', text: 'x', whole: '7', number: '7', pair: 'key=value' } as const;
const base = told(BASE);

/** What an option adds: settings, or sentences that begin with its name. */
function traces(option: string, now: Told): number {
  const settings = JSON.stringify([...now.settings]) !== JSON.stringify([...base.settings]);
  const sentences = said(now).filter((sentence) => !said(base).includes(sentence));
  const gone = said(base).filter((sentence) => !said(now).includes(sentence));
  return Number(settings) + sentences.length + gone.length + Number(BASE.includes(option));
}

describe('no option is passed over in silence', () => {
  test.each(OPTIONS.map((option) => [option.names[0] ?? '', option] as const))(
    '--%s',
    (name, option) => {
      const value = SAMPLE[option.takes];
      expect(traces(`--${name}`, told(`${BASE} --${name} ${value}`))).toBeGreaterThan(0);
    },
  );
});

describe('options that become settings', () => {
  test.each([
    ['--port1 993', {}],
    ['--port1 10993', { SOURCE_PORT: '10993' }],
    ['--nossl1 --tls1', { SOURCE_TLS: 'starttls' }],
    ['--nossl2', { DEST_TLS: 'starttls' }],
    ['--nossl2 --notls2', { DEST_TLS: 'none' }],
    ['--nossl1 --tls1 --port1 1143', { SOURCE_TLS: 'starttls', SOURCE_PORT: '1143' }],
    ['--sslargs1 SSL_ca_file=/etc/ca.pem', { SOURCE_CA_FILE: '/etc/ca.pem' }],
    ['--sslargs2 SSL_verifycn_name=mx.example', { DEST_TLS_NAME: 'mx.example' }],
    [
      `--sslargs2 'SSL_fingerprint=sha256$${'ab'.repeat(32)}'`,
      { DEST_TLS_FINGERPRINT: 'ab'.repeat(32) },
    ],
    [
      '--oauthaccesstoken1 t',
      { SOURCE_AUTH: 'oauth2', SOURCE_PASSWORD_FILE: './secrets/source_token' },
    ],
    ['--authmech2 XOAUTH2', { DEST_AUTH: 'oauth2', DEST_PASSWORD_FILE: './secrets/dest_token' }],
    ['--maxsize 1048576', { MAX_MESSAGE_SIZE: '1048575B' }],
    ['--maxsize 10_000_001', { MAX_MESSAGE_SIZE: '10000000B' }],
    ['--maxsize 2000 --appendlimit 1000', { MAX_MESSAGE_SIZE: '999B' }],
    ['--maxsize 1000 --appendlimit 2000', { MAX_MESSAGE_SIZE: '999B' }],
    ['--exchange2 --appendlimit 1000', { MAX_MESSAGE_SIZE: '999B' }],
    ['--gmail2', { FOLDERS: '*, !*[Gmail]', MAX_MESSAGE_SIZE: '35651583B' }],
    ['--gmail2 --noexclude --maxsize 1024', { MAX_MESSAGE_SIZE: '1023B' }],
    ['--dry', { DRY_RUN: 'true' }],
    ['--justfolders', { DRY_RUN: 'true' }],
    ['--folder INBOX', { FOLDERS: 'INBOX' }],
    ['--folder INBOX --folder "a, b"', { FOLDERS: 'INBOX, "a, b"' }],
    ['--folder INBOX --folder Inbox', { FOLDERS: 'INBOX' }],
    ["--folder 'Entw&APw-rfe'", { FOLDERS: 'Entwürfe' }],
    ["--folder 'Q&A'", { FOLDERS: 'Q&A' }],
    ["--folder 'Q&-A'", { FOLDERS: 'Q&A' }],
    ["--folder '&g0l6P3ux-'", { FOLDERS: '草稿箱' }],
    ['--folder "50%" --folder " spaced "', { FOLDERS: '"50%", " spaced "' }],
    ['--folderrec Lists', { FOLDERS: 'Lists, Lists/*' }],
    ['--folderrec INBOX.Lists', { FOLDERS: 'INBOX.Lists, INBOX.Lists.*' }],
    ['--folderrec Lists --sep1 .', { FOLDERS: 'Lists, Lists.*' }],
    ["--folderrec ' !x'", { FOLDERS: '" !x"' }],
    ['--subfolder1 Work', { FOLDERS: 'Work, Work/*' }],
    ['--subfolder1 " INBOX.Wor=k "', { FOLDERS: 'INBOX.Work, INBOX.Work.*' }],
    ["--include '^Work'", { FOLDERS: 'Work*' }],
    ["--include 'Sent Items'", { FOLDERS: '*Sent Items*' }],
    ["--include '^Work$' --include '^B' --exclude '^Work'", { FOLDERS: 'B*, !Work*' }],
    ["--include '^(Work|Home)$' --exclude '^Work$'", { FOLDERS: 'Home' }],
    ["--folder INBOX --folder Work/a --exclude '^Work'", { FOLDERS: 'INBOX' }],
    ["--folderrec Work --exclude '^Work$'", { FOLDERS: 'Work/*, !Work' }],
    ["--include '^(Work|Home)$'", { FOLDERS: 'Work, Home' }],
    ["--folder INBOX --include '^Work$'", { FOLDERS: 'INBOX, Work' }],
    ["--exclude '^Spam$'", { FOLDERS: '*, !Spam' }],
    ["--exclude 'Spam|Trash'", { FOLDERS: '*, !*Spam*, !*Trash*' }],
    ["--exclude '^Junk$|^Trash$' --exclude Junk$", { FOLDERS: '*, !Junk, !Trash, !*Junk' }],
    ["--exclude '^public\\.'", { FOLDERS: '*, !public.*' }],
    ["--exclude '^INBOX.Spam'", { FOLDERS: '*, !INBOX.Spam*' }],
    ["--exclude '\\[Gmail\\]$'", { FOLDERS: '*, !*[Gmail]' }],
    ["--exclude '^Lixo Eletr&APQ-nico$'", { FOLDERS: '*, !Lixo Eletrônico' }],
    ["--exclude '^INBOX$' --exclude '^Inbox$'", { FOLDERS: '*, !INBOX' }],
    ['--exclude Spam --noexclude', { FOLDERS: '*, !*Spam*' }],
    ['--office1', { FOLDERS: '*, !Files' }],
    ['--office1 --noexclude', {}],
    ['--office2', { FOLDERS: '*, Files=Files_renamed_by_imapsync', MAX_MESSAGE_SIZE: '44999999B' }],
    ['--office2 --nof1f2', { MAX_MESSAGE_SIZE: '44999999B' }],
    ['--f1f2 Sent=Gesendet', { FOLDERS: '*, Sent=Gesendet' }],
    ['--f1f2 "Sent=Gesendete Objekte" --folder Sent', { FOLDERS: 'Sent=Gesendete Objekte' }],
    ['--f1f2 Sent=Gesendet --folder INBOX', { FOLDERS: 'INBOX' }],
    ['--f1f2 Sent=Gesendet --exclude ^Sent$', { FOLDERS: '*, !Sent' }],
    ["--f1f2 Sent=Gesendet --include '^S'", { FOLDERS: 'S*, Sent=Gesendet' }],
    ['--f1f2 A=B --nof1f2', { FOLDERS: '*, A=B' }],
    ['--f1f2 A=B --f1f2 A=C', { FOLDERS: '*, A=C' }],
    ["--f1f2 A=B --regextrans2 's/^A$/C/'", { FOLDERS: '*, A=B' }],
    ["--regextrans2 's/^Sent$/Gesendet/'", { FOLDERS: '*, Sent=Gesendet' }],
    ["--regextrans2 's,^INBOX\\.Old$,Archive,'", { FOLDERS: '*, INBOX.Old=Archive' }],
  ] as [string, Record<string, string>][])('%s', (args, settings) => {
    expect(changed(args)).toEqual(settings);
  });
});

describe('where an account is', () => {
  test.each([
    ['--gmail1', 'SOURCE_HOST', 'imap.gmail.com'],
    ['--office2', 'DEST_HOST', 'outlook.office365.com'],
    ['--gmail1 --host1 other.example', 'SOURCE_HOST', 'other.example'],
    ['--host1 a:10993/Work', 'SOURCE_HOST', 'a'],
    ['--host1 a:10993/Work', 'SOURCE_PORT', '10993'],
    ['--host1 a:10993/Work', 'FOLDERS', 'Work, Work/*'],
    ['--host1 a/', 'FOLDERS', undefined],
    ['--host1 a/ --folder B', 'SOURCE_HOST', 'a'],
    ['--host2 b:10993/Old', 'DEST_PORT', '10993'],
    ['--host2 b/Old --delete1', 'AFTER_DELIVERY', 'keep'],
    ['--host1 ::1', 'SOURCE_HOST', '::1'],
    ['--port1 143 --host1 a', 'SOURCE_TLS', 'starttls'],
    ['--port1 993 --host1 a', 'SOURCE_TLS', undefined],
    ['--port1 993 --host1 a', 'SOURCE_PORT', undefined],
    ['--port1 7993 --ssl1 --host1 a', 'SOURCE_PORT', '7993'],
    ['--tls2 --host2 b', 'DEST_TLS', 'starttls'],
    ['--notls2 --host2 b', 'DEST_TLS', undefined],
    ['--passfile1 /etc/secret', 'SOURCE_PASSWORD_FILE', '/etc/secret'],
    ['--password1 hush', 'SOURCE_PASSWORD_FILE', './secrets/source_password'],
    ['--password1 hush --passfile1 /x', 'SOURCE_PASSWORD_FILE', './secrets/source_password'],
    ['', 'SOURCE_PASSWORD_FILE', './secrets/source_password'],
  ])('%s: %s', (args, name, value) => {
    expect(told(args).settings.get(name)).toBe(value);
  });
});

describe('what becomes of originals', () => {
  test.each([
    ['', 'keep'],
    ['--expunge1', 'keep'],
    ['--nodelete1', 'keep'],
    ['--delete1', 'expunge'],
    ['--delete', 'expunge'],
    ['--delete1 --expunge1', 'expunge'],
    ['--delete1 --expunge', 'expunge'],
    ['--delete1 --noexpunge1', 'mark'],
    ['--delete1 --no-expunge', 'mark'],
    ['--delete1 --noexpungeaftereach', 'expunge'],
    ['--delete1 --dry', 'expunge'],
    ['--delete1 --justfolders', 'keep'],
    ['--delete1 --abort', 'keep'],
    ['--delete1 --delete2', 'keep'],
    ['--delete1 --usecache --skipcrossduplicates', 'keep'],
    ['--delete1 --extra "--folder INBOX"', 'keep'],
    ['--delete1 --maxage 30', 'keep'],
    ['--delete1 --minage 365', 'keep'],
    ['--delete1 --search1 "SENTBEFORE 01-Jan-2008"', 'keep'],
    ['--delete1 --minsize 7', 'keep'],
    ["--delete1 --skipmess 'm/x/'", 'keep'],
    ['--delete1 --maxlinelength 9900', 'keep'],
    ['--delete1 --minmaxlinelength 9900', 'keep'],
    ['--delete1 --pipemess scan', 'keep'],
    ['--delete1 --fetch_hash_set 1:9', 'keep'],
    ['--delete1 --exitwhenover 7', 'keep'],
    ['--delete1 --nomixfolders', 'keep'],
    ['--delete1 --mixfolders', 'expunge'],
    ['--delete1 --maxsize $MOST', 'keep'],
    ['--delete1 --maxsize 0', 'keep'],
    ['--delete1 --folder ""', 'keep'],
    ['--delete1 --folder Entwürfe', 'keep'],
    ["--delete1 --folder 'Entw&APw-rfe'", 'expunge'],
    ["--delete1 --folder 'Q&A'", 'keep'],
    ['--delete1 --folder Inbox', 'keep'],
    ['--delete1 --folderrec inbox', 'keep'],
    ["--delete1 --include '^Inbox$'", 'keep'],
    ["--delete1 --include '^INBOX$'", 'expunge'],
    ['--delete1 --include Entwürfe', 'keep'],
    ["--delete1 --include 'Sent Items'", 'keep'],
    ["--delete1 --include '\\QWork\\E'", 'keep'],
    ["--delete1 --exclude '\\QWork\\E'", 'keep'],
    ["--delete1 --exclude '(?i)spam'", 'keep'],
    ['--delete1 --include ""', 'keep'],
    ["--delete1 --exclude 'Deleted Items'", 'expunge'],
    ["--delete1 --exclude '^Inbox$'", 'expunge'],
    ["--delete1 --exclude '^Inbox'", 'keep'],
    ["--delete1 --exclude '^INBOX.Spam'", 'keep'],
    ["--delete1 --exclude '^INBOX.Spam' --sep1 .", 'expunge'],
    ["--delete1 --exclude '^INBOX\\.Spam'", 'expunge'],
    ['--delete1 --exclude AP', 'keep'],
    ["--delete1 --exclude '^AP'", 'expunge'],
    ["--delete1 --exclude '-$'", 'keep'],
    ["--delete1 --exclude '&'", 'keep'],
    ["--delete1 --include '[A-Z]'", 'keep'],
    ['--delete1 --subscribed', 'keep'],
    ['--delete1 --folder $FOLDER', 'keep'],
    ['--delete1 $MORE', 'keep'],
    ['--delete1 --skipfolder Junk', 'keep'],
    ['--delete1 --subfolder1 Work', 'keep'],
    ['--delete1 --subfolder1 " "', 'expunge'],
    ['--delete1 --subfolder2 Old', 'keep'],
    ["--delete1 --regextrans2 's/x/y/'", 'keep'],
    ["--delete1 --regextrans2 's/^A$/B/'", 'keep'],
    ['--delete1 --f1f2 A=B', 'expunge'],
    ['--delete1 --f1f2 inbox=B', 'keep'],
    ['--delete1 --f1f2 A=B=C', 'keep'],
    ['--delete1 --f1f2h A=B', 'keep'],
    ['--delete1 --prefix2 INBOX. --prefix1 "" --sep1 . --sep2 /', 'expunge'],
    ['--delete1 --prefix2 Old/', 'keep'],
    ['--delete1 --sep2 _', 'keep'],
    ['--delete1 --gmail1', 'expunge'],
    ['--delete1 --exclude ^Spam$ --maxsize 1000', 'expunge'],
  ])('%s: %s', (args, after) => {
    expect(told(`${BASE} ${args}`).settings.get('AFTER_DELIVERY')).toBe(after);
  });
});

describe('what has no counterpart is named, and why', () => {
  test.each([
    ['--delete2', 'deletes', 'never deletes anything at the destination'],
    ['--delete2folders', 'deletes', 'never deletes anything at the destination'],
    ['--delete2duplicates', 'deletes', 'never deletes anything at the destination'],
    ['--delete2foldersonly /x/', 'deletes', 'never deletes anything at the destination'],
    ['--expunge2', 'deletes', 'never deletes anything at the destination'],
    ['--uidexpunge2', 'deletes', 'never deletes anything at the destination'],
    ['--delete1emptyfolders', 'deletes', 'never a folder'],
    ['--expunge1', 'deletes', 'by whomever'],
    ['--minage 3', 'more', 'whatever its age'],
    ['--maxage 3', 'more', 'old messages, too'],
    ['--search ALL', 'more', 'every message of a folder'],
    ['--subscribed', 'more', 'which folders are subscribed'],
    ["--exclude '(?i)spam'", 'more', "'(?i)spam'"],
    ['--proxyauth1', 'missing', 'not as an administrator'],
    ['--addheader', 'different', 'changed on the way (--addheader)'],
    ['--host1 imap.gmail.com', 'different', 'All Mail'],
    ['--sslargs1 SSL_verify_mode=0', 'missing', 'SOURCE_TLS_FINGERPRINT'],
    ['--sslargs1 SSL_version=TLSv1', 'missing', 'TLS 1.2 or newer'],
    ['--authmech1 NTLM', 'missing', 'OAUTHBEARER'],
    ["--regextrans2 's/ //g'", 'elsewhere', "'s/ //g'"],
    ["--regextrans2 's/^A$/B/'", 'elsewhere', 'the name that a folder would have at the new one'],
    ["--regextrans2 's/^A$/B/'", 'different', 'takes the folders below it along'],
    ['--subfolder1 Work', 'elsewhere', 'Folder/a to a'],
    ['--subfolder2 Old', 'elsewhere', 'INBOX=Folder/INBOX'],
    ['--prefix2 Old/', 'elsewhere', "'Old/'"],
    ['--prefix2 INBOX.', 'missing', 'asks the server'],
    ['--sep1 /', 'missing', 'asks the server'],
    ["--regexmess 's/a/b/'", 'missing', 'byte for byte'],
    ['--pipemess cat', 'more', 'byte for byte'],
    ['--delete1 --delete2', 'wrong', 'exclude each other'],
    ['--gmail1', 'missing', 'one to each folder'],
    ['--user1 x', 'different', 'the same Message-Id and Received lines'],
    ["--regexflag 's/x//'", 'missing', 'flags are carried as they are'],
    ['--maxbytespersecond 10000', 'missing', 'DEST_RATE_LIMIT'],
    ['--maxmessagespersecond 4', 'missing', 'SOURCE_RATE_LIMIT'],
    ['--nosyncinternaldates', 'missing', 'date of arrival is always'],
    ['--idatefromheader', 'missing', 'as the source has it'],
    ['--synclabels', 'missing', 'labels are not carried'],
    ['--exitwhenover 5', 'more', 'until all mail is carried'],
    ['--emailreport1', 'missing', 'no report by mail'],
    ['--exchange2', 'missing', 'never changes a message'],
    ['--gmail1', 'missing', 'slows imapsync down'],
    ['--justlogin', 'looks', 'imapferry check'],
    ['--dry', 'tries', 'DRY_RUN=true'],
    ['--nofoldersizes', 'needless', '--nofoldersizes'],
    ['--syncinternaldates', 'needless', '--syncinternaldates'],
    ['--useheader Message-Id', 'needless', '--useheader'],
    ['--addheader', 'needless', '--addheader'],
    ['--usecache', 'needless', '--usecache'],
    ['--pidfile /x', 'needless', '--pidfile'],
    ['--nodelete2', 'needless', '--nodelete2'],
    ['--timeout1 30', 'needless', '--timeout1'],
    ['--office1', 'steps', 'no passwords any more'],
    ['--office2', 'steps', 'VERIFY=headers'],
    ['--gmail2', 'steps', 'app password'],
    ['--nossl1 --notls1', 'different', 'plain text'],
  ] as [string, keyof Told, string][])('%s', (args, list, words) => {
    const now = told(`${BASE.replaceAll(/--host\d \S+/g, '')} ${args}`)[list];
    expect(Array.isArray(now) && now.some((each) => String(each).includes(words))).toBe(true);
  });
});

test('an administrator on the line leaves the login name open', () => {
  expect(told(`${BASE} --authuser1 admin`).gaps).toMatchObject([{ of: 'SOURCE_USER' }]);
});

test('without --automap it is said that folders still go to their counterparts', () => {
  const words = 'no --automap';
  expect(said(told(BASE)).join()).toContain(words);
  expect(said(told(`${BASE} --automap`)).join()).not.toContain(words);
  expect(said(told(`${BASE} --gmail1`)).join()).not.toContain(words);
  expect(said(told(`${BASE} --gmail1 --noautomap`)).join()).toContain(words);
});
