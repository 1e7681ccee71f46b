/**
 * Every option of imapsync, up to version 2.314, and what becomes of it.
 * Names and kinds as imapsync gives them to Getopt::Long: `!` may be negated, `=` takes a value.
 */

/** What an option comes to. The sentence goes on after the option's name and a colon. */
export type Meaning =
  /** Becomes a setting, together with others. */
  | { readonly kind: 'setting' }
  /** imapferry does so by itself, or has no use for it. */
  | { readonly kind: 'needless' }
  /** No counterpart. */
  | { readonly kind: 'missing'; readonly why: string }
  /** No counterpart, and without it imapferry carries mail that imapsync would have left where it is. */
  | { readonly kind: 'selects'; readonly why: string }
  /** Carries nothing, only looks. */
  | { readonly kind: 'looks'; readonly why: string }
  /** Does nothing, and says what it would do. */
  | { readonly kind: 'tries'; readonly why: string }
  /** Deletes; imapferry does not. */
  | { readonly kind: 'deletes'; readonly why: string };

export interface Option {
  /** The name, then its aliases. */
  readonly names: readonly string[];
  readonly takes: 'nothing' | 'text' | 'whole' | 'number' | 'pair';
  readonly negatable: boolean;
  readonly meaning: Meaning;
  /** What its negation comes to. */
  readonly negated: Meaning;
}

const setting: Meaning = { kind: 'setting' };
const needless: Meaning = { kind: 'needless' };
const missing = (why: string): Meaning => ({ kind: 'missing', why });
const selects = (why: string): Meaning => ({ kind: 'selects', why });
const looks = (why: string): Meaning => ({ kind: 'looks', why });
const tries = (why: string): Meaning => ({ kind: 'tries', why });
const deletes = (why: string): Meaning => ({ kind: 'deletes', why });

const NEVER_THERE = 'imapferry never deletes anything at the destination';
const UNCHANGED = 'imapferry never changes a message: what arrives is the original, byte for byte';
const NO_LIMIT =
  'set SOURCE_RATE_LIMIT or DEST_RATE_LIMIT (60/min, 500MB/day); when a server asks to go slower, imapferry does by itself';
const CHECK =
  'with it imapsync carries nothing; `imapferry check` is the counterpart, and DRY_RUN=true stands in for it';
const PROXY = 'imapferry logs in as the mailbox itself, not as an administrator on its behalf';

