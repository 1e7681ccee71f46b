/** The Journal in memory, for tests of the engine: the same promises as the one on SQLite, but for the disk. */
import { Failure } from '../../src/domain/failure.ts';
import type { MessageKey } from '../../src/domain/message.ts';
import type {
  AlertNote,
  Claimant,
  Deaths,
  FolderKey,
  FolderStanding,
  Intent,
  Journal,
  Note,
  Retired,
  RouteJournal,
  Tallies,
  Turned,
  Use,
} from '../../src/domain/ports.ts';
import { Receipt } from '../../src/domain/receipt.ts';
import type { RouteWritten, Sender, Written } from '../../src/domain/senders.ts';

interface Row {
  readonly key: MessageKey;
  note: Note;
  /** The original may still be in its folder. */
  present: boolean;
  provenAt?: number;
  retiredAt?: number;
}

interface Arrival {
  readonly at: number;
  readonly sha256: string;
  readonly sender: Sender;
}

interface Claim {
  readonly destination: string;
  readonly copy: MessageKey;
  readonly source: string;
  readonly original: MessageKey;
  readonly sha256: string;
  readonly internalDate: number | undefined;
  /** The original's folder was renumbered since. */
  loose: boolean;
}

interface Shared {
  /** By copy: the original it proves. */
  readonly claims: Map<string, Claim>;
  readonly now: () => number;
}

/** @param now epoch ms; stamps rows whose caller gives no time */
export function memoryJournal(now: () => number = Date.now): Journal {
  const routes = new Map<string, MemoryRouteJournal>();
  let begunAt = 0;
  const refusals = new Map<string, { count: number; lastAt: number }>();
  const uses = new Map<string, Map<number, Use>>();
  const shared: Shared = { claims: new Map(), now };
  return {
    route(name, source, destination) {
      const id = JSON.stringify([name, source, destination]);
      const route = routes.get(id) ?? new MemoryRouteJournal(name, source, destination, shared);
      routes.set(id, route);
      route.openedAt = now();
      return route;
    },
    refusals: (account) => refusals.get(account) ?? { count: 0, lastAt: 0 },
    noteRefusal: (account, at) => {
      refusals.set(account, { count: (refusals.get(account)?.count ?? 0) + 1, lastAt: at });
    },
    clearRefusals: (account) => {
      refusals.delete(account);
    },
    used: ({ account, side, span }) => {
      const its = uses.get(JSON.stringify([account, side, span]))?.values() ?? [];
      return [...its].sort((a, b) => a.since - b.since);
    },
    noteUse: (notes) => {
      for (const { key, use, before } of notes) {
        const id = JSON.stringify([key.account, key.side, key.span]);
        const its = uses.get(id) ?? new Map<number, Use>();
        uses.set(id, its.set(use.since, { ...use }));
        for (const since of its.keys()) if (since < before) its.delete(since);
      }
    },
    begin: () => {
      begunAt = now();
      for (const route of routes.values()) route.begin();
    },
    beat: () => undefined,
    revision: () => 1,
    tallies: (since) => tallied([...routes.values()], since),
    prune: (before) => {
      for (const route of routes.values()) route.forgetCarried(before);
      return [...routes.values()].reduce((sum, route) => sum + route.prune(before), 0);
    },
    written: (after) =>
      [...routes.values()]
        .map((route) => route.written(after, begunAt))
        .sort((a, b) => (a.route < b.route ? -1 : Number(a.route > b.route))),
    close: () => undefined,
  };
}

/** By days of this machine's clock, as SQLite has them. */
function dayOf(at: number): string {
  const date = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 10);
}

