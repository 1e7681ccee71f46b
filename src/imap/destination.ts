/** The destination account over IMAP. */

import { InMemory, Tally } from '../domain/content.ts';
import type { Emit } from '../domain/events.ts';
import { Failure } from '../domain/failure.ts';
import type { Candidate, Copy, FolderView, Sendable, Wanted } from '../domain/message.ts';
import { messageIdOf } from '../domain/message.ts';
import type {
  Batching,
  DestinationAccount,
  DestinationSession,
  Placement,
} from '../domain/ports.ts';
import type { Account, SpecialUse } from '../domain/route.ts';
import { failureOf, must } from './answers.ts';
import { appendAll } from './append.ts';
import { Client } from './client.ts';
import type { Query, Row } from './fetch.ts';
import { allowedFlags } from './flags.ts';
import { ensureFolder } from './folders.ts';
import { readPieces } from './pieces.ts';
import { ImapSession, LISTED, listedOf } from './session.ts';
import { uidSets } from './sets.ts';
import { type Asking, Window } from './window.ts';

/**
 * @param options `silence`: milliseconds without a byte that a step bears; `largest`: the largest message that is wanted,
 * in bytes; `route` names the route in events; `readOnly`: folders are opened by EXAMINE, and nothing can be written
 */
export function destinationAccount(
  account: Account,
  options: {
    readonly emit: Emit;
    readonly route: string;
    readonly silence?: number;
    readonly largest?: number | undefined;
    readonly readOnly?: boolean;
  },
): DestinationAccount {
  const told = new Set<string>();
  const asking: Asking = { orderly: true };
  return {
    async connect(signal) {
      const { emit, route, silence, largest } = options;
      const client = await Client.connect(account, {
        signal,
        largest,
        ...(silence !== undefined && { silence }),
      });
      const dropped = (folder: string, flag: string) => {
        if (told.has(`${folder}\n${flag}`)) return;
        told.add(`${folder}\n${flag}`);
        emit('flags.dropped', {
          route,
          dest: folder,
          why: flag,
          msg: `The destination folder ${folder} does not keep the flag ${flag}; messages arrive without it.`,
        });
      };
      return options.readOnly
        ? new ImapExamined(client, asking, dropped)
        : new ImapDestination(client, asking, dropped);
    },
  };
}

class ImapDestination extends ImapSession implements DestinationSession {
  readonly #dropped: (folder: string, flag: string) => void;
  #view: FolderView | undefined;
  readonly #window: Window;

  constructor(client: Client, asking: Asking, dropped: (folder: string, flag: string) => void) {
    super(client);
    this.#window = new Window(asking);
    this.#dropped = dropped;
  }

  get batching(): Batching {
    const { client } = this;
    if (!client.has('LITERAL+')) return 'single';
    return client.has('MULTIAPPEND') && client.has('UIDPLUS') ? 'multi' : 'literal';
  }

  get appendLimit(): number | undefined {
    const limit = this.client.flow.capabilities.get('APPENDLIMIT');
    return typeof limit === 'number' ? limit : undefined;
  }

  async open(folder: string, { fresh }: { fresh: boolean }): Promise<FolderView> {
    if (!fresh && this.#view?.folder === folder) return this.#view;
    this.#view = undefined;
    const view = await this.view(folder);
    this.#view = view;
    return view;
  }

  protected view(folder: string): Promise<FolderView> {
    return this.select(folder, false);
  }

  async create(folder: string, use?: SpecialUse): Promise<boolean> {
    return ensureFolder(this.client, folder, use);
  }

  async append(
    messages: readonly Sendable[],
    again?: (messages: readonly { readonly size: number }[]) => void,
  ): Promise<Placement[]> {
    const folder = this.#view?.folder;
    if (folder === undefined) throw new TypeError('append() wants an open folder');
    const { mailbox } = this.client.flow;
    if (mailbox === false) return this.#heldBack(messages);
    const flagsOf = (message: Sendable) =>
      allowedFlags(message.flags, mailbox.permanentFlags, (flag) => this.#dropped(folder, flag));
    const placements = await appendAll(this.client, this.batching, folder, messages, flagsOf, {
      limit: this.appendLimit,
      window: this.#window,
      again,
    });
    if (placements.some(({ is }) => is === 'held')) this.#view = undefined;
    return placements;
  }

  /**
   * What failed may have failed because the folder is another by now: removed, or made anew. The next `open` asks the
   * server, and does not go by what it said before.
   */
  async #viewed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      this.#view = undefined;
      throw thrown;
    }
  }