/** Each line: the options, what they come to, and what `--no…` comes to (else nothing is to be done about it). */
const TABLE: readonly (readonly [specs: string, meaning: Meaning, negated?: Meaning])[] = [
  ['host#=s port#=i user#=s password#=s passfile#=s ssl#! tls#! sslargs#=s%', setting, setting],
  ['oauthaccesstoken#=s oauthdirect#=s authmech#=s', setting],
  ['gmail# office# exchange# domino#', setting],
  [
    'oauthrefreshcmd#=s',
    missing(
      'give a command that prints the access token as SOURCE_PASSWORD_COMMAND or DEST_PASSWORD_COMMAND; it is run at every login',
    ),
  ],
  ['authuser#=s', setting],
  ['proxyauth#', missing(PROXY)],
  ['domain#=s', missing('imapferry knows no NTLM')],
  ['authmd5#! authmd5! trylogin!', needless],
  [
    'ssl#_ssl_version=s',
    missing('imapferry speaks TLS 1.2 or newer and takes the best that the server has'),
  ],
  ['sslcheck! compress#! keepalive#! timeout=f timeout#=f reconnectretry#=i', needless],
  ['buffersize=i split#=i fastio#! uid#! debugssl=i id!', needless],
  ['inet4|ipv4 inet6|ipv6', missing('imapferry takes whichever of IPv4 and IPv6 answers')],

  ['automap!', setting, setting],
  ['folder=s folderrec=s include=s exclude=s f1f2=s f1f2h=s% regextrans2=s', setting],
  ['subscribed', setting],
  ['noexclude nof1f2', needless],
  ['subfolder#=s', setting],
  ['prefix#=s sep#=s', setting],
  ['folderfirst=s folderlast=s', needless],
  ['skipemptyfolders! subscribe! subscribeall|subscribe_all!', needless],
  ['checkselectable! checkfoldersexist! checkmessageexists! create_folder_old!', needless],
  ['sanitize! fixslash2! fixcolonbug! fixinboxinbox!', needless],
  [
    'mixfolders!',
    needless,
    selects(
      'of folders whose names differ in nothing but letter case imapsync carries one; imapferry carries each for which the destination has a folder of its own',
    ),
  ],
  ['foldersizes! foldersizesatend!', needless],

  ['delete1|delete! expunge1|expunge!', setting, setting],
  ['expungeaftereach!', needless],
  [
    'delete1emptyfolders!',
    deletes('imapferry removes messages from the source, and never a folder'),
  ],
  [
    'delete1duplicates!',
    deletes(
      'of messages that are the same imapferry carries each one, and removes only what it carried',
    ),
  ],
  ['delete2! delete2duplicates! delete2folders!', deletes(NEVER_THERE)],
  ['delete2foldersonly=s delete2foldersbutnot=s expunge2! uidexpunge2!', deletes(NEVER_THERE)],

  ['maxsize=i appendlimit=i', setting],
  ['minsize=i', selects('imapferry carries small messages, too')],
  ['maxage=f', selects('imapferry carries old messages, too')],
  ['minage=f', selects('imapferry carries every message as soon as it comes, whatever its age')],
  ['search=s search1=s fetch_hash_set=s', selects('imapferry carries every message of a folder')],
  ['search2=s', needless],
  [
    'skipmess=s maxlinelength=i minmaxlinelength=i',
    selects('imapferry looks at no text to decide what is carried'),
  ],
  [
    'pipemess=s',
    selects(`${UNCHANGED}; a message on which the command fails imapsync leaves where it is`),
  ],
  ['maxlinelengthcmd=s regexmess=s', missing(UNCHANGED)],
  ['noregexmess noregexflag pipemesscheck!', needless],
  ['disarmreadreceipts! truncmess=i', missing(UNCHANGED)],
  ['skipcrossduplicates!', missing('a message that lies in two folders is carried to two folders')],
  ['debugcrossduplicates! abletosearch! abletosearch#! checknoabletosearch!', needless],

  ['useheader=s skipheader=s skipsize! allowsizemismatch! wholeheaderifneeded!', needless],
  ['messageidnodomain! useuid! usecache! cacheaftercopy! debugcache! syncduplicates!', needless],
  ['addheader!', needless],

  [
    'regexflag=s',
    missing('flags are carried as they are, but for those that the destination does not keep'),
  ],
  ['filterflags! filterbuggyflags! flagscase! syncflagsaftercopy!', needless],
  [
    'resyncflags!',
    missing('flags that change at the source after a message was carried do not follow it'),
  ],
  [
    'synclabels! resynclabels!',
    missing('labels are not carried; each label is a folder, and goes where folders go'),
  ],
  ['syncinternaldates!', needless, missing('the date of arrival is always carried along')],
  ['idatefromheader!', missing('the date of arrival is carried as the source has it')],
  ['syncacls!', missing('rights of other users are not carried')],

  ['dry! dry1!', tries('DRY_RUN=true is the same')],
  ['justfolders! justfoldersizes! justlogin! justconnect! justbanner!', looks(CHECK)],
  ['justautomap! justfolderlists!', looks(CHECK)],
  ['version help', looks(CHECK)],

  ['maxmessagespersecond=f maxbytespersecond=i', missing(NO_LIMIT)],
  ['maxbytesafter=i maxsleep=f', needless],
  ['exitwhenover=i', selects('imapferry goes on until all mail is carried')],
  ['exitonload!', missing('imapferry runs for ever')],

  ['log! loglogfile! logfile=s logdir=s', needless],
  ['pidfile=s pidfilelocking! tmpdir=s', needless],
  ['abort abortbyfile', looks(`${CHECK}. To stop imapferry, stop the container, or send SIGTERM`)],
  ['sigexit=s sigreconnect=s sigignore=s', needless],
  ['errorsmax=i errorsdump! releasecheck! modulesversion! showpasswords! dockercontext!', needless],
  [
    'emailreport#! emailreportfrom=s',
    missing(
      'there is no report by mail; `imapferry sweep` prints one, and the log tells of each message',
    ),
  ],
  ['debug! debugcontent! debugflags! debugimap! debugimap#! debugmemory! debugfolders!', needless],
  ['debuglist! debugenv! debugsig! debuglabels! debugsleep=f', needless],
  ['tests! testsdebug! testsunit=s testslive! testslive2! testslive6!', looks(CHECK)],
  ['debugmaxlinelength! debugdev! debugcgi! memorystress! simulong=f tail! var=s', needless],
  ['extra=s', selects('it may hold more options; put them onto the line, and translate it again')],
];

const KINDS = { '': 'nothing', s: 'text', i: 'whole', f: 'number', 's%': 'pair' } as const;

/** Every option; those of both sides twice. */
export const OPTIONS: readonly Option[] = TABLE.flatMap(([specs, meaning, negated = needless]) =>
  specs.split(' ').flatMap((spec) => {
    const [, names = '', kind = '', mark] = /^([\w#|]+)(?:=(s%|[sif]))?(!?)$/.exec(spec) ?? [];
    const sides = names.includes('#') ? ['1', '2'] : [''];
    return sides.map(
      (side): Option => ({
        names: names.replaceAll('#', side).split('|'),
        takes: KINDS[kind as keyof typeof KINDS],
        negatable: mark === '!',
        meaning,
        negated,
      }),
    );
  }),
);
