/** The source account over IMAP. */
import { encodePath, normalizePath } from 'imapflow/lib/tools.js';
import { type Fingerprint, InMemory, NOTHING, Tally } from '../domain/content.ts';
import { Failure } from '../domain/failure.ts';
import type { FolderView, Listed, Original, Sendable, Wanted } from '../domain/message.ts';
import { isDeleted } from '../domain/message.ts';
import type {
  FolderStatus,
  SourceAbilities,
  SourceAccount,
  SourceSession,
  Spool,
} from '../domain/ports.ts';
import type { Account } from '../domain/route.ts';
import { Client } from './client.ts';
import { fetchRows, type Query, type Row } from './fetch.ts';
import { fetchAhead } from './fetch-ahead.ts';
import { ensureFolder } from './folders.ts';
import type { Answer, ExecOptions, Token, Tokens } from './internals.ts';
import { readPieces } from './pieces.ts';
import { ImapSession, LISTED, listedOf, mustBeUids } from './session.ts';
import { uidSets, uidsOf } from './sets.ts';
import { notifyOf, statusesOf } from './status.ts';
import { codeOf, flagsRow, foundUids } from './untagged.ts';

/**
 * @param options `idleRenew` and `silence` in milliseconds: how often IDLE is renewed, and what silence a step bears;
 * `largest`: the largest message that is wanted, in bytes
 */
export function sourceAccount(
  account: Account,
  options: {
    readonly idleRenew: number;
    readonly silence?: number;
    readonly largest?: number | undefined;
  },
): SourceAccount {
  return {
    async connect(signal) {
      return new ImapSource(await Client.connect(account, { signal, ...options }));
    },
  };
}

class ImapSource extends ImapSession implements SourceSession {
  get abilities(): SourceAbilities {
    const { client } = this;
    return {
      idle: client.has('IDLE') && !client.flow.skipIdle,
      uidPlus: client.has('UIDPLUS'),
      move: client.has('MOVE'),
      notify: client.has('NOTIFY'),
      // Some servers name LIST-STATUS and understand nothing of it; they do not name what it is built on.
      listStatus: client.has('LIST-STATUS') && client.has('LIST-EXTENDED'),
      estimatesSizes: client.isExchange,
    };
  }

  open(
    folder: string,
    { readOnly, idle }: { readOnly: boolean; idle: boolean },
  ): Promise<FolderView> {
    this.client.idling(idle);
    return this.select(folder, readOnly);
  }

  onExists(heard: () => void): void {
    this.client.flow.on('exists', heard);
  }

  onRenewed(renewed: () => void): void {
    this.client.renewed = renewed;
  }

  statuses(folders: readonly string[]): Promise<Map<string, FolderStatus>> {
    return statusesOf(this.client, folders, this.abilities.listStatus);
  }

  async notify(told: (folder?: string, status?: FolderStatus) => void): Promise<void> {
    await notifyOf(this.client, told);
  }

  async uids(): Promise<number[]> {
    const { flow } = this.client;
    const found = await this.client.step('look', () => flow.search({ all: true }, { uid: true }));
    const uids = mustBeUids(found, 'look');
    const { mailbox } = flow;
    // A server that does not find as many as it says are there is not believed: it is asked another way.
    if (mailbox === false || uids.length === mailbox.exists) return [...uids].sort((a, b) => a - b);
    return [...(await this.everyUid('look'))].sort((a, b) => a - b);
  }

  list(uids: readonly number[]): Promise<Listed[]> {
    const wanted = new Set(uids);
    return this.#listed(fetchRows, uidSets(uids), (uid) => wanted.has(uid));
  }

  async listFrom(from: number): Promise<Listed[]> {
    const { wantsIdleEnded } = this.client;
    try {
      return await this.#listFrom(from);
    } catch (thrown) {
      // Refused for where it came, by a server from which that is known now: it need not wait for the next sweep.
      if (!this.client.flow.usable || this.client.wantsIdleEnded === wantsIdleEnded) throw thrown;
      // Goes out when IDLE is answered.
      await this.noop();
      return this.#listFrom(from);
    }
  }

