import { describe, expect, it } from 'vitest';
import { InMemory } from '../../src/domain/content.ts';
import { Receipt } from '../../src/domain/receipt.ts';
import type { Route } from '../../src/domain/route.ts';
import { Ways } from '../../src/forward/ways.ts';
import { routeOf } from './rig.ts';

type Pairs = readonly (readonly [source: string, dest: string])[];

/** Routes as name, source user, destination user and what the plan pairs. */
function laid(...routes: readonly (readonly [string, string, string, Pairs])[]): Ways {
  const ways = new Ways();
  const { source, destination } = routeOf();
  for (const [name, from, to, pairs] of routes) {
    const route = routeOf({
      name,
      source: { ...source, host: 'one.example', user: from },
      destination: { ...destination, host: 'one.example', user: to },
    });
    ways.lay(
      route,
      pairs.map(([source, dest]) => ({ source, dest })),
    );
  }
  return ways;
}

describe('the ways of all routes', () => {
  it('come back by counterparts, and both routes are told', () => {
    const ways = laid(
      ['there', 'a', 'b', [['Sent', 'Gesendet']]],
      ['back', 'b', 'a', [['Gesendet', 'Sent']]],
    );
    expect(ways.circles('there')).toEqual([
      'The mail of Sent would go round in a circle and come back to where it came from, for ever: there: Sent → Gesendet, back: Gesendet → Sent. Leave a folder of these out of its route in FOLDERS, by "!Sent"',
    ]);
    expect(ways.circles('back').length).toBe(1);
  });

  it('come back over three accounts, in whatever letter case INBOX and the login are', () => {
    const ways = laid(
      ['one', 'a', 'B', [['INBOX', 'In']]],
      ['two', 'b', 'c', [['In', 'Inbox']]],
      ['three', 'C', 'A', [['INBOX', 'inbox']]],
    );
    expect(['one', 'two', 'three'].map((name) => ways.circles(name).length)).toEqual([1, 1, 1]);
  });

  it.each([
    [
      'lead on, and not back',
      [
        ['a', 'b', [['INBOX', 'In']]],
        ['b', 'c', [['In', 'INBOX']]],
      ],
    ],
    [
      'cross in other folders',
      [
        ['a', 'b', [['INBOX', 'In']]],
        ['b', 'a', [['Out', 'INBOX']]],
      ],
    ],
    [
      'meet in one folder',
      [
        ['a', 'c', [['INBOX', 'INBOX']]],
        ['b', 'c', [['INBOX', 'INBOX']]],
      ],
    ],
    [
      'lead into a circle that they are not in',
      [
        ['z', 'a', [['INBOX', 'INBOX']]],
        ['y', 'z', []],
      ],
    ],
  ] as const)('%s', (_, routes) => {
    const ways = laid(...routes.map(([a, b, pairs], i) => [`r${i}`, a, b, pairs] as const));
    expect(routes.flatMap((_, i) => ways.circles(`r${i}`))).toEqual([]);
  });

  it('are another once a plan is', () => {
    const ways = laid(['a', 'a', 'b', [['X', 'Y']]], ['b', 'b', 'a', [['Y', 'X']]]);
    const { source, destination } = routeOf();
    ways.lay(routeOf({ name: 'b', source, destination }), []);
    expect(ways.circles('a')).toEqual([]);
  });

  describe('that meet under another name of a server', () => {
    const { source, destination } = routeOf();
    const at = (name: string, from: string, to: string) =>
      routeOf({
        name,
        source: { ...source, host: from },
        destination: { ...destination, host: to },
      });
    const [there, back] = [at('there', 'one.example', 'two.example'), at('back', '2', '1')];
    const content = new InMemory(Buffer.from('a letter'));
    const copied = (route: Route, ways: Ways, uid: number, told = content) => {
      const original = { folder: 'INBOX', uidValidity: 5, uid: 1 };
      const copy = { folder: 'INBOX', uidValidity: 7, uid };
      const receipt = Receipt.recall(original, copy, 'identical');
      ways.brought(route, [receipt], () => new Map([[1, told.sha256]]));
    };
    const met = (route: Route, ways: Ways, uid: number, uidValidity = 7) =>
      ways.recognise(route, { folder: 'INBOX', uidValidity }, [{ uid, content }]);
    const begun = () => {
      const ways = new Ways();
      for (const route of [there, back]) ways.lay(route, [{ source: 'INBOX', dest: 'INBOX' }]);
      return ways;
    };

    it('are a circle once both names are known', () => {
      const ways = begun();
      copied(there, ways, 3);
      expect(met(back, ways, 3)).toBe(true);
      expect(ways.circles('back')).toEqual([]);
      copied(back, ways, 9);
      expect(met(there, ways, 9)).toBe(true);
      expect(ways.circles('there').length).toBe(1);
      expect(ways.circles('back').length).toBe(1);
    });

    it('are none where number, UIDVALIDITY or bytes are others', () => {
      const ways = begun();
      copied(there, ways, 3, new InMemory(Buffer.from('another letter')));
      expect(met(back, ways, 3)).toBe(false);
      copied(there, ways, 4);
      expect(met(back, ways, 5)).toBe(false);
      expect(met(back, ways, 4, 8)).toBe(false);
      expect(ways.circles('back')).toEqual([]);
    });
  });
});
