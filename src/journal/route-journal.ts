/** One route's rows in the journal. */
import type { MessageKey } from '../domain/message.ts';
import type {
  AlertNote,
  Claimant,
  Deaths,
  FolderKey,
  FolderStanding,
  Intent,
  Note,
  Retired,
  RouteJournal,
  Turned,
} from '../domain/ports.ts';
import { type Proof, Receipt } from '../domain/receipt.ts';
import type { Sender } from '../domain/senders.ts';
import type { Arrivals } from './arrivals.ts';
import { claimedAlready, misused, named } from './misused.ts';
import { type AlertRow, alertOf, type ClaimRow, type NoteRow, noteOf, rowOf } from './rows.ts';
import type { Statements, Store } from './store.ts';

/** Row ids: a route stands for its name and both accounts. */
export interface RouteIds {
  readonly route: number;
  readonly source: number;
  readonly destination: number;
}

/** What a row holds besides its key and what travels. */
interface Standing {
  readonly state: Note['state'];
  readonly dest: FolderStanding;
  readonly destUid: number | null;
  readonly why: string | null;
  readonly tries: number;
  readonly retryAt: number | null;
}

export class SqliteRouteJournal implements RouteJournal {
  readonly #store: Store;
  readonly #ids: RouteIds;
  readonly #arrivals: Arrivals;
  readonly #now: () => number;

  constructor(store: Store, ids: RouteIds, arrivals: Arrivals, now: () => number) {
    this.#store = store;
    this.#ids = ids;
    this.#arrivals = arrivals;
    this.#now = now;
  }

  notes(folder: FolderKey, uids?: readonly number[]): Map<number, Note> {
    const rows: readonly unknown[] = this.#store.read((sql) =>
      uids === undefined
        ? sql.notes.all(this.#folder(folder))
        : uids
            .map((uid) => sql.note.get(this.#key(folder, uid)))
            .filter((row) => row !== undefined),
    );
    const notes = new Map<number, Note>();
    for (const row of rows as readonly NoteRow[]) notes.set(row[0], noteOf(row));
    return notes;
  }

  lastValidity(folder: string): number | undefined {
    const { route } = this.#ids;
    const row = this.#store.read((sql) => sql.validity.get({ route, path: folder }));
    return row?.uidValidity as number | undefined;
  }

  seen({ folder, uidValidity }: FolderKey): void {
    const { route } = this.#ids;
    // Each look says it, and mostly it is nothing new: not worth a write to disk.
    if (this.lastValidity(folder) === uidValidity) return;
    const renumbered = { route, path: folder, uidValidity };
    this.#store.write((sql) => {
      sql.seen.run(renumbered);
      sql.letGoRenumbered.run({ ...renumbered, source: this.#ids.source });
      sql.loosen.run({ path: folder, uidValidity, source: this.#ids.source });
      sql.closeRetired.run(renumbered);
      sql.dropOthers.run(renumbered);
      sql.dropHands.run(renumbered);
      sql.dropTurned.run(renumbered);
    });
  }

  takeUp(from: FolderKey, uids: readonly number[]): void {
    this.#store.writeSoon((sql) => {
      for (const uid of uids) sql.takeUp.run(this.#key(from, uid));
    });
  }

  putDown(from: FolderKey, uids: readonly number[]): void {
    this.#store.writeSoon((sql) => {
      for (const uid of uids) this.#putDown(sql, from, uid);
    });
  }

  /** What no process died with leaves no row. */
  #putDown(sql: Statements, from: FolderKey, uid: number): void {
    const key = this.#key(from, uid);
    sql.forgetHand.run({ ...key, deaths: 0 });
    sql.putDown.run(key);
  }

  deaths(from: FolderKey): Map<number, Deaths> {
    const rows = this.#store.read((sql) => sql.deaths.all(this.#folder(from)));
    return new Map(
      (rows as { uid: number; deaths: number; held: number }[]).map(({ uid, deaths, held }) => [
        uid,
        { count: deaths, last: held === 2 },
      ]),
    );
  }

