/**
 * Every answer of the source that can be a lie, as a lie: another message is shown than was asked for, mail is not found,
 * or what is said to be done is not done. The original stays for as long as its copy is not proven, nothing is sent again
 * that is there, and all is carried once the lie has ended.
 */
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Route } from '../../src/domain/route.ts';
import { message } from '../support/mail.ts';
import { record } from '../support/results.ts';
import {
  alien,
  COMPANY,
  changed,
  companies,
  culprit,
  half,
  lieAbout,
  type Manner,
  NAMES,
  NOWHERE,
  odd,
  put,
  Scene,
  type Showing,
  stopServers,
} from './lies.ts';
import { Servers, type World } from './world.ts';

afterAll(stopServers);

// Each row mostly waits.
vi.setConfig({ maxConcurrency: 12 });

const FETCHES: Readonly<Record<string, (body: Buffer, nth: number) => Showing | undefined>> = {
  'short, and whole on another connection': (body, nth) =>
    odd(nth) ? { body: half(body) } : undefined,
  'short, and shorter on another connection': (body, nth) => ({ body: half(body, 10 + nth) }),
  'longer, and whole on another connection': (body, nth) =>
    odd(nth) ? { body: Buffer.concat([body, Buffer.from('ad\r\n')]) } : undefined,
  'empty on every connection': () => ({ body: Buffer.alloc(0) }),
  'NIL on every connection': () => ({ body: 'NIL' }),
  "with another message's body, and its own on another connection": (_, nth) =>
    odd(nth) ? { body: alien(nth) } : undefined,
  "with another message's body on each connection": (_, nth) => ({ body: alien(nth) }),
  "with another message's body, of the size that is told now but not when it was found": (
    _,
    nth,
  ) => {
    const body = alien(nth);
    return { body, size: body.length };
  },
  "with another message's body, the same size, and another INTERNALDATE than when it was found": (
    body,
    nth,
  ) =>
    odd(nth) ? { body: changed('culprit')(body), date: '06-May-1994 07:08:09 +0000' } : undefined,
};

describe.concurrent('a FETCH at the source', () => {
  const able = companies.map((company) => ['multi', company, 'an able server'] as const);
  const sources = [...able, ['bare', 'batch', NAMES.bare] as const];
  const rows = sources.flatMap(([manner, company, by]) =>
    Object.entries(FETCHES).map(
      ([how, show]) => [`${how}, ${COMPANY[company]}, by ${by}`, show, manner, company] as const,
    ),
  );
  it.for(rows)('that comes back %s: the original stays', async ([point, show, manner, company]) => {
    await using scene = await Scene.of(manner);
    const { world } = scene;
    const lie = lieAbout(world, 'source');
    lie.show = show;
    await put(scene, company);
    world.start();
    await world.saw('delivery.refused');
    await world.left(scene.rest + 1);
    // It is fetched again and again.
    await world.until('it is told again', () => lie.told >= 6);
    await scene.stays();
    expect(world.count('delivery.done')).toBe(company === 'batch' ? 1 : 0);
    lie.show = undefined;
    await scene.ends();
    record({
      part: 'lied to',
      point: `FETCH that comes back ${point}`,
      outcome: 'stays, told as refused',
    });
  });
});

