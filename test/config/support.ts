/** Settings to start from, and a directory for each test's files. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { type Config, ConfigError, loadConfig } from '../../src/config/config.ts';

/** Settings without a mistake or a doubt. */
export const GOOD = {
  SOURCE_HOST: 'imap.example.org',
  SOURCE_USER: 'old@example.org',
  SOURCE_PASSWORD: 'first-secret',
  DEST_HOST: 'imap.example.net',
  DEST_USER: 'new@example.net',
  DEST_PASSWORD: 'other-secret',
} as const;

export type Environment = Record<string, string | undefined>;

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A fresh directory, there until the tests of its file end, that holds these files; gives a function from name to path. */
export function folderWith(files: Record<string, string | Buffer>): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'imapferry-config-'));
  folders.push(folder);
  const pathOf = (name: string) => join(folder, name);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(pathOf(name)), { recursive: true });
    writeFileSync(pathOf(name), content, { mode: 0o600 });
  }
  return pathOf;
}

/** Stands in for the .env file that the working directory may hold. */
const NO_SETTINGS = folderWith({ 'empty.env': '' })('empty.env');

/** The Config from GOOD and these variables; `undefined` takes one away. */
export function load(env: Environment = {}, envFiles: readonly string[] = [NO_SETTINGS]): Config {
  return loadConfig({ ...GOOD, ...env }, { envFiles });
}

/** The mistakes in GOOD with these variables, each as `VARIABLE wrong`. */
export function mistakesOf(env: Environment = {}, envFiles?: readonly string[]): string[] {
  return rejection(() => load(env, envFiles)).mistakes.map(
    ({ variable, wrong }) => `${variable} ${wrong}`,
  );
}

/** The ConfigError that `load` throws; none is a failure of the test. */
export function rejection(loading: () => unknown): ConfigError {
  try {
    loading();
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown;
    throw thrown;
  }
  throw new Error('no mistake was found');
}