  /** The folder is no longer open: with the connection, mostly. Nothing is sent. */
  async #heldBack(messages: readonly Sendable[]): Promise<Placement[]> {
    const failure = await this.client
      .step('append', async () => this.mustBeOpen('append'))
      .then(
        () => new Failure('The connection is ending.', { step: 'append', scope: 'connection' }),
        (thrown: unknown) => failureOf(thrown, 'append'),
      );
    return messages.map(() => ({ is: 'held', failure }));
  }

  async listFrom(from: number): Promise<Candidate[]> {
    const rows: Candidate[] = [];
    const query: Query = {
      step: 'verify',
      sets: [`${from}:*`],
      items: [...LISTED, 'headers'],
      wanted: (uid) => uid >= from,
    };
    // What is there without all that was asked for is there all the same.
    const partial = await this.#viewed(() =>
      this.fetchRows(query, (row) => rows.push(candidateOf(row))),
    );
    rows.push(...partial.map(candidateOf));
    return rows.sort((a, b) => a.uid - b.uid);
  }

  async read(messages: readonly Wanted[], take: (copy: Copy) => void): Promise<void> {
    const missing = await this.#read(messages, take);
    if (missing.length === 0) return;
    // Courier shows what was appended on this very connection only after it was asked for news.
    await this.noop();
    await this.#read(missing, take);
  }

  /** Resolves with those that the server does not show. */
  async #read(messages: readonly Wanted[], take: (copy: Copy) => void): Promise<Wanted[]> {
    const { small, large } = await this.#viewed(() => this.bySize('verify', messages));
    const read = new Set<number>();
    const taken = (copy: Copy) => {
      read.add(copy.uid);
      take(copy);
    };
    if (small.length > 0) await this.#readWhole(small, taken);
    for (const uid of large) await this.#readPieces(uid, taken);
    return messages.filter(({ uid }) => !read.has(uid));
  }

  async #readWhole(uids: readonly number[], take: (copy: Copy) => void): Promise<void> {
    const wanted = new Set(uids);
    const query: Query = {
      step: 'verify',
      sets: uidSets(uids),
      items: ['flags', 'source'],
      wanted: (uid) => wanted.has(uid),
    };
    const partial = await this.#viewed(() =>
      this.fetchRows(query, ({ uid, flags = new Set(), source }) =>
        take({ uid, flags, content: new InMemory(source as Buffer) }),
      ),
    );
    await this.#notThere(partial.map(({ uid }) => uid));
  }

  /** A large copy, of which no more than its fingerprint is kept. */
  async #readPieces(uid: number, take: (copy: Copy) => void): Promise<void> {
    const tally = new Tally();
    const { row, is } = await this.#viewed(() =>
      readPieces(this.client, 'verify', uid, (piece) => tally.add(piece)),
    );
    if (is !== 'whole') await this.#notThere([uid]);
    else if (row) take({ uid, flags: row.flags ?? new Set(), content: tally.end() });
  }

  /** A copy that is told of but not shown is not missing, unless it went meanwhile. */
  async #notThere(uids: readonly number[]): Promise<void> {
    const there = await this.stillThere('verify', uids);
    if (there.size === 0) return;
    throw new Failure(
      `The server does not show ${there.size} messages of ${this.#view?.folder} that it says are there; imapferry looks again.`,
      { step: 'verify', scope: 'connection' },
    );
  }

  async reflag(uid: number, add: readonly string[], remove: readonly string[]): Promise<void> {
    const { flow } = this.client;
    const mailbox = flow.mailbox;
    const folder = this.#view?.folder ?? '';
    const permanent = mailbox === false ? undefined : mailbox.permanentFlags;
    const allowed = allowedFlags(new Set(add), permanent, (flag) => this.#dropped(folder, flag));
    // What the folder does not keep can't be on the copy.
    const removable = allowedFlags(new Set(remove), permanent, () => undefined);
    const set = `${uid}`;
    await this.#viewed(() =>
      this.client.step('retire', async () => {
        if (allowed.length > 0) {
          must(await flow.messageFlagsAdd(set, allowed, { uid: true }), 'retire', 'STORE');
        }
        if (removable.length > 0) {
          must(await flow.messageFlagsRemove(set, removable, { uid: true }), 'retire', 'STORE');
        }
      }),
    );
  }
}

/** A destination that is only looked at, for a dry run: what would write is a mistake of ours, and sends nothing. */
class ImapExamined extends ImapDestination {
  protected override view(folder: string): Promise<FolderView> {
    return this.select(folder, true);
  }

  override async create(): Promise<never> {
    throw onlyLookedAt('CREATE');
  }

  override async append(): Promise<never> {
    throw onlyLookedAt('APPEND');
  }

  override async reflag(): Promise<never> {
    throw onlyLookedAt('STORE');
  }
}

function onlyLookedAt(command: string): TypeError {
  return new TypeError(`${command} was asked for in a dry run`);
}

function candidateOf(row: Row): Candidate {
  const messageId = row.headers && messageIdOf(new InMemory(row.headers));
  return { ...listedOf(row), ...(messageId !== undefined && { messageId }) };
}
