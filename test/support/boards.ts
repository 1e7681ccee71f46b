/** Boards to show: an imapferry in every state that the status page has to bear, without any mail. */
import type {
  AccountStatus,
  Carried,
  Day,
  FolderStatus,
  RouteHistory,
  RouteStatus,
  Status,
  Trouble,
} from '../../src/domain/status.ts';
import type { HttpWorld, Senders } from '../../src/report/http.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A board whose state is set by hand. */
export class HandBoard implements HttpWorld {
  #state: BoardState;
  readonly #readers = new Set<() => void>();

  constructor(state: BoardState) {
    this.#state = state;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Another state holds from now on. */
  set(change: Partial<BoardState>): void {
    this.#state = { ...this.#state, ...change };
    for (const changed of this.#readers) changed();
  }

  status(): Status {
    return { ...this.#state.status, at: Date.now() };
  }

  histories(): readonly RouteHistory[] {
    return this.#state.histories;
  }

  senders(): Senders | undefined {
    return this.#state.senders;
  }

  subscribe(changed: () => void): () => void {
    this.#readers.add(changed);
    return () => this.#readers.delete(changed);
  }
}

export interface BoardState {
  readonly status: Status;
  readonly histories: readonly RouteHistory[];
  readonly senders: Senders | undefined;
}

/** Nine hours ago, or at midnight: of the day before, a page would say the date, too. */
function earlierToday(now: number): number {
  return Math.max(new Date(now).setHours(0, 0, 0, 0), now - 9 * HOUR);
}

export function folderOf(folder: string, more: Partial<FolderStatus> = {}): FolderStatus {
  const now = Date.now();
  return {
    folder,
    dest: folder,
    watched: 'rounds',
    since: earlierToday(now),
    sweptAt: now - 4 * MINUTE,
    waiting: { messages: 0 },
    refused: 0,
    unverified: 0,
    ...more,
  };
}

export function routeOf(route: string, more: Partial<RouteStatus> = {}): RouteStatus {
  const since = Date.now() - 9 * HOUR;
  const account = (side: AccountStatus['side']): AccountStatus => ({
    side,
    is: 'connected',
    since,
  });
  return {
    route,
    dryRun: false,
    sweepInterval: 10 * MINUTE,
    ready: true,
    accounts: [account('source'), account('destination')],
    folders: [],
    queued: 0,
    ...more,
  };
}

export function statusOf(routes: readonly RouteStatus[], more: Partial<Status> = {}): Status {
  return {
    healthy: true,
    troubles: [],
    version: '0.1.0',
    startedAt: Date.now() - 9 * HOUR,
    at: Date.now(),
    routes,
    ...more,
  };
}

/** Thirty days of a route, the same at each call; `scale` 0: without mail. */
export function historyOf(route: string, scale = 1, folders: readonly string[] = []): RouteHistory {
  const random = noise(route);
  const days: Day[] = Array.from({ length: 30 }, (_, i) => {
    const then = new Date(Date.now() - (29 - i) * DAY);
    // As though today were a Saturday: what is shown is the same on each day.
    const weekend = [0, 6].includes((i + 5) % 7);
    const messages = Math.round(scale * (weekend ? 3 + 6 * random() : 9 + 16 * random()));
    const p50 = 350 + 500 * random();
    return {
      day: dayOf(then),
      messages,
      bytes: Math.round(messages * (20_000 + 90_000 * random())),
      ...(messages > 0 && { p50, p95: p50 * (2 + 6 * random() ** 3) }),
    };
  });
  const totals = {
    today: total(days.slice(-1)),
    week: total(days.slice(-7)),
    month: total(days),
  };
  const share = ({ messages, bytes }: Carried, i: number): Carried => ({
    messages: Math.floor(messages / 2 ** (i + 1)),
    bytes: Math.floor(bytes / 2 ** (i + 1)),
  });
  return {
    route,
    days,
    ...totals,
    folders: folders.map((folder, i) => ({
      folder,
      today: share(totals.today, i),
      week: share(totals.week, i),
      month: share(totals.month, i),
    })),
  };
}

function total(days: readonly Day[]): Carried {
  return {
    messages: days.reduce((all, { messages }) => all + messages, 0),
    bytes: days.reduce((all, { bytes }) => all + bytes, 0),
  };
}

function dayOf(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
}

/** Numbers from 0 to 1 that look drawn, the same ones for the same seed. */
function noise(seed: string): () => number {
  let state = [...seed].reduce((all, char) => all * 31 + (char.codePointAt(0) ?? 0), 7) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function senders(): Senders {
  const now = Date.now();
  const domains = [
    ['bank.example', 9, 2 * DAY, false],
    ['school.example', 23, 5 * HOUR, false],
    ['tax-office.example', 1, 41 * DAY, false],
    ['insurance.example', 3, 17 * DAY, false],
    ['example.org', 12, 30 * MINUTE, false],
    ['library.example', 6, 3 * DAY, false],
    ['shop.example', 31, 9 * HOUR, true],
    ['news.example.net', 58, 2 * HOUR, true],
  ] as const;
  return {
    since: now - 90 * DAY,
    days: 90,
    domains: domains.map(([domain, messages, ago, bulk]) => ({
      domain,
      messages,
      lastAt: now - ago,
      bulk,
    })),
  };
}

const FOLDERS = ['INBOX', 'Sent', 'Archive', 'Lists/gardening', 'Junk'];

function flowingRoute(route: string): RouteStatus {
  const now = Date.now();
  return routeOf(route, {
    carriedAt: now - 4 * MINUTE,
    folders: [
      folderOf('INBOX', { watched: 'idle', carriedAt: now - 4 * MINUTE }),
      folderOf('Sent', { dest: 'Sent Messages', watched: 'idle', carriedAt: now - 2 * HOUR }),
      folderOf('Archive'),
      folderOf('Lists/gardening', { dest: 'Lists/gardening', carriedAt: now - 26 * HOUR }),
      folderOf('Junk', { dest: 'Spam', carriedAt: now - 8 * HOUR }),
    ],
  });
}

function lostRoute(route: string): RouteStatus {
  const base = flowingRoute(route);
  const lost = {
    is: 'lost',
    since: Date.now() - 40 * MINUTE,
    why: 'the server does not answer',
  } as const;
  return {
    ...base,
    ready: false,
    accounts: base.accounts.map((account) =>
      account.side === 'source' ? { ...account, ...lost } : account,
    ),
  };
}

const trouble = (more: Partial<Trouble>): Trouble => ({
  cause: 'account-refused',
  since: Date.now() - 40 * MINUTE,
  says: 'The new mailbox refuses the login. Mail stays in the old mailbox, and the login is tried again every 15 minutes.',
  help: 'Look whether the password has changed, and put the new one into secrets/dest_password.',
  unhealthy: true,
  ...more,
});

const flowing = () => ({
  status: statusOf([flowingRoute('default')]),
  histories: [historyOf('default', 1, FOLDERS)],
  senders: senders(),
});

/** The states, by what they show. */
export const STATES = {
  flowing,
  starting: () => {
    const now = Date.now();
    const account = (side: AccountStatus['side']) =>
      ({ side, is: 'connecting', since: now - 2 * SECOND }) as const;
    const route = routeOf('default', {
      ready: false,
      accounts: [account('source'), account('destination')],
    });
    return {
      status: statusOf([route], { startedAt: now - 2 * SECOND }),
      histories: [historyOf('default', 0)],
      senders: undefined,
    };
  },
  empty: () => ({
    status: statusOf(
      [routeOf('default', { folders: [folderOf('INBOX', { watched: 'idle' }), folderOf('Sent')] })],
      { startedAt: Date.now() - 3 * MINUTE },
    ),
    histories: [historyOf('default', 0, ['INBOX', 'Sent'])],
    senders: { since: Date.now() - 3 * MINUTE, days: 90, domains: [] },
  }),
  over: () => ({
    ...flowing(),
    senders: { since: Date.now() - 120 * DAY, days: 90, domains: [] },
  }),
  drain: () => {
    const now = Date.now();
    const waiting = (messages: number) => ({
      messages,
      oldest: { uid: 17, since: now - 20 * MINUTE, internalDate: now - 3_000 * DAY },
    });
    const route = routeOf('default', {
      drain: {
        count: 8_230,
        bytes: 1_240_000_000,
        left: 16_212,
        rate: 1_100_000,
        eta: 40 * MINUTE,
      },
      queued: 800,
      carriedAt: now - SECOND,
      folders: [
        folderOf('INBOX', { watched: 'idle', carriedAt: now - SECOND, waiting: waiting(3_812) }),
        folderOf('Archive', {
          carriedAt: now - 3 * SECOND,
          waiting: {
            messages: 12_400,
            oldest: {
              uid: 1,
              since: now - 20 * MINUTE,
              why: 'The rate limit of the destination (400MB a day) is reached; it goes on at 00:00.',
            },
          },
        }),
      ],
    });
    const history = historyOf('default', 0, ['INBOX', 'Archive']);
    const today = { messages: 8_230, bytes: 1_240_000_000 };
    const days = history.days.map((day, i) =>
      i === 29 ? { ...day, ...today, p50: 900, p95: 2_400 } : day,
    );
    return {
      status: statusOf([route], { startedAt: now - 20 * MINUTE }),
      histories: [{ ...history, days, today, week: today, month: today }],
      senders: undefined,
    };
  },
  refused: () => {
    const now = Date.now();
    const base = flowingRoute('default');
    const route: RouteStatus = {
      ...base,
      accounts: base.accounts.map((account) =>
        account.side === 'destination'
          ? {
              side: 'destination',
              is: 'refused',
              since: now - 40 * MINUTE,
              why: 'the server refuses the login: invalid credentials',
            }
          : account,
      ),
      ready: false,
      carriedAt: now - 42 * MINUTE,
      folders: base.folders.map((folder, i) =>
        i === 0
          ? {
              ...folder,
              carriedAt: now - 42 * MINUTE,
              waiting: {
                messages: 4,
                oldest: {
                  uid: 4_021,
                  since: now - 38 * MINUTE,
                  why: 'the destination refuses the login',
                },
              },
            }
          : folder,
      ),
    };
    return {
      status: statusOf([route], {
        healthy: false,
        troubles: [trouble({ route: 'default', side: 'destination' })],
      }),
      histories: [historyOf('default', 1, FOLDERS)],
      senders: senders(),
    };
  },
  stuck: () => {
    const base = flowingRoute('default');
    const route: RouteStatus = {
      ...base,
      folders: base.folders.map((folder, i) =>
        i === 2 ? { ...folder, refused: 2, unverified: 1 } : folder,
      ),
    };
    return {
      status: statusOf([route], {
        troubles: [
          trouble({
            cause: 'messages-refused',
            route: 'default',
            folder: 'Archive',
            unhealthy: false,
            says: '2 messages of Archive are not taken by the new mailbox. They stay in the old one and are tried again.',
            help: '`imapferry stuck` lists them and says why.',
          }),
          trouble({
            cause: 'copies-unverified',
            route: 'default',
            folder: 'Archive',
            unhealthy: false,
            says: 'The copy of one message of Archive differs from its original. The original stays.',
            help: 'Look at both; `imapferry stuck` names them.',
          }),
        ],
      }),
      histories: [historyOf('default', 1, FOLDERS)],
      senders: senders(),
    };
  },
  two: () => {
    const blocked = {
      since: Date.now() - HOUR,
      why: 'Two folders of the old mailbox would end in one folder of the new one.',
    };
    const dad: RouteStatus = { ...flowingRoute('dad'), blocked, queued: 0 };
    return {
      status: statusOf([flowingRoute('mum'), dad], {
        healthy: false,
        troubles: [
          trouble({
            cause: 'route-blocked',
            route: 'dad',
            says: 'The route dad delivers nothing: Archive and Old would both go to Archive.',
            help: 'Say in DAD_FOLDERS where each of them is to go, and start imapferry again.',
          }),
        ],
      }),
      histories: [historyOf('mum', 1, FOLDERS), historyOf('dad', 0.4, FOLDERS)],
      senders: senders(),
    };
  },
  dry: () => ({
    status: statusOf([{ ...flowingRoute('default'), dryRun: true }]),
    histories: [historyOf('default', 0, FOLDERS)],
    senders: undefined,
  }),
  routes: () => {
    const names = Array.from({ length: 50 }, (_, i) => `house-${i + 1}`);
    return {
      status: statusOf(
        names.map((name, i) => (i % 3 === 0 && i < 42 ? lostRoute(name) : flowingRoute(name))),
        {
          healthy: false,
          troubles: Array.from({ length: 14 }, (_, i) =>
            trouble({
              cause: 'account-lost',
              route: `house-${i * 3 + 1}`,
              says: `The old mailbox of house-${i * 3 + 1} can't be reached. It is tried again every five minutes.`,
              help: "Look whether the provider's server works.",
            }),
          ),
        },
      ),
      histories: names.map((name) => historyOf(name, 1, FOLDERS)),
      senders: senders(),
    };
  },
  folders: () => {
    const base = flowingRoute('default');
    const more = Array.from({ length: 195 }, (_, i) =>
      folderOf(`Projects/${2004 + (i % 22)}/No ${i}`),
    );
    return {
      status: statusOf([{ ...base, folders: [...base.folders, ...more] }]),
      histories: [historyOf('default', 1, FOLDERS)],
      senders: senders(),
    };
  },
  hostile: () => {
    const now = Date.now();
    const names = HOSTILE;
    return {
      status: statusOf(
        [
          routeOf('default', {
            carriedAt: now - MINUTE,
            folders: names.map((name) =>
              folderOf(name, {
                dest: name,
                refused: 1,
                leftOut: name,
                waiting: { messages: 1, oldest: { uid: 1, since: now - MINUTE, why: name } },
              }),
            ),
          }),
        ],
        {
          troubles: names.map((name) =>
            trouble({ folder: name, says: name, help: name, unhealthy: false }),
          ),
        },
      ),
      histories: [historyOf('default', 1, names)],
      senders: {
        since: now - DAY,
        days: 90,
        domains: names.map((domain) => ({ domain, messages: 1, lastAt: now, bulk: false })),
      },
    };
  },
} satisfies Record<string, () => BoardState>;

/** Names that a server of ill will may give a folder. */
export const HOSTILE = [
  '<img src=x onerror="document.title=\'owned\'">',
  '"><script>document.title="owned"</script>',
  '\u202Egnp.exe\u202C and \u2066more\u2069',
  '\u0000\u001b[31mred\u0007\r\nevent: status\ndata: {}\n\n',
  'javascript:alert(1)',
  'مجلد البريد',
  '草稿箱',
  `${'x'.repeat(500)}`,
  '__proto__',
];
