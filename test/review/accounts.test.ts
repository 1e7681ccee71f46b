/** Two old mailboxes into one new one, whose password was changed. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { eventStream } from '../../src/domain/events.ts';
import type { Account } from '../../src/domain/route.ts';
import { systemClock } from '../../src/forward/clock.ts';
import { LoginGate } from '../../src/forward/login-gate.ts';
import { Failure } from '../../src/domain/failure.ts';
import { Accounts } from '../../src/report/accounts.ts';
import { memoryJournal } from '../support/memory-journal.ts';
import { QUICK, routeOf } from '../forward/rig.ts';

it('the routes that share a refused account are all told to be refused', async () => {
  const stream = eventStream();
  const accounts = new Accounts(Date.now());
  stream.subscribe((event, fields) => accounts.hear(event, fields, Date.now()));
  const destination: Account = routeOf().destination;
  const world = {
    journal: memoryJournal(),
    clock: systemClock,
    emit: stream.emit,
    pace: { ...QUICK, refusedLogin: 60_000 },
  };
  const gate = new LoginGate(destination, world);
  const stop = new AbortController();
  const refused = async () => {
    throw new Failure('The server refused: [AUTHENTICATIONFAILED] no.', {
      step: 'login',
      scope: 'account',
      kind: 'login-refused',
      lasting: true,
    });
  };
  const life = async (route: string) => {
    for (let attempt = 1; !stop.signal.aborted; attempt++) {
      try {
        await gate.login(refused, stop.signal, { route, waits: true });
      } catch (thrown) {
        if (stop.signal.aborted) return;
        const why = (thrown as Error).message;
        stream.emit('account.reconnecting', { route, side: 'destination', attempt, why });
        await wait(1);
      }
    }
  };
  const lives = [life('mum'), life('dad')];
  await wait(500);
  const of = (route: string) => accounts.of(route, true)[1]?.is;
  const states = [of('mum'), of('dad')];
  stop.abort(new Error('the test stops it'));
  await Promise.all(lives);
  expect(states).toEqual(['refused', 'refused']);
});
