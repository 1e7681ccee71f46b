/** One line of imapsync, made into settings of imapferry and all that is to be said about them. Pure. */
import { account } from './account.ts';
import { folders } from './folders.ts';
import { type Given, readArguments } from './getopt.ts';
import { OPTIONS } from './options.ts';
import { Options, Told, unknownIn } from './told.ts';
import type { Word } from './words.ts';

/** @param words imapsync's arguments, without its name */
export function translate(words: readonly Word[]): Told {
  const read = readArguments(words);
  const told = new Told();
  told.wrong.push(...read.wrong);
  if (read.unknown.length > 0)
    told.gaps.push({
      of: 'options',
      why: `more of them may stand in ${unknownIn({ text: '', unknown: read.unknown })}, which can't be known here: put them onto the line and translate it again`,
    });
  if (read.stray > 0)
    told.wrong.push(
      `${read.stray === 1 ? 'one word belongs' : `${read.stray} words belong`} to no option (not shown, as it may be a part of a password: are there quotation marks around it?)`,
    );
  const given = spelledOut(read.given);
  const options = new Options(given);
  account('1', options, told);
  account('2', options, told);
  folders(options, told);
  size(options, told);
  presets(options, told);
  refused(options, told);
  for (const each of lasts(given)) meaning(each, told);
  afterDelivery(options, told);
  if (told.looks.length + told.tries.length > 0) told.settings.set('DRY_RUN', 'true');
  always(options, told);
  return told;
}

/** What a `host:port/folder` of either side says besides the host. */
const IN_HOST = {
  host1: ['port1', 'folderrec'],
  host2: ['port2', 'subfolder2'],
} as const;

/** The same options, with an entry for each part of `--host1 host:port/folder`. */
function spelledOut(given: readonly Given[]): Given[] {
  return given.flatMap((each) => {
    const name = each.option.names[0];
    const word = each.value;
    if ((name !== 'host1' && name !== 'host2') || word === undefined) return [each];
    const [, host, port, folder] = /^([^:/]*)(?::(\d+))?(?:\/(.*))?$/s.exec(word.text) ?? [];
    if (host === undefined) return [each];
    const part = (of: string, text: string | undefined): Given[] => {
      const option = OPTIONS.find(({ names }) => names[0] === of);
      if (option === undefined || text === undefined) return [];
      const value = { text, unknown: of.startsWith('port') ? [] : word.unknown };
      if (text === '' && value.unknown.length === 0) return [];
      return [{ option, shown: `--${of}`, negated: false, value }];
    };
    const [portOf, folderOf] = IN_HOST[name];
    return [
      { ...each, value: { ...word, text: host } },
      ...part(portOf, port),
      ...part(folderOf, folder),
    ];
  });
}

/** Each option once: of a switch the last one counts. */
function lasts(given: readonly Given[]): Given[] {
  return [...new Map(given.map((each) => [each.option, each])).values()];
}

function meaning({ option, shown, negated }: Given, told: Told): void {
  const { kind, ...rest } = negated ? option.negated : option.meaning;
  const why = 'why' in rest ? `${shown}: ${rest.why}` : '';
  if (kind === 'needless') told.needless.push(shown);
  if (kind === 'missing') told.missing.push(why);
  if (kind === 'selects') told.more.push(why);
  if (kind === 'looks') told.looks.push(why);
  if (kind === 'tries') told.tries.push(why);
  if (kind === 'deletes') told.deletes.push(why);
}

/** What imapsync sets along with these (its FAQs on Gmail, Exchange and Office 365). */
const PRESET_SIZES = [
  ['gmail2', 35_651_584],
  ['exchange2', 10_000_000],
  ['office2', 45_000_000],
] as const;

const SLOWED =
  'it also slows imapsync down; SOURCE_RATE_LIMIT and DEST_RATE_LIMIT do that here, and imapferry goes slower when the server asks for it';
const REWRITTEN = `it also breaks long lines and takes read receipts out; imapferry never changes a message; ${SLOWED}`;

const PRESETS = [
  [
    'gmail1',
    `${SLOWED}; of a message with several labels it carries one copy, imapferry one to each folder; what is below [Gmail] and no folder of a known use goes to [Gmail]/Name, and not to Name`,
  ],
  ['gmail2', `${SLOWED}; names that Gmail refuses are not replaced, such a folder is reported`],
  ['exchange2', REWRITTEN],
  ['office2', REWRITTEN],
  [
    'domino2',
    'subfolders of INBOX, which Domino refuses, are not moved out of it: write INBOX/Name=Name into FOLDERS',
  ],
] as const;

function presets(options: Options, told: Told): void {
  for (const [name, why] of PRESETS)
    if (options.switched(name)) told.missing.push(`--${name}: ${why}`);
  for (const name of ['exchange1', 'domino1'])
    if (options.switched(name)) told.needless.push(`--${name}`);
}

