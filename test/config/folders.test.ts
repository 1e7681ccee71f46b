import { describe, expect, test } from 'vitest';
import { parseFolders } from '../../src/config/folders.ts';
import type { FolderRule } from '../../src/domain/route.ts';

const pattern = (text: string): FolderRule => ({ kind: 'pattern', pattern: text });
const all = pattern('*');
const folder = (name: string, to?: string): FolderRule => ({
  kind: 'folder',
  name,
  ...(to !== undefined && { to }),
});

describe('FOLDERS names folders', () => {
  test.each([
    ['*', [all]],
    ['INBOX', [folder('INBOX')]],
    [' INBOX ,Sent = Sent Messages ', [folder('INBOX'), folder('Sent', 'Sent Messages')]],
    ['INBOX=Old, *', [folder('INBOX', 'Old'), all]],
    ['"a, b"=x', [folder('a, b', 'x')]],
    ['x="a = b"', [folder('x', 'a = b')]],
    ['" spaced "', [folder(' spaced ')]],
    ['"say \\"hi\\"", "back\\\\slash"', [folder('say "hi"'), folder('back\\slash')]],
    ['"*", "50%", "!loud"', [folder('*'), folder('50%'), folder('!loud')]],
    ['Wow!', [folder('Wow!')]],
    ["Mum's, Entwürfe, 下書き", [folder("Mum's"), folder('Entwürfe'), folder('下書き')]],
    ['[Gmail]/Sent Mail=Sent', [folder('[Gmail]/Sent Mail', 'Sent')]],
    ['A=All, B=All', [folder('A', 'All'), folder('B', 'All')]],
    ['Sent, sent', [folder('Sent'), folder('sent')]],
    ['Lists/*, %', [pattern('Lists/*'), pattern('%')]],
    [
      '*, !Junk, ! Lists/%',
      [all, { kind: 'not', name: 'Junk' }, { kind: 'not', pattern: 'Lists/%' }],
    ],
    ['!"a, *b", *', [{ kind: 'not', name: 'a, *b' }, all]],
    ['"!a"=b', [folder('!a', 'b')]],
    ['*, !*', [all, { kind: 'not', pattern: '*' }]],
  ] as [string, FolderRule[]][])('%s', (text, rules) => {
    expect(parseFolders(text)).toEqual(rules);
  });
});

const QUOTE =
  'put a name that holds a comma, `=` or a quotation mark in double quotation marks, `\\"` for a mark within it';
describe('FOLDERS that can not be read say where', () => {
  test.each([
    [',', 'names no folder in entry 1'],
    ['INBOX,,Sent', 'names no folder in entry 2'],
    ['INBOX,', 'names no folder in entry 2'],
    ['""', 'names no folder in entry 1'],
    ['=x', 'names no folder in entry 1'],
    ['INBOX=', 'names no destination behind `=` in entry 1'],
    ['INBOX="" ', 'names no destination behind `=` in entry 1'],
    ['a=b=c', `can't be read at entry 1: ${QUOTE}`],
    ['INBOX, "open', `can't be read at entry 2: ${QUOTE}`],
    ['a"b', `can't be read at entry 1: ${QUOTE}`],
    ['"a"b', `can't be read at entry 1: ${QUOTE}`],
    ['INBOX, inbox=x', 'names the same folder twice, in entries 1 and 2'],
    ['Sent, INBOX, Sent=x', 'names the same folder twice, in entries 1 and 3'],
    ['*, *', 'names the same folder twice, in entries 1 and 2'],
    ['*=x', "can't send what a pattern matches to one folder: leave out `=` in entry 1"],
    [
      'INBOX, Lists/*=x',
      "can't send what a pattern matches to one folder: leave out `=` in entry 2",
    ],
    ['a=*', 'has a pattern behind `=` in entry 1'],
    ['!a=b', 'leaves a folder out by `!` and says where it goes, in entry 1'],
    ['!', 'names no folder in entry 1'],
    ['Junk, !Junk', 'names the same folder twice, in entries 1 and 2'],
    ['Lists/*, Lists/*', 'names the same folder twice, in entries 1 and 2'],
    ['"a\nb"', 'holds a control character in entry 1'],
  ])('%j', (text, wrong) => {
    expect(() => parseFolders(text)).toThrow(wrong);
  });
});
