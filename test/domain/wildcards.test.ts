import { describe, expect, it } from 'vitest';
import { matches } from '../../src/domain/wildcards.ts';

describe('a pattern', () => {
  const rows: readonly (readonly [pattern: string, meant: string[], others: string[]])[] = [
    ['*', ['', 'a', 'a/b'], []],
    ['%', ['', 'a'], ['a/b', '/']],
    ['a*', ['a', 'a/b', 'ab'], ['ba', 'A']],
    ['*a', ['a', 'b/a', 'aa'], ['ab']],
    ['a%/b', ['a/b', 'ax/b'], ['a/x/b', 'a/bc']],
    ['*/%', ['a/', 'a/b', 'a/b/c'], ['a']],
    ['*b%c', ['bc', 'a/bbxc', 'b/bc'], ['b/c']],
    ['%a%b', ['ab', 'aab', 'xaxb', 'aabab'], ['a/b', '/ab']],
    ['**x**', ['x', 'axb', 'a/x/b'], ['']],
    ['a.(b)?[c]^$\\', ['a.(b)?[c]^$\\'], ['ab']],
    ['草%', ['草稿'], ['稿草']],
    ['', [''], ['a']],
  ];
  it.each(rows)('%s', (pattern, meant, others) => {
    for (const name of meant) expect(matches(pattern, name, '/'), name).toBe(true);
    for (const name of others) expect(matches(pattern, name, '/'), name).toBe(false);
  });

  it('takes % for anything where no separator is known', () => {
    expect(matches('a%', 'a/b')).toBe(true);
  });

  it('of stars with letters between them takes no time, however long the name is', () => {
    const began = performance.now();
    expect(matches(`${'*a'.repeat(50)}*b`, 'a'.repeat(2000))).toBe(false);
    expect(matches(`${'%a'.repeat(50)}%b`, 'a'.repeat(2000), '/')).toBe(false);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
