import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openJournal } from '../../src/journal/sqlite-journal.ts';
import { journalContract } from '../contract/journal.contract.ts';
import { memoryJournal } from '../support/memory-journal.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

journalContract('on SQLite', (now) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'imapferry-journal-'));
  folders.push(stateDir);
  return openJournal(stateDir, now).journal;
});

journalContract('in memory', memoryJournal);
