import { describe, expect, it } from 'vitest';
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
});
