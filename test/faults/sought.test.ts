/** Copies that are there already, looked for by a start that knows nothing of them, on a server that tries to hide them. */
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { EVENTS } from '../../src/domain/events.ts';
import { message } from '../support/mail.ts';
import { record } from '../support/results.ts';
import { Servers } from './world.ts';

const servers = await Servers.start();
afterAll(() => servers[Symbol.asyncDispose]());

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
