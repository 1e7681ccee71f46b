/**
 * Lies for the tables of faults: the wire before a real server stores something else than was sent, names another copy,
 * or shows another message.
 */
import { expect } from 'vitest';
import type { Deed, Moment } from '../support/imap-wire.ts';
import { message } from '../support/mail.ts';
import { Servers, type World, type WorldOptions } from './world.ts';

/** How the destination takes messages: all in one command, one in one command, or with a question before each. */
export const MANNERS = {
  multi: await Servers.start(),
  literal: await Servers.start({ destination: { capability: 'IMAP4rev1 LITERAL+' } }),
  bare: await Servers.start({
    source: { capability: 'IMAP4rev1' },
    destination: { capability: 'IMAP4rev1' },
  }),
};
export type Manner = keyof typeof MANNERS;
export const manners = Object.keys(MANNERS) as Manner[];

export const NAMES: Readonly<Record<Manner, string>> = {
  multi: 'a MULTIAPPEND server',
  literal: 'a LITERAL+ server',
  bare: 'a bare IMAP4rev1 server',
};
/** Ends the servers. */
export const stopServers = () =>
  Promise.all(Object.values(MANNERS).map((each) => each[Symbol.asyncDispose]()));

const isCulprit = (bytes: Buffer) => bytes.includes('The culprit');
export const culprit = () => message({ body: 'The culprit' });

/** A message on its way in an APPEND: what stands before its bytes, and these. */
interface Parcel {
  readonly head: string;
  readonly sign: '' | '+';
  readonly bytes: Buffer;
}

function unpacked(command: Buffer): Parcel[] {
  const parcels: Parcel[] = [];
  for (let at = 0; ; ) {
    const end = command.indexOf('\r\n', at);
    const line = command.toString('latin1', at, end);
    const literal = /^(.*)\{(\d+)(\+?)\}$/.exec(line);
    if (literal === null) return parcels;
    const [, head = '', length, sign] = literal;
    at = end + 2 + Number(length);
    parcels.push({ head, sign: sign === '+' ? '+' : '', bytes: command.subarray(end + 2, at) });
  }
}

function packed(parcels: readonly Parcel[]): Buffer {
  const parts = parcels.flatMap(({ head, sign, bytes }) => [
    Buffer.from(`${head}{${bytes.length}${sign}}\r\n`, 'latin1'),
    bytes,
  ]);
  return Buffer.concat([...parts, Buffer.from('\r\n')]);
}

/** What an APPEND that stored nothing is answered with. */
export const NOWHERE = 1000;

export interface AppendLie {
  /** What is stored in place of the culprit; nothing where it is `undefined`. */
  readonly stores?: (bytes: Buffer) => Buffer | undefined;
  /** The folder in which it is stored, and all that is in one command with it. */
  readonly into?: string;
  /** What the server says in place of `APPENDUID`: the numbers, given those that are true; `undefined`: no such code. */
  readonly names?: (validity: number, uids: readonly number[], nth: number) => string | undefined;
}

/** A pair of mailboxes, with a lie about each APPEND that has the culprit in it. */
export class Scene implements AsyncDisposable {
  readonly world: World;
  readonly manner: Manner;
  lie: AppendLie | undefined;
  /** APPENDs that the lie was about. */
  told = 0;
  #validity = 0;
  /** Whether the command that is under way is lied about. */
  #lying = false;
  #dropped = 0;

  private constructor(world: World, manner: Manner) {
    this.world = world;
    this.manner = manner;
  }

  static async of(manner: Manner, options: WorldOptions = {}): Promise<Scene> {
    const world = await MANNERS[manner].world(options);
    const scene = new Scene(world, manner);
    scene.#validity = await world.fresh.uidValidity('INBOX');
    await world.oracle.stranger('destination', 'INBOX', message());
    // Where a server can expunge only all at once, what others marked would hold up what is carried.
    if (manner !== 'bare') {
      await world.oracle.stranger('source', 'INBOX', message(), { flags: ['\\Deleted'] });
    }
    world.destination.at = (moment) => scene.#at(moment);
    return scene;
  }

