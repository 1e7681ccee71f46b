/**
 * Every answer that can be a lie, as a lie: the wire before a real server stores something else than was sent, names
 * another copy, shows another message, or says that something was done and does not do it. The original stays for as long
 * as its copy is not proven, nothing is sent again that may be there, and all is carried once the lie has ended.
 */
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Deed, Moment } from '../support/imap-wire.ts';
import { message } from '../support/mail.ts';
import { record } from '../support/results.ts';
import { Servers, type World, type WorldOptions } from './world.ts';

/** How the destination takes messages: all in one command, one in one command, or with a question before each. */
const MANNERS = {
  multi: await Servers.start(),
  literal: await Servers.start({ destination: { capability: 'IMAP4rev1 LITERAL+' } }),
  bare: await Servers.start({
    source: { capability: 'IMAP4rev1' },
    destination: { capability: 'IMAP4rev1' },
  }),
};
type Manner = keyof typeof MANNERS;
const manners = Object.keys(MANNERS) as Manner[];

const NAMES: Readonly<Record<Manner, string>> = {
  multi: 'a MULTIAPPEND server',
  literal: 'a LITERAL+ server',
  bare: 'a bare IMAP4rev1 server',
};

afterAll(() => Promise.all(Object.values(MANNERS).map((each) => each[Symbol.asyncDispose]())));

// Each row mostly waits.
vi.setConfig({ maxConcurrency: 12 });

const isCulprit = (bytes: Buffer) => bytes.includes('The culprit');
const culprit = () => message({ body: 'The culprit' });

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
const NOWHERE = 1000;

interface AppendLie {
  /** What is stored in place of the culprit; nothing where it is `undefined`. */
  readonly stores?: (bytes: Buffer) => Buffer | undefined;
  /** The folder in which it is stored, and all that is in one command with it. */
  readonly into?: string;
  /** What the server says in place of `APPENDUID`: the numbers, given those that are true; `undefined`: no such code. */
  readonly names?: (validity: number, uids: readonly number[], nth: number) => string | undefined;
}

/** A pair of mailboxes, with a lie about each APPEND that has the culprit in it. */
class Scene implements AsyncDisposable {
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
const changed = (words: string) => (bytes: Buffer) => {
  const other = Buffer.from(bytes);
  const at = other.indexOf(words);
  if (at < 0) throw new Error(`no ${words} in the message`);
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
};

const ALIEN = message({ body: 'what the server had at hand' });

const OTHERWISE: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  'stored without its end': (bytes) => bytes.subarray(0, bytes.length - 10),
  'stored as its header alone': (bytes) => bytes.subarray(0, bytes.indexOf('\r\n\r\n') + 4),
  'stored with one byte of its body changed': changed('culprit'),
  'stored with one byte of its header changed': changed('Letter'),
  'stored with one byte of its Message-ID changed': changed('example.org>'),
  'stored with more than was sent': (bytes) => Buffer.concat([bytes, Buffer.from('ad\r\n')]),
  "stored as another message's bytes": () => ALIEN,
};

const COMPANY = { alone: 'alone', batch: 'with another' } as const;
type Company = keyof typeof COMPANY;
const companies = Object.keys(COMPANY) as Company[];

/** Puts the culprit, and before it another message where it is to travel in company. */
async function put({ world }: Scene, company: Company): Promise<void> {
  if (company === 'batch') await world.put('INBOX', message());
  await world.put('INBOX', culprit());
}

const appendRows = <T>(what: Readonly<Record<string, T>>) =>
  manners.flatMap((manner) =>
    companies.flatMap((company) =>
      Object.entries(what).map(
        ([how, lie]) =>
          [`${how}, ${COMPANY[company]}, by ${NAMES[manner]}`, lie, manner, company] as const,
      ),
    ),
  );

const unverified = (scene: Scene, times: number) =>
  scene.world.saw('delivery.unverified', times).then(() => {
    expect(scene.world.count('delivery.refused')).toBe(0);
    expect(scene.world.count('route.blocked')).toBe(0);
  });

describe.concurrent('an APPEND answered OK, the message', () => {
  it.for(appendRows(OTHERWISE))(
    '%s: the original stays until the bad copy is deleted',
    async ([point, stores, manner, company]) => {
      await using scene = await Scene.of(manner);
      await put(scene, company);
      scene.lie = { stores };
      scene.world.start();
      // It is looked at again and again, and not sent again.
      await unverified(scene, 3);
      await scene.world.left(scene.rest + 1);
      await scene.stays(/^1 at the destination in INBOX that nobody put there/);
      expect(scene.told).toBe(1);
      scene.lie = undefined;
      await unverified(scene, 4);
      await scene.deleteLast();
      await scene.ends();
      record({ part: 'lied to', point: `APPEND ${point}`, outcome: 'stays, told as unverified' });
    },
  );

  const GONE: Readonly<Record<string, AppendLie>> = {
    'stored in another folder': { into: 'Elsewhere' },
    'not stored at all': { stores: () => undefined },
  };
  it.for(appendRows(GONE))(
    '%s: the original stays, and is not sent again the same day',
    async ([point, lie, manner, company]) => {
      await using scene = await Scene.of(manner, { pace: { unverified: 600_000 } });
      const { world } = scene;
      await world.fresh.create('Elsewhere');
      await put(scene, company);
      scene.lie = lie;
      world.start();
      // With MULTIAPPEND the whole batch goes elsewhere.
      const both = lie.into !== undefined && manner === 'multi' && company === 'batch';
      await unverified(scene, both ? 2 : 1);
      await world.left(scene.rest + (both ? 2 : 1));
      const looked = world.count('folder.looked');
      await world.put('INBOX', message());
      await world.until('it is looked at again', () => world.count('folder.looked') > looked);
      await world.left(scene.rest + (both ? 2 : 1));
      await scene.stays();
      expect(scene.told).toBe(1);
      const astray = lie.into === undefined ? 0 : both ? 2 : 1;
      expect(await world.fresh.count('Elsewhere')).toBe(astray);
      scene.lie = undefined;
      await scene.restart();
      await scene.ends();
      record({ part: 'lied to', point: `APPEND ${point}`, outcome: 'stays, told as unverified' });
    },
  );
});
