/**
 * A crossing that is watched: after every command that is answered, on either side, both servers are read before
 * imapferry hears the answer. So each message is seen after each step: never at neither, never twice, nobody else's touched.
 */
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { AfterDelivery } from '../../src/domain/route.ts';
import type { Deed, Moment } from '../support/imap-wire.ts';
import { Mail, message } from '../support/mail.ts';
import { record } from '../support/results.ts';
import { fill } from './mailbox.ts';
import { Servers, type World } from './world.ts';

/** Servers with all that imapferry can use, with some of it, and with nothing. */
const MANNERS = {
  ...(await Servers.bothManners()),
  plain: await Servers.start({
    source: { capability: 'IMAP4rev1 UIDPLUS IDLE' },
    destination: { capability: 'IMAP4rev1 LITERAL+' },
  }),
};
type Manner = keyof typeof MANNERS;

afterAll(() => Promise.all(Object.values(MANNERS).map((each) => each[Symbol.asyncDispose]())));

vi.setConfig({ maxConcurrency: 4 });

interface Crossing {
  readonly manner: Manner;
  readonly afterDelivery: AfterDelivery;
  /** What is sent to the source to retire what was carried. */
  readonly retires: readonly string[];
}

const CROSSINGS: readonly Crossing[] = [
  { manner: 'able', afterDelivery: { kind: 'expunge' }, retires: ['UID STORE', 'UID EXPUNGE'] },
  { manner: 'plain', afterDelivery: { kind: 'expunge' }, retires: ['UID STORE', 'UID EXPUNGE'] },
  { manner: 'poor', afterDelivery: { kind: 'expunge' }, retires: ['UID STORE', 'EXPUNGE'] },
  { manner: 'able', afterDelivery: { kind: 'mark' }, retires: ['UID STORE'] },
  { manner: 'poor', afterDelivery: { kind: 'mark' }, retires: ['UID STORE'] },
  { manner: 'able', afterDelivery: { kind: 'move', folder: 'Carried' }, retires: ['UID MOVE'] },
  {
    manner: 'plain',
    afterDelivery: { kind: 'move', folder: 'Carried' },
    retires: ['UID COPY', 'UID STORE', 'UID EXPUNGE'],
  },
  { manner: 'able', afterDelivery: { kind: 'keep' }, retires: [] },
];

/** What every crossing asks of each side. */
const ASKED = {
  source: ['LIST', 'UID SEARCH', 'UID FETCH', 'LOGOUT'],
  destination: ['LIST', 'SELECT', 'CREATE', 'SUBSCRIBE', 'APPEND', 'UID FETCH', 'NOOP', 'LOGOUT'],
} as const;

/** An original that somebody else flags while it is on its way. Resolves with its UID. */
async function putFlagged({ old, oracle }: World): Promise<number | undefined> {
  const internalDate = new Date('2001-02-03T04:05:06Z');
  const bytes = message({ body: 'to be flagged' });
  const uid = await old.put('INBOX', bytes, { internalDate });
  // With which flags it is found depends on when one looks.
  oracle.originals.push({ folder: 'INBOX', bytes, internalDate });
  return uid;
}

describe.concurrent('at no moment is a message at neither server, twice, or touched by mistake', () => {
  const rows = CROSSINGS.map((crossing) => {
    const { manner, afterDelivery, retires } = crossing;
    const by = retires.length > 0 ? ` by ${retires.join(', ')}` : '';
    return [`${afterDelivery.kind}${by}, ${manner} servers`, crossing] as const;
  });

  it.for(rows)('%s: both are read after every command', async ([name, crossing]) => {
    const { manner, afterDelivery, retires } = crossing;
    const folders = ['INBOX', 'Papers'].map((each) => ({ kind: 'folder', name: each }) as const);
    await using world = await MANNERS[manner].world({
      route: { folders, afterDelivery, sweepInterval: 1500, idleRenew: 700 },
      // Reading both servers takes its time.
      pace: { silence: 30_000, ask: 300, stop: 30_000 },
    });
    // Where a server can expunge only all at once, what others marked holds up what is carried.
    await fill(world, { size: 20_000, marked: manner === 'poor' ? 'Others' : 'INBOX' });
    const flagged = await putFlagged(world);
    const { port, users } = MANNERS[manner].source;
    await using other = await Mail.login(port, world.user, users[world.user] ?? '');

    let answered = 0;
    let read = 0;
    let flags = 0;
    let appends = 0;
    let wrong: readonly string[] = [];
    const looked = async ({ command: { name: asked, line } }: Moment) => {
      wrong = await world.violations();
      read++;
      if (asked !== 'UID FETCH' || !line.includes('BODY.PEEK[]') || flags++ > 0) return;
      // The original is on its way, and its flags are known.
      await other.flag('INBOX', `${flagged}`, '+FLAGS (\\Flagged)');
    };
    const at = (moment: Moment): Deed => {
      if (moment.when !== 'after') return undefined;
      answered++;
      world.look();
      const read = looked(moment);
      return { first: () => read };
    };
    world.source.at = at;
    world.destination.at = (moment) => {
      const deed = at(moment);
      // One APPEND whose answer is lost: what it stored is looked for, and found.
      const lost = deed && moment.command.name === 'APPEND' && ++appends === 2;
      return lost ? 'end' : deed;
    };

    const carried = (count: number) =>
      world.until(`${count} are carried`, () => {
        expect(wrong).toEqual([]);
        return world.count('delivery.done') >= count;
      });
    world.start();
    await carried(8);
    await world.put('INBOX', message());
    await world.put('Papers', message());
    await carried(10);
    const rested = () => world.destination.commands.some(({ name: asked }) => asked === 'NOOP');
    await world.until('the destination is asked whether it lives', rested);
    expect(await world.stop()).toBe(0);

    expect(await world.violations()).toEqual([]);
    expect(read).toBe(answered);
    expect(answered).toBeGreaterThan(60);
    for (const side of ['source', 'destination'] as const) {
      const asked = new Set(world[side].commands.map((command) => command.name));
      const wanted = [...ASKED[side], ...(side === 'source' ? retires : [])];
      expect(wanted.filter((each) => !asked.has(each))).toEqual([]);
    }
    expect(world.count('delivery.done')).toBe(10);
    expect(world.count('delivery.recovered')).toBeGreaterThan(0);
    const stay = afterDelivery.kind === 'keep' || afterDelivery.kind === 'mark';
    expect(await (stay ? world.oracle.now() : world.oracle.end())).toEqual([]);
    // Ten copies and the stranger.
    const { destination } = await world.oracle.read();
    const copies = [...destination.values()].flat();
    expect(copies).toHaveLength(11);
    const all = copies.filter(({ bytes }) => bytes.includes('to be flagged'));
    expect(all.map((copy) => copy.flags)).toEqual([['\\Flagged']]);
    record({ part: 'watched', point: name, outcome: 'each message safe after every command' });
  });
});
