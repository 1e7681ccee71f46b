/** A sequence of calls that takes a journal through every state, for tests that cut it off somewhere. */
import type {
  AlertNote,
  FolderKey,
  Journal,
  RouteJournal,
  UseKey,
  UseNote,
} from '../../src/domain/ports.ts';
import { Receipt } from '../../src/domain/receipt.ts';
import type { Sender } from '../../src/domain/senders.ts';
import { sendable } from '../support/content.ts';

export const FOLDER: FolderKey = { folder: 'INBOX', uidValidity: 3 };
export const COPIES: FolderKey = { folder: 'Post', uidValidity: 4 };
const STANDING = { ...COPIES, uidNext: 10 };
export const ACCOUNT = 'mum@a.example.org:993';

export function routeOf(journal: Journal): RouteJournal {
  return journal.route('default', ACCOUNT, 'mum@b.example.org:993');
}

export function intents(...uids: number[]) {
  return uids.map((uid) => ({
    uid,
    sha256: `${uid}`,
    messageId: `<${uid}@example.org>`,
    size: uid,
  }));
}

/** Two messages a sender. */
export function senders(...uids: number[]): Map<number, Sender> {
  const sender = (nth: number) => ({
    ...{ domain: `${nth}.example`, address: `me@${nth}.example`, bulk: nth % 2 === 1 },
  });
  return new Map(uids.map((uid) => [uid, sender(Math.floor(uid / 2))]));
}

/** A Receipt for a message and a copy that are equal. */
export function proof(uid: number, copyUid: number): Receipt {
  const original = sendable(`X-Number: ${uid}\r\n\r\n`, { uid });
  const copy = { ...original, uid: copyUid };
  const issued = Receipt.of(
    { ...FOLDER, uid },
    original,
    { ...COPIES, uid: copyUid },
    copy,
    'bytes',
  );
  if (!issued) throw new Error('the two are the same message');
  return issued;
}

export const USE: UseKey = { account: ACCOUNT, side: 'source', span: 6000 };

export function use(since: number, messages: number): UseNote {
  return { key: USE, use: { since, messages, bytes: 10 * messages }, before: 0 };
}

const ALERT: AlertNote = {
  cause: 'account-lost',
  side: 'source',
  since: 1,
  toldAt: 150,
  by: 'inbox',
  over: false,
};

const on = (work: (route: RouteJournal) => void) => (journal: Journal) => work(routeOf(journal));

export const CALLS: readonly ((journal: Journal) => void)[] = [
  on((route) => route.seen(FOLDER)),
  on((route) => route.intend(FOLDER, STANDING, intents(1, 2, 3, 4, 5))),
  (journal) => journal.noteRefusal(ACCOUNT, 77),
  on((route) => route.prove([proof(1, 11), proof(2, 12)], 100, senders(1, 2))),
  (journal) => journal.noteUse([use(100, 3), use(200, 4)]),
  on((route) => route.retire(FOLDER, [1], 'expunged', 110, 9)),
  on((route) => route.retire(FOLDER, [2], 'kept', 111, 9)),
  on((route) => route.withdraw(FOLDER, [5])),
  on((route) =>
    route.setAside(
      FOLDER,
      intents(3, 9),
      'refused',
      { why: 'no', dest: STANDING, retryAt: 5 },
      120,
    ),
  ),
  on((route) => route.prove([proof(3, 13), proof(4, 14)], 130, senders(3, 4))),
  (journal) => journal.clearRefusals(ACCOUNT),
  on((route) => route.turnOver(FOLDER, { uid: 4, flag: '\\Flagged', was: true })),
  (journal) => journal.noteUse([{ ...use(200, 9), before: 150 }]),
  on((route) => route.turnOver(FOLDER, { uid: 5, flag: '\\Flagged', was: false })),
  on((route) => route.turnedBack(FOLDER, { uid: 4, flag: '\\Flagged' })),
  on((route) => route.gone(FOLDER, [2, 3], 140)),
  (journal) => journal.prune(112),
  on((route) => route.noteAlerts([ALERT, { ...ALERT, side: 'destination' }])),
  on((route) => route.noteAlerts([{ ...ALERT, over: true }])),
  on((route) => route.seen({ ...FOLDER, uidValidity: 99 })),
];

/** All that a journal tells of the calls, but for its own clock. */
export function told(journal: Journal): unknown {
  const route = routeOf(journal);
  const uids = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const timeless = (notes: Map<number, object>) =>
    [...notes].sort(([a], [b]) => a - b).map(([uid, note]) => [uid, { ...note, notedAt: 0 }]);
  return {
    here: timeless(route.notes(FOLDER)),
    rows: timeless(route.notes(FOLDER, uids)),
    receipts: route.receipts(FOLDER, uids),
    claimed: [...route.claimed(COPIES)].sort(([a], [b]) => a - b),
    before: uids.map((uid) => route.claimedBefore({ ...COPIES, uidValidity: 98 }, `${uid}`)),
    onTheWay: uids.map((uid) => [...route.onTheWay(FOLDER, `${uid}`)].map((note) => note.uid)),
    validity: route.lastValidity('INBOX'),
    refusals: journal.refusals(ACCOUNT),
    written: journal.written(0).map(({ route: name, written }) => [name, written]),
    used: journal.used(USE).map((each) => ({ ...each })),
    alerts: route.alerts(),
    aside: route.aside().map(({ uid }) => uid),
    tallies: journal.tallies('1970-01-01'),
    turned: route.turned(FOLDER),
    deaths: [...route.deaths(FOLDER)].sort(([a], [b]) => a - b),
  };
}
