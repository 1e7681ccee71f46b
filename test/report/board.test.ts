/** What is heard of accounts and the journal, and told as a status. */
import { expect, it } from 'vitest';
import { eventStream } from '../../src/domain/events.ts';
import type { AccountStatus, FolderStatus, Watched } from '../../src/domain/status.ts';
import { Board } from '../../src/report/board.ts';

const HOUR = 3_600_000;

function boardOf(watched: Watched = 'not', changes: Partial<FolderStatus> = {}) {
  let now = 1_000;
  let ticks = 50;
  const stream = eventStream();
  const folder = {
    ...{ folder: 'INBOX', dest: 'INBOX', since: 0, refused: 0, unverified: 0, watched },
    waiting: { messages: 0 },
    ...changes,
  };
  const standing = { route: 'mum', dryRun: false, sweepInterval: 600_000, queued: 0 };
  const board = new Board({
    version: '1.2.3',
    clock: { now: () => now, ticks: () => ticks },
    standings: () => [{ ...standing, ready: true, folders: [folder] }],
    tallies: () => ({ carried: [], speeds: [] }),
  });
  stream.subscribe((event, fields) => board.hear(event, fields));
  return {
    board,
    /** So much time passes, by the clock on the wall and by the one that nobody sets. */
    pass(wall: number, even = wall) {
      now += wall;
      ticks += even;
      return board.findings();
    },
    at(time: number, ...[event, fields]: Parameters<typeof stream.emit>) {
      now = time;
      stream.emit(event, { route: 'mum', ...fields });
    },
    account(side: AccountStatus['side']) {
      return board.findings().routes[0]?.accounts.find((each) => each.side === side);
    },
  };
}

it('an account is being connected from the start on, until it is connected', () => {
  const { at, account } = boardOf();
  expect(account('source')).toEqual({ side: 'source', is: 'connecting', since: 1_000 });
  at(2_000, 'account.reconnecting', { side: 'source', why: 'nobody answers' });
  expect(account('source')).toEqual({
    ...{ side: 'source', is: 'connecting', since: 1_000, why: 'nobody answers' },
  });
  at(3_000, 'account.connected', { side: 'source' });
  expect(account('source')).toEqual({ side: 'source', is: 'connected', since: 3_000 });
  at(4_000, 'account.connected', { side: 'source' });
  expect(account('source')?.since).toBe(3_000);
  expect(account('destination')?.is).toBe('connecting');
});

it('a refused login stays refused until it is let in', () => {
  const { at, account } = boardOf('idle');
  at(2_000, 'account.refused', { side: 'source', why: 'no' });
  at(3_000, 'account.reconnecting', { side: 'source', why: 'waits' });
  expect(account('source')).toEqual({ side: 'source', is: 'refused', since: 2_000, why: 'no' });
  at(4_000, 'account.connected', { side: 'source' });
  expect(account('source')?.is).toBe('connected');
});

it('a connection more that is not let in makes no account lost whose folders are watched', () => {
  const { at, account } = boardOf('idle');
  at(2_000, 'account.connected', { side: 'source' });
  at(3_000, 'account.reconnecting', { side: 'source', why: 'too many connections' });
  expect(account('source')?.is).toBe('connected');
});

it('whatever is appended shows that the destination is there', () => {
  const { at, account } = boardOf();
  at(2_000, 'account.reconnecting', { side: 'destination', why: 'nobody answers' });
  at(3_000, 'delivery.appended', { count: 1 });
  expect(account('destination')).toEqual({ side: 'destination', is: 'connected', since: 3_000 });
});

it('a journal that can not be written is so until it was written', () => {
  const { at, board } = boardOf();
  at(2_000, 'journal.failed', { msg: 'No space is left.' });
  at(3_000, 'journal.failed', { msg: 'No space is left.' });
  expect(board.status()).toMatchObject({
    healthy: false,
    at: 3_000,
    version: '1.2.3',
    journalFailed: { since: 2_000, why: 'No space is left.' },
  });
  board.journalWorks();
  expect(board.findings()).not.toHaveProperty('journalFailed');
});

it.each([
  ['sleeps, and its ticks with it', 8 * HOUR, 3_000, true],
  ['sleeps, and its ticks go on', 8 * HOUR, 8 * HOUR, true],
  ['has its clock set forward', 3 * HOUR, 10_000, true],
  ['has its clock set back', -3 * HOUR, 10_000, true],
  ['is busy for a minute', 60_000, 60_000, false],
])('a machine that %s has not seen what was so before last since then', (_, wall, even, leaps) => {
  const { pass } = boardOf();
  for (let i = 0; i < 100; i++) expect(pass(10_000)).not.toHaveProperty('evenSince');
  const now = 1_000 + 100 * 10_000 + wall;
  const findings = pass(wall, even);
  expect(findings.evenSince).toBe(leaps && now > 1_000 ? now : undefined);
  expect(pass(10_000).evenSince).toBe(findings.evenSince);
});

it('the last connection to the destination may end while there is nothing to carry', () => {
  const { at, account } = boardOf('idle');
  at(2_000, 'account.connected', { side: 'destination' });
  at(3_000, 'account.lost', { side: 'destination', why: 'bye' });
  expect(account('destination')).toEqual({ side: 'destination', is: 'connected', since: 2_000 });
});

it('no address that a server quotes is in a status', () => {
  const { at, board } = boardOf('not', {
    leftOut: 'no rights for <bert@example.org>',
    asideWhy: 'bert@example.org is over quota',
    waiting: { messages: 1, oldest: { uid: 3, since: 0, why: 'No such user: bert@example.org' } },
  });
  at(2_000, 'account.refused', { side: 'source', why: 'Login failed for bert@example.org' });
  at(3_000, 'journal.failed', { msg: 'bert@example.org owns the file' });
  const told = JSON.stringify(board.status());
  expect(told).not.toContain('bert');
  expect(told).toContain('is over quota');
  expect(told).toContain('Login failed for');
});
