/** Copies that are there already, looked for by a start that knows nothing of them, on a server that tries to hide them. */
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { EVENTS } from '../../src/domain/events.ts';
import { message } from '../support/mail.ts';
import { record } from '../support/results.ts';
import { Servers } from './world.ts';

const servers = await Servers.start();
/** Each message is a round trip, so that messages travel in batches side by side. */
const singly = await Servers.start({
  destination: { capability: 'IMAP4rev1 UIDPLUS LITERAL+' },
});
afterAll(() => Promise.all([servers, singly].map((each) => each[Symbol.asyncDispose]())));

describe('a journal that was lost after a copy was made', () => {
  const shown: Readonly<Record<string, (body: Buffer) => Buffer>> = {
    'cut short': (body) => body.subarray(0, 20),
    empty: () => Buffer.alloc(0),
    'as another message, longer': (body) => Buffer.concat([Buffer.from('X: y\r\n'), body]),
  };
  it.each(Object.keys(shown))(
    'and a copy that is shown %s once: nothing goes twice',
    async (how) => {
      await using world = await servers.world();
      await world.put('INBOX', message({ body: 'Looked for' }));
      // The copy is made, and the original not retired.
      let over = false;
      world.source.at = ({ when, command: { name } }) =>
        when === 'before' && name === 'UID STORE' && !over ? 'reset' : undefined;
      world.start();
      await world.saw('delivery.verified');
      await world.stop();
      over = true;
      rmSync(world.stateDir, { recursive: true });
      let lies = 0;
      world.destination.untagged = (answer) => {
        const found = /BODY\[\] \{(\d+)\}\r\n/.exec(answer.toString('latin1'));
        if (!found || lies > 0) return answer;
        lies++;
        const start = found.index + found[0].length;
        const end = start + Number(found[1]);
        const body = shown[how]?.(answer.subarray(start, end)) ?? answer;
        const head = Buffer.concat([
          answer.subarray(0, found.index),
          Buffer.from(`BODY[] {${body.length}}\r\n`),
        ]);
        return Buffer.concat([head, body, answer.subarray(end)]);
      };
      world.start();
      await world.left();
      await world.stop();
      expect(lies).toBe(1);
      expect(await world.violations()).toEqual([]);
      expect(await world.oracle.end()).toEqual([]);
      expect(world.told.filter(({ event }) => EVENTS[event][0] === 'error')).toEqual([]);
      record({
        part: 'lied to',
        point: `the journal lost, its copy shown ${how} once`,
        outcome: 'each message once',
      });
    },
  );
});

it('of twins that travel side by side, neither takes the copy that the other one has just made', async () => {
  await using world = await singly.world({ route: { concurrency: 2 } });
  const twin = message();
  const years = ['2001', '2002'].map((year) => new Date(`${year}-02-03T04:05:06Z`));
  for (const internalDate of years) await world.put('INBOX', twin, { internalDate });
  const stored = Promise.withResolvers<number>();
  const looked = Promise.withResolvers<void>();
  world.destination.at = ({ when, command: { name, connection, line } }) => {
    if (when === 'after' && name === 'APPEND') {
      stored.resolve(connection);
      // Its copy is there, and not proven, until the other one has looked for its own.
      return { first: () => looked.promise };
    }
    if (name === 'SELECT' && when === 'before') {
      return connection > 1 ? { first: () => stored.promise } : undefined;
    }
    if (when === 'after' && name === 'UID FETCH' && line.includes('BODY.PEEK[]')) {
      void stored.promise.then(async (its) => {
        if (connection !== its) setTimeout(looked.resolve, 100);
      });
    }
    return undefined;
  };
  world.start();
  await world.left();
  await world.stop();
  expect(await world.oracle.end()).toEqual([]);
  expect(world.told.filter(({ event }) => EVENTS[event][0] === 'error')).toEqual([]);
  record({
    part: 'twins',
    point: 'side by side, one looked for while the other’s copy is not proven',
    outcome: 'each message once',
  });
});
