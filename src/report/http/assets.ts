/** The files of the status page, which lie beside this program: in src/ as in dist/. */
import { readFileSync } from 'node:fs';
import type { Answer } from './answer.ts';

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';

/** File and media type by path: nothing else of the disk can be asked for. */
const FILES: Readonly<Record<string, readonly [string, string]>> = {
  '/': ['page.html', HTML],
  '/page.css': ['page.css', CSS],
  '/page.js': ['page.js', SCRIPT],
  '/charts.js': ['charts.js', SCRIPT],
  '/dom.js': ['dom.js', SCRIPT],
  '/folders.js': ['folders.js', SCRIPT],
  '/route.js': ['route.js', SCRIPT],
  '/routes.js': ['routes.js', SCRIPT],
  '/senders.js': ['senders.js', SCRIPT],
  '/words.js': ['words.js', SCRIPT],
  '/favicon.svg': ['favicon.svg', 'image/svg+xml'],
};

const read = new Map<string, Answer>();

/** The file that a path means; `undefined` where it means none. Read once. */
export function assetAt(path: string): Answer | undefined {
  const known = read.get(path);
  if (known) return known;
  const [name, type] = (Object.hasOwn(FILES, path) && FILES[path]) || [];
  if (name === undefined || type === undefined) return undefined;
  const body = readFileSync(new URL(`../page/${name}`, import.meta.url));
  const answer = { status: 200, type, body };
  read.set(path, answer);
  return answer;
}
