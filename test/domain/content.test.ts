/** Bytes in memory, and bytes that came in pieces: both are compared as whole messages were, no more and no less strictly. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Fingerprint, InMemory, letGo, NOTHING, Tally } from '../../src/domain/content.ts';
import { compare, type Proof } from '../../src/domain/receipt.ts';
import { SEED } from '../support/seed.ts';

/** The rules as they read for two whole messages side by side. */
function plainly(original: Buffer, copy: Buffer): Proof | undefined {
  if (original.equals(copy)) return 'identical';
  const stored = lineEnds(copy);
  if (rewritings(original).some((form) => form.equals(stored))) return 'equivalent';
  return sameHeaders(original, copy) ? 'headers' : undefined;
}

function lineEnds(bytes: Buffer): Buffer {
  const out = Buffer.from([...bytes].filter((byte) => byte !== 0x0d));
  return out.at(-1) === 0x0a ? out.subarray(0, -1) : out;
}

function rewritings(original: Buffer): Buffer[] {
  const plain = lineEnds(original);
  const forms = [plain];
  const map = (bytes: Buffer, end: number, by: (byte: number) => number) =>
    Buffer.from([...bytes].map((byte, at) => (at < end ? by(byte) : byte)));
  if (plain.includes(0)) forms.push(map(plain, plain.length, (byte) => (byte === 0 ? 0x80 : byte)));
  const header = headerEnd(plain);
  if (plain.subarray(0, header).some((byte) => byte >= 0x80)) {
    forms.push(...forms.map((form) => map(form, header, (byte) => (byte >= 0x80 ? 0x58 : byte))));
  }
  return forms;
}

function headerEnd(bytes: Buffer): number {
  const found = /(?<=^|\n)\r*\n/.exec(bytes.toString('latin1'));
  return found?.index ?? bytes.length;
}

function sameHeaders(original: Buffer, copy: Buffer): boolean {
  const names = ['message-id', 'date', 'from', 'to', 'cc', 'subject'];
  const values = (bytes: Buffer) => names.map((name) => field(bytes, name));
  const [ours, theirs] = [values(original), values(copy)];
  const present = ours.filter((value) => value !== undefined).length;
  return present >= 3 && ours.every((value, i) => value === theirs[i]);
}

function field(bytes: Buffer, name: string): string | undefined {
  const header = bytes.subarray(0, headerEnd(bytes)).toString('latin1').replaceAll('\r', '');
  const match = new RegExp(`^${name}[ \\t]*:(.*(?:\\n[ \\t].*)*)`, 'im').exec(header);
  return match?.[1]?.replace(/\s+/g, ' ').trim();
}

/** Numbers that are the same ones for the same seed (mulberry32). */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const below = dice(SEED);
const one = <T>(of: readonly T[]): T => of[below(of.length)] as T;
const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** Whatever a rule turns upon, more often than not. */
const AWKWARD = ['\r', '\n', '\r\n', '\n\n', '\r\n\r\n', '\0', '\x80', '\xe9', 'X', 'a', ' ', ':'];
const FIELDS = [
  'Message-ID: <1@a>',
  'Date: now',
  'From: \xe9',
  'To: b',
  'Subject: c\0',
  'SUBJECT:\n c',
];

function anything(): string {
  const pieces = Array.from({ length: below(12) }, () => one(AWKWARD));
  if (below(2) === 0) return pieces.join('');
  const header = FIELDS.filter(() => below(3) > 0).map((field) => `${field}${one(['\n', '\r\n'])}`);
  return [...header, one(['\n', '\r\n', '\r\r\n', '']), ...pieces].join('');
}

/** What servers do to a message, and what they ought not to do. */
const REWRITES: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.replaceAll('\r', ''),
  (text) => text.replaceAll(/\r?\n/g, '\r\n'),
  (text) => `${text}\r\n`,
  (text) => `${text}\n\n`,
  (text) => text.replace(/\r?\n$/, ''),
  (text) => text.replaceAll('\0', '\x80'),
  (text) => text.replace('\0', '\x80'),
  (text) => inHeader(text, (header) => header.replaceAll(/[\x80-\xff]/g, 'X')),
  (text) => inHeader(text, (header) => header.replace(/[\x80-\xff]/, 'X')),
  (text) => text.replaceAll(/[\x80-\xff]/g, 'X'),
  (text) => text.replaceAll('X', '\xe9'),
  (text) => text.replaceAll('\x80', '\0'),
  (text) => `${text.slice(0, text.length / 2)}${one(AWKWARD)}${text.slice(text.length / 2)}`,
  (text) => text.slice(0, below(text.length + 1)),
];

function inHeader(text: string, change: (header: string) => string): string {
  const end = headerEnd(latin1(text));
  return change(text.slice(0, end)) + text.slice(end);
}

function rewritten(text: string): string {
  let copy = text;
  for (let i = below(4); i > 0; i--) copy = one(REWRITES)(copy);
  return copy;
}

