/**
 * Other clients of both mailboxes, and whoever tidies up: they read, flag, mark, move and delete mail while imapferry
 * carries it. What they do changes what the oracle may expect of a letter, and is noted on the letter.
 */
import type { Dovecot } from '../support/dovecot.ts';
import { Mail } from '../support/mail.ts';
import type { Letter } from '../support/oracle.ts';
import type { Dice } from './dice.ts';
import { isUpset, type Row, rowOf } from './eyes.ts';
import type { Written } from './letters.ts';
import type { Side } from './mischief.ts';
import type { Trace } from './trace.ts';

/** A folder at the source that is not carried, and one at the destination for mail that was read. */
export const ASIDE = 'Aside';
export const ARCHIVE = 'Archive';

type Changing<T> = { -readonly [key in keyof T]: T[key] };

/** A letter as the people know it. Its INTERNALDATE names it. */
export type Post = Changing<Letter> & {
  readonly nth: number;
  readonly kind: string;
  readonly internalDate: Date;
  flags: readonly string[];
};

export interface PeopleWorld {
  readonly dice: Dice;
  readonly trace: Trace;
  readonly user: string;
  readonly servers: Readonly<Record<Side, Dovecot>>;
  /** The destination's name of a folder. */
  readonly to: (folder: string) => string;
}

const FLAGS = ['\\Seen', '\\Flagged', '\\Answered', '$Later'];

export class People implements AsyncDisposable {
  readonly post: Post[] = [];
  readonly #world: PeopleWorld;
  readonly #byDate = new Map<number, Post>();
  readonly #mails = new Map<Side, Mail>();

  constructor(world: PeopleWorld) {
    this.#world = world;
  }

  /** The letter of which this is the original or a copy, by its INTERNALDATE. */
  letterOf({ internalDate }: Pick<Row, 'internalDate'>): Post | undefined {
    return this.#byDate.get(internalDate.getTime());
  }

  /** Asks a server; on a connection of its own after the first has ended. */
  async ask<T>(side: Side, work: (mail: Mail) => Promise<T>): Promise<T> {
    const known = this.#mails.get(side);
    if (known !== undefined) {
      try {
        return await work(known);
      } catch (thrown) {
        if (!isUpset(thrown)) throw thrown;
        await known[Symbol.asyncDispose]();
      }
    }
    const { servers, user } = this.#world;
    const mail = await Mail.login(servers[side].port, user, servers[side].users[user] ?? '');
    this.#mails.set(side, mail);
    return work(mail);
  }

  /** Puts a letter into a folder of the source. What that server refuses is no letter. */
  async write(folder: string, { kind, ...letter }: Written): Promise<void> {
    const { trace } = this.#world;
    const nth = this.post.length + 1;
    const post: Post = { folder, nth, kind, ...letter };
    try {
      await this.ask('source', (mail) => mail.put(folder, letter.bytes, letter));
    } catch (thrown) {
      trace.tell(`refused by the source: a letter (${kind}): ${String(thrown).slice(0, 100)}`);
      return;
    }
    this.post.push(post);
    this.#byDate.set(letter.internalDate.getTime(), post);
    trace.tell(
      `letter ${nth} in ${folder} (${kind}, ${letter.bytes.length} bytes, ${letter.flags.join(' ')}) ${letter.internalDate.toISOString()}`,
      'letter',
    );
  }

