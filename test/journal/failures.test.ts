import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { journalFailure } from '../../src/journal/failures.ts';

/** Extended result codes of SQLite (https://sqlite.org/rescode.html) and what people are told. */
const TABLE: [string, number, boolean, RegExp][] = [
  ['SQLITE_FULL', 13, false, /No space is left/],
  ['SQLITE_READONLY', 8, false, /can not be written: .* read-only/],
  ['SQLITE_READONLY_DBMOVED', 1032, false, /can not be written/],
  ['SQLITE_IOERR', 10, false, /disk .* reports an error \(what SQLite said\)/],
  ['SQLITE_IOERR_FSYNC', 1034, false, /disk .* reports an error/],
  ['SQLITE_BUSY', 5, false, /Another program keeps the journal .* locked/],
  ['SQLITE_BUSY_SNAPSHOT', 517, false, /Another program keeps the journal .* locked/],
  ['SQLITE_LOCKED', 6, false, /locked/],
  ['SQLITE_CANTOPEN', 14, false, /can not be opened by user id \d+/],
  ['SQLITE_CORRUPT', 11, true, /is damaged\. .* start imapferry again/],
  ['SQLITE_NOTADB', 26, true, /is damaged/],
  ['SQLITE_NOMEM', 7, false, /does not work \(what SQLite said\)/],
];

describe('an error of SQLite', () => {
  for (const [name, errcode, lasting, sentence] of TABLE) {
    it(`${name} is told to people as ${lasting ? 'lasting' : 'temporary'}`, () => {
      const thrown = Object.assign(new Error('what SQLite said'), { errcode });
      const failure = journalFailure(thrown, '/data');
      expect(failure).toBeInstanceOf(Failure);
      expect(failure).toMatchObject({ step: 'journal', scope: 'account', lasting, cause: thrown });
      expect(failure.message).toMatch(sentence);
      expect(failure.message).toContain('STATE_DIR (/data)');
    });
  }

  it('that is a Failure already stays what it is', () => {
    const failure = new Failure('no', { step: 'verify', scope: 'message' });
    expect(journalFailure(failure, '/data')).toBe(failure);
  });
});
