/** The promises of the Journal port. Each journal of ours is held to them by the same tests. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type {
  AlertNote,
  FolderKey,
  Intent,
  Journal,
  Note,
  RouteJournal,
} from '../../src/domain/ports.ts';
import { Receipt } from '../../src/domain/receipt.ts';
import type { Sender } from '../../src/domain/senders.ts';
import { sendable } from '../support/content.ts';

const INBOX: FolderKey = { folder: 'INBOX', uidValidity: 7 };
const COPIES: FolderKey = { folder: 'Old/Post', uidValidity: 4294967295 };
const STANDING = { ...COPIES, uidNext: 50 };
/** What the journal's own clock says. */
const NOW = 1_800_000_000_000;

export function intent(uid: number): Intent {
  return { uid, sha256: uid.toString(16).padStart(64, '0'), size: 100 + uid };
}

export function receipt(uid: number, copyUid: number, from = INBOX, to = COPIES): Receipt {
  const original = sendable(`Subject: ${uid}\r\n\r\n`, { uid });
  const copy = { ...original, uid: copyUid };
  const issued = Receipt.of({ ...from, uid }, original, { ...to, uid: copyUid }, copy, 'bytes');
  if (!issued) throw new Error('the two are the same message');
  return issued;
}

function uidsOf(claimed: ReadonlyMap<number, unknown>): Set<number> {
  return new Set(claimed.keys());
}

function thrownBy(work: () => unknown): Failure {
  try {
    work();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(Failure);
    return thrown as Failure;
  }
  throw new Error('nothing was thrown');
}

const REASON = { why: 'too large', dest: STANDING, retryAt: 9_000 };

/** How a message came to each state. */
const WAYS: Record<string, (route: RouteJournal, uid: number) => void> = {
  appending: (route, uid) => route.intend(INBOX, STANDING, [intent(uid)]),
  unverified: (route, uid) =>
    route.setAside(INBOX, [intent(uid)], 'unverified', { ...REASON, destUid: 500 + uid }, 10),
  refused: (route, uid) => route.setAside(INBOX, [intent(uid)], 'refused', REASON, 10),
  proven: (route, uid) => {
    route.intend(INBOX, STANDING, [intent(uid)]);
    route.prove([receipt(uid, 500 + uid)], 10);
  },
  kept: (route, uid) => retired(route, uid, 'kept'),
  marked: (route, uid) => retired(route, uid, 'marked'),
  expunged: (route, uid) => retired(route, uid, 'expunged'),
  moved: (route, uid) => retired(route, uid, 'moved'),
};

function retired(route: RouteJournal, uid: number, how: 'kept' | 'marked' | 'expunged' | 'moved') {
  WAYS.proven?.(route, uid);
  route.retire(INBOX, [uid], how, 20, 5);
}

