/** The unit for systemd: it can be read, it is as closed as it can be, and what it names is what the program takes. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { VARIABLES } from '../../src/config/variables.ts';
import { load } from '../config/support.ts';

const run = promisify(execFile);
const text = readFileSync(new URL('../../packaging/imapferry.service', import.meta.url), 'utf8');

/** Every line of a setting of the unit. */
const of = (name: string) =>
  [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value ?? '');

const home = mkdtempSync(join(tmpdir(), 'imapferry-unit-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The version of systemd-analyze; `undefined` where there is none. */
const version = await run('systemd-analyze', ['--version']).then(
  ({ stdout }) => Number(/^systemd (\d+)/.exec(stdout)?.[1]),
  () => undefined,
);
// %d is known since 251.
const why = version === undefined ? 'systemd is not there' : 'its systemd is older than 251';
const can = version !== undefined && version >= 251;
if (!can) console.error(`The unit is not tried here: ${why}.`);

describe.skipIf(!can)('systemd', () => {
  test('takes the unit without a word', async () => {
    const unit = join(home, 'imapferry.service');
    // Where imapferry was installed, systemd finds it by its name alone.
    writeFileSync(unit, text.replace('ExecStart=imapferry', `ExecStart=${process.execPath}`));
    const { stdout, stderr } = await run('systemd-analyze', ['verify', unit]);
    expect(`${stdout}${stderr}`).toBe('');
  });

  test('finds the unit exposed to less than 3 of 10', async () => {
    const unit = new URL('../../packaging/imapferry.service', import.meta.url).pathname;
    const args = ['security', '--offline=true', '--no-pager', unit];
    const { stdout } = await run('systemd-analyze', args);
    const exposure = Number(
      /Overall exposure level for imapferry.service: ([\d.]+)/.exec(stdout)?.[1],
    );
    expect(exposure).toBeGreaterThan(0);
    expect(exposure).toBeLessThan(3);
  });
});

test('what the unit sets are settings, and they can be used', () => {
  const set = of('Environment').flatMap((line) =>
    [...line.matchAll(/(?:^|\s)([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
  const ours = set.filter(([name]) => !/^(NODE_|MALLOC_)/.test(name ?? ''));
  expect(ours.map(([name]) => name)).toEqual([
    'SOURCE_PASSWORD_FILE',
    'DEST_PASSWORD_FILE',
    'STATE_DIR',
  ]);
  for (const [name] of ours) expect(VARIABLES.has(name ?? '')).toBe(true);
  for (const name of ['source', 'dest'])
    writeFileSync(join(home, `${name}_password`), 'x', { mode: 0o400 });
  const settings = Object.fromEntries(
    ours.map(([name, value]) => [name, value?.replace('%d', home).replace('%S', '/var/lib')]),
  );
  const unset = { SOURCE_PASSWORD: undefined, DEST_PASSWORD: undefined };
  const { doubts, stateDir } = load({ ...unset, ...settings });
  expect([doubts, stateDir]).toEqual([[], '/var/lib/imapferry']);
});

test('every file that the unit hands over is one that it names', () => {
  const given = of('LoadCredential').map((line) => line.split(':')[0]);
  expect(given).toEqual(['imapferry.env', 'source_password', 'dest_password']);
  for (const name of given) expect(text).toContain(`%d/${name}`);
  expect(of('StateDirectory')).toEqual(['imapferry']);
});

test('the unit has the memory that the image has, and its way to use it', () => {
  const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
  const options = /NODE_OPTIONS="([^"]+)"/.exec(dockerfile)?.[1];
  expect(text).toContain(`Environment="NODE_OPTIONS=${options}"`);
  expect(dockerfile).toContain('MALLOC_ARENA_MAX=1');
  expect(text).toContain('MALLOC_ARENA_MAX=1');
  expect(of('MemoryMax')).toEqual(['512M']);
  // What Node.js takes on its command line only: the unit starts the program itself.
  expect(dockerfile).toContain('"--no-incremental-marking"');
  expect(of('ExecStart')[0]).toMatch(/^imapferry /);
  const main = readFileSync(new URL('../../src/main.ts', import.meta.url), 'utf8');
  expect(main).toMatch(/^#!.* --no-incremental-marking .*--\n/);
});
