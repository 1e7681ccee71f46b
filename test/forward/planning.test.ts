/** What a plan that is made anew, while imapferry runs, does to the plan before. */
import { describe, expect, it } from 'vitest';
import type { Emit } from '../../src/domain/events.ts';
import type { Listing } from '../../src/domain/route.ts';
import { systemClock } from '../../src/forward/clock.ts';
import { Planning } from '../../src/forward/planning.ts';
import { Ways } from '../../src/forward/ways.ts';
import { mailbox } from './list-answers.ts';
import { routeOf, type Told } from './rig.ts';

const listing = (...lines: string[]): Listing => ({ ...mailbox(lines), createsSpecialUse: false });

function planning(): { planning: Planning; told: Told[] } {
  const told: Told[] = [];
  const emit: Emit = (event, fields) => told.push({ event, ...fields });
  return { planning: new Planning(routeOf(), new Ways(), emit, systemClock), told };
}

const SENT = listing('"/" INBOX', '\\Sent "/" Sent');

describe('a folder that appears', () => {
  it('stops the route where it would join one that keeps its way, until it is gone', () => {
    const { planning: plan, told } = planning();
    plan.renew(listing('"/" INBOX', '"/" Gesendete Objekte'), SENT);
    for (let sweep = 0; sweep < 2; sweep++) {
      plan.renew(listing('"/" INBOX', '"/" Gesendete Objekte', '"/" Sent'), SENT);
      expect(plan.mistakes).toHaveLength(1);
      expect(plan.pairs).toEqual([]);
    }
    plan.renew(listing('"/" INBOX', '"/" Gesendete Objekte'), SENT);
    expect(plan.pairs.map(({ dest }) => dest)).toEqual(['INBOX', 'Sent']);
    expect(told.filter(({ event }) => /^route/.test(event)).map(({ event }) => event)).toEqual([
      'route.blocked',
      'route.resumed',
    ]);
  });

  it('leaves the others the very pairs that they had', () => {
    const { planning: plan } = planning();
    plan.renew(listing('"/" INBOX', '"/" A'), SENT);
    const [inbox, a] = plan.pairs;
    plan.renew(listing('"/" INBOX', '"/" A', '"/" B'), SENT);
    expect(plan.pairs[0]).toBe(inbox);
    expect(plan.pairs[1]).toBe(a);
  });
});

it.each([
  ['Spam', 'Junk'],
  ['Junk', 'Spam'],
  ['Trash', 'Papierkorb'],
  ['Sent', 'Gesendet'],
  ['Gesendete Objekte', 'Sent'],
])(
  'no destination folder is filled from two, by way of folders that the plan itself has made: %s and %s',
  (...names) => {
    const source = listing('"/" INBOX', ...names.map((name) => `"/" ${name}`));
    const { planning: plan } = planning();
    const into = new Map<string, Set<string>>();
    for (let sweep = 0; sweep < 4; sweep++) {
      // As a process that begins anew, and as one that goes on.
      const next = sweep % 2 === 0 ? plan : planning().planning;
      next.renew(source, listing('"/" INBOX', ...[...into.keys()].map((name) => `"/" ${name}`)));
      expect(next.mistakes).toEqual([]);
      for (const { source: from, dest } of next.pairs.toReversed().slice(0, sweep + 1))
        into.set(dest, (into.get(dest) ?? new Set()).add(from));
    }
    for (const [dest, sources] of into) expect([...sources], dest).toHaveLength(1);
  },
);

it('a folder that is gone and comes back goes where the plan says by then', () => {
  const { planning: plan, told } = planning();
  plan.renew(listing('"/" INBOX', '"/" Sent'), listing('"/" INBOX'));
  plan.renew(listing('"/" INBOX'), listing('"/" INBOX'));
  plan.renew(listing('"/" INBOX', '"/" Sent'), listing('"/" INBOX', '\\Sent "/" Gesendet'));
  expect(plan.pairs.map(({ dest }) => dest)).toEqual(['INBOX', 'Gesendet']);
  expect(told.at(-1)).toMatchObject({ event: 'plan.made', folder: 'Sent', dest: 'Gesendet' });
});

it('a folder whose counterpart the destination refuses to make is left out from then on, and said', () => {
  const { planning: plan, told } = planning();
  const source = listing('"/" INBOX', '"/" Spam');
  const dest = { ...listing('"/" INBOX'), createsSpecialUse: true };
  plan.renew(source, dest);
  expect(plan.pairs.map((pair) => pair.dest)).toEqual(['INBOX', 'Junk']);
  plan.refused('\\Junk');
  plan.renew(source, dest);
  expect(plan.pairs.map((pair) => pair.dest)).toEqual(['INBOX']);
  expect(told.at(-1)).toMatchObject({ event: 'folder.left-out', folder: 'Spam' });
});

it('Exchange is known by its listing, on each side', () => {
  const { planning: plan } = planning();
  const names = ['"/" INBOX', '"/" Calendar'];
  plan.renew({ ...listing(...names), isExchange: true }, listing('"/" INBOX'));
  expect(plan.pairs.map(({ source }) => source)).toEqual(['INBOX']);
  const { planning: other } = planning();
  other.renew(listing(...names), { ...listing(...names), isExchange: true });
  expect(other.pairs.map(({ source }) => source)).toEqual(['INBOX']);
});