/** Runs the suite. `open` gives an empty journal whose own clock says what `now` says. */
export function journalContract(name: string, open: (now: () => number) => Journal): void {
  describe(`the journal ${name}`, () => {
    let journal: Journal;
    let route: RouteJournal;
    let time = NOW;
    const states = () => [...route.notes(INBOX)].map(([uid, { state }]) => [uid, state]);

    beforeEach(() => {
      time = NOW;
      journal = open(() => time);
      route = journal.route('default', 'mum@a.example.org:993', 'mum@b.example.org:993');
    });
    afterEach(() => journal.close());

    it('notes what is about to travel, and where the destination stood', () => {
      route.intend(INBOX, STANDING, [{ ...intent(4294967295), messageId: '<ü@example.org>' }]);
      expect([...route.notes(INBOX)]).toEqual([
        [
          4294967295,
          {
            uid: 4294967295,
            state: 'appending',
            sha256: intent(4294967295).sha256,
            messageId: '<ü@example.org>',
            size: 100 + 4294967295,
            dest: STANDING,
            tries: 0,
            notedAt: NOW,
          },
        ],
      ]);
    });

    it('notes nothing of a folder it was told nothing of', () => {
      route.intend(INBOX, STANDING, [intent(1)]);
      expect(route.notes({ ...INBOX, uidValidity: 8 }).size).toBe(0);
      expect(route.notes({ ...INBOX, folder: 'inbox' }).size).toBe(0);
      expect(route.notes(INBOX, [2]).size).toBe(0);
    });

    for (const [field, other] of [
      ['name', ['other', 'mum@a.example.org:993', 'mum@b.example.org:993']],
      ['source account', ['default', 'dad@a.example.org:993', 'mum@b.example.org:993']],
      ['destination account', ['default', 'mum@a.example.org:993', 'mum@c.example.org:993']],
    ] satisfies [string, [string, string, string]][]) {
      it(`keeps the rows of routes apart that differ in the ${field}`, () => {
        route.intend(INBOX, STANDING, [intent(1)]);
        route.seen(INBOX);
        const stranger = journal.route(...other);
        expect(stranger.notes(INBOX).size).toBe(0);
        expect(stranger.lastValidity('INBOX')).toBeUndefined();
        expect(stranger.count('appending')).toBe(0);
        stranger.setAside(INBOX, [intent(1)], 'refused', REASON, 1);
        expect(states()).toEqual([[1, 'appending']]);
      });
    }

    it('tells what was used of a side of an account, by stretches of time', () => {
      const key = { account: 'mum@a.example.org', side: 'source', span: 6000 } as const;
      expect(journal.used(key)).toEqual([]);
      const note = (since: number, messages: number, before = 0) => ({
        key,
        use: { since, messages, bytes: 100 * messages },
        before,
      });
      journal.noteUse([note(300, 1), note(200, 2)]);
      journal.noteUse([note(300, 5)]);
      const told = () => journal.used(key).map(({ since, messages }) => [since, messages]);
      expect(told()).toEqual([
        [200, 2],
        [300, 5],
      ]);
      for (const other of [{ account: 'dad' }, { side: 'destination' }, { span: 1 }] as const)
        expect(journal.used({ ...key, ...other })).toEqual([]);
      journal.noteUse([note(400, 1, 300)]);
      expect(told()).toEqual([
        [300, 5],
        [400, 1],
      ]);
      expect(journal.used(key)[0]?.bytes).toBe(500);
    });

    it('gives the same rows to whoever asks for the same route again', () => {
      route.intend(INBOX, STANDING, [intent(1)]);
      const again = journal.route('default', 'mum@a.example.org:993', 'mum@b.example.org:993');
      expect(again.notes(INBOX)).toEqual(route.notes(INBOX));
    });

    it('remembers the UIDVALIDITY under which a folder was last seen', () => {
      expect(route.lastValidity('INBOX')).toBeUndefined();
      route.seen(INBOX);
      route.seen({ folder: 'Sent', uidValidity: 1 });
      expect(route.lastValidity('INBOX')).toBe(7);
      route.seen({ ...INBOX, uidValidity: 4294967295 });
      expect(route.lastValidity('INBOX')).toBe(4294967295);
      expect(route.lastValidity('Sent')).toBe(1);
    });

    it('frees the copies of originals that a renumbering brings back unmarked, and of no others', () => {
      route.seen(INBOX);
      const ways = Object.entries(WAYS);
      for (const [nth, [, way]] of ways.entries()) way(route, nth + 1);
      // What we have marked stays marked: it is not looked for any more, and its copy is not free for a twin.
      const there = new Set(
        [...route.notes(INBOX).values()].flatMap(({ uid, retired }) =>
          retired === 'marked' ? [] : [uid],
        ),
      );
      const before = route.claimed(COPIES);
      route.seen({ ...INBOX, uidValidity: INBOX.uidValidity + 1 });
      const gone = ways.flatMap((_, nth) => (there.has(nth + 1) ? [] : [500 + nth + 1]));
      expect(before.size).toBeGreaterThan(gone.length);
      expect(uidsOf(route.claimed(COPIES))).toEqual(new Set(gone));
      expect(route.notes(INBOX)).toEqual(new Map());
      expect(route.aside()).toEqual([]);
      expect(route.count('proven')).toBe(0);
    });

    it('keeps every claim while the numbering stays', () => {
      for (const [nth, way] of Object.values(WAYS).entries()) way(route, nth + 1);
      route.seen(INBOX);
      const before = route.claimed(COPIES);
      route.seen(INBOX);
      expect(route.claimed(COPIES)).toEqual(before);
    });

    describe('takes a message on from each state', () => {
      // For each state: the state after intend, withdraw, setAside, retire and gone. `!` throws, `-` is no row.
      const table: [
        string,
        Record<'intend' | 'withdraw' | 'setAside' | 'retire' | 'gone', string>,
      ][] = [
        ['none', row('appending', '-', 'refused', '!', '-')],
        ['appending', row('appending', '-', 'refused', '!', '-')],
        ['unverified', row('appending', 'unverified', 'refused', '!', '-')],
        ['refused', row('appending', 'refused', 'refused', '!', '-')],
        ['proven', row('!', 'proven', '!', 'retired marked', 'retired expunged')],
        ['kept', row('!', 'retired kept', '!', 'retired marked', 'retired kept')],
        ['marked', row('!', 'retired marked', '!', 'retired marked', 'retired marked')],
        [
          'expunged',
          row('appending', 'retired expunged', 'refused', 'retired marked', 'retired expunged'),
        ],
        ['moved', row('appending', 'retired moved', 'refused', 'retired marked', 'retired moved')],
      ];
      function row(
        intend: string,
        withdraw: string,
        setAside: string,
        retire: string,
        gone: string,
      ) {
        return { intend, withdraw, setAside, retire, gone };
      }
      const calls = {
        intend: () => route.intend(INBOX, STANDING, [intent(2), intent(3)]),
        withdraw: () => route.withdraw(INBOX, [3, 2]),
        setAside: () => route.setAside(INBOX, [intent(2), intent(3)], 'refused', REASON, 30),
        retire: () => route.retire(INBOX, [3, 2], 'marked', 30, 5),
        gone: () => route.gone(INBOX, [3, 2], 30),
      };
      const told = (note: Note | undefined) =>
        note ? [note.state, note.retired].filter(Boolean).join(' ') : '-';

      for (const [from, outcomes] of table) {
        for (const [call, outcome] of Object.entries(outcomes)) {
          const becomes = outcome === '!' ? 'throws and changes nothing' : `makes it ${outcome}`;
          it(`${from}: ${call} ${becomes}`, () => {
            WAYS[from]?.(route, 3);
            const before = route.notes(INBOX, [1, 2, 3]);
            const work = calls[call as keyof typeof calls];
            if (outcome === '!') {
              const failure = thrownBy(work);
              expect(failure).toMatchObject({ step: 'journal', lasting: true });
              expect(route.notes(INBOX, [1, 2, 3])).toEqual(before);
            } else if (call === 'retire') {
              route.retire(INBOX, [3], 'marked', 30, 5);
              expect(told(route.notes(INBOX, [3]).get(3))).toBe(outcome);
            } else {
              work();
              expect(told(route.notes(INBOX, [3]).get(3))).toBe(outcome);
            }
          });
        }
      }
    });

    it('shows retired rows in a folder only while their original may be there', () => {
      for (const [uid, how] of [
        [1, 'kept'],
        [2, 'marked'],
        [3, 'expunged'],
        [4, 'moved'],
      ] as const)
        retired(route, uid, how);
      expect([...route.notes(INBOX).values()].map((note) => note.retired)).toEqual([
        'kept',
        'marked',
      ]);
      expect([...route.notes(INBOX, [4, 2]).keys()].sort()).toEqual([2, 4]);
      route.gone(INBOX, [1, 2], 30);
      expect(route.notes(INBOX).size).toBe(0);
      expect(route.count('retired')).toBe(4);
    });

    it('replaces a row by an intent but for tries and the time it was first noted', () => {
      route.setAside(INBOX, [intent(1)], 'unverified', { ...REASON, destUid: 3 }, 10);
      route.setAside(INBOX, [intent(1)], 'refused', { ...REASON, why: 'no' }, 20);
      const dest = { folder: 'Else', uidValidity: 1, uidNext: 2 };
      route.intend(INBOX, dest, [{ uid: 1, sha256: 'new', size: 3 }]);
      expect(route.notes(INBOX).get(1)).toEqual({
        ...{ uid: 1, state: 'appending', sha256: 'new', size: 3, dest, tries: 2, notedAt: 10 },
      });
    });

    it('withdraws only the intents named', () => {
      for (const [uid, way] of ['appending', 'appending', 'refused', 'proven'].entries())
        WAYS[way]?.(route, uid + 1);
      route.withdraw(INBOX, [1, 3, 4, 99]);
      expect(states()).toEqual([
        [2, 'appending'],
        [3, 'refused'],
        [4, 'proven'],
      ]);
    });

    it('sets messages aside with the reason, and counts the tries', () => {
      route.setAside(INBOX, [intent(2)], 'unverified', { ...REASON, destUid: 70 }, 10);
      route.intend(INBOX, STANDING, [intent(1)]);
      const later = {
        why: 'no quota',
        dest: { folder: 'X', uidValidity: 0, uidNext: 1 },
        retryAt: 77,
      };
      route.setAside(INBOX, [intent(2), intent(1)], 'refused', later, 40);
      const dest = later.dest;
      const aside = { state: 'refused', why: 'no quota', dest, retryAt: 77 };
      expect(route.aside()).toEqual([
        { ...INBOX, ...intent(1), ...aside, tries: 1, notedAt: NOW },
        { ...INBOX, ...intent(2), ...aside, tries: 2, notedAt: 10 },
      ]);
      expect(route.count('refused')).toBe(2);
      expect(route.count('unverified')).toBe(0);
    });

    it('lists what is set aside over all folders, and nothing else', () => {
      for (const [nth, way] of Object.keys(WAYS).entries()) WAYS[way]?.(route, nth + 1);
      route.setAside({ folder: 'Alpha', uidValidity: 9 }, [intent(9)], 'refused', REASON, 1);
      expect(route.aside().map(({ folder, uid, state }) => [folder, uid, state])).toEqual([
        ['Alpha', 9, 'refused'],
        ['INBOX', 2, 'unverified'],
        ['INBOX', 3, 'refused'],
      ]);
    });

    it('forgets rows of any state, and no claim', () => {
      const ways = Object.entries(WAYS);
      for (const [nth, [, way]] of ways.entries()) way(route, nth + 1);
      const uids = ways.map((_, nth) => nth + 1);
      const claimed = route.claimed(COPIES);
      route.forget(INBOX, uids.slice(1));
      expect([...route.notes(INBOX, uids).keys()]).toEqual([1]);
      route.forget(INBOX, [99]);
      expect(route.claimed(COPIES)).toEqual(claimed);
    });

    it('gives back the Receipts of proven and retired originals, whole', () => {
      for (const [nth, way] of Object.keys(WAYS).entries()) WAYS[way]?.(route, nth + 1);
      const uids = [1, 2, 3, 4, 5, 6, 7, 8, 9];
      const receipts = route.receipts(INBOX, uids);
      expect(receipts).toEqual([4, 5, 6, 7, 8].map((uid) => receipt(uid, 500 + uid)));
      for (const recalled of receipts) expect(recalled).toBeInstanceOf(Receipt);
      expect(route.receipts({ ...INBOX, uidValidity: 8 }, uids)).toEqual([]);
    });

    it('proves a message that was set aside', () => {
      WAYS.unverified?.(route, 1);
      route.prove([receipt(1, 900)], 30);
      expect(route.notes(INBOX).get(1)).toEqual({
        ...intent(1),
        ...{
          state: 'proven',
          proof: 'identical',
          destUid: 900,
          dest: STANDING,
          tries: 1,
          notedAt: 10,
        },
      });
      expect(route.aside()).toEqual([]);
    });

    it('notes the copy under the UIDVALIDITY where it was read back', () => {
      WAYS.appending?.(route, 1);
      const renumbered = { ...COPIES, uidValidity: 5 };
      route.prove([receipt(1, 3, INBOX, renumbered)], 10);
      expect(route.receipts(INBOX, [1])).toEqual([receipt(1, 3, INBOX, renumbered)]);
      expect(uidsOf(route.claimed(renumbered))).toEqual(new Set([3]));
      expect(uidsOf(route.claimed(COPIES))).toEqual(new Set());
    });

    it('throws where an original was never noted, and proves none of the others', () => {
      WAYS.appending?.(route, 1);
      const failure = thrownBy(() => route.prove([receipt(1, 60), receipt(2, 61)], 10));
      expect(failure).toMatchObject({ step: 'journal', lasting: true });
      expect(states()).toEqual([[1, 'appending']]);
      expect(route.claimed(COPIES).size).toBe(0);
    });

    describe('lets a copy prove one original', () => {
      const stranger = () =>
        journal.route('second', 'mum@a.example.org:993', 'mum@b.example.org:993');

      it('and throws for a second one, with none of the batch proven', () => {
        route.intend(INBOX, STANDING, [intent(1), intent(2), intent(3)]);
        route.prove([receipt(1, 60)], 10);
        const failure = thrownBy(() => route.prove([receipt(2, 61), receipt(3, 60)], 20));
        expect(failure).toMatchObject({ step: 'verify', scope: 'message' });
        expect(states()).toEqual([
          [1, 'proven'],
          [2, 'appending'],
          [3, 'appending'],
        ]);
        expect(uidsOf(route.claimed(COPIES))).toEqual(new Set([60]));
      });

      it('within one batch too', () => {
        route.intend(INBOX, STANDING, [intent(1), intent(2)]);
        thrownBy(() => route.prove([receipt(1, 60), receipt(2, 60)], 20));
        expect(route.count('appending')).toBe(2);
        expect(route.claimed(COPIES).size).toBe(0);
      });

      it('and may prove that one again', () => {
        WAYS.proven?.(route, 1);
        route.prove([receipt(1, 501)], 30);
        expect(uidsOf(route.claimed(COPIES))).toEqual(new Set([501]));
      });

      it('after its row was pruned', () => {
        WAYS.expunged?.(route, 1);
        expect(journal.prune(1e15)).toBe(1);
        expect(route.notes(INBOX, [1]).size).toBe(0);
        WAYS.appending?.(route, 2);
        thrownBy(() => route.prove([receipt(2, 501)], 30));
        expect(uidsOf(route.claimed(COPIES))).toEqual(new Set([501]));
      });

      it('across the routes to one destination account', () => {
        WAYS.proven?.(route, 1);
        expect(uidsOf(stranger().claimed(COPIES))).toEqual(new Set([501]));
        WAYS.appending?.(stranger(), 2);
        thrownBy(() => stranger().prove([receipt(2, 501)], 30));
      });

      it('while another account, folder or UIDVALIDITY has copies of its own', () => {
        WAYS.proven?.(route, 1);
        const elsewhere = journal.route('default', 'mum@a.example.org:993', 'x@c.example.org:993');
        WAYS.appending?.(elsewhere, 2);
        elsewhere.prove([receipt(2, 501)], 30);
        route.intend(INBOX, STANDING, [intent(2), intent(3)]);
        route.prove([receipt(2, 501, INBOX, { ...COPIES, folder: 'Other' })], 30);
        route.prove([receipt(3, 501, INBOX, { ...COPIES, uidValidity: 1 })], 30);
        expect(uidsOf(route.claimed(COPIES))).toEqual(new Set([501]));
        expect(uidsOf(elsewhere.claimed(COPIES))).toEqual(new Set([501]));
      });

      it('and tells which one, where it is of the same source account', () => {
        WAYS.proven?.(route, 1);
        expect(route.claimed(COPIES).get(501)).toMatchObject({ ...INBOX, uid: 1 });
        expect(stranger().claimed(COPIES).get(501)).toMatchObject({ ...INBOX, uid: 1 });
        const other = journal.route('default', 'dad@a.example.org:993', 'mum@b.example.org:993');
        expect([...other.claimed(COPIES)]).toEqual([[501, undefined]]);
      });

      it('and tells those of the same bytes under other UIDVALIDITYs, for ever', () => {
        WAYS.expunged?.(route, 1);
        WAYS.expunged?.(route, 2);
        journal.prune(1e15);
        const renumbered = { ...COPIES, uidValidity: 3 };
        const { sha256 } = intent(1);
        expect(route.claimedBefore(renumbered, sha256)).toMatchObject([{ ...INBOX, uid: 1 }]);
        WAYS.appending?.(route, 1);
        route.prove([receipt(1, 9, INBOX, { ...renumbered, uidValidity: 8 })], 50);
        expect(route.claimedBefore({ ...renumbered, uidValidity: 8 }, sha256)).toEqual([]);
        expect(route.claimedBefore(COPIES, sha256)).toEqual([]);
        expect(route.claimedBefore({ ...renumbered, folder: 'Other' }, sha256)).toEqual([]);
        expect(route.claimedBefore(renumbered, intent(3).sha256)).toEqual([]);
      });

      describe('but for one whose folder was renumbered,', () => {
        const internalDate = Date.UTC(2001, 1, 3);
        const renumbered = { ...INBOX, uidValidity: 99 };
        const returned = (uid: number, changes: Partial<Intent>) => {
          route.intend(renumbered, STANDING, [{ ...intent(1), internalDate, ...changes, uid }]);
          return () => route.prove([receipt(uid, 501, renumbered)], 30);
        };
        beforeEach(() => {
          route.intend(INBOX, STANDING, [{ ...intent(1), internalDate }]);
          route.prove([receipt(1, 501)], 10);
          route.retire(INBOX, [1], 'marked', 20, 5);
          route.seen(INBOX);
        });

        it('which is told as such, for ever', () => {
          const { sha256 } = intent(1);
          const claimant = { ...INBOX, uid: 1, sha256, internalDate };
          expect(route.claimed(COPIES).get(501)).toEqual({ ...claimant, renumbered: false });
          route.seen(renumbered);
          journal.prune(1e15);
          expect(route.claimed(COPIES).get(501)).toEqual({ ...claimant, renumbered: true });
        });

        it('which it may prove under its new number, once', () => {
          route.seen(renumbered);
          returned(7, {})();
          expect(route.claimed(COPIES).get(501)).toMatchObject({ ...renumbered, uid: 7 });
          thrownBy(returned(8, {}));
        });

        it.each<[string, Partial<Intent>]>([
          ['of other bytes', { sha256: intent(2).sha256 }],
          ['of another date', { internalDate: internalDate + 1000 }],
        ])('and for none %s', (_, changes) => {
          route.seen(renumbered);
          expect(thrownBy(returned(7, changes))).toMatchObject({ step: 'verify' });
        });

        it('and for none before that', () => {
          expect(thrownBy(returned(7, {}))).toMatchObject({ step: 'verify' });
        });
      });

      it('and tells which of some copies do', () => {
        for (const uid of [1, 2, 3]) WAYS.proven?.(route, uid);
        expect(uidsOf(route.claimed(COPIES, [503, 501, 9]))).toEqual(new Set([501, 503]));
        expect(uidsOf(route.claimed(COPIES, []))).toEqual(new Set());
      });
    });

    it('tells which originals of a folder are on their way with the same bytes', () => {
      for (const [nth, way] of Object.values(WAYS).entries()) way(route, nth + 1);
      const second = journal.route('second', 'mum@a.example.org:993', 'mum@b.example.org:993');
      const sent = { folder: 'Sent', uidValidity: 2 };
      for (const each of [route, second]) each.intend(sent, STANDING, [{ ...intent(1), uid: 30 }]);
      route.intend(INBOX, STANDING, [{ ...intent(1), uid: 20 }]);
      const { sha256 } = intent(1);
      expect(route.onTheWay(INBOX, sha256).map(({ uid }) => uid)).toEqual([1, 20]);
      expect(route.onTheWay(sent, sha256)).toEqual([...second.notes(sent).values()]);
      const states = Object.keys(WAYS).map((_, nth) =>
        route.onTheWay(INBOX, intent(nth + 1).sha256),
      );
      expect(states.map(({ length }) => length)).toEqual([2, 0, 0, 0, 0, 0, 0, 0]);
    });

    it('takes back what was proven, and frees the copies', () => {
      for (const uid of [1, 2]) WAYS.proven?.(route, uid);
      route.disprove(INBOX, [1, 9]);
      expect([...route.notes(INBOX, [1, 2]).keys()]).toEqual([2]);
      expect(uidsOf(route.claimed(COPIES))).toEqual(new Set([502]));
      WAYS.appending?.(route, 3);
      route.prove([receipt(3, 501)], 40);
    });

    it('knows of retired originals that are there again', () => {
      for (const [nth, way] of Object.values(WAYS).entries()) way(route, nth + 1);
      const uids = Object.keys(WAYS).map((_, nth) => nth + 1);
      route.gone(INBOX, uids, 30);
      expect(route.notes(INBOX).size).toBe(0);
      route.presentAgain(INBOX, uids);
      expect([...route.notes(INBOX).values()].map(({ state }) => state)).toEqual(
        Array(5).fill('retired'),
      );
      expect(journal.prune(1e15)).toBe(0);
    });

    it('prunes only what is older and no longer in its folder', () => {
      for (const [nth, way] of Object.keys(WAYS).entries()) WAYS[way]?.(route, nth + 1);
      expect(journal.prune(20)).toBe(0);
      expect(journal.prune(21)).toBe(2);
      expect([...route.notes(INBOX, [1, 2, 3, 4, 5, 6, 7, 8]).keys()]).toEqual([1, 2, 3, 4, 5, 6]);
      route.gone(INBOX, [5, 6], 30);
      expect(journal.prune(21)).toBe(2);
      expect([...route.notes(INBOX).keys()]).toEqual([1, 2, 3, 4]);
      expect(uidsOf(route.claimed(COPIES))).toEqual(new Set([504, 505, 506, 507, 508]));
    });

    describe('tells what was carried on which day', () => {
      const noon = (day: number) => new Date(2026, 1, day, 12).getTime();
      const carry = (uid: number, at: number, ms?: number) => {
        WAYS.proven?.(route, uid);
        route.retire(INBOX, [uid], 'expunged', at, ms);
      };

      it('by folder, and how long mail took that came meanwhile', () => {
        carry(1, noon(3), 40);
        carry(2, noon(3), 41);
        carry(3, noon(3));
        carry(4, noon(4), 60_000);
        const day = { route: 'default', day: '2026-02-03' };
        const next = { route: 'default', day: '2026-02-04' };
        expect(journal.tallies('2026-02-01')).toEqual({
          carried: [
            { ...day, folder: 'INBOX', messages: 3, bytes: 101 + 102 + 103 },
            { ...next, folder: 'INBOX', messages: 1, bytes: 104 },
          ],
          speeds: [
            { ...day, ms: 41, messages: 2 },
            { ...next, ms: expect.closeTo(60_000, -4), messages: 1 },
          ],
        });
        expect(journal.tallies('2026-02-04').carried).toHaveLength(1);
      });

      it('each message once, whatever becomes of its original later', () => {
        WAYS.kept?.(route, 1);
        route.retire(INBOX, [1], 'expunged', noon(3), 9);
        route.gone(INBOX, [1], noon(3));
        WAYS.proven?.(route, 2);
        route.gone(INBOX, [2], 20);
        const messages = journal.tallies('').carried.map((each) => each.messages);
        expect(messages).toEqual([2]);
      });

      it('also after the rows are pruned, until the days are', () => {
        carry(1, noon(3), 40);
        expect(journal.prune(noon(3) + 1)).toBe(1);
        expect(journal.tallies('').carried).toHaveLength(1);
        journal.prune(noon(4));
        expect(journal.tallies('')).toEqual({ carried: [], speeds: [] });
      });
    });

    it('counts refused logins of each account until one succeeds', () => {
      expect(journal.refusals('a')).toEqual({ count: 0, lastAt: 0 });
      journal.noteRefusal('a', NOW);
      journal.noteRefusal('a', NOW + 5);
      journal.noteRefusal('b', 3);
      expect(journal.refusals('a')).toEqual({ count: 2, lastAt: NOW + 5 });
      journal.clearRefusals('a');
      journal.clearRefusals('never heard of');
      expect(journal.refusals('a')).toEqual({ count: 0, lastAt: 0 });
      expect(journal.refusals('b')).toEqual({ count: 1, lastAt: 3 });
    });

    it('keeps the date of what travels or is set aside', () => {
      const internalDate = Date.UTC(1997, 1, 13);
      route.intend(INBOX, STANDING, [{ ...intent(1), internalDate }]);
      route.setAside(INBOX, [{ ...intent(2), internalDate }], 'refused', REASON, 1);
      expect(route.notes(INBOX).get(1)?.internalDate).toBe(internalDate);
      expect(route.aside()[0]?.internalDate).toBe(internalDate);
      route.prove([receipt(1, 600)], 10);
      expect(route.notes(INBOX).get(1)?.internalDate).toBe(internalDate);
    });

    describe('knows what was in hand when a process died:', () => {
      const deaths = () =>
        [...route.deaths(INBOX)].map(([uid, { count, last }]) => [uid, count, last]);

      it('nothing in a life without death', () => {
        journal.begin();
        route.takeUp(INBOX, [1, 2]);
        route.putDown(INBOX, [1, 2]);
        journal.begin();
        expect(deaths()).toEqual([]);
      });

      it('how often, and whether at the last death, too', () => {
        route.takeUp(INBOX, [1, 2]);
        journal.begin();
        expect(deaths()).toEqual([
          [1, 1, true],
          [2, 1, true],
        ]);
        route.takeUp(INBOX, [2]);
        expect(deaths()).toEqual([
          [1, 1, true],
          [2, 1, false],
        ]);
        journal.begin();
        route.takeUp(INBOX, [1]);
        route.putDown(INBOX, [1]);
        journal.begin();
        expect(deaths()).toEqual([
          [1, 1, false],
          [2, 2, true],
        ]);
      });

      it('no more once it is carried, gone, or has another number', () => {
        for (const uid of [1, 2, 3, 4]) WAYS.appending?.(route, uid);
        route.takeUp(INBOX, [1, 2, 3, 4]);
        route.takeUp({ ...INBOX, folder: 'Other' }, [1]);
        journal.begin();
        route.prove([receipt(1, 61), receipt(2, 62)], 10);
        route.retire(INBOX, [1], 'kept', 20, 1);
        route.gone(INBOX, [3, 9], 20);
        expect(deaths().map(([uid]) => uid)).toEqual([2, 4]);
        route.seen({ ...INBOX, uidValidity: 8 });
        expect(deaths()).toEqual([]);
        expect([...route.deaths({ ...INBOX, folder: 'Other' }).keys()]).toEqual([1]);
      });

      it('not with what was proven before, though it was not retired', () => {
        for (const uid of [1, 2]) WAYS.appending?.(route, uid);
        route.takeUp(INBOX, [1, 2]);
        route.prove([receipt(1, 61)], 10);
        journal.begin();
        expect(deaths()).toEqual([[2, 1, true]]);
      });

      it('of its own route and folder', () => {
        route.takeUp(INBOX, [1]);
        journal.begin();
        const other = journal.route('other', 'mum@a.example.org:993', 'mum@b.example.org:993');
        expect(other.deaths(INBOX).size).toBe(0);
        expect(route.deaths({ ...INBOX, uidValidity: 8 }).size).toBe(0);
      });
    });

    describe('knows which troubles were told:', () => {
      const refused: AlertNote = {
        cause: 'account-refused',
        side: 'source',
        since: 1,
        toldAt: NOW,
        by: 'inbox',
        over: false,
      };
      const leftOut: AlertNote = {
        cause: 'folder-left-out',
        folder: 'Lists/ü',
        since: 2,
        toldAt: NOW,
        by: 'command',
        over: true,
      };

      it('none at first', () => {
        expect(route.alerts()).toEqual([]);
      });

      it('those that were noted last, and no others', () => {
        route.noteAlerts([leftOut, refused]);
        expect(route.alerts()).toEqual([refused, leftOut]);
        const both = [refused, { ...refused, side: 'destination' }] as const;
        route.noteAlerts(both);
        expect(route.alerts()).toEqual([both[1], both[0]]);
        route.noteAlerts([]);
        expect(route.alerts()).toEqual([]);
      });

      it('each route its own', () => {
        route.noteAlerts([refused]);
        const second = journal.route('second', 'mum@a.example.org:993', 'mum@b.example.org:993');
        expect(second.alerts()).toEqual([]);
        second.noteAlerts([leftOut]);
        expect(route.alerts()).toEqual([refused]);
      });
    });

    describe('knows which flags of originals may be turned over:', () => {
      const flagged = { uid: 1, flag: '\\Flagged', was: false };
      const answered = { uid: 2, flag: '\\Answered', was: true };

      it('until they are as they were', () => {
        expect(route.turned(INBOX)).toEqual([]);
        for (const flag of [answered, flagged]) route.turnOver(INBOX, flag);
        expect(route.turned(INBOX)).toEqual([flagged, answered]);
        route.turnedBack(INBOX, { uid: 1, flag: '\\Answered' });
        route.turnedBack(INBOX, answered);
        expect(route.turned(INBOX)).toEqual([flagged]);
      });

      it('with how they were at first', () => {
        route.turnOver(INBOX, flagged);
        route.turnOver(INBOX, { ...flagged, was: true });
        expect(route.turned(INBOX)).toEqual([flagged]);
      });

      it('of its own route and folder, while that has these numbers', () => {
        route.turnOver(INBOX, flagged);
        route.turnOver({ ...INBOX, folder: 'Other' }, answered);
        const other = journal.route('other', 'mum@a.example.org:993', 'mum@b.example.org:993');
        expect(other.turned(INBOX)).toEqual([]);
        expect(route.turned({ ...INBOX, uidValidity: 8 })).toEqual([]);
        route.seen({ ...INBOX, uidValidity: 8 });
        expect(route.turned(INBOX)).toEqual([]);
        expect(route.turned({ ...INBOX, folder: 'Other' })).toEqual([answered]);
      });
    });

    describe('tells who wrote what was carried', () => {
      const ann = { domain: 'a.example', address: 'ann@a.example', bulk: false };
      const abe = { domain: 'a.example', address: 'abe@a.example', bulk: false };
      const shop = { domain: 'shop.example', address: 'news@shop.example', bulk: true };
      /** Carries a message of that INTERNALDATE. */
      const carry = (uid: number, internalDate: number, sender: Sender, from = INBOX) => {
        route.intend(from, STANDING, [{ ...intent(uid), internalDate }]);
        route.prove([receipt(uid, 500 + uid, from)], 10, new Map([[uid, sender]]));
      };
      const written = (after = 0) => journal.written(after)[0]?.written;
      const from = (domain: string, messages: number, lastAt: number, bulk = false) => ({
        ...{ domain, bulk, messages, lastAt },
      });

      it('each sender by domain, how many messages and when last, bulk mail apart', () => {
        carry(1, 100, ann);
        carry(2, 300, ann);
        carry(3, 200, abe);
        carry(4, 400, shop);
        carry(5, 250, { ...shop, bulk: false });
        const all = [
          from('shop.example', 1, 400, true),
          from('a.example', 2, 300),
          from('shop.example', 1, 250),
          from('a.example', 1, 200),
        ];
        expect(journal.written(0)).toEqual([
          {
            route: 'default',
            source: 'mum@a.example.org:993',
            current: true,
            since: NOW,
            written: all,
          },
        ]);
        expect(written(300)).toEqual([
          from('shop.example', 1, 400, true),
          from('a.example', 1, 300),
        ]);
        expect(written(401)).toEqual([]);
      });

      it('only of what is carried', () => {
        route.intend(INBOX, STANDING, [intent(1)]);
        route.setAside(INBOX, [intent(2)], 'refused', REASON, 10);
        route.prove([receipt(1, 501)], 10, new Map([[2, ann]]));
        expect(written()).toEqual([]);
        thrownBy(() => route.prove([receipt(3, 503)], 10, new Map([[3, ann]])));
        route.intend(INBOX, STANDING, [intent(4), intent(5)]);
        const both = new Map([4, 5].map((uid) => [uid, ann]));
        thrownBy(() => route.prove([receipt(4, 504), receipt(5, 501)], 10, both));
        expect(written()).toEqual([]);
      });

      it('by the time at which it was carried where it has no date, or one of a time to come', () => {
        const day = 24 * 60 * 60 * 1000;
        const dates = [{}, { internalDate: 71 + day }, { internalDate: 70 + day }];
        for (const [i, date] of dates.entries()) {
          route.intend(INBOX, STANDING, [{ ...intent(i), ...date }]);
          route.prove([receipt(i, 501 + i)], 70, new Map([[i, i < 2 ? ann : shop]]));
        }
        expect(written()).toEqual([
          from('shop.example', 1, 70 + day, true),
          from('a.example', 2, 70),
        ]);
      });

      it('a message once, in whatever folders and under whatever numbers it is', () => {
        carry(1, 100, ann);
        route.prove([receipt(1, 501)], 20, new Map([[1, ann]]));
        for (const folder of [
          { ...INBOX, folder: 'Other' },
          { ...INBOX, uidValidity: 8 },
        ]) {
          route.intend(folder, STANDING, [{ ...intent(1), internalDate: 100 }]);
          const copies = { ...COPIES, folder: `${folder.folder} ${folder.uidValidity}` };
          route.prove([receipt(1, 501, folder, copies)], 30, new Map([[1, ann]]));
        }
        expect(written()).toEqual([from('a.example', 1, 100)]);
      });

      it('also once its row is gone or forgotten, but not what was disproven', () => {
        for (const uid of [1, 2, 3]) carry(uid, 100 * uid, ann);
        route.retire(INBOX, [1], 'expunged', 20, 1);
        route.gone(INBOX, [1], 30);
        route.forget(INBOX, [2]);
        expect(written()).toEqual([from('a.example', 3, 300)]);
        route.disprove(INBOX, [3]);
        expect(written()).toEqual([from('a.example', 2, 200)]);
      });

      it('until it is pruned, by its date', () => {
        carry(1, 100, ann);
        carry(2, 200, shop);
        journal.prune(200);
        expect(written()).toEqual([from('shop.example', 1, 200, true)]);
        carry(3, 300, ann);
        expect(written()?.map(({ domain }) => domain)).toEqual(['a.example', 'shop.example']);
      });

      it('route by route, and of each whether the process that runs has opened it', () => {
        const other = journal.route('another', 'dad@a.example.org:993', 'mum@b.example.org:993');
        carry(1, 100, ann);
        other.intend(INBOX, STANDING, [intent(1)]);
        other.prove([receipt(1, 700)], 60, new Map([[1, shop]]));
        const told = () =>
          journal
            .written(0)
            .map(({ route: name, current, since, written: its }) => [
              name,
              current,
              since,
              its.length,
            ]);
        expect(told()).toEqual([
          ['another', true, NOW, 1],
          ['default', true, NOW, 1],
        ]);
        time += 5;
        journal.begin();
        expect(told().map(([, current]) => current)).toEqual([false, false]);
        journal.route('default', 'mum@a.example.org:993', 'mum@b.example.org:993');
        expect(told()).toEqual([
          ['another', false, NOW, 1],
          ['default', true, NOW, 1],
        ]);
      });
    });

    it('does nothing, without harm, when given nothing', () => {
      route.takeUp(INBOX, []);
      route.putDown(INBOX, []);
      route.intend(INBOX, STANDING, []);
      route.prove([], 1);
      route.retire(INBOX, [], 'kept', 1, 1);
      route.gone(INBOX, [], 1);
      route.withdraw(INBOX, []);
      route.setAside(INBOX, [], 'refused', REASON, 1);
      expect(route.notes(INBOX).size).toBe(0);
    });
  });
}
