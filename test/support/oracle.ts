/**
 * The oracle of the crossing between real servers: each message put into the source is at the destination exactly once,
 * as it was, or is still at the source; nobody else's message is touched. It compares by itself: nothing of imapferry's
 * own comparing is used here.
 */
import type { Eyes, Put, Stored } from './mail.ts';

/** A message that a test put somewhere. What is left out is not judged. */
export interface Letter {
  readonly folder: string;
  readonly bytes: Buffer;
  readonly flags?: readonly string[];
  readonly internalDate?: Date;
  /** Flags that it had before another client changed them: a copy may have these, or those that it has now. */
  readonly formerly?: readonly (readonly string[])[];
  /** Somebody else took it away, or its copy: there may be a copy, and need not be. */
  readonly taken?: boolean;
  /** Somebody else marked it \\Deleted: it may stay where it is, with a copy or without. */
  readonly givenUp?: boolean;
  /**
   * As `journalLost`, of this message only: it was at the source when the journal was lost. Of its twins, two copies may
   * have the flags and the INTERNALDATE of one.
   */
  readonly forgotten?: boolean;
}

/** What a server holds, by folder. */
export type Holdings = ReadonlyMap<string, readonly Stored[]>;

/** Both servers at one moment. The source was read before the destination, so that no message in transit is missed. */
export interface Reading {
  readonly source: Holdings;
  readonly destination: Holdings;
}

export interface Expected {
  readonly originals: readonly Letter[];
  /** Originals that another client removed, or whose copy: of each there may be one copy, or none. */
  readonly removed?: readonly Letter[];
  /** Messages of others, which have to stay as and where they are. */
  readonly strangers?: {
    readonly source?: readonly Letter[];
    readonly destination?: readonly Letter[];
  };
  /** The destination folder of a source folder; the same name if left out. */
  readonly to?: (folder: string) => string;
  /** The crossing has come to its end: no original may be left at the source. */
  readonly ended?: boolean;
  /**
   * STATE_DIR was lost, or is older than the servers: of byte-identical messages one copy is enough, and what is marked
   * \\Deleted may stay at the source. Everything else is judged as ever.
   */
  readonly journalLost?: boolean;
}

/** What is wrong, as sentences. Empty: each message is safe. */
export function verdict(expected: Expected, { source, destination }: Reading): string[] {
  const { originals, removed = [], strangers = {}, ended, journalLost } = expected;
  const { to = (folder) => folder } = expected;
  const wrong: string[] = [];
  const kept = pool(source);
  const come = pool(destination);
  for (const stranger of strangers.source ?? []) {
    if (!take(kept, stranger.folder, stranger, asIs)) wrong.push(touched('source', stranger));
  }
  for (const stranger of strangers.destination ?? []) {
    if (!take(come, stranger.folder, stranger, asIs)) wrong.push(touched('destination', stranger));
  }
  for (const twins of byBytes(originals, to)) {
    const [first] = twins;
    if (first === undefined) continue;
    const here = named(first, twins.length);
    const left = takeAll(kept, first.folder, first, sameBytes);
    const copies = takeAll(come, to(first.folder), first, sameBytes);
    if (left.length > twins.length) wrong.push(`${here}: there are more at the source than before`);
    const forgotten = twins.some((one) => one.forgotten);
    const lenient = journalLost || forgotten;
    const needed = (gone: number) => {
      const untaken = gone - twins.filter(({ taken }) => taken).length;
      return lenient ? Math.min(untaken, 1) : untaken;
    };
    if (copies.length < needed(twins.length - left.length)) {
      wrong.push(`${here}: lost, ${left.length} at the source and ${copies.length} copies`);
    }
    if (copies.length > twins.length) wrong.push(`${here}: there are ${copies.length} copies`);
    const marked = left.filter(({ flags }) => isMarked(flags)).length;
    const givenUp = twins.filter((one) => one.givenUp).length;
    const resting = lenient ? marked : Math.min(marked, givenUp);
    if (ended && left.length > resting) {
      wrong.push(`${here}: ${left.length - resting} still at the source`);
    }
    if (ended && copies.length < needed(twins.length - Math.min(marked, givenUp))) {
      wrong.push(`${here}: there are ${copies.length} copies only`);
    }
    // Whose copy a copy is, nobody can tell then: it may be told to be another twin's, whose own goes once more.
    const owners = forgotten ? copies.flatMap(() => twins) : twins;
    wrong.push(...unlike(here, 'a copy', owners, copies));
    const gone = copies.filter(({ flags }) => isMarked(flags)).length;
    if (gone > 0) wrong.push(`${here}: ${gone} copies are marked \\Deleted`);
    wrong.push(...unlike(here, 'an original', twins, left));
  }
  for (const letter of removed) {
    take(kept, letter.folder, letter, sameBytes);
    take(come, to(letter.folder), letter, sameBytes);
  }
  for (const [side, rest] of [
    ['source', kept],
    ['destination', come],
  ] as const) {
    for (const [folder, all] of rest) {
      if (all.length === 0) continue;
      const shown = all.map(({ uid, flags }) => `UID ${uid} (${flags.join(' ')})`).join(', ');
      wrong.push(`${all.length} at the ${side} in ${folder} that nobody put there: ${shown}`);
    }
  }
  return wrong;
}

