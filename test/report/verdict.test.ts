import { describe, expect, it } from 'vitest';
import type { Cause, RouteStatus, Trouble } from '../../src/domain/status.ts';
import { verdictOf } from '../../src/report/verdict.ts';
import { folderOf, routeOf, statusOf } from '../support/boards.ts';

const routes = ['mum', 'dad', 'home', 'shop', 'club'].map((name) => routeOf(name));
const [mum, dad] = routes as [RouteStatus, RouteStatus];

function trouble(cause: Cause, more: Partial<Trouble> = {}): Trouble {
  return { cause, since: 0, says: 'So.', help: 'Do.', unhealthy: false, ...more };
}

/** What is said of these routes and troubles. */
function said(of: readonly RouteStatus[], ...troubles: Trouble[]): string {
  const healthy = troubles.every(({ unhealthy }) => !unhealthy);
  return verdictOf(statusOf(of, { healthy, troubles })).says;
}

const refused = (route?: string) =>
  trouble('account-refused', { unhealthy: true, ...(route !== undefined && { route }) });

describe('the verdict', () => {
  it.each([
    ['Mail is flowing.', [mum], []],
    ['Mail is not flowing.', [mum], [refused('mum')]],
    ['Mail is not flowing.', routes, [refused()]],
    ['Mail is not flowing for dad.', routes, [refused('dad')]],
    ['Mail is not flowing for mum and dad.', routes, [refused('dad'), refused('mum')]],
    ['Mail is not flowing for 4 of 5 routes.', routes, ['mum', 'dad', 'home', 'shop'].map(refused)],
    ['Mail is not flowing.', [mum, dad], [refused('dad'), refused('mum')]],
    [
      'Mail does not flow as it should.',
      [mum],
      [trouble('sweep-overdue', { unhealthy: true, route: 'mum', folder: 'Archive' })],
    ],
    ['Mail is held up just now.', [mum], [trouble('account-lost', { route: 'mum' })]],
    ['Mail is held up just now for dad.', routes, [trouble('account-lost', { route: 'dad' })]],
    ['Mail is flowing, but something wants a look.', [mum], [trouble('folder-left-out')]],
    [
      'Mail is flowing, but one message could not be carried.',
      [routeOf('mum', { folders: [folderOf('INBOX', { refused: 1 })] })],
      [trouble('messages-refused')],
    ],
    [
      'Mail is flowing, but 1,234,567 messages could not be carried.',
      [
        routeOf('mum', {
          folders: [
            folderOf('INBOX', { refused: 1_234_000 }),
            folderOf('Old', { unverified: 567 }),
          ],
        }),
      ],
      [trouble('messages-refused')],
    ],
    [
      'Mail is flowing, but 999 messages could not be carried.',
      [routeOf('mum', { folders: [folderOf('INBOX', { refused: 999 })] })],
      [trouble('messages-refused')],
    ],
    ['imapferry is starting.', [routeOf('mum', { ready: false })], []],
    ['imapferry is starting.', [routeOf('mum', { ready: false })], [trouble('account-lost')]],
    ['Mail is flowing. dad is still starting.', [mum, routeOf('dad', { ready: false })], []],
    ['This is a dry run: nothing is carried.', [routeOf('mum', { dryRun: true })], []],
  ] as const)('%s', (says, of, troubles) => {
    expect(said(of, ...troubles)).toBe(says);
  });

  it('shows what hides in the name of a route', () => {
    const name = 'm\u202eum';
    expect(said([routeOf(name), dad], refused(name))).toBe('Mail is not flowing for m\\u202eum.');
  });
});
