/**
 * FOLDERS. imapsync carries the folders of --folder, --folderrec, --subscribed and --include together, or all where none
 * of these is given, and then takes away what --exclude matches; --f1f2 says where a folder goes.
 */
import { isInbox } from '../domain/folder-name.ts';
import { named, nameIn, patternsOf, renaming, standsFor } from './patterns.ts';
import { type Options, type Told, unknownIn } from './told.ts';
import { decoded, isCoded } from './utf7.ts';
import type { Word } from './words.ts';

/** Sets FOLDERS where it is not `*`, and says which folders could not be told. */
export function folders(options: Options, told: Told): void {
  const excluded = leftOut(options, told);
  // A name counts more than a pattern in FOLDERS; imapsync takes away last.
  const isCarried = ({ source }: Entry) => {
    const name = nameIn(source);
    return name === undefined || !excluded.some((pattern) => standsFor(pattern, name));
  };
  const selected = chosen(options, told).filter(isCarried);
  if (selected.length === 0) {
    told.gaps.push({ of: 'FOLDERS', why: 'the line leaves out every folder that it names' });
    selected.push({ source: 'INBOX' });
  }
  const moved = renamed(options, told).filter(
    (entry) =>
      selected.some(({ source }) => standsFor(source, nameIn(entry.source) ?? '')) &&
      isCarried(entry),
  );
  if (moved.length > 0)
    told.different.push(
      "What --f1f2 renames takes the folders below it along: of Old=New, Old/a goes to New/a. imapsync's would stay Old/a; `Old/a=Old/a` in FOLDERS says so.",
    );
  const carried = tidy([...selected, ...moved]);
  // Where all is named, nothing has to be left out; unless more is to be filled in.
  const isNamed = carried.every(({ source }) => nameIn(source) !== undefined);
  const isOpen = told.gaps.some(({ of }) => of === 'FOLDERS');
  const away = excluded.filter((pattern) => carried.every(({ source }) => source !== pattern));
  const text = [
    ...carried.map(({ source, to }) => (to === undefined ? source : `${source}=${to}`)),
    ...(isNamed && !isOpen ? [] : away.map((pattern) => `!${pattern}`)),
  ].join(', ');
  if (text !== '*') told.settings.set('FOLDERS', text);
  counterparts(options, told);
}

/** An entry of FOLDERS as it stands there. */
interface Entry {
  readonly source: string;
  readonly to?: string;
}

/** A folder that is sent somewhere by hand needs no entry besides; of two such, the first counts. */
function tidy(entries: readonly Entry[]): Entry[] {
  const kept = new Map<string, Entry>();
  for (const entry of entries) {
    const before = kept.get(entry.source);
    if (before === undefined || (entry.to !== undefined && before.to === undefined))
      kept.set(entry.source, entry);
  }
  return [...kept.values()];
}