describe.concurrent('a source that shows the same', () => {
  it('wrong size and bytes of one message on every connection: the original stays', async () => {
    await using scene = await Scene.of('multi');
    const { world } = scene;
    const lie = lieAbout(world, 'source');
    lie.show = (body) => ({ body: half(body) });
    for (let i = 0; i < 4; i++) await world.put('INBOX', message());
    await world.put('INBOX', culprit());
    world.start();
    await world.saw('delivery.refused');
    await world.left(scene.rest + 1);
    await scene.stays();
    expect(world.events('delivery.refused')[0]?.why).toContain('may be cut short');
    lie.show = undefined;
    await scene.ends();
    record({
      part: 'lied to',
      point: 'FETCH that comes back short, and the same on another connection',
      outcome: 'stays, told as refused',
    });
  });

  const wrong = (answer: Buffer) => {
    const text = answer.toString('latin1');
    const said = text.replace(/RFC822\.SIZE (\d+)/, (_, size) => `RFC822.SIZE ${Number(size) + 7}`);
    return Buffer.from(said, 'latin1');
  };

  it('wrong size of every message: all stay', async () => {
    await using scene = await Scene.of('multi');
    const { world } = scene;
    world.source.untagged = wrong;
    for (let i = 0; i < 4; i++) await world.put('INBOX', message());
    world.start();
    await world.saw('delivery.refused', 4);
    await world.left(scene.rest + 4);
    expect(await world.oracle.now()).toEqual([]);
    world.source.untagged = undefined;
    await scene.ends();
    record({
      part: 'lied to',
      point: 'RFC822.SIZE that is wrong of every message',
      outcome: 'stays, told as refused',
    });
  });

  it('wrong size of every message, and says that it is Exchange, which estimates sizes: all is carried', async () => {
    const extra = 'login_greeting = The Microsoft Exchange IMAP4 service is ready.';
    await using servers = await Servers.start({ source: { extra } });
    await using world = await servers.world();
    world.source.untagged = wrong;
    for (let i = 0; i < 4; i++) await world.put('INBOX', message());
    world.start();
    await world.left(0);
    expect(await world.stop()).toBe(0);
    expect(world.count('delivery.refused')).toBe(0);
    expect(await world.oracle.end()).toEqual([]);
    record({
      part: 'lied to',
      point: 'RFC822.SIZE that is an estimate for every message, of Exchange',
      outcome: 'each message once',
    });
  });

  it('other bytes of the right size, which no client can notice: what it shows is carried', async () => {
    await using scene = await Scene.of('multi');
    const { world } = scene;
    const bytes = culprit();
    const other = changed('culprit')(bytes);
    lieAbout(world, 'source').show = () => ({ body: other });
    await world.put('INBOX', bytes);
    world.start();
    await world.left(scene.rest);
    const copies = (await world.fresh.dump('INBOX')).map((copy) => copy.bytes.toString());
    expect(copies).toContain(other.toString());
  });
});

interface Undone {
  readonly line: RegExp;
  readonly manner: Manner;
  readonly afterDelivery?: Route['afterDelivery'];
  /** What is answered and not done; without it, what is found is left out of the answer. */
  readonly say?: string;
}

const EXPUNGE: Route['afterDelivery'] = { kind: 'expunge' };

const UNDONE: Readonly<Record<string, Undone>> = {
  'a UID STORE before a UID EXPUNGE': { line: / UID STORE /, manner: 'multi', say: 'TAG OK done' },
  'a UID STORE before an EXPUNGE': { line: / UID STORE /, manner: 'bare', say: 'TAG OK done' },
  'a UID STORE that is to be all': {
    line: / UID STORE /,
    manner: 'multi',
    afterDelivery: { kind: 'mark' },
    say: 'TAG OK done',
  },
  'a UID EXPUNGE': { line: / UID EXPUNGE /, manner: 'multi', say: 'TAG OK done' },
  'an EXPUNGE': { line: / EXPUNGE$/, manner: 'bare', say: 'TAG OK done' },
  'a UID SEARCH for what is marked, before an EXPUNGE,': {
    line: / UID SEARCH DELETED$/,
    manner: 'bare',
  },
  'a UID MOVE': {
    line: / UID MOVE /,
    manner: 'multi',
    afterDelivery: { kind: 'move', folder: 'Carried' },
    say: 'TAG OK done',
  },
};