function tallied(routes: readonly MemoryRouteJournal[], since: string): Tallies {
  const all = routes.flatMap(({ name, carried }) =>
    carried.map((each) => ({ ...each, route: name, day: dayOf(each.at) })),
  );
  const late = all.filter(({ day }) => day >= since);
  const grouped = <T>(rows: readonly T[], by: (row: T) => unknown[]) =>
    [...Map.groupBy(rows, (row) => JSON.stringify(by(row))).values()].map((them) => ({
      first: them[0] as T,
      messages: them.length,
      them,
    }));
  const stepOf = (ms: number) => Math.round(5 * Math.log2(ms + 1));
  const quick = late.flatMap(({ ms, ...rest }) =>
    ms === undefined ? [] : [{ ...rest, step: stepOf(ms) }],
  );
  return {
    carried: grouped(late, ({ route, folder, day }) => [route, folder, day])
      .map(({ first: { route, folder, day }, messages, them }) => {
        const bytes = them.reduce((sum, each) => sum + each.bytes, 0);
        return { route, folder, day, messages, bytes };
      })
      .sort((a, b) => compare([a.route, a.folder, a.day], [b.route, b.folder, b.day])),
    speeds: grouped(quick, ({ route, day, step }) => [route, day, step])
      .map(({ first: { route, day, step }, messages }) => ({ route, day, step, messages }))
      .sort((a, b) => compare([a.route, a.day, a.step], [b.route, b.day, b.step]))
      .map(({ step, route, day, messages }) => ({
        route,
        day,
        ms: Math.round(2 ** (step / 5)) - 1,
        messages,
      })),
  };
}

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  const at = a.findIndex((each, i) => each !== b[i]);
  return at < 0 ? 0 : (a[at] ?? '') < (b[at] ?? '') ? -1 : 1;
}

class MemoryRouteJournal implements RouteJournal {
  readonly name: string;
  /** What was retired after it was proven, each message once. */
  readonly carried: { folder: string; at: number; ms: number | undefined; bytes: number }[] = [];
  readonly #rows = new Map<string, Row>();
  readonly #validities = new Map<string, number>();
  readonly #hands = new Map<string, { key: MessageKey; held: 0 | 1 | 2; deaths: number }>();
  #alerts: readonly AlertNote[] = [];
  readonly #turned = new Map<string, { key: MessageKey; turned: Turned }>();
  readonly #arrivals = new Map<string, Arrival>();
  openedAt = 0;
  readonly #since: number;
  readonly #source: string;
  readonly #destination: string;
  readonly #shared: Shared;

  constructor(name: string, source: string, destination: string, shared: Shared) {
    this.#since = shared.now();
    this.name = name;
    this.#source = source;
    this.#destination = destination;
    this.#shared = shared;
  }

  notes(folder: FolderKey, uids?: readonly number[]): Map<number, Note> {
    const rows = uids
      ? uids.flatMap((uid) => this.#row(folder, uid) ?? [])
      : this.#sorted().filter(({ key, present }) => present && within(folder, key));
    return new Map(rows.map(({ note }) => [note.uid, { ...note }]));
  }

  lastValidity(folder: string): number | undefined {
    return this.#validities.get(folder);
  }

  seen({ folder, uidValidity }: FolderKey): void {
    this.#validities.set(folder, uidValidity);
    for (const [id, row] of this.#rows) {
      const { key, note, present } = row;
      if (key.folder !== folder || key.uidValidity === uidValidity) continue;
      if (present && note.retired !== 'marked') this.#letGoOf(key);
      if (note.state === 'retired') row.present = false;
      else this.#rows.delete(id);
    }
    for (const claim of this.#shared.claims.values()) {
      const { source, original } = claim;
      if (source !== this.#source || original.folder !== folder) continue;
      if (original.uidValidity !== uidValidity) claim.loose = true;
    }
    for (const [id, { key }] of this.#hands) {
      if (key.folder === folder && key.uidValidity !== uidValidity) this.#hands.delete(id);
    }
    for (const [id, { key }] of this.#turned) {
      if (key.folder === folder && key.uidValidity !== uidValidity) this.#turned.delete(id);
    }
  }

  begin(): void {
    for (const hand of this.#hands.values()) {
      if (hand.held !== 1) continue;
      hand.held = 2;
      hand.deaths++;
    }
  }

  takeUp(from: FolderKey, uids: readonly number[]): void {
    for (const uid of uids) {
      const key = { ...from, uid };
      const deaths = this.#hands.get(text(key))?.deaths ?? 0;
      this.#hands.set(text(key), { key, held: 1, deaths });
    }
  }

  putDown(from: FolderKey, uids: readonly number[]): void {
    for (const uid of uids) {
      const id = text({ ...from, uid });
      const hand = this.#hands.get(id);
      if (hand?.deaths === 0) this.#hands.delete(id);
      else if (hand) hand.held = 0;
    }
  }

  deaths(from: FolderKey): Map<number, Deaths> {
    const died = [...this.#hands.values()].filter(
      ({ key, deaths }) => deaths > 0 && within(from, key),
    );
    return new Map(
      died.map(({ key, held, deaths }) => [key.uid, { count: deaths, last: held === 2 }]),
    );
  }

  #letGoOf(key: MessageKey): void {
    for (const [id, claim] of this.#shared.claims) {
      if (this.#isBy(claim, key)) this.#shared.claims.delete(id);
    }
  }

  #isBy({ source, original }: Claim, key: MessageKey): boolean {
    return source === this.#source && text(original) === text(key);
  }

  intend(from: FolderKey, dest: FolderStanding, intents: readonly Intent[]): void {
    this.#refuseProven(from, intents);
    for (const intent of intents) {
      this.#put(from, intent, this.#shared.now(), { state: 'appending', dest: { ...dest } }, 0);
    }
  }

  setAside(
    from: FolderKey,
    intents: readonly Intent[],
    state: 'unverified' | 'refused',
    reason: { why: string; dest: FolderStanding; destUid?: number; retryAt: number },
    at: number,
  ): void {
    this.#refuseProven(from, intents);
    for (const intent of intents) this.#put(from, intent, at, { state, ...reason }, 1);
  }

  #put(
    from: FolderKey,
    intent: Intent,
    at: number,
    standing: Pick<Note, 'state' | 'dest'> & Partial<Note>,
    raise: number,
  ): void {
    const key = { ...from, uid: intent.uid };
    const before = this.#row(from, intent.uid)?.note;
    const tries = (before?.tries ?? 0) + raise;
    const note = { ...intent, ...standing, tries, notedAt: before?.notedAt ?? at };
    this.#rows.set(text(key), { key, note, present: true });
  }

