/** The page's door and its answers when something is wrong. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { STATES } from '../support/boards.ts';
import { basic, Serving } from '../support/serving.ts';

it('who knows the password gets in while somebody behind the same address guesses', async () => {
  await using serving = await Serving.of(STATES.flowing(), { password: () => 'right' });
  // The first guesses make the next ones wait for long.
  for (let i = 0; i < 6; i++) await serving.ask('/', { headers: basic('wrong') });
  const guesses = Array.from({ length: 4 }, () => serving.ask('/', { headers: basic('wrong') }));
  await wait(50);
  const { status } = await serving.ask('/healthz', { headers: basic('right') });
  await Promise.all(guesses);
  expect(status).toBe(200);
});

it('/api/status tells what is wrong also while the journal can not be read', async () => {
  await using serving = await Serving.of(STATES.flowing());
  serving.board.histories = () => {
    throw new Error('The journal can not be read.');
  };
  const { status, body } = await serving.ask('/api/status');
  expect(status).toBe(200);
  expect(JSON.parse(body).routes.length).toBeGreaterThan(0);
});