describe.concurrent('at the source', () => {
  it.for(Object.entries(UNDONE))(
    '%s is answered OK and not done: the original stays, and its copy is the only one',
    async ([what, { line, manner, afterDelivery = EXPUNGE, say }]) => {
      await using scene = await Scene.of(manner, { route: { sweepInterval: 300, afterDelivery } });
      const { world } = scene;
      let told = 0;
      let lying = true;
      if (say) {
        world.source.at = ({ when, command }) => {
          if (!lying || when !== 'before' || !line.test(command.line)) return undefined;
          told++;
          return { say };
        };
      } else {
        world.source.untagged = (answer, command) => {
          const isIt = command && line.test(command.line) && answer.includes('SEARCH');
          if (!lying || !isIt) return answer;
          told++;
          return Buffer.from('* SEARCH\r\n');
        };
      }
      scene.lie = {};
      await put(scene, 'alone');
      world.start();
      await world.saw('delivery.postponed', 2);
      expect(told).toBeGreaterThan(4);
      expect(await world.oracle.now()).toEqual([]);
      expect(await world.old.count('INBOX')).toBe(scene.rest + 1);
      expect(world.count('delivery.done')).toBe(0);
      lying = false;
      await world.saw('delivery.done');
      expect(scene.told).toBe(1);
      if (afterDelivery.kind === 'mark') {
        const flags = (await world.old.dump('INBOX')).map((original) => original.flags);
        expect(flags).toEqual([['\\Deleted'], ['\\Deleted']]);
      } else await scene.ends();
      record({ part: 'lied to', point: `${what} is answered OK and not done`, outcome: 'stays' });
    },
  );
});

const FOUND: Readonly<Record<string, (uids: string[]) => string[]>> = {
  nothing: () => [],
  'all but one': (uids) => uids.slice(0, -1),
  'something else': (uids) => [...uids.slice(0, -1), `${NOWHERE}`],
};

/** A UID SEARCH for all finds something else, while it is so. */
function searchLie({ source }: World, found: (uids: string[]) => string[]) {
  const lie = { on: true, told: 0 };
  source.untagged = (answer, command) => {
    const text = answer.toString('latin1').trim();
    if (!lie.on || !command?.line.endsWith('SEARCH ALL') || !/^\* SEARCH \d/.test(text))
      return answer;
    lie.told++;
    const uids = found(text.split(' ').slice(2));
    return Buffer.from(`${['* SEARCH', ...uids].join(' ')}\r\n`);
  };
  return lie;
}

describe.concurrent('a UID SEARCH at the source that finds', () => {
  const visible = Object.entries(FOUND).filter(([what]) => what !== 'something else');
  it.for(visible)('%s, where there is mail: all is carried', async ([what, found]) => {
    await using scene = await Scene.of('multi');
    await put(scene, 'batch');
    const lie = searchLie(scene.world, found);
    scene.world.start();
    await scene.ends();
    expect(lie.told).toBeGreaterThan(0);
    const point = `UID SEARCH that finds ${what}`;
    record({ part: 'lied to', point, outcome: 'each message once' });
  });

  const kept = (['keep', 'mark'] as const).flatMap((kind) =>
    Object.entries(FOUND).map(([what, found]) => [what, kind, found] as const),
  );
  it.for(kept)(
    '%s, once all is carried, under %s: nothing is sent again',
    async ([what, kind, found]) => {
      await using scene = await Scene.of('multi', {
        route: { sweepInterval: 100, afterDelivery: { kind } },
      });
      const { world } = scene;
      world.start();
      await world.saw('watcher.idling');
      await world.put('INBOX', message());
      await world.put('INBOX', message());
      await world.saw('delivery.done', 2);
      const lie = searchLie(world, found);
      await world.until('it is told', () => lie.told > 2);
      lie.on = false;
      const swept = world.count('sweep.finished');
      await world.saw('sweep.finished', swept + 3);
      expect(await world.stop()).toBe(0);
      expect(await world.oracle.now()).toEqual([]);
      expect(world.count('delivery.done')).toBe(2);
      const point = `UID SEARCH that finds ${what} once all is carried, under ${kind}`;
      record({ part: 'lied to', point, outcome: 'each message once' });
    },
  );
});
