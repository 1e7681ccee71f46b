/** Lines whose settings carry, and remove, the mail of folders that imapsync leaves alone. */
import { describe, expect, it } from 'vitest';
import { parseFolders } from '../../src/config/folders.ts';
import { makePlan } from '../../src/forward/plan.ts';
import { mailbox } from '../forward/list-answers.ts';
import { BASE, said, told } from './support.ts';

const SOURCE = mailbox(['"/" INBOX', '"/" Spam', '"/" Work', '"/" Work/a', '"/" Private']);
const DEST = mailbox(['"/" INBOX']);

function translated(args: string) {
  const all = told(`${BASE} --automap --delete1 ${args}`);
  const rules = parseFolders(all.settings.get('FOLDERS') ?? '*');
  const { pairs } = makePlan({ source: SOURCE.folders, dest: DEST.folders, rules });
  return {
    after: all.settings.get('AFTER_DELIVERY'),
    ways: Object.fromEntries(pairs.map(({ source, dest }) => [source, dest])),
    text: said(all).join('\n'),
  };
}

describe('from-imapsync', () => {
  it('--exclude wins over --folder', () => {
    // imapsync: every --folder, --folderrec and --include together, and then what --exclude matches is taken away.
    const { after, ways } = translated("--folder INBOX --folder Work/a --exclude '^Work'");
    expect(after).not.toBe('keep');
    expect(ways).toEqual({ INBOX: 'INBOX' });
  });

  it('--exclude of a --folder by name gives settings that can be read', () => {
    expect(() => translated("--folder INBOX --folder Spam --exclude '^Spam$'")).not.toThrow();
  });

  it('--subfolder1 carries only what is below that folder, or removes nothing', () => {
    const { after, ways } = translated('--subfolder1 Work');
    expect(after).toBe('keep');
    expect(Object.keys(ways)).toEqual(['Work', 'Work/a']);
  });

  it('--f1f2 moves one folder, not those below it; or it is said', () => {
    const { ways, text } = translated('--f1f2 Work=Job');
    expect(ways['Work/a']).toBe('Job/a');
    expect(text).toContain('takes the folders below it along');
  });

  it('white space in a pattern stands for itself; nothing is removed, as it did not in old imapsync', () => {
    const { gaps, settings, more } = told(`${BASE} --delete1 --include 'Sent Items'`);
    expect(gaps).toEqual([]);
    expect(settings.get('FOLDERS')).toBe('*Sent Items*');
    expect(settings.get('AFTER_DELIVERY')).toBe('keep');
    expect(more.join()).toContain("'Sent Items'");
  });

  it('--exclude wins over an --include of one name, and of the folder itself that --folderrec names', () => {
    expect(translated("--include '^Work$' --include '^P' --exclude '^Work'").ways).toEqual({
      Private: 'Private',
    });
    expect(translated("--folderrec Work --exclude '^Work$'").ways).toEqual({ 'Work/a': 'Work/a' });
    expect(() => translated("--include '^A$' --exclude '^A$'")).not.toThrow();
  });

  it('--noexclude is about what imapsync excludes by itself', () => {
    expect(Object.keys(translated('--exclude Work --noexclude').ways)).not.toContain('Work/a');
  });

  it('a folder in the name of the host is a --folderrec', () => {
    const { after, ways } = translated('--host1 a.example/Work');
    expect(after).toBe('expunge');
    expect(Object.keys(ways)).toEqual(['Work', 'Work/a']);
  });

  it('a line that leaves out all that it names is left to be filled in', () => {
    const { gaps, settings } = told(`${BASE} --delete1 --folder A --exclude '^A$'`);
    expect(gaps.map(({ of }) => of)).toEqual(['FOLDERS']);
    expect(settings.get('FOLDERS')).toMatch(/^INBOX\b/);
  });
});