/** Each of them has the flags and the INTERNALDATE of one of the originals, and none two of them the same one's. */
function unlike(
  here: string,
  what: 'a copy' | 'an original',
  originals: readonly Letter[],
  found: readonly Stored[],
): string[] {
  const owners = new Map<number, Stored>();
  /** Finds one for it, where need be by finding another one for whose it was. */
  const settles = (stored: Stored, asked: Set<number>): boolean =>
    originals.some((one, i) => {
      if (asked.has(i) || !hadFlags(one, stored) || !hasDate(one, stored)) return false;
      asked.add(i);
      const other = owners.get(i);
      if (other !== undefined && !settles(other, asked)) return false;
      owners.set(i, stored);
      return true;
    });
  const homeless = found.filter((stored) => !settles(stored, new Set()));
  // More copies than originals are told as such.
  const surplus = Math.max(0, found.length - originals.length);
  return homeless.slice(surplus).map((stored) => {
    const shown = `(${stored.flags.join(' ')}) ${stored.internalDate.toISOString()}`;
    return `${here}: ${what} has other flags or another INTERNALDATE: ${shown}`;
  });
}

function sameBytes(one: Letter, stored: Stored): boolean {
  return isCopy(one.bytes, stored.bytes);
}

/** A stranger is as it was put: the same bytes, flags (also \Deleted) and INTERNALDATE. */
function asIs(stranger: Letter, stored: Stored): boolean {
  return (
    isCopy(stranger.bytes, stored.bytes) &&
    hasFlags(stranger, stored) &&
    hasDate(stranger, stored) &&
    (stranger.flags === undefined || isMarked(stranger.flags) === isMarked(stored.flags))
  );
}

function isMarked(flags: readonly string[]): boolean {
  return flags.some((flag) => flag.toLowerCase() === '\\deleted');
}

/** The flags that it has, or had before another client changed them. */
function hadFlags({ formerly = [], ...letter }: Letter, stored: Stored): boolean {
  return [letter, ...formerly.map((flags) => ({ ...letter, flags }))].some((one) =>
    hasFlags(one, stored),
  );
}

/** The same flags in any letter case. \Deleted is how an original leaves, and travels with none. */
function hasFlags({ flags }: Letter, stored: Stored): boolean {
  const plain = (all: readonly string[]) =>
    all
      .map((flag) => flag.toLowerCase())
      .filter((flag) => flag !== '\\deleted' && flag !== '\\recent')
      .sort()
      .join(' ');
  return flags === undefined || plain(flags) === plain(stored.flags);
}

/** The same instant; IMAP knows whole seconds only. */
function hasDate({ internalDate }: Letter, stored: Stored): boolean {
  const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
  return internalDate === undefined || seconds(internalDate) === seconds(stored.internalDate);
}

/**
 * Whether these are the bytes of that message after one or two servers have stored them: the lines are the same, however
 * they end; a NUL may have become 0x80 everywhere; every 8-bit byte of the header may have become X.
 */
export function isCopy(put: Buffer, stored: Buffer): boolean {
  return put.equals(stored) || formsOf(put).has(plain(stored));
}

/** What was made of a message's bytes once is remembered: the same ones are compared with many, and looked at often. */
const plainOf = new WeakMap<Buffer, string>();
const formsKnown = new WeakMap<Buffer, ReadonlySet<string>>();

/** All that a message may have become. */
function formsOf(put: Buffer): ReadonlySet<string> {
  const known = formsKnown.get(put);
  if (known !== undefined) return known;
  const want = plain(put);
  const [header = '', ...body] = want.split('\n\n');
  const crossed = [header.replace(/[\x80-\xff]/g, 'X'), ...body].join('\n\n');
  const forms = new Set([want, crossed].flatMap((form) => [form, form.replaceAll('\0', '\x80')]));
  formsKnown.set(put, forms);
  return forms;
}

function plain(bytes: Buffer): string {
  const known = plainOf.get(bytes);
  if (known !== undefined) return known;
  const text = bytes.toString('latin1').replaceAll('\r', '').replace(/\n$/, '');
  plainOf.set(bytes, text);
  return text;
}

/** The originals in groups: those of one folder pair with the same bytes are twins, which nobody can tell apart. */
function byBytes(originals: readonly Letter[], to: (folder: string) => string): Letter[][] {
  const groups = new Map<string, Letter[]>();
  for (const letter of originals) {
    const key = `${letter.folder}\0${to(letter.folder)}\0${plain(letter.bytes)}`;
    groups.set(key, [...(groups.get(key) ?? []), letter]);
  }
  return [...groups.values()];
}

type Pool = Map<string, Stored[]>;