function chosen(options: Options, told: Told): Entry[] {
  const entries: Entry[] = [];
  const separator = separatorOf(options, told);
  const nameOf = (option: string, { text, unknown }: Word): string | undefined => {
    const name = decoded(text);
    if (unknown.length === 0 && name !== '' && !/\p{Cc}/u.test(name)) {
      doubtful(option, text, told.more);
      return name;
    }
    const whence = unknown.length > 0 ? `from ${unknownIn({ text, unknown })}` : `as '${text}'`;
    told.gaps.push({ of: 'FOLDERS', why: `the line takes ${option} ${whence}` });
    return undefined;
  };
  for (const word of options.values('folder')) {
    const name = nameOf('--folder', word);
    if (name !== undefined) entries.push({ source: named(name) });
  }
  for (const option of ['folderrec', 'subfolder1'])
    for (const word of valuesOf(option, options)) {
      const name = nameOf(`--${option}`, word);
      if (name === undefined) continue;
      entries.push({ source: named(name) });
      if (/^[\s!]|[",=*%]/.test(name))
        told.missing.push(`--${option} ${name}: its subfolders have to be named one by one`);
      else entries.push({ source: `${name}${separator}*` });
    }
  for (const word of options.values('include')) entries.push(...included(word, told));
  if (options.switched('subscribed'))
    told.more.push('--subscribed: imapferry does not ask which folders are subscribed');
  const asked = ['folder', 'folderrec', 'subfolder1', 'include'].some(
    (name) => valuesOf(name, options).length > 0,
  );
  if (!asked) return [{ source: '*' }];
  if (entries.length > 0) return entries;
  told.assumed.push('FOLDERS=INBOX stands in for the folders that are to be filled in.');
  return [{ source: 'INBOX' }];
}

/** Every value; of --subfolder1 the last one, without the characters that imapsync takes out of it. */
function valuesOf(option: string, options: Options): Word[] {
  if (option !== 'subfolder1') return options.values(option);
  const given = options.values(option).slice(-1);
  const kept = given.map(({ text, unknown }) => ({
    text: text.replaceAll(/^ +| +$/g, '').replaceAll(/[^-\w./ ]/g, ''),
    unknown,
  }));
  return kept.filter(({ text, unknown }) => text !== '' || unknown.length > 0);
}

function included(word: Word, told: Told): Entry[] {
  const patterns = word.unknown.length === 0 ? patternsOf(word.text) : undefined;
  if (patterns === undefined) {
    told.gaps.push({
      of: 'FOLDERS',
      why: `--include ${shown(word)} is a pattern that FOLDERS can't tell; name its folders, \`*\` stands for any part of a name`,
    });
    return [];
  }
  if (/[\s#]/.test(word.text))
    told.more.push(
      `--include ${shown(word)}: imapsync takes blanks and \`#\` as they stand, 1.678 and what came after it; for 1.564 they did not count, and it matched other folders`,
    );
  if (!isCoded(word.text) || patterns.includes('INBOX'))
    doubtful('--include', word.text.replaceAll(/[\^$()]/g, ''), told.more);
  return patterns.map((source) => ({ source }));
}

/** Says of a name that imapsync looks for it as it stands, and finds none where it is not what the server lists. */
function doubtful(option: string, text: string, list: string[]): void {
  if (isInbox(text) && text !== 'INBOX')
    list.push(
      `${option} ${text}: imapferry takes it for INBOX; imapsync finds it only where the server spells it so`,
    );
  if (!isCoded(text))
    list.push(
      `${option} ${text}: imapferry takes the name as it is read; imapsync finds it only where it is written as servers list it, in modified UTF-7`,
    );
}

/** What is sent somewhere by hand: of a folder that is not carried nothing has to be said. */
function renamed(options: Options, told: Told): Entry[] {
  const entries: Entry[] = [];
  const add = (option: string, from: string, to: string) => {
    doubtful(option, from, told.elsewhere);
    entries.push({ source: named(decoded(from)), to: named(decoded(to)) });
  };
  // imapsync gives its own at the end, and the last one counts.
  if (options.switched('office2') && !options.switched('nof1f2'))
    add('--office2', 'Files', 'Files_renamed_by_imapsync');
  for (const option of ['f1f2', 'f1f2h'])
    for (const word of options.values(option).toReversed()) {
      const [, from, to] = /^([^=]+)=([^=]+)$/.exec(word.text) ?? [];
      if (from === undefined || to === undefined || word.unknown.length > 0)
        told.elsewhere.push(
          `--${option} ${shown(word)}: it does not say both folders; write old=new into FOLDERS`,
        );
      else add(`--${option}`, from, to);
    }
  if (options.values('f1f2h').length > 0)
    told.elsewhere.push('--f1f2h: imapsync 2.x passes it over; --f1f2 is what counts');
  for (const word of options.values('regextrans2')) {
    const found = word.unknown.length === 0 ? renaming(word.text) : undefined;
    told.elsewhere.push(
      found
        ? `--regextrans2 ${shown(word)}: it is taken to speak of a folder of the old server; imapsync means the name that a folder would have at the new one, and passes over those that --automap or --f1f2 sends somewhere`
        : `--regextrans2 ${shown(word)}: imapferry knows the counterparts of folders and exchanges separator and prefix by itself; where a folder still goes elsewhere than it should, write old=new into FOLDERS`,
    );
    if (found) add('--regextrans2', found.from, found.to);
  }
  return entries;
}

/** Patterns of folders that are not carried. --noexclude is about those that imapsync itself adds. */
function leftOut(options: Options, told: Told): string[] {
  const own = [
    ['office1', '^Files$'],
    ['gmail2', '\\[Gmail\\]$'],
  ].flatMap(([name = '', text = '']) =>
    options.switched(name) && !options.switched('noexclude') ? [{ text, unknown: [] }] : [],
  );
  const patterns = [...options.values('exclude'), ...own].flatMap((word) => {
    const found = word.unknown.length === 0 ? patternsOf(word.text) : undefined;
    if (found === undefined)
      told.more.push(
        `--exclude ${shown(word)} is a pattern that FOLDERS can't tell: leave its folders out by hand, \`!name\` each`,
      );
    else if (leavesOutMore(word.text, found, options))
      told.more.push(
        `--exclude ${shown(word)} may match folders that FOLDERS does not leave out for it: \`imapferry check\` shows which are carried`,
      );
    return found ?? [];
  });
  return [...new Set(patterns)];
}

/**
 * Whether a pattern may match more than what it became. White space counts in it as it does here; in versions ten years
 * old it did not, and they would leave out no folder that this does not, but for one of the same name without it.
 */
function leavesOutMore(regex: string, patterns: readonly string[], options: Options): boolean {
  const isDotted =
    options.value('sep1')?.text === '.' || options.value('prefix1')?.text === 'INBOX.';
  // Any character is as good to that dot as the separator.
  if (/INBOX\.(?![*+?])/.test(regex) && !isDotted) return true;
  return patterns.some((pattern) => {
    const text = pattern.replaceAll('*', '');
    // What is not ASCII stands in letters, digits and `+` `,` between `&` and `-` in the names that imapsync looks at.
    const inCoded = pattern.startsWith('*') && /^[A-Za-z\d+,]{1,2}$|^-|-$/.test(text);
    // A server may list Inbox; in FOLDERS that is INBOX.
    const isNoInbox =
      standsFor(pattern.toUpperCase(), 'INBOX') &&
      !standsFor(pattern, 'INBOX') &&
      pattern.includes('*');
    return inCoded || isNoInbox || (text.includes('&') && !isCoded(text));
  });
}

/** `--folderrec` wants the source's separator, which only the server knows for sure. */
function separatorOf(options: Options, told: Told): string {
  const given = options.value('sep1');
  if (given && given.unknown.length === 0 && given.text !== '') return given.text;
  const recursive = ['folderrec', 'subfolder1'].filter(
    (name) => valuesOf(name, options).length > 0,
  );
  if (recursive.length === 0) return '/';
  const names = ['folder', ...recursive].flatMap((name) => valuesOf(name, options));
  const dotted = names.some(({ text }) => /^INBOX\./i.test(text));
  const separator = dotted ? '.' : '/';
  told.assumed.push(
    `FOLDERS: the subfolders of --${recursive[0]} stand behind \`${separator}\`. \`imapferry check\` shows whether that is the separator of the old server.`,
  );
  return separator;
}

/** Prefixes and separators that servers have; with any other one folders are moved. */
const USUAL = [
  ['prefix1', /^(?:INBOX[./])?$/i],
  ['sep1', /^[./\\]$/],
  ['prefix2', /^(?:INBOX[./])?$/i],
  ['sep2', /^[./\\]$/],
] as const;

function counterparts(options: Options, told: Told): void {
  const preset = options.switched('gmail1') || options.switched('gmail2') || false;
  const automap = options.switched('automap') ?? preset;
  if (!automap)
    told.different.push(
      'The line has no --automap: imapsync makes a folder of the same name for each. imapferry takes the counterpart where there is one (Sent goes to Gesendet); `name=name` in FOLDERS says otherwise.',
    );
  if (options.switched('gmail1') || /\.gmail\.com$/i.test(options.value('host1')?.text ?? ''))
    told.different.push(
      'Gmail\'s "All Mail", "Starred" and "Important" only show mail of other folders: imapferry leaves them out. imapsync carries what lies in "All Mail" alone, the archived mail without a label; give such mail a label first.',
    );
  for (const [name, usual] of USUAL) {
    const given = options.value(name);
    if (given === undefined) continue;
    if (given.unknown.length === 0 && usual.test(given.text))
      told.missing.push(`--${name}: imapferry asks the server for it`);
    else
      told.elsewhere.push(
        `--${name} ${shown(given)}: imapferry asks the server for it; where another one is meant, write old=new into FOLDERS`,
      );
  }
  if (valuesOf('subfolder1', options).length > 0)
    told.elsewhere.push(
      '--subfolder1: imapsync carries what is below that folder to where it would be without it, Folder/a to a, and Folder itself to INBOX; write Folder=INBOX, Folder/a=a and so on into FOLDERS',
    );
  if (options.value('subfolder2'))
    told.elsewhere.push(
      '--subfolder2: there is no setting that moves all folders under another, nor one that leaves out those with its name in theirs, as imapsync does; write INBOX=Folder/INBOX and so on into FOLDERS',
    );
}

function shown(word: Word): string {
  return word.unknown.length > 0 ? `(with ${unknownIn(word)})` : `'${word.text}'`;
}
