/**
 * FOLDERS. imapsync carries the folders of --folder, --folderrec, --subscribed and --include together, or all where none
 * of these is given, and then takes away what --exclude matches; --f1f2 says where a folder goes.
 */
import { named, patternsOf, renaming, standsFor } from './patterns.ts';
import { type Options, type Told, unknownIn } from './told.ts';
import { decoded } from './utf7.ts';
import type { Word } from './words.ts';

/** Sets FOLDERS where it is not `*`, and says which folders could not be told. */
export function folders(options: Options, told: Told): void {
  const excluded = leftOut(options, told);
  const selected = chosen(options, separatorOf(options, told), told).filter(
    // A name counts more than a pattern in FOLDERS; imapsync takes away last.
    ({ name }) => name === undefined || !excluded.some((pattern) => standsFor(pattern, name)),
  );
  if (selected.length === 0) {
    told.gaps.push({ of: 'FOLDERS', why: 'the line leaves out every folder that it names' });
    selected.push({ source: 'INBOX' });
  }
  const moved = renamed(options, told).filter(
    ({ name }) =>
      selected.some(({ source }) => standsFor(source, name)) &&
      !excluded.some((pattern) => standsFor(pattern, name)),
  );
  const text = [...tidy([...selected, ...moved]), ...excluded.map((pattern) => `!${pattern}`)].join(
    ', ',
  );
  if (text !== '*') told.settings.set('FOLDERS', text);
  counterparts(options, told);
}

interface Entry {
  readonly source: string;
  /** The one folder that it stands for. */
  readonly name?: string;
  readonly to?: string;
}

/** A folder that is sent somewhere by hand needs no entry besides; of two such, the first counts, as with imapsync. */
function tidy(entries: readonly Entry[]): string[] {
  const kept = new Map<string, Entry>();
  for (const entry of entries) {
    const before = kept.get(entry.source);
    if (before === undefined || (entry.to !== undefined && before.to === undefined))
      kept.set(entry.source, entry);
  }
  return [...kept.values()].map(({ source, to }) =>
    to === undefined ? source : `${source}=${to}`,
  );
}

function chosen(options: Options, separator: string, told: Told): Entry[] {
  const entries: Entry[] = [];
  const known = (option: string, word: Word) => {
    if (word.unknown.length === 0) return true;
    told.gaps.push({ of: 'FOLDERS', why: `the line takes ${option} from ${unknownIn(word)}` });
    return false;
  };
  for (const word of options.values('folder'))
    if (known('--folder', word)) {
      const name = decoded(word.text);
      entries.push({ source: named(name), name });
    }
  for (const word of options.values('folderrec'))
    if (known('--folderrec', word)) {
      const name = decoded(word.text);
      entries.push({ source: named(name), name });
      if (/[",=*%]/.test(name))
        told.missing.push(`--folderrec ${name}: its subfolders have to be named one by one`);
      else entries.push({ source: `${name}${separator}*` });
    }
  for (const word of options.values('include')) {
    // Whether white space in a pattern counts (Perl's /x) is not the same in every imapsync.
    const isSure = word.unknown.length === 0 && !/\s/.test(word.text);
    const patterns = isSure ? patternsOf(word.text) : undefined;
    if (patterns) entries.push(...patterns.map((source) => ({ source })));
    else
      told.gaps.push({
        of: 'FOLDERS',
        why: `--include ${shown(word)} is a pattern that FOLDERS can't tell; name its folders, \`*\` stands for any part of a name`,
      });
  }
  if (options.switched('subscribed'))
    told.more.push('--subscribed: imapferry does not ask which folders are subscribed');
  const asked = ['folder', 'folderrec', 'include'].some((name) => options.values(name).length > 0);
  if (!asked) return [{ source: '*' }];
  if (entries.length > 0) return entries;
  told.assumed.push('FOLDERS=INBOX stands in for the folders that are to be filled in.');
  return [{ source: 'INBOX' }];
}

/** What is sent somewhere by hand: of a folder that is not carried nothing has to be said. */
function renamed(options: Options, told: Told): (Entry & { readonly name: string })[] {
  const entries: (Entry & { readonly name: string })[] = [];
  const add = (from: string, to: string) => {
    const name = decoded(from);
    entries.push({ name, source: named(name), to: named(decoded(to)) });
  };
  const pairs = options.switched('nof1f2')
    ? []
    : [...options.values('f1f2'), ...options.values('f1f2h')];
  for (const word of pairs) {
    const [, from, to] = /^([^=]+)=(.+)$/s.exec(word.text) ?? [];
    if (from === undefined || to === undefined || word.unknown.length > 0)
      told.missing.push(
        `--f1f2 ${shown(word)}: it does not say both folders; write old=new into FOLDERS`,
      );
    else add(from, to);
  }
  if (entries.length > 0)
    told.different.push(
      "What --f1f2 renames takes the folders below it along: of Old=New, Old/a goes to New/a. imapsync's would stay Old/a; `Old/a=Old/a` in FOLDERS says so.",
    );
  for (const word of options.values('regextrans2')) {
    const found = word.unknown.length === 0 ? renaming(word.text) : undefined;
    if (found) add(found.from, found.to);
    else
      told.missing.push(
        `--regextrans2 ${shown(word)}: imapferry knows the counterparts of folders and exchanges separator and prefix by itself; where a folder still goes elsewhere than it should, write old=new into FOLDERS`,
      );
  }
  if (options.switched('office2')) add('Files', 'Files_renamed_by_imapsync');
  return entries;
}

/** Patterns of folders that are not carried. */
function leftOut(options: Options, told: Told): string[] {
  if (options.switched('noexclude')) return [];
  const given = options.values('exclude');
  const preset = options.switched('office1') ? [{ text: '^Files$', unknown: [] }] : [];
  const patterns = [...given, ...preset].flatMap((word) => {
    const found = word.unknown.length === 0 ? patternsOf(word.text) : undefined;
    if (found === undefined)
      told.more.push(
        `--exclude ${shown(word)} is a pattern that FOLDERS can't tell: leave its folders out by hand, \`!name\` each`,
      );
    return found ?? [];
  });
  return [...new Set(patterns)];
}

/** `--folderrec` wants the source's separator, which only the server knows for sure. */
function separatorOf(options: Options, told: Told): string {
  const given = options.value('sep1');
  if (given && given.unknown.length === 0 && given.text !== '') return given.text;
  if (options.values('folderrec').length === 0) return '/';
  const names = ['folder', 'folderrec'].flatMap((name) => options.values(name));
  const dotted = names.some(({ text }) => /^INBOX\./i.test(text));
  const separator = dotted ? '.' : '/';
  told.assumed.push(
    `FOLDERS: the subfolders of --folderrec stand behind \`${separator}\`. \`imapferry check\` shows whether that is the separator of the old server.`,
  );
  return separator;
}

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
  for (const name of ['prefix1', 'sep1', 'prefix2', 'sep2'])
    if (options.value(name)) told.missing.push(`--${name}: imapferry asks the server for it`);
  if (options.value('subfolder1'))
    told.more.push(
      '--subfolder1: imapsync carries only what is below that folder, to where it would be without it; write those folders into FOLDERS, Folder/a=a and so on',
    );
  if (options.value('subfolder2'))
    told.missing.push(
      '--subfolder2: there is no setting that moves all folders under another; write INBOX=Folder/INBOX and so on into FOLDERS',
    );
}

function shown(word: Word): string {
  return word.unknown.length > 0 ? `(with ${unknownIn(word)})` : `'${word.text}'`;
}