function pool(holdings: Holdings): Pool {
  return new Map([...holdings].map(([folder, stored]) => [folder, [...stored]]));
}

type Alike = (letter: Letter, stored: Stored) => boolean;

function take(from: Pool, folder: string, letter: Letter, alike: Alike): boolean {
  const all = from.get(folder) ?? [];
  const at = all.findIndex((stored) => alike(letter, stored));
  if (at >= 0) all.splice(at, 1);
  return at >= 0;
}

function takeAll(from: Pool, folder: string, letter: Letter, alike: Alike): Stored[] {
  const all = from.get(folder) ?? [];
  from.set(
    folder,
    all.filter((stored) => !alike(letter, stored)),
  );
  return all.filter((stored) => alike(letter, stored));
}

function named({ folder, bytes }: Letter, count = 1): string {
  const subject = /^Subject: *(.*)$/im.exec(bytes.toString('latin1').slice(0, 4000))?.[1]?.trim();
  const many = count > 1 ? ` (${count} twins)` : '';
  return `"${subject ?? 'no subject'}" of ${folder}, ${bytes.length} bytes${many}`;
}

function touched(side: string, stranger: Letter): string {
  return `${named(stranger)}: somebody else's message at the ${side} was touched`;
}

/** Reads both servers, the source first: what has left it must be at the destination by then. */
export async function readBoth(
  source: Eyes,
  destination: Eyes,
  folders: readonly string[],
  to: (folder: string) => string = (folder) => folder,
): Promise<Reading> {
  const dumped = async (mail: Eyes, names: readonly string[]) => {
    const there = new Set(await mail.folders());
    const holdings = new Map<string, readonly Stored[]>();
    for (const name of new Set(names)) {
      if (there.has(name)) holdings.set(name, await mail.dump(name));
    }
    return holdings;
  };
  return {
    source: await dumped(source, folders),
    destination: await dumped(destination, folders.map(to)),
  };
}

/** Puts the messages of a test into two servers and remembers them; asked at any moment, it says what is wrong. */
export class Oracle {
  readonly originals: Letter[] = [];
  readonly removed: Letter[] = [];
  readonly strangers = { source: [] as Letter[], destination: [] as Letter[] };
  /** Folders that are read besides those in which something was put. */
  readonly folders = new Set<string>();
  readonly #source: Eyes;
  readonly #destination: Eyes;
  readonly #to: (folder: string) => string;

  /** @param to the destination folder of a source folder; the same name if left out */
  constructor(
    source: Eyes,
    destination: Eyes,
    to: (folder: string) => string = (folder) => folder,
  ) {
    this.#source = source;
    this.#destination = destination;
    this.#to = to;
  }

  /** Puts an original into the source. Resolves with its UID. */
  async put(folder: string, bytes: Buffer, how: Put = {}): Promise<number | undefined> {
    const whole = { internalDate: new Date(), flags: [], ...how };
    const uid = await this.#source.put(folder, bytes, whole);
    this.originals.push({ folder, bytes, ...whole });
    return uid;
  }

  /** Puts somebody else's message on a side: it has to stay as it is (at the source: marked \Deleted, or in a folder that is not carried). */
  async stranger(
    side: 'source' | 'destination',
    folder: string,
    bytes: Buffer,
    how: Put = {},
  ): Promise<number | undefined> {
    const whole = { internalDate: new Date(), flags: [], ...how };
    const uid = await (side === 'source' ? this.#source : this.#destination).put(
      folder,
      bytes,
      whole,
    );
    this.strangers[side].push({ folder, bytes, ...whole });
    return uid;
  }

  /** Another client is about to remove this original, or its copy. */
  remove(letter: Letter): void {
    this.originals.splice(this.originals.indexOf(letter), 1);
    this.removed.push(letter);
  }

  /** Another client has given this original other flags. */
  reflag(letter: Letter, flags: readonly string[]): void {
    this.originals[this.originals.indexOf(letter)] = { ...letter, flags };
  }

  /** What is wrong at this moment, with imapferry at its work or dead. */
  async now(changes: Partial<Expected> = {}): Promise<string[]> {
    return this.judge(await this.read(), changes);
  }

  /** What is wrong when all should be carried. */
  async end(changes: Partial<Expected> = {}): Promise<string[]> {
    return this.judge(await this.read(), { ended: true, ...changes });
  }

  /** Every folder in which something was put, on both sides. */
  read(): Promise<Reading> {
    const { source, destination } = this.strangers;
    const put = [...this.originals, ...this.removed, ...source, ...destination].map(
      ({ folder }) => folder,
    );
    const folders = [...this.folders.union(new Set(put))];
    return readBoth(this.#source, this.#destination, folders, this.#to);
  }

  /** What is wrong with a reading. */
  judge(reading: Reading, changes: Partial<Expected> = {}): string[] {
    const { originals, removed, strangers } = this;
    return verdict({ originals, removed, strangers, to: this.#to, ...changes }, reading);
  }
}