  withdraw(from: FolderKey, uids: readonly number[]): void {
    for (const row of this.#all(from, uids)) {
      if (row.note.state === 'appending') this.#rows.delete(text(row.key));
    }
  }

  prove(receipts: readonly Receipt[], at: number, senders?: ReadonlyMap<number, Sender>): void {
    const claims = new Map(this.#shared.claims);
    for (const { original, copy } of receipts) {
      const row = this.#row(original, original.uid);
      if (!row) throw failed('was never noted', 'journal');
      const id = JSON.stringify([this.#destination, text(copy)]);
      const claim = {
        destination: this.#destination,
        copy: { ...copy },
        source: this.#source,
        original: { ...original },
        sha256: row.note.sha256,
        internalDate: row.note.internalDate,
        loose: false,
      };
      const before = claims.get(id) ?? claim;
      if (!this.#isBy(before, original) && !comesBack(before, claim))
        throw failed('its copy proves another original already', 'verify');
      claims.set(id, claim);
    }
    for (const [id, claim] of claims) this.#shared.claims.set(id, claim);
    for (const { original, copy, proof } of receipts) {
      this.putDown(original, [original.uid]);
      const row = this.#row(original, original.uid) as Row;
      const { retryAt: _r, why: _w, retired: _h, ...note } = row.note;
      const { folder, uidValidity, uid } = copy;
      const dest = { ...note.dest, folder, uidValidity };
      row.note = { ...note, state: 'proven', dest, destUid: uid, proof };
      row.present = true;
      row.provenAt ??= at;
      const sender = senders?.get(original.uid);
      if (!sender) continue;
      const arrival = { ...arrivalOf(row), sender };
      const id = JSON.stringify([arrival.at, arrival.sha256, sender.address]);
      if (!this.#arrivals.has(id)) this.#arrivals.set(id, arrival);
    }
  }

  written(after: number, begunAt: number): RouteWritten {
    const late = [...this.#arrivals.values()].filter(({ at }) => at >= after);
    const bySender = Map.groupBy(late, ({ sender }) =>
      JSON.stringify([sender.address, sender.bulk]),
    );
    const written = [...bySender.values()].flatMap((its): Written[] => {
      const lastAt = Math.max(...its.map(({ at }) => at));
      return its
        .slice(0, 1)
        .map(({ sender: { domain, bulk } }) => ({ domain, bulk, messages: its.length, lastAt }));
    });
    written.sort(
      (a, b) =>
        b.lastAt - a.lastAt ||
        (a.domain < b.domain ? -1 : Number(a.domain > b.domain)) ||
        Number(a.bulk) - Number(b.bulk),
    );
    const current = this.openedAt >= begunAt;
    return { route: this.name, source: this.#source, current, since: this.#since, written };
  }

  receipts(from: FolderKey, uids: readonly number[]): Receipt[] {
    return this.#all(from, uids).flatMap(({ key, note: { state, dest, destUid, proof } }) => {
      if (state !== 'proven' && state !== 'retired') return [];
      const copy = { folder: dest.folder, uidValidity: dest.uidValidity, uid: destUid as number };
      return [Receipt.recall({ ...key }, copy, proof as NonNullable<typeof proof>)];
    });
  }

  retire(from: FolderKey, uids: readonly number[], how: Retired, at: number, ms?: number): void {
    for (const uid of uids) {
      const state = this.#row(from, uid)?.note.state;
      if (state !== 'proven' && state !== 'retired') throw failed('has no Receipt', 'journal');
    }
    for (const row of this.#all(from, uids)) {
      this.#tally(row, at, ms);
      retired(row, how, at);
      this.#hands.delete(text(row.key));
    }
  }

  gone(from: FolderKey, uids: readonly number[], at: number): void {
    for (const uid of uids) this.#hands.delete(text({ ...from, uid }));
    for (const row of this.#all(from, uids)) {
      if (row.note.state === 'proven') {
        this.#tally(row, at);
        retired(row, 'expunged', at);
      } else if (row.note.state === 'retired') row.present = false;
      else this.#rows.delete(text(row.key));
    }
  }

  #tally({ key, note }: Row, at: number, ms?: number): void {
    if (note.state === 'proven') this.carried.push({ ...key, at, ms, bytes: note.size });
  }

  presentAgain(from: FolderKey, uids: readonly number[]): void {
    for (const row of this.#all(from, uids)) if (row.note.state === 'retired') row.present = true;
  }

  disprove(from: FolderKey, uids: readonly number[]): void {
    for (const row of this.#all(from, uids)) {
      const its = arrivalOf(row);
      for (const [id, { at, sha256 }] of this.#arrivals)
        if (at === its.at && sha256 === its.sha256) this.#arrivals.delete(id);
      this.#letGoOf(row.key);
      this.#rows.delete(text(row.key));
    }
  }

  forget(from: FolderKey, uids: readonly number[]): void {
    for (const { key } of this.#all(from, uids)) this.#rows.delete(text(key));
  }

  turnOver(from: FolderKey, turned: Turned): void {
    const key = { ...from, uid: turned.uid };
    const id = `${text(key)} ${turned.flag}`;
    if (!this.#turned.has(id)) this.#turned.set(id, { key, turned: { ...turned } });
  }

  turnedBack(from: FolderKey, { uid, flag }: Pick<Turned, 'uid' | 'flag'>): void {
    this.#turned.delete(`${text({ ...from, uid })} ${flag}`);
  }

  turned(from: FolderKey): Turned[] {
    return [...this.#turned.values()]
      .filter(({ key }) => within(from, key))
      .map(({ turned }) => ({ ...turned }))
      .sort((a, b) => a.uid - b.uid || (a.flag < b.flag ? -1 : 1));
  }

  claimed(dest: FolderKey, uids?: readonly number[]): Map<number, Claimant | undefined> {
    const claims = this.#claims().filter(({ copy }) => within(dest, copy));
    return new Map(
      claims
        .filter(({ copy: { uid } }) => uids?.includes(uid) ?? true)
        .map((claim) => [claim.copy.uid, this.#claimant(claim)]),
    );
  }

  claimedBefore(dest: FolderKey, sum: string): (Claimant | undefined)[] {
    const its = this.#claims().filter(
      ({ sha256, copy }) => sha256 === sum && copy.folder === dest.folder,
    );
    const name = ({ source, original }: Claim) => `${source} ${text(original)}`;
    const here = its.filter(({ copy }) => copy.uidValidity === dest.uidValidity).map(name);
    return its
      .filter((claim) => claim.copy.uidValidity !== dest.uidValidity && !here.includes(name(claim)))
      .map((claim) => this.#claimant(claim));
  }

  onTheWay(from: FolderKey, sum: string): Note[] {
    return this.#sorted()
      .filter(({ key, note }) => within(from, key) && note.state === 'appending')
      .filter(({ note }) => note.sha256 === sum)
      .map(({ note }) => ({ ...note }));
  }

  #claims(): Claim[] {
    const claims = [...this.#shared.claims.values()];
    return claims.filter(({ destination }) => destination === this.#destination);
  }

  #claimant({ source, original, loose, sha256, internalDate }: Claim): Claimant | undefined {
    if (source !== this.#source) return undefined;
    const claimant = { ...original, sha256, renumbered: loose };
    return internalDate === undefined ? claimant : { ...claimant, internalDate };
  }

  count(state: Note['state']): number {
    return [...this.#rows.values()].filter(({ note }) => note.state === state).length;
  }

  aside(): (Note & MessageKey)[] {
    return this.#sorted()
      .filter(({ note }) => note.state === 'unverified' || note.state === 'refused')
      .map(({ key, note }) => ({ ...note, ...key }));
  }

  alerts(): AlertNote[] {
    return this.#alerts.map((note) => ({ ...note }));
  }

  noteAlerts(notes: readonly AlertNote[]): void {
    const name = ({ cause, side, folder }: AlertNote) => [cause, side, folder].join(' ');
    this.#alerts = [...notes].sort((a, b) => (name(a) < name(b) ? -1 : 1));
  }

  prune(before: number): number {
    for (const [id, { at }] of this.#arrivals) if (at < before) this.#arrivals.delete(id);
    const old = [...this.#rows.values()].filter(
      ({ present, retiredAt }) => !present && (retiredAt ?? before) < before,
    );
    for (const { key } of old) this.#rows.delete(text(key));
    return old.length;
  }

  forgetCarried(before: number): void {
    const gone = ({ at }: { at: number }) => dayOf(at) < dayOf(before);
    this.carried.splice(0, this.carried.length, ...this.carried.filter((each) => !gone(each)));
  }

  #refuseProven(from: FolderKey, intents: readonly Intent[]): void {
    for (const { uid } of intents) {
      const row = this.#row(from, uid);
      if (row?.present && (row.note.state === 'proven' || row.note.state === 'retired'))
        throw failed('has a Receipt already', 'journal');
    }
  }

  #row(from: FolderKey, uid: number): Row | undefined {
    return this.#rows.get(text({ ...from, uid }));
  }

  #all(from: FolderKey, uids: readonly number[]): Row[] {
    return uids.flatMap((uid) => this.#row(from, uid) ?? []);
  }

  #sorted(): Row[] {
    return [...this.#rows.values()].sort(
      ({ key: a }, { key: b }) =>
        (a.folder < b.folder ? -1 : Number(a.folder > b.folder)) ||
        a.uidValidity - b.uidValidity ||
        a.uid - b.uid,
    );
  }
}

function arrivalOf({ note, provenAt = 0 }: Row): Omit<Arrival, 'sender'> {
  const date = note.internalDate ?? Number.POSITIVE_INFINITY;
  const at = date <= provenAt + 86_400_000 ? date : provenAt;
  return { at, sha256: note.sha256.slice(-16) };
}

/** Whether an original is the one that had another number before its folder was renumbered. */
function comesBack(before: Claim, now: Claim): boolean {
  return (
    before.loose &&
    before.source === now.source &&
    before.original.folder === now.original.folder &&
    before.sha256 === now.sha256 &&
    before.internalDate !== undefined &&
    before.internalDate === now.internalDate
  );
}

function retired(row: Row, how: Retired, at: number): void {
  row.note = { ...row.note, state: 'retired', retired: how };
  row.present = how === 'kept' || how === 'marked';
  row.retiredAt = at;
}

function within(folder: FolderKey, key: MessageKey): boolean {
  return key.folder === folder.folder && key.uidValidity === folder.uidValidity;
}

function text({ folder, uidValidity, uid }: MessageKey): string {
  return JSON.stringify([folder, uidValidity, uid]);
}

function failed(what: string, step: 'journal' | 'verify'): Failure {
  const programming = step === 'journal';
  return new Failure(`The message ${what}.`, {
    step,
    scope: programming ? 'account' : 'message',
    lasting: programming,
  });
}
