// The mail servers and the browser that the tests run: Debian's packages, installed where that is possible, named where it is not.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { env } from './ensure.mjs';

/** Debian package by the program that shows it is there. */
const PACKAGES = [
  ['dovecot', 'dovecot-imapd'],
  ['openssl', 'openssl'],
  ['chromium', 'chromium'],
];

/** What only some tests want: where it can't be had, they are left out, and say so. */
const WELCOME = [['systemd-analyze', 'systemd']];

/** What the benches measure imapferry beside. */
export const BENCH_PACKAGES = [
  ['mbsync', 'isync'],
  ['imapfilter', 'imapfilter'],
];

const FOLDERS = [...(env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];

function found(program) {
  return FOLDERS.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function apt(args) {
  const options = {
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'inherit'],
  };
  return (
    spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], options).status === 0
  );
}

/** The packages among these that are missing. */
function missingOf(packages) {
  return packages.filter(([program]) => !found(program)).map(([, name]) => name);
}

/** Installs packages as root on Debian. Whether they are there now. */
function installed(missing) {
  if (missing.length === 0) return true;
  if (process.getuid?.() !== 0 || !found('apt-get')) return false;
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  console.error(`Installing what is run beside imapferry: ${missing.join(', ')} …`);
  return apt(install) || (apt(['update']) && apt(install));
}

/** Installs what only some tests want, if that is possible. */
export function welcomed() {
  installed(missingOf(WELCOME));
}

/** Installs what is missing as root on Debian; elsewhere says in one line what to install, and ends. */
export function mailServers(more = []) {
  const missing = missingOf([...PACKAGES, ...more]);
  if (installed(missing)) return;
  console.error(
    `Real mail servers, clients and a browser are run here. Install first: apt-get install ${missing.join(' ')}`,
  );
  process.exit(1);
}
