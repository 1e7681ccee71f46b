/** What must not stay, and must not be shown. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { failureOf } from '../../src/imap/answers.ts';
import { openJournal } from '../../src/journal/sqlite-journal.ts';
import { DatabaseSync } from 'node:sqlite';

it('KEEP_SENDERS=false leaves no address in STATE_DIR, also not in a journal that was set aside', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'imapferry-review-'));
  openJournal(stateDir, Date.now, true).journal.close();
  const file = join(stateDir, 'journal.sqlite');
  {
    using db = new DatabaseSync(file);
    db.exec(
      "INSERT INTO sender (hash, domain, address) VALUES (x'01', 'family.example', 'ann@family.example')",
    );
  }
  // A bad sector, in a page of another table.
  const bytes = readFileSync(file);
  bytes.fill(0xff, 4096, 4096 + 64);
  writeFileSync(file, bytes);
  const opened = openJournal(stateDir, Date.now, false);
  opened.journal.close();
  expect(opened.setAside).toBeDefined();
  const all = readdirSync(stateDir).map((name) => readFileSync(join(stateDir, name), 'latin1'));
  expect(all.join()).not.toContain('ann@family.example');
});

it('a server that quotes the subject in its refusal does not bring it into what is told', () => {
  const subject = 'Your test result: positive';
  const error = Object.assign(new Error('Command failed'), {
    responseStatus: 'NO',
    responseText: `Message "${subject}" rejected as spam`,
  });
  expect(failureOf(error, 'append').message).not.toContain(subject);
});
