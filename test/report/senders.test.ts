/** Who still writes to the old mailbox: the counting, the verdict, and what is printed. */
import { describe, expect, it } from 'vitest';
import type { Written } from '../../src/domain/senders.ts';
import type { FolderStatus, RouteStatus, Trouble } from '../../src/domain/status.ts';
import { pageDoubts, pageSenders, sendersOf } from '../../src/report/senders.ts';
import { type SendersReport, sendersJson, sendersText } from '../../src/report/senders-text.ts';
import { width } from '../../src/report/width.ts';
import { folderOf, routeOf, statusOf } from '../support/boards.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 28, 12);
const ago = (days: number) => NOW - days * DAY;

const from = (domain: string, more: Partial<Written> = {}): Written => ({
  ...{ domain, bulk: false, messages: 1, lastAt: ago(1) },
  ...more,
});

const report = (written: Written[], more: Partial<SendersReport> = {}): SendersReport => ({
  ...{ route: 'default', source: 'me@old.example', current: true, since: ago(200), written },
  ...{ now: NOW, forgotten: ago(91), runs: true, lastSign: NOW, aside: 0, state: state({}) },
  ...more,
});

/** A route that has carried all there is, but for what is changed. */
const state = (route: Partial<RouteStatus>, folder: Partial<FolderStatus> = {}) => ({
  status: routeOf('default', {
    folders: [folderOf('INBOX', { sweptAt: NOW - 60_000, ...folder })],
    ...route,
  }),
  troubles: [],
});

const trouble = (says: string, more: Partial<Trouble> = {}): Trouble => ({
  ...{ cause: 'account-refused', since: NOW, says, help: '', unhealthy: true },
  ...more,
});

function never(folder: string): FolderStatus {
  const { sweptAt: _, ...rest } = folderOf(folder);
  return rest;
}

const linesOf = (...reports: SendersReport[]) => sendersText(reports).split('\n');

describe('senders by domain', () => {
  it('are counted, the latest first, bulk mail apart, and without any address', () => {
    const written = [
      from('a.example', { messages: 2, lastAt: ago(3), address: 'ann@a.example' }),
      from('a.example', { messages: 3, lastAt: ago(5), address: 'abe@a.example' }),
      from('a.example', { bulk: true, lastAt: ago(4) }),
      from('b.example', { lastAt: ago(2) }),
    ];
    const told = sendersOf([report(written)]);
    expect(told).toEqual([
      {
        route: 'default',
        since: ago(200),
        senders: [
          { domain: 'b.example', messages: 1, senders: 1, lastAt: ago(2), bulk: false },
          { domain: 'a.example', messages: 5, senders: 2, lastAt: ago(3), bulk: false },
          { domain: 'a.example', messages: 1, senders: 1, lastAt: ago(4), bulk: true },
        ],
      },
    ]);
    expect(JSON.stringify(told)).not.toContain('@');
  });

  it('are told of routes that are carried for, each source once', () => {
    const told = sendersOf([
      report([from('a.example')], { since: ago(9) }),
      report([from('b.example')], { since: ago(20) }),
      report([from('c.example')], { current: false }),
      report([from('d.example')], { route: 'mum' }),
    ]);
    expect(told.map(({ route, since, senders }) => [route, since, senders.length])).toEqual([
      ['default', ago(20), 2],
      ['mum', ago(200), 1],
    ]);
  });
});

describe('on the status page, senders', () => {
  it('are those of all routes together, by domain, and without any address', () => {
    const told = pageSenders(
      [
        report([from('a.example', { address: 'ann@a.example' })]),
        report([from('a.example', { messages: 2, lastAt: ago(3) }), from('')], {
          ...{ route: 'mum', since: ago(40) },
        }),
      ],
      90,
      NOW,
    );
    const more = { messages: 1, lastAt: ago(1), bulk: false };
    expect(told).toEqual({
      since: ago(40),
      days: 90,
      domains: [
        { ...more, domain: 'a.example', messages: 3 },
        { ...more, domain: '(without a readable sender)' },
      ],
    });
  });

  it('are known as long as HISTORY_DAYS says, and not where nothing is carried', () => {
    expect(pageSenders([report([])], 30, NOW)).toMatchObject({ since: ago(30), domains: [] });
    expect(pageSenders([report([], { current: false })], 90, NOW)).toBeUndefined();
  });
});

