/** What only a process of its own can show: its environment and its working directory. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { folderWith, GOOD } from './support.ts';

const config = new URL('../../src/config/config.ts', import.meta.url).href;
const stateDir = new URL('../../src/config/state-dir.ts', import.meta.url).href;

/** The value of an expression in a process with that working directory and environment; an error's message else. */
function resultOf(expression: string, cwd: string, env: Record<string, string>): unknown {
  const script = `
    try { console.log(JSON.stringify(${expression})); }
    catch (error) { console.log(JSON.stringify(error.message)); }`;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd,
      env,
      encoding: 'utf8',
    }),
  );
}

const level = `(await import('${config}')).readEnvironment([]).logLevel`;

test('.env in the working directory is read where there is one, and the environment wins', () => {
  const folder = dirname(folderWith({ '.env': 'LOG_LEVEL=debug\n' })('.env'));
  expect(resultOf(level, folder, GOOD)).toBe('debug');
  expect(resultOf(level, folder, { ...GOOD, LOG_LEVEL: 'error' })).toBe('error');
  expect(resultOf(level, dirname(folderWith({ other: '' })('other')), GOOD)).toBe('info');
});

test('a file that is named is read in place of .env', () => {
  const pathOf = folderWith({ '.env': 'LOG_LEVEL=debug\n', 'my.env': 'HISTORY_DAYS=1\n' });
  const read = level.replace('[]', `['my.env']`);
  expect(resultOf(read, dirname(pathOf('.env')), GOOD)).toBe('info');
});

test('STATE_DIR is known whatever is wrong with the other settings', () => {
  const folder = dirname(
    folderWith({ '.env': 'STATE_DIR=/data\nPORT=x\nSOURCE_PORT=x\n' })('.env'),
  );
  const read = (files: string) => `(await import('${stateDir}')).stateDir(${files})`;
  expect(resultOf(read('[]'), folder, {})).toBe('/data');
  expect(resultOf(read('[]'), folder, { STATE_DIR: '/elsewhere' })).toBe('/elsewhere');
  expect(resultOf(read('[]'), dirname(folderWith({ other: '' })('other')), {})).toBe('./state');
  expect(resultOf(read("['gone.env']"), folder, {})).toContain('--env-file gone.env names a file');
});

test('STATE_DIR is the same to the commands that read it alone', () => {
  const pathOf = folderWith({
    first: 'LOG_LEVEL=info\n',
    second: 'STATE_DIR=/second\n',
    third: 'STATE_DIR=/third\n',
    empty: 'STATE_DIR=\n',
  });
  const both = (files: string[]) =>
    `[(await import('${stateDir}')).stateDir(${JSON.stringify(files)}),
      (await import('${config}')).readEnvironment(${JSON.stringify(files)}).stateDir]`;
  const folder = dirname(pathOf('first'));
  const told = (files: string[], env: Record<string, string>) =>
    resultOf(both(files), folder, { ...GOOD, ...env });
  expect(told(['first', 'second', 'third'], {})).toEqual(['/second', '/second']);
  expect(told(['second'], { STATE_DIR: ' /real ' })).toEqual(['/real', '/real']);
  expect(told(['empty', 'second'], {})).toEqual(['./state', './state']);
  expect(told(['second'], { STATE_DIR: '' })).toEqual(['./state', './state']);
  expect(told(['first'], {})).toEqual(['./state', './state']);
});

test('STATE_DIR alone is read without loading the other settings', () => {
  const source = (name: string) =>
    readFileSync(new URL(`../../src/config/${name}`, import.meta.url), 'utf8');
  const reached = new Set<string>();
  const follow = (name: string) => {
    for (const [, to = ''] of source(name).matchAll(/ from '(?:\.\/)?(.+)';$/gm)) {
      if (reached.has(to)) continue;
      reached.add(to);
      if (to.endsWith('.ts')) follow(to);
    }
  };
  follow('state-dir.ts');
  expect([...reached].sort()).toEqual(['dotenv', 'file.ts', 'mistakes.ts', 'node:fs', 'node:path']);
});
