/**
 * The package as npm makes it: what is in it, and that it runs where it was installed. It is made of a copy, so that nobody's
 * dist/ is built anew under other tests.
 */
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Record<string, unknown>>;
};

/** What goes to the user along with imapferry: folder in node_modules, and what the lock file says of it. */
const production = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);

const home = mkdtempSync(join(tmpdir(), 'imapferry-package-'));
/** A folder in which the package was installed. */
const user = join(home, 'user');
let files: string[];

beforeAll(async () => {
  const copy = join(home, 'checkout');
  const wanted =
    /^(src|docs|packaging|package.*\.json|tsconfig.*\.json|[A-Z]+(\.md)?|\.env\.example)$/;
  for (const name of readdirSync(ROOT).filter((each) => wanted.test(each)))
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  await run('npm', ['pack', '--silent', '--pack-destination', home], { cwd: copy });
  const archive = readdirSync(home).find((name) => name.endsWith('.tgz')) ?? '';
  const modules = join(user, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  await run('tar', ['-xzf', join(home, archive), '-C', modules]);
  await run('mv', [join(modules, 'package'), join(modules, 'imapferry')]);
  // As npm would, had it a registry: the dependencies beside the package, its command in .bin.
  for (const [path] of production.filter(([path]) => path.lastIndexOf('node_modules/') === 0)) {
    mkdirSync(dirname(join(user, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(user, path));
  }
  for (const [name, path] of Object.entries<string>(manifest.bin))
    symlinkSync(join('..', 'imapferry', path), join(modules, '.bin', name));
  files = readdirSync(join(modules, 'imapferry'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => statSync(join(modules, 'imapferry', name)).isFile(),
  );
}, 120_000);

afterAll(() => rmSync(home, { recursive: true, force: true }));

test('holds the program, its documents and the unit, and nothing else', () => {
  const others = files.filter((name) => !/^(dist|docs|packaging)\//.test(name));
  expect(others.sort()).toEqual([
    '.env.example',
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'package.json',
  ]);
  expect(files).toContain('dist/main.js');
  expect(files).toContain('packaging/imapferry.service');
  expect(files.filter((name) => name.endsWith('.ts'))).toEqual([]);
  const bytes = files.map((name) => statSync(join(user, 'node_modules/imapferry', name)).size);
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(4_000_000);
});

test.each([
  ['--version', manifest.version],
  ['--help', 'imapferry carries mail'],
])('npx imapferry %s runs where it was installed', async (option, says) => {
  const { stdout } = await run('npx', ['--no', '--', 'imapferry', option], { cwd: user });
  expect(stdout).toContain(says);
});

test('imapferry without settings says what it needs, and ends with 2', async () => {
  const ended = await run('npx', ['--no', '--', 'imapferry', 'check'], { cwd: user }).then(
    () => undefined,
    (thrown: { code: number; stderr: string }) => thrown,
  );
  expect(ended?.code).toBe(2);
  expect(ended?.stderr).toContain('SOURCE_HOST is needed');
});

test('every file that the documents point to is there', () => {
  const links = (name: string) =>
    [...readFileSync(join(ROOT, name), 'utf8').matchAll(/\]\(([^)#\s]+)/g)].map(
      ([, to]) => to ?? '',
    );
  const documents = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)];
  const dead = documents
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => links(name).map((to) => ({ name, to })))
    .filter(({ to }) => !/^https?:/.test(to))
    .filter(({ name, to }) => !existsSync(join(ROOT, dirname(name), to)));
  expect(dead).toEqual([]);
});

test('nothing that goes along was made for one kind of processor, or has anything built when it is installed', () => {
  expect(production.length).toBeGreaterThan(10);
  const bound = production.filter(
    ([, entry]) => entry.cpu ?? entry.os ?? entry.libc ?? entry.hasInstallScript ?? false,
  );
  expect(bound.map(([path]) => path)).toEqual([]);
  const native = production.flatMap(([path]) =>
    readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(node|so|dylib|dll|wasm)$|^binding\.gyp$/.test(basename(name)))
      .map((name) => join(path, name)),
  );
  expect(native).toEqual([]);
});

test('the list of what it consists of (SBOM) names what goes along, and no more', async () => {
  // npm leaves out what a package for developing wants, too: the list is made where there are none, as publish.yml does.
  const folder = join(home, 'production');
  for (const [path] of production)
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  const { devDependencies: _, ...rest } = manifest;
  writeFileSync(join(folder, 'package.json'), JSON.stringify(rest));
  const args = ['sbom', '--sbom-format=cyclonedx'];
  const { stdout } = await run('npm', args, { cwd: folder, maxBuffer: 10_000_000 });
  const { components } = JSON.parse(stdout) as { components: { name: string }[] };
  const named = new Set(components.map(({ name }) => name));
  expect(named).toEqual(
    new Set(production.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 13))),
  );
});
