/** Watchers in one process: how long until all idle, what they hold, what they cost while nothing comes. */
import { setTimeout as wait } from 'node:timers/promises';
import { resting, type Servers } from '../memory/rest.ts';
import { now } from '../tools/clock.ts';
import type { Between } from '../tools/ferry.ts';
import { Ferry } from '../tools/ferry.ts';
import type { Mailboxes } from '../tools/mailboxes.ts';
import { cpu } from '../tools/usage.ts';
import { type Point, pointsOf, type Scale } from './point.ts';

/** As MAX_WATCHERS allows: more are spread over several routes. */
const A_ROUTE = 50;
const SETTLED = 10_000;
const SPAN = 30_000;
const PATIENCE = 10 * 60_000;

/** Measures at each size. */
export async function watchers(servers: Servers, sizes: readonly number[]): Promise<Scale> {
  const points = await pointsOf('watchers', sizes, (at) => point(servers, at));
  return {
    name: 'watchers',
    title: 'Watchers in one process',
    of: 'watchers',
    points,
    linear: ['start, s', 'RSS, MB', 'idle CPU, ms a second'],
    notes: [
      `Over TLS. ${A_ROUTE} to a route at most, as MAX_WATCHERS allows. Start: until the last of them idles.`,
    ],
  };
}

async function point({ source, destination }: Servers, at: number): Promise<Point> {
  const routes = new Map<string, Between>();
  for (let left = at; left > 0; left -= A_ROUTE) {
    const folders = names(Math.min(left, A_ROUTE) - 1);
    routes.set(`r${routes.size + 1}`, {
      source: source.side(await withFolders(source, folders)),
      destination: destination.side(await withFolders(destination, folders)),
    });
  }
  const began = now();
  await using ferry = Ferry.routes(routes, {
    FOLDERS: '*',
    MAX_WATCHERS: String(A_ROUTE),
    LOG_LEVEL: 'debug',
  });
  const { program } = ferry;
  const idling = () => program.count('watcher.idling');
  await program.until('all idle', () => idling() >= at, PATIENCE);
  const start = now() - began;
  await wait(SETTLED);
  const before = cpu(ferry.pid) ?? Number.NaN;
  await wait(SPAN);
  const used = (cpu(ferry.pid) ?? Number.NaN) - before;
  const rss = await resting(ferry.pid);
  return {
    at,
    figures: {
      'start, s': start / 1000,
      'RSS, MB': rss,
      'idle CPU, ms a second': used / (SPAN / 1000),
    },
  };
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `Folder ${i + 1}`);
}

async function withFolders(mailboxes: Mailboxes, folders: readonly string[]): Promise<string> {
  const user = mailboxes.fresh();
  await mailboxes.create(user, folders);
  return user;
}
