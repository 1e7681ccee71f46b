/** Which folders of the old mailbox hold mail that nobody carries. */
import { expect, it } from 'vitest';
import { parseFolders } from '../../src/config/folders.ts';
import type { Rival, Route } from '../../src/domain/route.ts';
import { makePlan } from '../../src/forward/plan.ts';
import { uncarried } from '../../src/forward/uncarried.ts';
import { mailbox } from './list-answers.ts';

const SOURCE = mailbox([
  '"/" INBOX',
  '\\Sent "/" Sent',
  '\\Junk "/" Spam',
  '\\Trash "/" Trash',
  '"/" Trash/Old',
  '\\All "/" All',
  '\\Noselect "/" Lists',
  '"/" Lists/Garden',
  '"/" Club',
]);
const DEST = mailbox(['"/" INBOX']);

function left(folders: string, more: Partial<Route> = {}): string[] {
  const rules = parseFolders(folders);
  const { pairs } = makePlan({ source: SOURCE.folders, dest: DEST.folders, rules });
  const route = { afterDelivery: { kind: 'expunge' }, ...more } as Route;
  return uncarried(route, { ...SOURCE, createsSpecialUse: false }, pairs);
}

it('none where all folders are carried', () => {
  expect(left('*')).toEqual([]);
});

it('those that FOLDERS leaves out, but for junk and trash', () => {
  expect(left('INBOX')).toEqual(['Sent', 'Lists/Garden', 'Club']);
  expect(left('!Club, !Sent')).toEqual(['Sent', 'Club']);
  expect(left('*, !Spam, !Trash, !Trash/*')).toEqual([]);
});

it('none that another route carries, or to which carried mail is moved', () => {
  const rival: Rival = { name: 'club', folders: parseFolders('Club'), moveTo: 'Lists/Garden' };
  expect(left('INBOX', { rivals: [rival] })).toEqual(['Sent']);
  expect(left('INBOX, Sent', { afterDelivery: { kind: 'move', folder: 'Club' } })).toEqual([
    'Lists/Garden',
  ]);
});
