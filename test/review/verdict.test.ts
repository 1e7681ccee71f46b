/** States in which mail does not flow, and what is said of them. */
import { describe, expect, it } from 'vitest';
import type { AlertNote } from '../../src/domain/ports.ts';
import type {
  AccountStatus,
  Findings,
  FolderStatus,
  RouteStatus,
  Status,
} from '../../src/domain/status.ts';
import { isWell, open } from '../../src/report/alerts.ts';
import { healthOf } from '../../src/report/health.ts';
import { verdictOf } from '../../src/report/verdict.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 28, 12);

const account = (
  side: AccountStatus['side'],
  changes: Partial<AccountStatus> = {},
): AccountStatus => ({ side, is: 'connected', since: NOW - 9 * DAY, ...changes });

const folder = (name: string, changes: Partial<FolderStatus> = {}): FolderStatus => ({
  folder: name,
  dest: name,
  watched: 'idle',
  since: NOW - 9 * DAY,
  sweptAt: NOW - 3 * MINUTE,
  waiting: { messages: 0 },
  refused: 0,
  unverified: 0,
  ...changes,
});

const route = (folders: FolderStatus[], changes: Partial<RouteStatus> = {}): RouteStatus => ({
  route: 'default',
  dryRun: false,
  sweepInterval: 10 * MINUTE,
  ready: true,
  accounts: [account('source'), account('destination')],
  folders,
  queued: 0,
  ...changes,
});

function statusOf(routes: RouteStatus[], now = NOW): Status {
  const findings: Findings = { version: '1', startedAt: NOW - 9 * DAY, routes };
  return { ...findings, ...healthOf(findings, now), at: now };
}

describe('a false all-clear', () => {
  it('a folder that could not be opened for days is told, also while another folder is carried', () => {
    const barred = folder('Invoices', {
      watched: 'rounds',
      sweptAt: NOW - 3 * DAY,
      leftOut: 'The server refused: [NOPERM] Permission denied.',
    });
    const quiet = statusOf([route([folder('INBOX'), barred])]);
    expect(quiet.healthy).toBe(false);
    const inbox = folder('INBOX', { carriedAt: NOW - 9 * MINUTE });
    const busy = statusOf([route([inbox, barred], { carriedAt: NOW - 9 * MINUTE })]);
    expect(busy.troubles.map(({ cause }) => cause)).toEqual(['folder-left-out']);
    expect(verdictOf(busy).says).not.toBe('Mail is flowing.');
  });

  it('a folder that hangs for days is told, also while another folder is carried', () => {
    const hangs = folder('Invoices', { sweptAt: NOW - 3 * DAY });
    const inbox = folder('INBOX', { carriedAt: NOW - 9 * MINUTE });
    const busy = statusOf([route([inbox, hangs], { carriedAt: NOW - 9 * MINUTE })]);
    expect(busy.healthy).toBe(false);
  });

  it('a first drain that has not advanced for a day is told', () => {
    const stuck = folder('INBOX', {
      // It was all there before the start, so that nothing of it is `late`.
      waiting: { messages: 5000, oldest: { uid: 1, since: NOW - DAY } },
    });
    const status = statusOf([route([stuck], { queued: 0 })]);
    expect(status.healthy).toBe(false);
  });

  it('a carried message of a time to come (the clock was set back) does not silence overdue sweeps', () => {
    const old = folder('Old', { carriedAt: NOW + 300 * DAY });
    const hangs = folder('INBOX', { sweptAt: NOW - 3 * DAY });
    const status = statusOf([route([old, hangs], { carriedAt: NOW + 300 * DAY })]);
    expect(status.healthy).toBe(false);
  });

  it('the end of a trouble is not told after a restart while the folder is still left out', () => {
    const told: AlertNote[] = [
      {
        cause: 'folder-left-out',
        folder: 'Invoices',
        since: NOW - 3 * HOUR,
        toldAt: NOW - 2 * HOUR,
        by: 'inbox',
        over: false,
      },
    ];
    // 11 minutes after the start: the folder could not be opened, and is not overdue yet.
    const barred = folder('Invoices', { since: NOW - 11 * MINUTE, leftOut: 'Permission denied.' });
    const { sweptAt: _, ...never } = barred;
    const its = route([folder('INBOX', { since: NOW - 11 * MINUTE }), never]);
    const findings = { version: '1', startedAt: NOW - 11 * MINUTE, routes: [its] };
    const { troubles } = healthOf(findings, NOW);
    expect(open(told)).toHaveLength(1);
    expect(isWell(its, { troubles, told, now: NOW, after: HOUR })).toBe(false);
  });

  it('nor while it is still left out, and another folder is carried', () => {
    const told: AlertNote[] = [
      {
        cause: 'folder-left-out',
        folder: 'Invoices',
        since: NOW - 3 * HOUR,
        toldAt: NOW - 2 * HOUR,
        by: 'inbox',
        over: false,
      },
    ];
    const barred = folder('Invoices', { sweptAt: NOW - 4 * HOUR, leftOut: 'Permission denied.' });
    const its = route([folder('INBOX', { carriedAt: NOW - MINUTE }), barred], {
      carriedAt: NOW - MINUTE,
    });
    const { troubles } = statusOf([its]);
    expect(isWell(its, { troubles, told, now: NOW, after: HOUR })).toBe(false);
  });
});

describe('what is said of a trouble', () => {
  it('messages that are refused are told with their own reason, not with that of a draft', () => {
    const drafts = folder('Drafts', {
      waiting: {
        messages: 2,
        oldest: {
          uid: 4,
          since: NOW - HOUR,
          why: 'it is a draft, and goes once nobody has touched it for an hour',
        },
      },
      refused: 1,
      asideSince: NOW - MINUTE,
    });
    const [trouble] = statusOf([route([drafts])]).troubles;
    expect(trouble?.cause).toBe('messages-refused');
    expect(trouble?.says).not.toContain('it is a draft');
  });

  it('messages that wait on their way give no reason to those that are refused', () => {
    const inbox = folder('INBOX', {
      waiting: { messages: 2, oldest: { uid: 4, since: NOW - MINUTE } },
      refused: 1,
      asideSince: NOW - MINUTE,
    });
    const [trouble] = statusOf([route([inbox])]).troubles;
    expect(trouble?.cause).toBe('messages-refused');
  });
});

describe('the state of a route on the page', () => {
  it('is not "flowing" while its source can not be reached', async () => {
    const { stateOf } = (await import('../../src/report/page/route.js')) as unknown as {
      stateOf: (route: RouteStatus) => { tone: string; says: string };
    };
    const away = route([folder('INBOX', { watched: 'not', sweptAt: NOW - 5 * HOUR })], {
      accounts: [
        account('source', {
          is: 'connecting',
          since: NOW - 5 * HOUR,
          why: 'it does not answer.',
        }),
        account('destination'),
      ],
    });
    expect(statusOf([away]).healthy).toBe(false);
    expect(stateOf(away).says).not.toBe('flowing');
  });
});