  #listFrom(from: number): Promise<Listed[]> {
    // `n:*` names the last message even where its UID is lower than n (RFC 9051 §6.4.9).
    return this.#listed(fetchAhead, [`${from}:*`], (uid) => uid >= from);
  }

  async #listed(
    fetch: typeof fetchRows,
    sets: readonly string[],
    wanted: Query['wanted'],
  ): Promise<Listed[]> {
    const listed: Listed[] = [];
    const query = { step: 'look', sets, items: LISTED, wanted } as const;
    await fetch(this.client, query, (row) => listed.push(listedOf(row)));
    return listed.sort((a, b) => a.uid - b.uid);
  }

  fetch(messages: readonly Wanted[]): Promise<Original[]>;
  fetch(messages: readonly Wanted[], spool: Spool): Promise<Sendable[]>;
  async fetch(messages: readonly Wanted[], spool?: Spool): Promise<Original[]> {
    const { small, large } = await this.bySize('fetch', messages);
    const originals: Original[] = small.length > 0 ? await this.#fetchWhole(small) : [];
    for (const uid of large) {
      const original = await this.#fetchPieces(uid, spool);
      if (original) originals.push(original);
    }
    return originals.sort((a, b) => a.uid - b.uid);
  }

  async #fetchWhole(uids: readonly number[]): Promise<Sendable[]> {
    const originals: Sendable[] = [];
    const all = new Set(uids);
    const query: Query = {
      step: 'fetch',
      sets: uidSets(uids),
      items: [...LISTED, 'source'],
      wanted: (uid) => all.has(uid),
    };
    const partial = await fetchAhead(
      this.client,
      query,
      (row) => originals.push(originalOf(row)),
      (has) => uidSets(uids.filter((uid) => !has(uid))),
    );
    // Told of, and not shown: gone meanwhile, or kept from us.
    const there = await this.stillThere(
      'fetch',
      partial.map(({ uid }) => uid),
    );
    for (const row of partial) {
      if (there.has(row.uid)) originals.push({ ...listedOf(row), content: NOTHING });
    }
    return originals;
  }

  /** A large message, piece by piece into the spool; without one, no more than its fingerprint is left of it. */
  async #fetchPieces(uid: number, spool: Spool | undefined): Promise<Original | undefined> {
    const into = spool ? await spool.receive() : tallying();
    const { row, is } = await readPieces(this.client, 'fetch', uid, (piece) => into.write(piece));
    if (is === 'whole') return row && { ...listedOf(row), content: into.end() };
    const there = await this.stillThere('fetch', [uid]);
    return row && there.has(uid) ? { ...listedOf(row), content: NOTHING } : undefined;
  }

  async setFlag(uid: number, flag: string, on: boolean): Promise<void> {
    this.mustBeOpen('retire');
    await this.#store(on ? '+FLAGS' : '-FLAGS', flag, [uid]);
  }

  async #store(
    item: '+FLAGS' | '-FLAGS',
    flag: string,
    uids: readonly number[],
    options: ExecOptions = {},
  ): Promise<void> {
    const how: Token = { type: 'ATOM', value: item };
    const flags: Tokens = [{ type: 'ATOM', value: flag }];
    for (const set of uidSets(uids)) {
      await this.client.step('retire', () =>
        this.client.command('UID STORE', [{ type: 'SEQUENCE', value: set }, how, flags], options),
      );
    }
  }

  async mark(uids: readonly number[]): Promise<Map<number, ReadonlySet<string>>> {
    this.mustBeOpen('retire');
    const wanted = new Set(uids);
    const after = new Map<number, ReadonlySet<string>>();
    const untagged = {
      FETCH: (answer: Answer) => {
        const row = flagsRow(answer);
        if (row?.uid !== undefined && wanted.has(row.uid)) after.set(row.uid, row.flags);
      },
    };
    await this.#store('+FLAGS', '\\Deleted', uids, { untagged });
    // Of a message that was marked before, a server need not say anything.
    const untold = uids.filter((uid) => !after.has(uid));
    for (const { uid, flags } of await this.list(untold)) after.set(uid, flags);
    return after;
  }

  async expunge(uids: readonly number[]): Promise<Set<number>> {
    if (!this.abilities.uidPlus) throw lacking('UID EXPUNGE', 'UIDPLUS');
    this.mustBeOpen('retire');
    for (const set of uidSets(uids)) {
      await this.client.step('retire', () =>
        this.client.command('UID EXPUNGE', [{ type: 'SEQUENCE', value: set }]),
      );
    }
    return this.#gone(uids);
  }

  async expungeAlone(uids: readonly number[]): Promise<{ gone: Set<number>; strangers: boolean }> {
    this.mustBeOpen('retire');
    const ours = new Set(uids);
    const strangers = await this.client.step('retire', async () => {
      // What others marked comes into view with the end of a command; SEARCH still sees the view before it.
      await this.client.command('NOOP', false);
      const deleted = await this.#deleted();
      if (deleted === undefined || deleted.some((uid) => !ours.has(uid))) return true;
      if (deleted.length > 0) await this.client.command('EXPUNGE', false);
      return false;
    });
    return { gone: strangers ? new Set() : await this.#gone(uids), strangers };
  }

  /** What is \Deleted, what is marked while the server searches included; `undefined` where it does not say clearly. */
  async #deleted(): Promise<number[] | undefined> {
    const uids: (number | undefined)[] = [];
    const untagged = {
      SEARCH: (answer: Answer) => uids.push(...(foundUids(answer) ?? [undefined])),
      FETCH: (answer: Answer) => {
        const row = flagsRow(answer);
        if (row && isDeleted(row.flags)) uids.push(row.uid);
      },
    };
    const attributes: Tokens = [{ type: 'ATOM', value: 'DELETED' }];
    await this.client.command('UID SEARCH', attributes, { untagged });
    const known = uids.filter((uid) => uid !== undefined);
    return known.length === uids.length ? known : undefined;
  }

  async move(
    uids: readonly number[],
    to: string,
    copied: (copies: Copies) => void = () => undefined,
  ): Promise<Set<number>> {
    const { move, uidPlus } = this.abilities;
    if (!move && !uidPlus) throw lacking('moving', 'MOVE or UIDPLUS');
    this.mustBeOpen('retire');
    for (const set of uidSets(uids)) {
      const { said } = move
        ? await this.#transfer('UID MOVE', set, to)
        : await this.#copyAway(set, to);
      if (said) copied(said);
    }
    return this.#gone(uids);
  }

  async ensureFolder(folder: string): Promise<void> {
    await ensureFolder(this.client, folder);
  }

  /** Without MOVE: only what COPYUID says is copied is expunged here. */
  async #copyAway(set: string, to: string): Promise<Transferred> {
    const transferred = await this.#transfer('UID COPY', set, to);
    const section = codeOf(transferred.answer);
    const copied = uidsOf(section[2] ?? '', 1000);
    const copies = uidsOf(section[3] ?? '', 1000);
    const asked = new Set(uidsOf(set, 1000));
    const credible =
      section[0] === 'COPYUID' &&
      copied !== undefined &&
      copied.length === copies?.length &&
      copied.every((uid) => asked.has(uid));
    if (!credible) {
      // Nothing was there to copy: they went before.
      if ((await this.present('retire', [...asked])).size === 0) return transferred;
      throw new Failure(
        `The server did not say which messages it copied to ${to}. They stay where they are.`,
        {
          step: 'retire',
          scope: 'connection',
          outcomeUnknown: true,
        },
      );
    }
    await this.mark(copied);
    await this.expunge(copied);
    return transferred;
  }

  /** COPYUID of a MOVE comes before its end, in an untagged OK (RFC 6851 §4.3). */
  async #transfer(command: 'UID MOVE' | 'UID COPY', set: string, to: string): Promise<Transferred> {
    const { client } = this;
    const path = encodePath(client.flow, normalizePath(client.flow, to));
    const told: Answer[] = [];
    const untagged = { OK: (answer: Answer) => told.push(answer) };
    const attributes: Tokens = [
      { type: 'SEQUENCE', value: set },
      { type: 'ATOM', value: path },
    ];
    const answer = await client.step('retire', () =>
      client.command(command, attributes, { untagged }),
    );
    const [said] = [...told, answer].flatMap((each) => copiesOf(each) ?? []);
    return { answer, said };
  }

  async #gone(uids: readonly number[]): Promise<Set<number>> {
    const there = await this.present('retire', uids);
    return new Set(uids.filter((uid) => !there.has(uid)));
  }
}