describe('the list', () => {
  it('has people and services first, lists and bulk mail apart', () => {
    const written = [
      from('bank.example', { messages: 12 }),
      from('shop.example', { bulk: true, lastAt: ago(2) }),
      from('', { lastAt: ago(30) }),
    ];
    expect(linesOf(report(written))).toEqual([
      'people and services that wrote in the last 90 days',
      '  domain                      messages senders last',
      '  bank.example                      12       1 2026-11-27',
      '  (without a readable sender)        1       1 2026-10-29',
      '',
      'mailing lists and bulk mail',
      '  domain       messages senders last',
      '  shop.example        1       1 2026-11-26',
    ]);
  });

  it('shows addresses where they are kept', () => {
    const written = [
      from('a.example', { address: 'ann@a.example' }),
      from('a.example', { address: 'abe@a.example', messages: 2 }),
      from('a.example', { lastAt: ago(40) }),
    ];
    expect(linesOf(report(written)).slice(1)).toEqual([
      '  sender        messages senders last',
      '  abe@a.example        2       1 2026-11-27',
      '  ann@a.example        1       1 2026-11-27',
      '  a.example            1       1 2026-10-19',
    ]);
  });

  it('stays within 80 columns and steers no terminal, whatever is in it', () => {
    const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'字'.repeat(40)}.example`;
    const address = `"\u001b[2J\u202e${'x'.repeat(200)}"@a.example`;
    const lines = linesOf(
      report([from(long), from('a.example', { address }), from(long, { bulk: true })], {
        since: ago(1),
        forgotten: ago(2),
        aside: 3,
        state: {
          ...state({}),
          troubles: [trouble(`The source server refuses the login: ${'no '.repeat(50)}.`)],
        },
        route: 'r'.repeat(200),
      }),
      report([], { current: false, source: `${'me'.repeat(60)}@old.example` }),
    );
    expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(80);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be printed
    expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(lines.join('').replaceAll(' ', '')).toContain('\\u001b[2J\\u202e');
    const json = sendersJson([report([from('a.example', { address })])]);
    expect(JSON.parse(json).routes[0].senders[0].address).toBe(address);
    expect(json).not.toContain('\u202e');
  });

  it('is one of each route where there are several, told apart where their names do not', () => {
    const lines = linesOf(
      report([from('a.example')], { route: 'mum' }),
      report([], { route: 'dad' }),
      report([from('b.example')], { route: 'dad', source: 'dad@older.example', current: false }),
    );
    expect(lines.filter((line) => line.startsWith('route '))).toEqual([
      'route mum',
      'route dad, from me@old.example',
      'route dad, from dad@older.example',
    ]);
  });

  it('says that nobody but programs writes', () => {
    expect(linesOf(report([from('shop.example', { bulk: true })]))[0]).toBe(
      'No person and no service has written in the last 90 days, but for what is below.',
    );
  });
});

describe('silence', () => {
  const verdict = (more: Partial<SendersReport>) => sendersText([report([], more)]);
  const canGo = (more: Partial<SendersReport>) =>
    JSON.parse(sendersJson([report([], more)])).routes[0].canGo;

  it('says that the old mailbox can go', () => {
    expect(verdict({}).replaceAll('\n', ' ')).toBe(
      'Nobody has written to the old mailbox in the last 90 days through imapferry: it can go. (Sent mail, drafts, junk and trash do not count.)',
    );
    expect(canGo({})).toBe(true);
    expect(canGo({ since: ago(90), forgotten: ago(90) })).toBe(true);
  });

  const doubts: [string, Partial<SendersReport>, string][] = [
    [
      'where it has looked for less than 90 days',
      { since: ago(8) },
      'imapferry has been looking since 2026-11-20 only: ask again on 2027-02-19.',
    ],
    [
      'where HISTORY_DAYS keeps less',
      { forgotten: ago(30) },
      'imapferry remembers 30 days of 90: set HISTORY_DAYS to 90 or more.',
    ],
    [
      'where it does not run',
      { runs: false, lastSign: ago(2) },
      'imapferry does not run now: this is as old as its last sign of life, of 2026-11-26 12:00 UTC.',
    ],
    [
      'where it carries for that route no more',
      { current: false, runs: false },
      'imapferry does not carry for this route any more.',
    ],
    [
      'where mail does not flow',
      { state: { ...state({}), troubles: [trouble('The source server refuses the login.')] } },
      'The source server refuses the login.',
    ],
    [
      'where something is wrong, though mail flows',
      {
        state: {
          ...state({}),
          troubles: [trouble('Deliveries pause.', { cause: 'deliveries-held', unhealthy: false })],
        },
      },
      'Deliveries pause.',
    ],
    [
      'where mail waits to be carried',
      { state: state({}, { waiting: { messages: 2 } }) },
      '2 messages wait in the old mailbox to be carried.',
    ],
    [
      'where a folder has not been looked through yet',
      { state: state({ folders: [never('INBOX'), never('Club'), folderOf('Sent')] }) },
      'INBOX and one other folder have not been looked through since imapferry was started.',
    ],
    [
      'where a folder has not been looked through for long',
      { state: state({}, { sweptAt: NOW - 3_600_000 }) },
      'INBOX has not been looked through lately.',
    ],
    [
      'where a folder can not be looked through',
      { state: state({}, { leftOut: 'Permission denied.' }) },
      'INBOX has not been looked through lately.',
    ],
    [
      'where a mailbox is not connected',
      {
        state: state({
          accounts: [
            { side: 'source', is: 'connected', since: ago(1) },
            { side: 'destination', is: 'connecting', since: NOW, why: 'it does not answer' },
          ],
        }),
      },
      'The new mailbox is not connected just now: it does not answer.',
    ],
    [
      'where it has just been started',
      { state: state({ ready: false }) },
      'imapferry is starting: it has not looked through the old mailbox yet.',
    ],
    [
      'where a rate limit holds deliveries up',
      { state: state({ held: { since: NOW, why: 'The rate limit is reached', paced: true } }) },
      'Deliveries pause: The rate limit is reached.',
    ],
    [
      'where folders that hold mail are not carried',
      { state: state({ uncarried: { folders: 3, first: 'Club' } }) },
      'Club and 2 other folders are not carried: what is there would go with the old mailbox.',
    ],
    [
      'where no folder is carried',
      { state: state({ folders: [] }) },
      'No folder of the old mailbox is carried.',
    ],
    ['in a dry run', { state: state({ dryRun: true }) }, 'This is a dry run: nothing is carried.'],
    [
      'where nothing is known of the route',
      { state: { troubles: [] } },
      'How this route stands is not known yet.',
    ],
    [
      'where messages are stuck',
      { aside: 1 },
      '1 message is stuck and not counted: "imapferry stuck" lists them.',
    ],
  ];
  it('the status page does not say so either', () => {
    const status = (route: Partial<RouteStatus>, folder: Partial<FolderStatus> = {}) => {
      const { status: its, troubles } = state(route, folder);
      return statusOf([its], { troubles, at: NOW });
    };
    expect(pageDoubts(status({}))).toEqual([]);
    expect(pageDoubts(status({ ready: false }))).toHaveLength(1);
    expect(pageDoubts(status({}, { waiting: { messages: 3 }, refused: 1 }))).toEqual([
      '2 messages wait in the old mailbox to be carried.',
      '1 message is stuck and not counted: "imapferry stuck" lists them.',
    ]);
    const wrong = { ...status({}), troubles: [trouble('The journal can not be written.')] };
    expect(pageDoubts(wrong)).toEqual(['The journal can not be written.']);
  });

  it.each(doubts)('does not say so %s', (_, more, why) => {
    const text = verdict(more).replaceAll(/\n */g, ' ');
    expect(text).toContain('It is too early to say that the mailbox can go:');
    expect(text).toContain(why);
    expect(canGo(more)).toBe(false);
    const others = sendersText([report([from('a.example')], more)]).replaceAll(/\n */g, ' ');
    expect(others).toContain(`to know ${why}`);
  });

  it('names the days that it is about', () => {
    expect(verdict({ since: ago(8) })).toContain('in the last 90 days');
    expect(verdict({ forgotten: ago(30.4) })).toContain('in the last 30 days');
    expect(verdict({ forgotten: ago(0.1) })).toContain('in the last day,');
  });
});
