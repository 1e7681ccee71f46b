/**
 * Debian packages unpacked into a folder of their own, not installed: Dovecot, Cyrus and Courier each conflict with the
 * others as packages, though their programs run side by side. Needs apt-get and dpkg-deb, but neither root nor a service.
 */
import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Not in the project's folder: the servers do not run as root, and may not be able to read that. */
const CACHE = join(tmpdir(), `imapferry-mail-servers-${userInfo().uid}`);

/** What would pull in a mail transport or a toolchain is left out: libraries are all that the programs need. */
const LIBRARY = /^lib(?!.*-dev$)/;

/**
 * The folder into which packages, and the libraries they need that are not installed here, are unpacked.
 * Made at the first call and kept for the next; two calls at once are no trouble.
 * @param name begins the folder's name
 * @throws where the packages can't be had: one line that says what is wanted
 */
export function unpacked(name: string, packages: readonly string[]): string {
  mkdirSync(CACHE, { recursive: true, mode: 0o755 });
  if (lstatSync(CACHE).uid !== userInfo().uid) throw new Error(`${CACHE} belongs to someone else`);
  const root = join(CACHE, [name, ...packages].join('+'));
  if (existsSync(root)) return root;
  const work = mkdtempSync(join(CACHE, `${name}-`));
  try {
    const debs = join(work, 'debs');
    mkdirSync(debs);
    fetched(packages, debs);
    for (const deb of readdirSync(debs)) {
      run('dpkg-deb', ['-x', join(debs, deb), join(work, 'root')]);
    }
    chmodSync(join(work, 'root'), 0o755);
    moved(join(work, 'root'), root);
  } catch (cause) {
    throw new Error(
      `These tests run ${packages.join(', ')} of Debian, unpacked. apt-get and dpkg-deb have to be there, and the package lists: run "apt-get update" first.`,
      { cause },
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return root;
}

/** The environment in which programs below `root` find their libraries. */
export function libraryPath(root: string): { LD_LIBRARY_PATH: string } {
  const folders = ['lib', 'usr/lib'].flatMap((lib) => {
    const path = join(root, lib);
    if (!existsSync(path)) return [];
    const inner = readdirSync(path).filter((each) => /-linux-gnu|^courier-authlib$/.test(each));
    return [path, ...inner.map((each) => join(path, each))];
  });
  return { LD_LIBRARY_PATH: folders.join(':') };
}

/** Libraries that installing the packages would bring. The installed server makes way in this plan, not in truth. */
function libraries(packages: readonly string[]): string[] {
  const plan = run('apt-get', [
    '--simulate',
    '--no-install-recommends',
    'install',
    ...packages,
    'dovecot-imapd-',
  ]);
  const names = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
  return names.filter((name) => LIBRARY.test(name) && !packages.includes(name));
}

/** Downloads packages and their libraries into `folder`. Missing or old lists of packages are renewed, where we may. */
function fetched(packages: readonly string[], folder: string): void {
  const download = () =>
    run('apt-get', ['--quiet', 'download', ...packages, ...libraries(packages)], { cwd: folder });
  try {
    download();
  } catch {
    // One at a time: apt-get does not wait for another that does the same.
    run('flock', [CACHE, 'apt-get', '--quiet', 'update']);
    download();
  }
}

/** Puts a finished folder in its place, unless another process was quicker. */
function moved(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (thrown) {
    if (!existsSync(to)) throw thrown;
  }
}

function run(command: string, args: readonly string[], options: ExecFileSyncOptions = {}): string {
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  return execFileSync(command, args, { stdio: 'pipe', ...options, env }).toString();
}
