/** Many routes in one process, mail trickling into all of their folders: when it arrives. */
import { setTimeout as wait } from 'node:timers/promises';
import { message } from '../../test/support/mail.ts';
import { storedAt, wired } from '../latency/single.ts';
import { resting, type Servers } from '../memory/rest.ts';
import { now } from '../tools/clock.ts';
import { type Between, Ferry } from '../tools/ferry.ts';
import { load } from '../tools/load.ts';
import { dice, percentile } from '../tools/statistics.ts';
import { cpu } from '../tools/usage.ts';
import type { Wires } from '../wire/wires.ts';
import { type Point, pointsOf, type Scale } from './point.ts';

const FOLDERS = ['INBOX', 'Sent', 'Archive', 'Lists', 'Family'];
const MESSAGES = 120;
/** Milliseconds between two messages, wherever they go. */
const EVERY = 500;
const SIZE = 8 * 1024;
const PATIENCE = 5 * 60_000;

/** Measures at each size. */
export async function routes(
  servers: Servers & { wires: Wires },
  sizes: readonly number[],
): Promise<Scale> {
  const points = await pointsOf('routes', sizes, (at) => point(servers, at));
  return {
    name: 'routes',
    title: `Routes of ${FOLDERS.length} folders in one process`,
    of: 'routes',
    points,
    linear: ['start, s', 'p50 arrival, s', 'p95 arrival, s', 'RSS, MB', 'CPU, ms a message'],
    notes: [
      `${MESSAGES} messages of 8 KB, two a second, each into a folder of a route that the dice name; from stored to stored, what the server waits before it announces mail included. MAX_WATCHERS as it comes: not all folders have a watcher. Dovecot looks each second where Linux gives it no inotify (mailbox_idle_check_interval).`,
    ],
  };
}

async function point(servers: Servers & { wires: Wires }, at: number): Promise<Point> {
  const { source, destination } = servers;
  const wire = await wired(servers, 0);
  const users: string[] = [];
  const all = new Map<string, Between>();
  for (let i = 1; i <= at; i++) {
    const [user, to] = [source.fresh(), destination.fresh()];
    await source.create(user, FOLDERS.slice(1));
    users.push(user);
    all.set(`r${i}`, {
      source: source.side(user, wire.source),
      destination: destination.side(to, wire.destination),
    });
  }
  const began = now();
  await using ferry = Ferry.routes(all, { FOLDERS: '*' });
  const { program } = ferry;
  await program.until('all are ready', () => program.count('route.ready') >= at, PATIENCE);
  const start = now() - began;
  const rss = await resting(ferry.pid);
  const roll = dice(at);
  const one = <T>(some: readonly T[]) => some[Math.floor(roll() * some.length)] as T;
  const sent: { id: string; at: number }[] = [];
  await wire.destination.take();
  const before = cpu(ferry.pid) ?? Number.NaN;
  for (let i = 0; i < MESSAGES; i++) {
    const id = `${at}.${i}.routes@example.org`;
    await load(source.login(one(users)), one(FOLDERS), [message({ id: `<${id}>`, size: SIZE })]);
    sent.push({ id, at: now() });
    await wait(EVERY);
  }
  const done = () => program.count('delivery.done') >= MESSAGES;
  await program.until('all are carried', done, PATIENCE);
  const used = (cpu(ferry.pid) ?? Number.NaN) - before;
  const stored = storedAt(await wire.destination.take());
  const arrivals = sent.map(({ id, at: since }) => ((stored.get(id) ?? Number.NaN) - since) / 1000);
  return {
    at,
    figures: {
      'start, s': start / 1000,
      'p50 arrival, s': percentile(arrivals, 50),
      'p95 arrival, s': percentile(arrivals, 95),
      'longest arrival, s': percentile(arrivals, 100),
      'RSS, MB': rss,
      'CPU, ms a message': used / MESSAGES,
    },
  };
}
