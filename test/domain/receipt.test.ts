import { describe, expect, it } from 'vitest';
import { InMemory } from '../../src/domain/content.ts';
import type { Proof } from '../../src/domain/receipt.ts';
import { compare, Receipt } from '../../src/domain/receipt.ts';
import type { Verify } from '../../src/domain/route.ts';

const letter = (header: string, body: string) =>
  `Message-ID: <1@example.org>\r\n${header}\r\n\r\n${body}`;

interface Row {
  readonly title: string;
  readonly original: string;
  readonly copy: string;
  readonly verify?: Verify;
  readonly proof: Proof | undefined;
}

const headers = 'Date: Mon, 6 May 2024 07:08:09 +0000\r\nFrom: a@example.org';

const rows: Row[] = [
  { title: 'the same bytes', original: 'A: b\r\n\r\nc', copy: 'A: b\r\n\r\nc', proof: 'identical' },
  { title: 'two empty messages', original: '', copy: '', proof: 'identical' },
  { title: 'LF for CRLF', original: 'A: b\r\n\r\nc\r\n', copy: 'A: b\n\nc\n', proof: 'equivalent' },
  {
    title: 'CRLF for LF',
    original: 'A: b\n\nc\nd\n',
    copy: 'A: b\r\n\r\nc\r\nd\r\n',
    proof: 'equivalent',
  },
  {
    title: 'a lone CR dropped',
    original: 'A: b\r\n\r\nc\rd',
    copy: 'A: b\r\n\r\ncd',
    proof: 'equivalent',
  },
  {
    title: 'a final line end added',
    original: 'A: b\r\n\r\nc',
    copy: 'A: b\r\n\r\nc\r\n',
    proof: 'equivalent',
  },
  {
    title: 'a final line end dropped',
    original: 'A: b\r\n\r\nc\r\n',
    copy: 'A: b\r\n\r\nc',
    proof: 'equivalent',
  },
  {
    title: 'NUL stored as 0x80',
    original: 'A: b\r\n\r\nc\0d',
    copy: 'A: b\r\n\r\nc\x80d',
    proof: 'equivalent',
  },
  {
    title: '8-bit header bytes stored as X',
    original: 'A: \xe9\xe8\r\n\r\nc',
    copy: 'A: XX\r\n\r\nc',
    proof: 'equivalent',
  },
  {
    title: 'both of these',
    original: 'A: \xe9\r\n\r\n\0\r\n',
    copy: 'A: X\n\n\x80',
    proof: 'equivalent',
  },

  {
    title: 'two final line ends for one',
    original: 'A: b\r\n\r\nc\r\n',
    copy: 'A: b\r\n\r\nc\r\n\r\n\r\n',
    proof: undefined,
  },
  {
    title: 'one byte changed',
    original: 'A: b\r\n\r\ncd',
    copy: 'A: b\r\n\r\nce',
    proof: undefined,
  },
  { title: 'cut short', original: 'A: b\r\n\r\ncdef', copy: 'A: b\r\n\r\ncd', proof: undefined },
  { title: 'nothing', original: 'A: b\r\n\r\nc', copy: '', proof: undefined },
  {
    title: '0x80 come back as NUL',
    original: 'A: b\r\n\r\n\x80',
    copy: 'A: b\r\n\r\n\0',
    proof: undefined,
  },
  {
    title: 'X come back as 8-bit',
    original: 'A: X\r\n\r\nc',
    copy: 'A: \xe9\r\n\r\nc',
    proof: undefined,
  },
  {
    title: 'another 8-bit header byte',
    original: 'A: \xe9\r\n\r\nc',
    copy: 'A: \xe8\r\n\r\nc',
    proof: undefined,
  },
  {
    title: '8-bit header bytes rewritten in part',
    original: 'A: \xe9\xe8\r\n\r\nc',
    copy: 'A: X\xe8\r\n\r\nc',
    proof: undefined,
  },
  {
    title: 'NULs rewritten in part',
    original: 'A: b\r\n\r\n\0\0',
    copy: 'A: b\r\n\r\n\x80\0',
    proof: undefined,
  },
  {
    title: '8-bit bytes of the body stored as X',
    original: 'A: b\r\n\r\n\xe9',
    copy: 'A: b\r\n\r\nX',
    proof: undefined,
  },
  {
    title: '? for 8-bit header bytes',
    original: 'A: \xe9\r\n\r\nc',
    copy: 'A: ?\r\n\r\nc',
    proof: undefined,
  },

  {
    title: 'a rebuilt body under VERIFY=bytes',
    original: letter(headers, 'a'),
    copy: letter(headers, 'b'),
    proof: undefined,
  },
  {
    title: 'a rebuilt body under VERIFY=headers',
    original: letter(headers, 'a'),
    copy: letter(headers, 'b'),
    verify: 'headers',
    proof: 'headers',
  },
  {
    title: 'folded otherwise under VERIFY=headers',
    original: letter(`${headers}\r\nSubject: a\r\n b`, 'a'),
    copy: letter(`${headers}\r\nSUBJECT:   a b`, 'b'),
    verify: 'headers',
    proof: 'headers',
  },
  {
    title: 'another subject under VERIFY=headers',
    original: letter(`${headers}\r\nSubject: a`, 'a'),
    copy: letter(`${headers}\r\nSubject: b`, 'a'),
    verify: 'headers',
    proof: undefined,
  },
  {
    title: 'a recipient lost under VERIFY=headers',
    original: letter(`${headers}\r\nTo: b@example.org`, 'a'),
    copy: letter(headers, 'b'),
    verify: 'headers',
    proof: undefined,
  },
  {
    title: 'a field added under VERIFY=headers',
    original: letter(headers, 'a'),
    copy: letter(`${headers}\r\nX-New: 1`, 'b'),
    verify: 'headers',
    proof: 'headers',
  },
  {
    title: 'fewer than three fields under VERIFY=headers',
    original: letter('From: a', 'a'),
    copy: letter('From: a', 'b'),
    verify: 'headers',
    proof: undefined,
  },
];