  /** A folder is another by now: what was known of its letters counts no more, as after the loss of a journal. */
  #renumbered(folder: string): void {
    for (const post of this.post) if (post.folder === folder) post.forgotten = true;
  }

  /** What a folder shows: UID, flags and INTERNALDATE of each message. */
  async #list(side: Side, folder: string): Promise<Row[]> {
    return this.ask(side, async (mail) => {
      if (!(await mail.folders()).includes(folder)) return [];
      await mail.command(`EXAMINE "${folder}"`);
      const answers = await mail.command('UID FETCH 1:* (UID FLAGS INTERNALDATE)');
      await mail.command('UNSELECT');
      return answers.flatMap((answer) => rowOf(answer.toString('latin1')) ?? []);
    });
  }

  async #one(side: Side, folder: string, fits: (post: Post, row: Row) => boolean) {
    const rows = (await this.#list(side, folder)).flatMap((row) => {
      const post = this.letterOf(row);
      return post !== undefined && fits(post, row) ? [{ ...row, post }] : [];
    });
    return rows.length > 0 ? this.#world.dice.pick(rows) : undefined;
  }

  /** Stores flags of one message, and says whether it was there. */
  async #store(side: Side, folder: string, uid: number, change: string, then?: string) {
    return this.ask(side, async (mail) => {
      await mail.command(`SELECT "${folder}"`);
      const answers = await mail.command(`UID STORE ${uid} ${change}`);
      const there = answers.some((answer) => / FETCH /.test(answer.toString('latin1', 0, 30)));
      if (then !== undefined && there) await mail.command(`${then} ${uid}`);
      await mail.command('UNSELECT');
      return there;
    });
  }

  #told(what: string, post: Post, kind: string): void {
    this.#world.trace.tell(`another client ${what} letter ${post.nth} (${post.kind})`, kind);
  }

  /** Sets or removes a flag of an original. */
  async flag(folder: string): Promise<void> {
    const one = await this.#one('source', folder, () => true);
    if (one === undefined) return;
    const { post, uid } = one;
    const flag = this.#world.dice.pick(FLAGS);
    const has = post.flags.includes(flag);
    const after = has ? post.flags.filter((each) => each !== flag) : [...post.flags, flag];
    // Noted first: from now on either is right.
    post.formerly = [...(post.formerly ?? []), post.flags];
    post.flags = after;
    await this.#store('source', folder, uid, `${has ? '-' : '+'}FLAGS (${flag})`);
    this.#told(`${has ? 'removes' : 'sets'} ${flag} of`, post, 'people: flag');
  }

  /** Marks an original \Deleted that nobody has marked. */
  async mark(folder: string): Promise<void> {
    const one = await this.#one('source', folder, (_, { flags }) => !flags.includes('\\Deleted'));
    if (one === undefined) return;
    one.post.givenUp = true;
    const there = await this.#store('source', folder, one.uid, '+FLAGS (\\Deleted)');
    if (!there) one.post.givenUp = false;
    this.#told('marks', one.post, 'people: mark \\Deleted');
  }

  /** Takes such a mark back. */
  async unmark(folder: string): Promise<void> {
    const one = await this.#one('source', folder, ({ givenUp }) => givenUp === true);
    if (one === undefined) return;
    await this.#store('source', folder, one.uid, '-FLAGS (\\Deleted)');
    one.post.givenUp = false;
    this.#told('unmarks', one.post, 'people: unmark');
  }

  /** Deletes an original, or a copy. */
  async expunge(side: Side, folder: string, spares: (post: Post) => boolean): Promise<void> {
    const one = await this.#one(side, folder, (post) => !spares(post));
    if (one === undefined) return;
    const there = await this.#store(side, folder, one.uid, '+FLAGS (\\Deleted)', 'UID EXPUNGE');
    if (there) one.post.taken = true;
    this.#told(`deletes at the ${side}`, one.post, `people: delete at the ${side}`);
  }

  /** Moves an original, or a copy, to a folder that imapferry knows nothing of. */
  async move(side: Side, folder: string, spares: (post: Post) => boolean): Promise<void> {
    const one = await this.#one(side, folder, (post) => !spares(post));
    if (one === undefined) return;
    const target = side === 'source' ? ASIDE : this.#world.to(ARCHIVE);
    await this.ask(side, async (mail) => {
      await mail.command(`SELECT "${folder}"`);
      const answers = await mail.command(`UID MOVE ${one.uid} "${target}"`);
      await mail.command('UNSELECT');
      if (answers.some((answer) => /COPYUID/.test(answer.toString('latin1')))) {
        one.post.taken = true;
      }
    });
    this.#told(`moves at the ${side}`, one.post, `people: move at the ${side}`);
  }

  /** Takes the \Deleted marks off all letters in a folder of the source. */
  async unmarkAll(folder: string): Promise<void> {
    const marked = (await this.#list('source', folder)).filter(
      (row) => row.flags.includes('\\Deleted') && this.letterOf(row) !== undefined,
    );
    for (const { uid } of marked) await this.#store('source', folder, uid, '-FLAGS (\\Deleted)');
    for (const post of this.post) if (post.folder === folder) post.givenUp = false;
  }

  /** Deletes copies at the destination that imapferry has told are not the same, by UID. */
  async clean(folder: string, uids: readonly number[]): Promise<void> {
    if (uids.length === 0) return;
    await this.ask('destination', (mail) => mail.expunge(folder, uids.join(',')));
    this.#world.trace.tell(
      `a person deletes ${uids.length} bad copies in ${folder}`,
      'people: clean',
    );
  }

  /**
   * Gives a folder another UIDVALIDITY; the UIDs in it stay.
   * @param ours the folder's name at the source
   */
  async renumber(side: Side, folder: string, ours: string): Promise<void> {
    if (!(await this.ask(side, (mail) => mail.folders())).includes(folder)) return;
    await this.#world.servers[side].renumber(this.#world.user, folder);
    this.#renumbered(ours);
    this.#world.trace.tell(`${folder} at the ${side} is renumbered`, `renumbered: ${side}`);
  }

  /** Deletes a folder and makes it anew, empty. */
  async remake(side: Side, folder: string, ours: string): Promise<void> {
    await this.ask(side, async (mail) => {
      if (!(await mail.folders()).includes(folder)) return;
      await mail.command(`DELETE "${folder}"`);
      for (const post of this.post) if (post.folder === ours) post.taken = true;
      await mail.create(folder);
    });
    this.#world.trace.tell(`${folder} at the ${side} is deleted and made anew`, 'folder made anew');
  }

  /** Renames a folder of the source, and back after `meanwhile`. */
  async rename(folder: string, meanwhile: () => Promise<void>): Promise<void> {
    this.#world.trace.tell(`${folder} is renamed`, 'folder renamed');
    await this.ask('source', (mail) => mail.command(`RENAME "${folder}" "Renamed"`));
    this.#renumbered(folder);
    await meanwhile();
    await this.ask('source', (mail) => mail.command(`RENAME "Renamed" "${folder}"`));
    this.#world.trace.tell(`${folder} has its name again`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const mail of this.#mails.values()) await mail[Symbol.asyncDispose]();
  }
}
