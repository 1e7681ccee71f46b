import { expect, it } from 'vitest';
import type { FolderRule, ListedFolder } from '../../src/domain/route.ts';
import { makePlan } from '../../src/forward/plan.ts';

function folder(path: string, delimiter = '/', ...attributes: string[]): ListedFolder {
  return { path, delimiter, attributes: new Set(attributes) };
}

const ALL: FolderRule[] = [{ kind: 'all' }];
const slash = [folder('INBOX')];
const dot = [folder('INBOX', '.')];

it('maps each folder to the same path with the other separator', () => {
  const source = [folder('Lists/imap'), folder('INBOX'), folder('Sent')];
  expect(makePlan({ source, dest: dot, rules: ALL }).pairs).toEqual([
    { source: 'INBOX', dest: 'INBOX' },
    { source: 'Lists/imap', dest: 'Lists.imap' },
    { source: 'Sent', dest: 'Sent' },
  ]);
});

it('replaces the destination separator inside a name', () => {
  const source = [folder('v1.2', '/')];
  expect(makePlan({ source, dest: dot, rules: ALL }).pairs).toEqual([
    { source: 'v1.2', dest: 'v1_2' },
  ]);
});

it('does not merge two folders unasked', () => {
  const source = [folder('v1.2'), folder('v1_2')];
  const { pairs, leftOut } = makePlan({ source, dest: dot, rules: ALL });
  expect(pairs).toEqual([{ source: 'v1.2', dest: 'v1_2' }]);
  expect(leftOut.map((each) => each.folder)).toEqual(['v1_2']);
});

it('merges two folders where both are written by hand', () => {
  const rules: FolderRule[] = [
    { kind: 'folder', name: 'A', to: 'All' },
    { kind: 'folder', name: 'B', to: 'All' },
  ];
  const { pairs } = makePlan({ source: [folder('A'), folder('B')], dest: slash, rules });
  expect(pairs).toEqual([
    { source: 'A', dest: 'All' },
    { source: 'B', dest: 'All' },
  ]);
});

it('plans fifty thousand folders within the time of a test', () => {
  const source = Array.from({ length: 50_000 }, (_, i) => folder(`Folder ${i}`));
  expect(makePlan({ source, dest: dot, rules: ALL }).pairs).toHaveLength(50_000);
});

it.each(['\\All', '\\Flagged', '\\Important', '\\Noselect', '\\NoSelect', '\\NonExistent'])(
  'leaves out folders that are %s',
  (attribute) => {
    const source = [folder('INBOX'), folder('View', '/', attribute)];
    const { pairs, leftOut } = makePlan({ source, dest: slash, rules: ALL });
    expect(pairs).toEqual([{ source: 'INBOX', dest: 'INBOX' }]);
    expect(leftOut.map((each) => each.folder)).toEqual(['View']);
  },
);

it('takes a name by hand where it says', () => {
  const rules: FolderRule[] = [
    { kind: 'folder', name: 'inbox' },
    { kind: 'folder', name: 'Sent', to: 'Sent Messages' },
  ];
  const source = [folder('Sent'), folder('INBOX'), folder('Other')];
  expect(makePlan({ source, dest: slash, rules }).pairs).toEqual([
    { source: 'INBOX', dest: 'INBOX' },
    { source: 'Sent', dest: 'Sent Messages' },
  ]);
});

it('names a rule that matches no folder', () => {
  const rules: FolderRule[] = [{ kind: 'folder', name: 'Snet' }];
  const { pairs, leftOut } = makePlan({ source: slash, dest: slash, rules });
  expect(pairs).toEqual([]);
  expect(leftOut).toEqual([
    { folder: 'Snet', why: 'the source has no such folder', ofCourse: false },
  ]);
});

it('never carries from the folder that carried mail is moved to', () => {
  const source = [folder('INBOX'), folder('Carried')];
  const { pairs } = makePlan({ source, dest: slash, rules: ALL, moveTo: 'Carried' });
  expect(pairs).toEqual([{ source: 'INBOX', dest: 'INBOX' }]);
});

it('keeps names apart that differ in letter case only, but for INBOX', () => {
  const source = [folder('inbox'), folder('Work'), folder('work')];
  expect(makePlan({ source, dest: slash, rules: ALL }).pairs).toEqual([
    { source: 'inbox', dest: 'INBOX' },
    { source: 'Work', dest: 'Work' },
    { source: 'work', dest: 'work' },
  ]);
});
