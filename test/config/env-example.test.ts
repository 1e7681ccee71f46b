import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { VARIABLES } from '../../src/config/variables.ts';
import { folderWith, load } from './support.ts';

const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
const lines = text.split('\n');
/** Every variable that a line sets, commented out or not. */
const shown = lines.flatMap((line) => {
  const [matched, hash, name = '', value = ''] = /^(#?)([A-Z][A-Z_]*)=(.*)$/.exec(line) ?? [];
  return matched === undefined ? [] : { name, value, off: hash === '#' };
});

test('.env.example names every variable once, and no other', () => {
  expect(shown.map(({ name }) => name).sort()).toEqual([...VARIABLES.keys()].sort());
});

test.each(shown.filter(({ off }) => off))(
  '.env.example shows the default of $name',
  ({ name, value }) => {
    expect(value).toBe(VARIABLES.get(name)?.default ?? '');
  },
);

test('.env.example can be used as it is once its password files are there', () => {
  const pathOf = folderWith({ first: 'one', second: 'two', '.env': text });
  const used = load(
    {
      ...Object.fromEntries(shown.map(({ name }) => [name, undefined])),
      SOURCE_PASSWORD_FILE: pathOf('first'),
      DEST_PASSWORD_FILE: pathOf('second'),
    },
    [pathOf('.env')],
  );
  expect(used.doubts).toEqual([]);
});

test('.env.example can be used with every comment mark in front of a default taken away', () => {
  const values = shown.filter(({ name, value }) => value !== '' && !name.includes('PASSWORD'));
  const env = Object.fromEntries(values.map(({ name, value }) => [name, value]));
  expect(load(env).doubts).toEqual([]);
});