const content = (text: string) => new InMemory(Buffer.from(text, 'latin1'));

describe('a copy', () => {
  it.each(rows)('with $title is $proof', ({ original, copy, verify = 'bytes', proof }) => {
    expect(compare(content(original), content(copy), verify)).toBe(proof);
  });

  it('never proves two originals that differ in 8-bit header bytes, but where the server made X of both', () => {
    for (let a = 0x80; a <= 0xff; a++) {
      const original = content(`Subject: ${String.fromCharCode(a)}\r\n\r\nbody`);
      const other = content(
        `Subject: ${String.fromCharCode(a === 0xff ? 0x80 : a + 1)}\r\n\r\nbody`,
      );
      expect(compare(original, other, 'bytes')).toBeUndefined();
    }
  });
});

describe('a Receipt', () => {
  const key = { folder: 'INBOX', uidValidity: 1, uid: 5 };
  const original = { uid: 5, size: 1, flags: new Set<string>(), content: content('a') };
  const copyKey = { folder: 'INBOX', uidValidity: 2, uid: 9 };

  it('names the original, its copy and the proof', () => {
    const copy = { uid: 9, flags: new Set<string>(), content: content('a') };
    expect(Receipt.of(key, original, copyKey, copy, 'bytes')).toMatchObject({
      original: key,
      copy: copyKey,
      proof: 'identical',
    });
  });

  it('is not given for a copy under another UID than the one read, nor for another original', () => {
    const copy = { uid: 8, flags: new Set<string>(), content: content('a') };
    expect(Receipt.of(key, original, copyKey, copy, 'bytes')).toBeUndefined();
    const other = { ...original, uid: 6 };
    expect(Receipt.of(key, other, copyKey, { ...copy, uid: 9 }, 'bytes')).toBeUndefined();
  });
});
