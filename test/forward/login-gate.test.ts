/** The door to an account that several routes share. */
import { expect, it } from 'vitest';
import { type EventName, eventStream } from '../../src/domain/events.ts';
import { Failure } from '../../src/domain/failure.ts';
import { LoginGate } from '../../src/forward/login-gate.ts';
import { HandClock } from '../support/hand-clock.ts';
import { memoryJournal } from '../support/memory-journal.ts';
import { QUICK, routeOf } from './rig.ts';

const NO = new Failure('The server refused: no.', {
  step: 'login',
  scope: 'account',
  kind: 'login-refused',
  lasting: true,
});

/** An account that refuses until it is told not to, and what is told of it to whom. */
function door(journal = memoryJournal()) {
  const stream = eventStream();
  const told: [EventName, string | undefined][] = [];
  stream.subscribe((event, { route }) => told.push([event, route]));
  const clock = new HandClock();
  const pace = { ...QUICK, refusedLogin: 900_000 };
  const gate = new LoginGate(routeOf().destination, { journal, clock, emit: stream.emit, pace });
  const stop = new AbortController();
  let refuses = true;
  const connect = async () => {
    if (refuses) throw NO;
    return 'in';
  };
  const login = (route: string) =>
    gate.login(connect, stop.signal, { route, waits: true }).catch((thrown: Error) => thrown);
  return {
    ...{ login, told, clock, journal },
    letIn: () => {
      refuses = false;
    },
    end: () => stop.abort(new Error('the test stops it')),
  };
}

const settle = () => new Promise(setImmediate);

it('every route that wants in hears once that the login is refused, whosever turn it was', async () => {
  const { login, told, end } = door();
  for (let i = 0; i < 3; i++) await login('mum');
  expect(told).toEqual([['account.refused', 'mum']]);
  const waits = [login('mum'), login('dad')];
  await settle();
  const late = login('aunt');
  await settle();
  end();
  await Promise.all([...waits, late]);
  expect(told).toEqual([
    ['account.refused', 'mum'],
    ['account.reconnecting', 'mum'],
    ['account.refused', 'dad'],
    ['account.refused', 'aunt'],
  ]);
});

it('and again when it is refused after it was let in', async () => {
  const { login, told, clock, letIn, end } = door();
  for (let i = 0; i < 3; i++) await login('mum');
  letIn();
  const waits = login('mum');
  await settle();
  clock.advance(900_000);
  expect(await waits).toBe('in');
  end();
  expect(told.filter(([event]) => event === 'account.refused')).toHaveLength(1);
});

it('what an earlier process met is told, too', async () => {
  const first = door();
  for (let i = 0; i < 3; i++) await first.login('mum');
  const second = door(first.journal);
  const waits = [second.login('mum'), second.login('dad')];
  await settle();
  second.end();
  await Promise.all(waits);
  expect(second.told).toEqual([
    ['account.refused', 'mum'],
    ['account.refused', 'dad'],
  ]);
});
