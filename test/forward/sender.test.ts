/** Who a message is from, by headers as they should be and as they are. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InMemory } from '../../src/domain/content.ts';
import { headerField } from '../../src/domain/message.ts';
import { senderOf, sendersOf } from '../../src/forward/sender.ts';
import { sendable } from '../support/content.ts';

function of(...lines: string[]) {
  return senderOf(Buffer.from(lines.join('\r\n')));
}

describe('who wrote a message', () => {
  const rows: [string, string[], string][] = [
    ['is the From', ['From: Ann <Ann@A.Example>'], 'ann@a.example'],
    ['is a bare address', ['from:ann@a.example'], 'ann@a.example'],
    ['is found on a line of its own', ['From:', '\tAnn', ' <ann@a.example>'], 'ann@a.example'],
    ['is the first of several', ['From: ann@a.example, Bob <b@b.example>'], 'ann@a.example'],
    ['is the first that can be read', ['From: Ann, Bob <b@b.example>'], 'b@b.example'],
    ['stands in a group', ['From: Us: ann@a.example, b@b.example;'], 'ann@a.example'],
    ['has a comment', ['From: ann@a.example (not x@evil.example)'], 'ann@a.example'],
    ['is not what the name says', ['From: "x@evil.example" <ann@a.example>'], 'ann@a.example'],
    ['has a quoted local part', ['From: "a b@c"@a.example'], '"a b@c"@a.example'],
    ['has blanks about its dots', ['From: ann @ a . example'], 'ann@a.example'],
    ['has an @ too many', ['From: ann@b@a.example'], 'ann@b@a.example'],
    ['ends in a dot', ['From: ann@a.example.'], 'ann@a.example'],
    ['has no dot', ['From: root@nas'], 'root@nas'],
    ['is on a number', ['From: ann@[192.0.2.1]'], 'ann@[192.0.2.1]'],
    ['is on a longer number', ['From: ann@[IPv6:2001:db8::1]'], 'ann@[2001:db8::1]'],
    ['stands twice', ['From: nobody', 'From: ann@a.example'], 'ann@a.example'],
    ['is not said by a lone CR', ['Subject: a\rFrom: x@evil.example', 'From: a@b.org'], 'a@b.org'],
    ['is not said in another field', ['X-From: x@evil.example', 'From: a@b.org'], 'a@b.org'],
    ['else is the Sender', ['From: Ann', 'Sender: ann@a.example'], 'ann@a.example'],
    ['else is the Return-Path', ['Return-Path: <ann@a.example>'], 'ann@a.example'],
    ['is nobody without an @', ['From: MAILER-DAEMON', 'Return-Path: a'], ''],
    ['is nobody without a header', [], ''],
    ['is nobody of nowhere', ['From: ann@'], ''],
    ['is nobody behind control characters', ['From: ann@a\u202e.example'], ''],
    ['is in Unicode as DNS has it', ['From: ann@xn--mnchen-3ya.example'], 'ann@münchen.example'],
    ['is in Unicode as it is', ['From: ÄNN@MÜNCHEN.example'], 'änn@münchen.example'],
    ['is in Unicode in two parts', ['From: ann@mu\u0308nchen.example'], 'ann@münchen.example'],
    ['stays as DNS has it where that is none', ['From: a@xn--zzzzzzzz.org'], 'a@xn--zzzzzzzz.org'],
  ];
  it.each(rows)('%s', (_, lines, address) => {
    const domain = address.slice(address.lastIndexOf('@') + 1);
    expect(of(...lines)).toEqual({ address, domain, bulk: false });
  });

  it('is read in Latin-1 where it is no UTF-8', () => {
    const head = Buffer.from('From: J\xfcrgen <j@a.example>', 'latin1');
    expect(senderOf(head).address).toBe('j@a.example');
  });

  it('is kept of no folder for sent mail, drafts, junk or trash', () => {
    const original = sendable('From: ann@a.example\r\n\r\n', { uid: 7 });
    const pair = { source: 'INBOX', dest: 'INBOX' };
    expect([...sendersOf(pair, [original])]).toEqual([
      [7, { domain: 'a.example', address: 'ann@a.example', bulk: false }],
    ]);
    expect(sendersOf({ ...pair, apart: true }, [original]).size).toBe(0);
  });
});

describe('mail to many', () => {
  const rows: [string, boolean][] = [
    ['List-Id: <dev.lists.example.org>', true],
    ['List-Post: <mailto:dev@lists.example.org>', true],
    ['List-Post: NO', true],
    ['List-Unsubscribe: <https://a.example/out>', true],
    ['List-Unsubscribe-Post: List-Unsubscribe=One-Click', true],
    ['Feedback-ID: 1:2:3:a', true],
    ['Precedence: bulk', true],
    ['Precedence: List', true],
    ['precedence:junk', true],
    ['Precedence: first-class', false],
    ['Auto-Submitted: auto-generated', true],
    ['Auto-Submitted: auto-replied; owner-email="a@b"', true],
    ['Auto-Submitted: no', false],
    ['Auto-Submitted: No (a human)', false],
    ['Auto-Submitted:', false],
    ['Subject: List-Id', false],
    ['Return-Path: <>', true],
    ['Return-Path: <ann@a.example>', false],
    ['X-List-Id: <dev.lists.example.org>', false],
  ];
  it.each(rows)('%s: %s', (field, bulk) => {
    expect(of('From: ann@a.example', field)).toMatchObject({ bulk });
  });

  const POST = 'List-Post: <mailto:dev@lists.example.org>';
  const lists: [string, string[], { domain: string; address?: string }][] = [
    [
      'is from the list where one may post to it',
      [POST, 'List-Id: For all <Dev.Lists.example.org>'],
      { domain: 'lists.example.org', address: 'dev.lists.example.org' },
    ],
    [
      'is from its author where nobody may post',
      ['List-Post: NO', 'List-Id: <a.lists.example.org>'],
      { domain: 'a.example' },
    ],
    [
      'is from its author without List-Post',
      ['List-Id: <1.x.example.org>'],
      { domain: 'a.example' },
    ],
    ['is from its author without a List-Id', [POST], { domain: 'a.example' }],
    [
      'is from its author where the List-Id is none',
      [POST, 'List-Id: dev'],
      { domain: 'a.example' },
    ],
    [
      'is from its author below localhost',
      [POST, 'List-Id: <d.1.localhost>'],
      { domain: 'a.example' },
    ],
  ];
  it.each(lists)('%s', (_, lines, expected) => {
    expect(of('From: Ann <ann@a.example>', ...lines)).toMatchObject({ ...expected, bulk: true });
  });
});

describe('whatever the header', () => {
  const corpus = new URL('../corpus/', import.meta.url);
  const names = readdirSync(corpus).filter((name) => name.endsWith('.eml'));

  it.each(names)('of %s, what is found looks like a domain', (name) => {
    const { head } = new InMemory(readFileSync(new URL(name, corpus)));
    const { domain, address } = senderOf(head);
    if (domain === '') return expect(address).toBe('');
    expect(domain).toMatch(/^(?:[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)*|\[[\da-f.:]+\])$/u);
    expect(domain).toBe(domain.toLowerCase());
    expect(address.endsWith(domain)).toBe(true);
  });

  it('nobody of the corpus is nobody who has an address', () => {
    const nobodies = names.filter((name) => {
      const { head } = new InMemory(readFileSync(new URL(name, corpus)));
      const says = ['from', 'sender', 'return-path'].map((field) => headerField(head, field));
      return senderOf(head).domain === '' && says.join().includes('@');
    });
    expect(nobodies).toEqual([]);
  });

  const MANY = 8 * 1024 * 1024;
  const huge: [string, string][] = [
    ['authors', `From: ${'a,'.repeat(MANY / 2)}`],
    ['addresses', `From: ${'a@b.org,'.repeat(MANY / 8)}`],
    ['comments', `From: ${'('.repeat(MANY)}`],
    ['angle brackets', `From: ${'<'.repeat(MANY)}`],
    ['groups', `From: ${'a:'.repeat(MANY / 2)}`],
    ['quotation marks', `From: ${'"\\'.repeat(MANY / 2)}`],
    ['lines', `From: a${'\r\n b'.repeat(MANY / 4)}`],
    ['fields', 'From: a\r\n'.repeat(MANY / 8)],
    ['labels', `From: a@${'b.'.repeat(MANY / 2)}`],
    ['lists', `List-Post: a\r\nList-Id: ${'<'.repeat(MANY)}`],
    ['blanks', `Auto-Submitted: ${' '.repeat(MANY)}`],
    ['bytes', 'x'.repeat(MANY)],
  ];
  it.each(huge)('8 MB of %s take no seconds', (_, text) => {
    const before = performance.now();
    senderOf(Buffer.from(text));
    expect(performance.now() - before).toBeLessThan(2000);
  });
});
