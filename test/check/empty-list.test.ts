/** What `check` says of an account that lists no folder at all. */
import { expect, it } from 'vitest';
import { checkConfig } from '../../src/commands/check.ts';
import type { Account } from '../../src/domain/route.ts';
import { FakeImap, type FakeOptions } from '../support/fake-imap.ts';
import { route } from './support.ts';

const nothing: FakeOptions = { replies: { LIST: ({ tag }) => `${tag} OK that is all` } };

function at(side: Account['side'], { port }: FakeImap): Account {
  const secret = async () => 'secret-of-anna';
  return {
    side,
    host: '127.0.0.1',
    port,
    security: 'none',
    user: side,
    auth: 'password',
    secret,
  };
}

it.each([
  ['source', nothing, {}],
  ['destination', {}, nothing],
] as const)('is not ready where the %s does', async (side, from, to) => {
  await using source = await FakeImap.start(from);
  await using destination = await FakeImap.start(to);
  const here = route({ source: at('source', source), destination: at('destination', destination) });
  const common = {
    stateDir: '',
    historyDays: 90,
    keepSenders: false,
    logLevel: 'info',
    logFormat: 'json',
    doubts: [],
    remarks: [],
  } as const;
  let printed = '';
  const print = (text: string) => {
    printed += text;
  };
  expect(await checkConfig({ ...common, routes: [here] }, { json: true, print })).toBe(1);
  const [report] = JSON.parse(printed).routes;
  expect(report.why).toEqual([expect.stringContaining(`The ${side} lists no folder at all`)]);
  expect(report).not.toHaveProperty('plan');
});