  intend(from: FolderKey, dest: FolderStanding, intents: readonly Intent[]): void {
    const standing = { dest, destUid: null, why: null, tries: 0, retryAt: null };
    this.#put(from, intents, { state: 'appending', ...standing }, this.#now());
  }

  setAside(
    from: FolderKey,
    intents: readonly Intent[],
    state: 'unverified' | 'refused',
    reason: { why: string; dest: FolderStanding; destUid?: number; retryAt: number },
    at: number,
  ): void {
    const { why, dest, destUid = null, retryAt } = reason;
    this.#put(from, intents, { state, dest, destUid, why, tries: 1, retryAt }, at);
  }

  #put(from: FolderKey, intents: readonly Intent[], standing: Standing, at: number): void {
    const { dest, ...rest } = standing;
    this.#store.write((sql) => {
      for (const { uid, sha256, messageId = null, size, internalDate = null } of intents) {
        const { changes } = sql.put.run({
          ...this.#key(from, uid),
          ...{ sha256, messageId, size, internalDate },
          destFolder: dest.folder,
          destUidValidity: dest.uidValidity,
          destUidNext: dest.uidNext,
          ...rest,
          at,
        });
        if (changes === 0) throw misused(`${named(from, uid)} has a Receipt already`);
      }
    });
  }

  withdraw(from: FolderKey, uids: readonly number[]): void {
    this.#store.write((sql) => {
      for (const uid of uids) sql.withdraw.run(this.#key(from, uid));
    });
  }

  prove(receipts: readonly Receipt[], at: number, senders?: ReadonlyMap<number, Sender>): void {
    const { source, destination } = this.#ids;
    this.#store.write((sql) => {
      for (const { original, copy, proof } of receipts) {
        const key = this.#key(original, original.uid);
        const dest = {
          destFolder: copy.folder,
          destUidValidity: copy.uidValidity,
          destUid: copy.uid,
        };
        const claim = { ...key, source, destination, ...dest };
        const { changes } = sql.prove.run({ ...key, ...dest, proof, at });
        if (changes === 0) throw misused(`${named(original, original.uid)} was never noted`);
        if (sql.claim.run(claim).changes === 0) throw claimedAlready(copy);
        const sender = senders?.get(original.uid);
        if (sender) this.#arrivals.note(sql, key, sender);
        this.#putDown(sql, original, original.uid);
      }
    });
  }

  receipts(from: FolderKey, uids: readonly number[]): Receipt[] {
    const rows = this.#store.read((sql) =>
      uids.map((uid) => ({ uid, row: sql.receipt.get(this.#key(from, uid)) })),
    );
    return rows.flatMap(({ uid, row }) => {
      if (row === undefined) return [];
      const { proof, ...copy } = row as unknown as MessageKey & { proof: Proof };
      const { folder, uidValidity } = from;
      return [Receipt.recall({ folder, uidValidity, uid }, copy, proof)];
    });
  }

  retire(from: FolderKey, uids: readonly number[], how: Retired, at: number, ms?: number): void {
    const present = how === 'kept' || how === 'marked' ? 1 : 0;
    this.#store.write((sql) => {
      for (const uid of uids) {
        const key = this.#key(from, uid);
        const { changes } = sql.retire.run({ ...key, how, present, at, ms: ms ?? null });
        if (changes === 0) throw misused(`${named(from, uid)} has no Receipt`);
        sql.forgetHand.run({ ...key, deaths: EVER });
      }
    });
  }

  gone(from: FolderKey, uids: readonly number[], at: number): void {
    this.#store.write((sql) => {
      for (const uid of uids) {
        const key = this.#key(from, uid);
        sql.goneRetired.run(key);
        sql.goneProven.run({ ...key, at });
        sql.goneOther.run(key);
        sql.forgetHand.run({ ...key, deaths: EVER });
      }
    });
  }

  presentAgain(from: FolderKey, uids: readonly number[]): void {
    this.#store.write((sql) => {
      for (const uid of uids) sql.presentAgain.run(this.#key(from, uid));
    });
  }

  disprove(from: FolderKey, uids: readonly number[]): void {
    const { source, destination } = this.#ids;
    this.#store.write((sql) => {
      for (const uid of uids) {
        const key = this.#key(from, uid);
        sql.unclaim.run({ ...key, source, destination });
        sql.forgetArrival.run(key);
        sql.forget.run(key);
      }
    });
  }

  forget(from: FolderKey, uids: readonly number[]): void {
    this.#store.write((sql) => {
      for (const uid of uids) sql.forget.run(this.#key(from, uid));
    });
  }

  turnOver(from: FolderKey, { uid, flag, was }: Turned): void {
    this.#store.write((sql) =>
      sql.turnOver.run({ ...this.#key(from, uid), flag, was: Number(was) }),
    );
  }

  turnedBack(from: FolderKey, { uid, flag }: Pick<Turned, 'uid' | 'flag'>): void {
    this.#store.write((sql) => sql.turnedBack.run({ ...this.#key(from, uid), flag }));
  }

  turned(from: FolderKey): Turned[] {
    const rows = this.#store.read((sql) => sql.turned.all(this.#folder(from)));
    return (rows as { uid: number; flag: string; was: number }[]).map(({ uid, flag, was }) => ({
      uid,
      flag,
      was: was === 1,
    }));
  }

  claimed(dest: FolderKey, uids?: readonly number[]): Map<number, Claimant | undefined> {
    const { folder, uidValidity } = dest;
    const key = { destination: this.#ids.destination, folder, uidValidity };
    const rows: readonly unknown[] = this.#store.read((sql) =>
      uids === undefined
        ? sql.claimed.all(key)
        : uids.map((uid) => sql.isClaimed.get({ ...key, uid })).filter((row) => row !== undefined),
    );
    return new Map((rows as readonly ClaimRow[]).map((row) => [row[0], this.#claimant(row)]));
  }

  claimedBefore(dest: FolderKey, sha256: string): (Claimant | undefined)[] {
    const { folder, uidValidity } = dest;
    const key = { destination: this.#ids.destination, folder, uidValidity, sha256 };
    const rows: readonly unknown[] = this.#store.read((sql) => sql.claimedBefore.all(key));
    return (rows as readonly ClaimRow[]).map((row) => this.#claimant(row));
  }

  onTheWay(from: FolderKey, sha256: string): Note[] {
    const rows = this.#store.read((sql) => sql.onTheWay.all({ ...this.#folder(from), sha256 }));
    return (rows as unknown as readonly NoteRow[]).map(noteOf);
  }

  #claimant(row: ClaimRow): Claimant | undefined {
    const [, source, folder, uidValidity, uid, loose, sha256, internalDate] = row;
    if (source !== this.#ids.source) return undefined;
    const key = { folder, uidValidity, uid, sha256, renumbered: loose === 1 };
    return internalDate === null ? key : { ...key, internalDate };
  }

  count(state: Note['state']): number {
    const { route } = this.#ids;
    return this.#store.read((sql) => sql.count.get({ route, state })?.rows) as number;
  }

  aside(): (Note & MessageKey)[] {
    const { route } = this.#ids;
    const rows = this.#store.read((sql) => sql.aside.all({ route }));
    return (rows as unknown as [...NoteRow, string, number][]).map((row) => {
      const [folder, uidValidity] = row.slice(-2) as [string, number];
      return { ...noteOf(row as unknown as NoteRow), folder, uidValidity };
    });
  }

  alerts(): AlertNote[] {
    const { route } = this.#ids;
    const rows = this.#store.read((sql) => sql.alerts.all({ route }));
    return (rows as unknown as AlertRow[]).map(alertOf);
  }

  noteAlerts(notes: readonly AlertNote[]): void {
    const { route } = this.#ids;
    this.#store.write((sql) => {
      sql.forgetAlerts.run({ route });
      for (const note of notes) sql.noteAlert.run({ route, ...rowOf(note) });
    });
  }

  #folder({ folder, uidValidity }: FolderKey) {
    return { route: this.#ids.route, folder, uidValidity };
  }

  #key(from: FolderKey, uid: number) {
    return { ...this.#folder(from), uid };
  }
}

/** More often than any message can have been in hand. */
const EVER = Number.MAX_SAFE_INTEGER;