/** Options that imapsync 2.x does not take together: it ends at once. */
const REFUSED = [
  ['delete1', 'delete2'],
  ['usecache', 'skipcrossduplicates'],
] as const;

function refused(options: Options, told: Told): void {
  for (const [one, other] of REFUSED)
    if (options.switched(one) && options.switched(other))
      told.wrong.push(`--${one} and --${other} exclude each other`);
}

/** The smallest of all limits counts, and a message of just that size stays, too. */
function size(options: Options, told: Told): void {
  const limits: number[] = [];
  for (const name of ['maxsize', 'appendlimit']) {
    const given = options.value(name);
    if (given && given.unknown.length > 0)
      told.more.push(
        `--${name}: its value comes from ${unknownIn(given)}, which can't be known here; set MAX_MESSAGE_SIZE`,
      );
    else if (given) limits.push(Number(given.text.replaceAll('_', '')));
  }
  const preset = PRESET_SIZES.find(([name]) => options.switched(name))?.[1];
  if (preset !== undefined && !options.value('maxsize')) limits.push(preset);
  const bytes = Math.min(...limits);
  if (bytes <= 1)
    told.more.push(`--maxsize, --appendlimit: with ${bytes} imapsync carries no message at all`);
  else if (limits.length > 0) told.settings.set('MAX_MESSAGE_SIZE', `${bytes - 1}B`);
}

/** Whether imapferry would carry mail that imapsync does not, or carry it elsewhere, or that can't be known. */
function leavesOpen({ more, elsewhere, looks, wrong, gaps }: Told): boolean {
  return (
    more.length + elsewhere.length + looks.length + wrong.length > 0 ||
    gaps.some(({ of }) => of === 'options' || of === 'FOLDERS')
  );
}

/**
 * imapsync 1.x marked with --delete and expunged unless --noexpunge; 2.x expunges with --delete1 whatever else is said,
 * and turns on --expunge1, which takes along what other clients have marked.
 */
function afterDelivery(options: Options, told: Told): void {
  const [deletes, expunges] = [options.switched('delete1'), options.switched('expunge1')];
  if (deletes !== true) {
    told.settings.set('AFTER_DELIVERY', 'keep');
    told.different.push(
      'Without --delete1 every original stays: AFTER_DELIVERY=keep. Flags that change at the source later are not carried after it.',
    );
    if (expunges === true)
      told.deletes.push(
        '--expunge1: it expunges at the source whatever is marked \\Deleted, by whomever; imapferry expunges nothing but what it has carried and proven',
      );
    return;
  }
  if (leavesOpen(told)) {
    told.settings.set('AFTER_DELIVERY', 'keep');
    told.assumed.push(
      'AFTER_DELIVERY=keep, although the line has --delete1: imapferry would carry, and remove from the source, mail that imapsync leaves where it is, or carries elsewhere. Set it to expunge once you want that.',
    );
    return;
  }
  told.settings.set('AFTER_DELIVERY', expunges === false ? 'mark' : 'expunge');
  if (expunges === false)
    told.assumed.push(
      'AFTER_DELIVERY=mark: it is what --delete1 --noexpunge1 says, and what imapsync 1.x did. imapsync 2.x turns --expunge1 on all the same; AFTER_DELIVERY=expunge does that.',
    );
  else if (expunges === undefined)
    told.assumed.push(
      'AFTER_DELIVERY=expunge: the line has --delete1 and nothing about expunging; imapsync then expunges, in 1.x and in 2.x.',
    );
  told.different.push(
    'An original is removed only after its copy was read back and found the same, byte for byte. imapsync deletes where a few header lines match.',
    'What other clients have marked \\Deleted is neither carried nor expunged. imapsync expunges it along with its own.',
  );
}

/** Options with which a copy is not what the original is. */
const REWRITES = [
  'regexmess',
  'pipemess',
  'maxlinelengthcmd',
  'truncmess',
  'disarmreadreceipts',
  'addheader',
  'gmail2',
  'exchange2',
  'office2',
];

function always(options: Options, told: Told): void {
  const rewritten = REWRITES.filter((name) => options.switched(name)).map((name) => `--${name}`);
  told.different.push(
    'Certificates are checked on both sides. imapsync checks none unless --sslargs asks for it.',
    'Of messages with the same Message-Id and Received lines imapsync carries one (unless --syncduplicates), and one without any such line it passes over (unless --addheader). imapferry carries each.',
    'At the destination nothing is ever marked \\Deleted and nothing removed.',
    'imapferry runs for ever, is told of new mail by the server (IDLE) and looks through every folder each ten minutes besides (SWEEP_INTERVAL). Nothing has to start it from time to time.',
    `What imapsync has copied already is found at the destination by its bytes, and not sent again${rewritten.length > 0 ? `; but what it changed on the way (${rewritten.join(', ')}) arrives once more, unchanged` : ''}.`,
  );
  told.steps.push(
    "Stop imapsync's timer or crontab line first: two at work on one mailbox may carry a message twice.",
    'imapferry check, then imapferry run.',
  );
}