/** As it comes in pieces, of any length. */
function tallied(bytes: Buffer, longest = bytes.length): Fingerprint {
  const tally = new Tally();
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + below(longest + 1));
    tally.add(piece);
    at += piece.length;
  }
  return tally.end();
}

const fields = ({ length, sha256, head, headIsWhole, canonical, rewritten }: Fingerprint) => ({
  length,
  sha256,
  head: head.toString('latin1'),
  headIsWhole,
  canonical,
  rewritten,
});

describe('bytes that are let go', () => {
  const BYTES = Buffer.from('A: 1\r\n\r\ntext');

  it('give their memory back at once, and can not be asked for any more', () => {
    const bytes = Buffer.from(new Uint8Array(BYTES).buffer);
    const content = new InMemory(bytes);
    const { sha256, head } = content;
    expect(head.toString()).toBe('A: 1\r\n');
    content.letGo();
    expect(bytes.length).toBe(0);
    expect(content.length).toBe(BYTES.length);
    expect(content.sha256).toBe(sha256);
    for (const ask of ['bytes', 'head', 'canonical', 'hasNul', 'endsLine'] as const)
      expect(() => content[ask], ask).toThrow('let go');
    expect(() => content.letGo()).not.toThrow();
  });

  it('make no two messages the same', () => {
    const [one, other] = [new InMemory(latin1('one')), new InMemory(latin1('other'))];
    for (const content of [one, other]) content.letGo();
    expect(() => compare(one, other, 'bytes')).toThrow('let go');
    expect(() => compare(one, new InMemory(latin1('')), 'bytes')).toThrow('let go');
  });

  it.each([
    ['a part of a larger buffer', (whole: Buffer) => whole.subarray(2, 9)],
    ['all of it but the last byte', (whole: Buffer) => whole.subarray(0, -1)],
  ])('take nothing from others: %s', (_, part) => {
    const whole = Buffer.from(new Uint8Array(BYTES).buffer);
    new InMemory(part(whole)).letGo();
    expect(whole.equals(BYTES)).toBe(true);
  });

  it('leave what Node.js shares alone', () => {
    const [mine, others] = [Buffer.from('mine'), Buffer.from('others')];
    new InMemory(mine).letGo();
    expect(others.toString()).toBe('others');
    letGo(NOTHING);
    expect(NOTHING.bytes).toHaveLength(0);
  });
});

describe('a fingerprint', () => {
  it(`proves what two whole messages side by side do, wherever the pieces end (SEED=${SEED})`, () => {
    const proofs = new Map<Proof | undefined, number>();
    for (let i = 0; i < 6000; i++) {
      const text = anything();
      const [original, copy] = [latin1(text), latin1(rewritten(text))];
      const proof = plainly(original, copy);
      const told = JSON.stringify([text, copy.toString('latin1')]);
      for (const ours of [new InMemory(original), tallied(original)]) {
        for (const theirs of [new InMemory(copy), tallied(copy)]) {
          expect(compare(ours, theirs, 'headers'), told).toBe(proof);
          const strict = proof === 'headers' ? undefined : proof;
          expect(compare(ours, theirs, 'bytes'), told).toBe(strict);
        }
      }
      proofs.set(proof, (proofs.get(proof) ?? 0) + 1);
    }
    // Of each kind there were enough to say something.
    for (const proof of ['identical', 'equivalent', 'headers', undefined] as const)
      expect(proofs.get(proof)).toBeGreaterThan(50);
  });

  it('is the same of bytes in memory and of pieces', () => {
    for (let i = 0; i < 2000; i++) {
      const bytes = latin1(anything());
      const whole = new InMemory(bytes);
      const tally = new Tally();
      for (const byte of bytes) tally.add(Buffer.of(byte));
      const tallied = tally.end();
      expect(fields(tallied)).toEqual(fields(whole));
      expect(tallied.hasNul).toBe(whole.hasNul);
      expect(tallied.endsLine).toBe(whole.endsLine);
    }
    expect(new InMemory(latin1('abc')).sha256).toBe(
      createHash('sha256').update('abc').digest('hex'),
    );
  });

  it.each([1_048_574, 1_048_575, 1_048_576, 1_048_577, 3_000_000])(
    'of a header of %i bytes is the same in pieces, and none of it is kept but the first MB',
    (length) => {
      const line = `X: ${'y'.repeat(length - 5)}\r\n`;
      for (const end of ['', '\r\nbody', '\n', '\r\r\n\0']) {
        const bytes = latin1(line + end);
        const whole = new InMemory(bytes);
        expect(fields(tallied(bytes, 700_000))).toEqual(fields(whole));
        expect(whole.head.length).toBeLessThanOrEqual(1_048_576);
      }
    },
  );

  it('proves nothing by a header of which the end is not known', () => {
    const header = 'Message-ID: <1@a>\nDate: now\nFrom: a\n';
    const filler = `X: ${'y'.repeat(2_000_000)}\n`;
    const [one, other] = ['To: a', 'To: b'].map((to) => latin1(`${header}${filler}${to}\n\nbody`));
    expect(compare(tallied(one as Buffer), tallied(other as Buffer), 'headers')).toBeUndefined();
  });
});
