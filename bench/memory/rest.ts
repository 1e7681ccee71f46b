/** Memory at rest, by watchers. */
import { setTimeout as wait } from 'node:timers/promises';
import { Ferry } from '../tools/ferry.ts';
import type { Mailboxes } from '../tools/mailboxes.ts';
import { median } from '../tools/statistics.ts';
import { memory } from '../tools/usage.ts';

export interface Servers {
  readonly source: Mailboxes;
  readonly destination: Mailboxes;
}

/** What came with the start is gone by then. */
const SETTLED = 10_000;
const SAMPLES = 20;
const BETWEEN = 250;

/** MB that a process has in the middle of the next seconds. */
export async function resting(pid: number): Promise<number> {
  const samples: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    samples.push(memory(pid)?.rss ?? Number.NaN);
    await wait(BETWEEN);
  }
  return median(samples);
}

/** MB at rest of one route with so many folders, each with a watcher; 50 at most, as MAX_WATCHERS. */
export async function rest({ source, destination }: Servers, watchers: number): Promise<number> {
  const [from, to] = [source.fresh(), destination.fresh()];
  const folders = Array.from({ length: watchers - 1 }, (_, i) => `Folder ${i + 1}`);
  await Promise.all([source.create(from, folders), destination.create(to, folders)]);
  await using ferry = Ferry.run(
    { source: source.side(from), destination: destination.side(to) },
    { FOLDERS: '*', MAX_WATCHERS: String(watchers), LOG_LEVEL: 'debug' },
  );
  await ferry.program.saw('watcher.idling', watchers);
  await wait(SETTLED);
  return await resting(ferry.pid);
}