  #at({ when, command, answer = '' }: Moment): Deed {
    if (command.name !== 'APPEND') return undefined;
    if (when === 'before') return { send: (whole) => this.#send(whole) };
    if (when !== 'after') return undefined;
    const [, validity = '', set = ''] = /APPENDUID (\d+) ([\d:,]+)/.exec(answer) ?? [];
    if (this.manner === 'bare') return { say: 'TAG OK done' };
    const names = this.#lying ? this.lie?.names : undefined;
    const uids = set.split(',').flatMap((part) => {
      const [from = 0, to = from] = part.split(':').map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
    if (!this.#lying) return undefined;
    for (let i = 0; i < this.#dropped; i++) uids.push(NOWHERE + i);
    if (names === undefined) return { say: `TAG OK [APPENDUID ${validity} ${uids}] done` };
    const said = names(Number(validity), uids, this.told);
    return { say: said === undefined ? 'TAG OK done' : `TAG OK [APPENDUID ${said}] done` };
  }

  #send(whole: Buffer): Buffer | string {
    const parcels = unpacked(whole);
    this.#lying = this.lie !== undefined && parcels.some(({ bytes }) => isCulprit(bytes));
    if (!this.#lying) return whole;
    this.told++;
    const { stores = (bytes: Buffer) => bytes, into, names } = this.lie ?? {};
    const stored = parcels.flatMap((parcel) => {
      const bytes = isCulprit(parcel.bytes) ? stores(parcel.bytes) : parcel.bytes;
      return bytes ? [{ ...parcel, bytes }] : [];
    });
    this.#dropped = parcels.length - stored.length;
    if (stored.length > 0) {
      const all = packed(stored);
      if (into === undefined) return all;
      return Buffer.from(all.toString('latin1').replace(' INBOX ', ` ${into} `), 'latin1');
    }
    const said = names
      ? names(this.#validity, [NOWHERE], this.told)
      : `${this.#validity} ${NOWHERE}`;
    return this.manner === 'bare' || said === undefined
      ? 'TAG OK done'
      : `TAG OK [APPENDUID ${said}] done`;
  }

  /** What is left at the source when all is carried. */
  get rest(): number {
    return this.manner === 'bare' ? 0 : 1;
  }

  /** The culprit is where it was, and both servers are as they should be but for that. */
  async stays(...wrong: readonly (string | RegExp)[]): Promise<void> {
    const { world } = this;
    const there = (await world.old.dump('INBOX')).filter(({ bytes }) => isCulprit(bytes));
    expect(there.map(({ flags }) => flags)).toEqual([[]]);
    expect(await world.oracle.now()).toEqual(wrong.map((each) => expect.stringMatching(each)));
  }

  /** Deletes what came to the destination last, as its owner would. */
  async deleteLast(folder = 'INBOX'): Promise<void> {
    const { fresh } = this.world;
    const last = (await fresh.dump(folder)).at(-1);
    if (last) await fresh.expunge(folder, `${last.uid}`);
  }

  /** All is carried, and each message once. */
  async ends(...wrong: readonly string[]): Promise<void> {
    const { world } = this;
    await world.left(this.rest);
    expect(await world.stop()).toBe(0);
    expect(await world.oracle.end()).toEqual(wrong);
  }

  async restart(): Promise<void> {
    expect(await this.world.stop()).toBe(0);
    this.world.start();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world[Symbol.asyncDispose]();
  }
}

/** One byte of the message is another, at the first place that shows these words. */
export const changed = (words: string) => (bytes: Buffer) => {
  const other = Buffer.from(bytes);
  const at = other.indexOf(words);
  if (at < 0) throw new Error(`no ${words} in the message`);
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
};
export const COMPANY = { alone: 'alone', batch: 'with another' } as const;
export type Company = keyof typeof COMPANY;
export const companies = Object.keys(COMPANY) as Company[];

/** Puts the culprit, and before it another message where it is to travel in company. */
export async function put({ world }: Scene, company: Company): Promise<void> {
  if (company === 'batch') await world.put('INBOX', message());
  await world.put('INBOX', culprit());
}

/** A message as a FETCH shows it. */
export interface Showing {
  readonly body: Buffer | 'NIL';
  readonly size?: number;
  readonly date?: string;
}

/** The answer with another body in place of its own, and other words about it. */
function showing(answer: Buffer, { body, size, date }: Showing): Buffer {
  const { head, tail } = opened(answer);
  let words = head;
  if (size !== undefined) words = words.replace(/RFC822\.SIZE \d+/, `RFC822.SIZE ${size}`);
  if (date !== undefined) words = words.replace(/INTERNALDATE "[^"]*"/, `INTERNALDATE "${date}"`);
  const [literal, bytes] =
    body === 'NIL' ? ['NIL', Buffer.alloc(0)] : [`{${body.length}}\r\n`, body];
  return Buffer.concat([Buffer.from(words + literal, 'latin1'), bytes, tail]);
}

function opened(answer: Buffer): { head: string; body: Buffer; tail: Buffer } {
  const text = answer.toString('latin1');
  const literal = /BODY\[\] (\{(\d+)\}\r\n)/.exec(text);
  if (literal === null) return { head: text, body: Buffer.alloc(0), tail: Buffer.alloc(0) };
  const head = text.slice(0, literal.index + literal[0].length - (literal[1]?.length ?? 0));
  const start = literal.index + literal[0].length;
  const end = start + Number(literal[2]);
  return { head, body: answer.subarray(start, end), tail: answer.subarray(end) };
}

/** The wire of a side shows the culprit so, whenever its bytes are asked for, while this is set. */
export function lieAbout(world: World, side: 'source' | 'destination') {
  const lie: {
    show: ((body: Buffer, nth: number) => Showing | undefined) | undefined;
    told: number;
  } = { show: undefined, told: 0 };
  world[side].untagged = (answer) => {
    const { body } = opened(answer);
    if (!isCulprit(body)) return answer;
    const shown = lie.show?.(body, ++lie.told);
    return shown ? showing(answer, shown) : answer;
  };
  return lie;
}

export const alien = (nth: number) =>
  message({ body: `what the server had at hand, number ${nth}` });
export const half = (body: Buffer, cut = 10) => body.subarray(0, body.length - cut);
/** The first time, and every other time from then on. */
export const odd = (nth: number) => nth % 2 === 1;
