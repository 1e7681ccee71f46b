/** Words without end, from a server or a sender: read in a moment, where a pattern would stop the program for hours. */
import { expect, it } from 'vitest';
import { InMemory } from '../../src/domain/content.ts';
import { messageIdOf } from '../../src/domain/message.ts';
import { readable, verdictOf } from '../../src/imap/answers.ts';
import { withoutAddresses } from '../../src/report/sentences.ts';

const MILLION = 1_000_000;

it('tells the beginning of an endless answer', () => {
  expect(readable('a'.repeat(MILLION))).toBe('a'.repeat(200));
});

it('decides whom an endless answer concerns', () => {
  expect(verdictOf(undefined, `Over quota. ${'exceed '.repeat(MILLION / 7)}`, 'append')).toEqual({
    kind: 'full',
    scope: 'account',
  });
});

it('takes addresses out of an endless line', () => {
  const told = withoutAddresses(`${'a'.repeat(MILLION)} anna@example.org`);
  expect(told.slice(-4)).toBe(' …@…');
  expect(told.length).toBe(MILLION + 4);
});

it('reads the Message-ID behind a header of a million CRs', () => {
  const crs = Buffer.alloc(MILLION, '\r');
  const message = [Buffer.from('X: '), crs, Buffer.from('y\r\nMessage-ID: <a@b>\r\n\r\n')];
  expect(messageIdOf(new InMemory(Buffer.concat(message)))).toBe('<a@b>');
});
