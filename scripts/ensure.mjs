// Makes a fresh clone ready: installs what package-lock.json names, and says on which Node.js the rest is to run.
// Plain JavaScript: it runs on whatever Node.js there is, before anything is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');

/** The environment of what comes next: node_modules/.bin first, so that `node` is the one that the lock file names. */
export const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };

/** Runs a command in the foreground and returns its exit code. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: 'inherit',
    ...options,
  });
  if (error) throw error;
  return status ?? 1;
}

/** Runs `npm ci` where node_modules is missing or older than the lock file, then checks the version of Node.js. */
export function ensure() {
  const lock = join(root, 'package-lock.json');
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
    console.error('Installing what package-lock.json names (npm ci) …');
    const status = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    if (status !== 0) process.exit(status);
  }
  const { stdout } = spawnSync('node', ['--version'], { cwd: root, env, encoding: 'utf8' });
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = Number(/\d+/.exec(engines.node)?.[0]);
  const found = Number(/\d+/.exec(stdout ?? '')?.[0]);
  if (!(found >= wanted)) {
    console.error(
      `imapferry needs Node.js ${wanted} or newer and finds ${(stdout ?? '').trim() || 'none'}. "npm ci" brings one (the package "node"), unless its install script was blocked: run "npm rebuild node", or install Node.js ${wanted}.`,
    );
    process.exit(1);
  }
}
