/** One line of imapsync, made into settings of imapferry and all that is to be said about them. Pure. */
import { account } from './account.ts';
import { folders } from './folders.ts';
import { type Given, readArguments } from './getopt.ts';
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
  const options = new Options(read.given);
  account('1', options, told);
  account('2', options, told);
  folders(options, told);
  size(options, told);
  presets(options, told);
  for (const given of lasts(read.given)) meaning(given, told);
  afterDelivery(options, told);
  if (told.looks.length > 0) told.settings.set('DRY_RUN', 'true');
  always(options, told);
  return told;
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
  if (kind === 'deletes') told.deletes.push(why);
}

const UNITS = [
  ['GB', 1024 ** 3],
  ['MB', 1024 ** 2],
  ['KB', 1024],
  ['B', 1],
] as const;

/** What imapsync sets along with these (its FAQs on Gmail, Exchange and Office 365). */
const PRESET_SIZES = [
  ['gmail2', 35_651_584],
  ['exchange2', 10_000_000],
  ['office2', 45_000_000],
] as const;

const SLOWED =
  'it also slows imapsync down; this version has no such limit, and goes slower when the server asks for it';
const REWRITTEN = `it also breaks long lines and takes read receipts out; imapferry never changes a message; ${SLOWED}`;

const PRESETS = [
  ['gmail1', SLOWED],
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

function size(options: Options, told: Told): void {
  const given = options.value('maxsize') ?? options.value('appendlimit');
  const preset = PRESET_SIZES.find(([name]) => options.switched(name))?.[1];
  const bytes =
    given && given.unknown.length === 0 ? Number(given.text.replaceAll('_', '')) : preset;
  if (bytes === undefined || bytes <= 0) return;
  const [unit, factor] = UNITS.find(([, factor]) => bytes % factor === 0) ?? ['B', 1];
  told.settings.set('MAX_MESSAGE_SIZE', `${bytes / factor}${unit}`);
}

/** Whether imapferry would carry mail that imapsync does not, or that can't be known. */
function leavesOpen({ more, wrong, gaps }: Told): boolean {
  return (
    more.length + wrong.length > 0 || gaps.some(({ of }) => of === 'options' || of === 'FOLDERS')
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
      'AFTER_DELIVERY=keep, although the line has --delete1: imapferry would carry, and remove from the source, mail that imapsync leaves where it is. Set it to expunge once you want that.',
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
    'At the destination nothing is ever marked \\Deleted and nothing removed.',
    'imapferry runs for ever, is told of new mail by the server (IDLE) and looks through every folder each ten minutes besides (SWEEP_INTERVAL). Nothing has to start it from time to time.',
    `What imapsync has copied already is found at the destination by its bytes, and not sent again${rewritten.length > 0 ? `; but what it changed on the way (${rewritten.join(', ')}) arrives once more, unchanged` : ''}.`,
  );
  told.steps.push(
    "Stop imapsync's timer or crontab line first: two at work on one mailbox may carry a message twice.",
    'imapferry check, then imapferry run.',
  );
}