interface Copies {
  readonly uidValidity: number;
  readonly uids: readonly number[];
}

interface Transferred {
  readonly answer: Answer;
  /** What COPYUID says. */
  readonly said: Copies | undefined;
}

function copiesOf(answer: Answer): Copies | undefined {
  const [name, uidValidity, , set] = codeOf(answer);
  const uids = name === 'COPYUID' ? uidsOf(set ?? '', 1000) : undefined;
  return uids && { uidValidity: Number(uidValidity), uids };
}

/**
 * The library reads a body that is sent as a quoted string as UTF-8, and puts U+FFFD for bytes that are none; the length
 * shows it. Such a message comes without bytes, so that nobody takes these for the original's.
 */
function originalOf(row: Row): Sendable {
  const listed = listedOf(row);
  const bytes = row.source as Buffer;
  const replaced = bytes.length > listed.size && bytes.includes('\ufffd');
  return { ...listed, content: replaced ? NOTHING : new InMemory(bytes) };
}

/** Keeps nothing of what comes but its fingerprint. */
function tallying(): { write(piece: Buffer): void; end(): Fingerprint } {
  const tally = new Tally();
  return { write: (piece) => tally.add(piece), end: () => tally.end() };
}

function lacking(what: string, capability: string): Failure {
  return new Failure(`The source server can not do this (${what} wants ${capability}).`, {
    step: 'retire',
    scope: 'account',
    lasting: true,
  });
}
