/** Messages kept in a folder (AFTER_DELIVERY=keep): what a new one costs, and a sweep, by how many are there. */
import { setTimeout as wait } from 'node:timers/promises';
import { Place } from '../../test/journey/program.ts';
import { message } from '../../test/support/mail.ts';
import { imapferry } from '../contenders/imapferry.ts';
import { CONCURRENCY } from '../drain/cases.ts';
import { storedAt, wired } from '../latency/single.ts';
import type { Servers } from '../memory/rest.ts';
import { now } from '../tools/clock.ts';
import { type Between, Ferry } from '../tools/ferry.ts';
import { load } from '../tools/load.ts';
import { target } from '../tools/results.ts';
import { run } from '../tools/run.ts';
import { median } from '../tools/statistics.ts';
import { cpu, memory } from '../tools/usage.ts';
import type { Notes } from '../wire/trace.ts';
import type { Strand, Wires } from '../wire/wires.ts';
import { type Point, pointsOf, type Scale, steepestStep } from './point.ts';

const SIZE = 500;
const NUDGES = 5;
/** A nudge and its end are over by then. */
const QUIET = 2000;
const SWEEP_INTERVAL = '20s';
const PATIENCE = 60 * 60_000;
/** No growth, but for the digits of numbers. */
const BY_WHAT_IS_NEW = 0.05;
const KEEP = { AFTER_DELIVERY: 'keep' };

interface Ground {
  readonly place: Place;
  readonly between: Between;
  readonly wire: { readonly source: Strand; readonly destination: Strand };
  store(id: string): Promise<void>;
}

/** Measures at each size. */
export async function kept(
  servers: Servers & { wires: Wires },
  sizes: readonly number[],
): Promise<Scale> {
  const points = await pointsOf('kept', sizes, (at) => point(servers, at));
  return {
    name: 'kept',
    title: 'Messages kept in a folder (AFTER_DELIVERY=keep)',
    of: 'messages kept',
    points,
    linear: ['start, s', 'nudge, s', 'nudge, ms of CPU', 'sweep, s', 'sweep, KB', 'RSS, MB'],
    targets: [
      target('a nudge costs by what is new: growth of its KB', steepestStep(points, 'nudge, KB'), {
        most: BY_WHAT_IS_NEW,
        why: 'one point only',
      }),
      target(
        'searches a sweep, at most',
        Math.max(...points.map(({ figures }) => figures['sweep, searches'] ?? Number.NaN)),
        { most: 1 },
      ),
    ],
    notes: [
      `Messages of ${SIZE} bytes, loopback. A nudge: one new message, from EXISTS at the source to stored at the destination (median of ${NUDGES}). Of it servers: how long they took to answer; the rest is imapferry's. CPU: of imapferry, until all is quiet. KB: all that went over the wires to both sides. A sweep: nothing is new. Start: until the folder was looked through.`,
    ],
  };
}

async function point(servers: Servers & { wires: Wires }, at: number): Promise<Point> {
  const { source, destination } = servers;
  using place = new Place();
  const [user, to] = [source.fresh(), destination.fresh()];
  await load(source.login(user), 'INBOX', letters(at));
  const wire = await wired(servers, 0);
  const between = {
    source: source.side(user, wire.source),
    destination: destination.side(to, wire.destination),
  };
  await carryAll(place, between);
  const ground: Ground = {
    place,
    between,
    wire,
    store: (id) => load(source.login(user), 'INBOX', [message({ id: `<${id}>`, size: SIZE })]),
  };
  const nudged = await nudges(ground, at);
  const swept = await sweeps(ground);
  await Promise.all([wire.source.close(), wire.destination.close()]);
  source.discard(user);
  destination.discard(to);
  return { at, figures: { ...nudged, ...swept } };
}

/** `sweep` with the same settings: all is carried and kept when it ends. */
async function carryAll(place: Place, between: Between): Promise<void> {
  const { home } = place;
  const turn = { ...between, appending: 'multiappend', concurrency: CONCURRENCY, home } as const;
  const command = imapferry.command(turn);
  await run({ ...command, env: { ...command.env, ...KEEP } }, PATIENCE);
}

async function nudges(
  { place, between, wire, store }: Ground,
  at: number,
): Promise<Record<string, number>> {
  const began = now();
  await using ferry = Ferry.runIn(place, between, { ...KEEP, LOG_LEVEL: 'debug' });
  await ferry.program.until('the folder was looked through', () => looked(ferry), PATIENCE);
  const start = now() - began;
  await ferry.program.saw('watcher.idling');
  const found: { seconds: number; servers: number; kilobytes: number }[] = [];
  const before = cpu(ferry.pid) ?? Number.NaN;
  for (let i = 1; i <= NUDGES; i++) {
    await wait(QUIET);
    await notesOf(wire);
    const id = `${at}.${i}.kept@example.org`;
    await store(id);
    await ferry.program.until('it is carried', () => ferry.program.count('delivery.done') >= i);
    await wait(QUIET);
    const notes = await notesOf(wire);
    const exists = notes.source.exists[0]?.said ?? Number.NaN;
    const stored = storedAt(notes.destination).get(id) ?? Number.NaN;
    found.push({
      seconds: (stored - exists) / 1000,
      servers: answering([notes.source, notes.destination], exists, stored) / 1000,
      kilobytes: notes.bytes / 1024,
    });
  }
  const used = (cpu(ferry.pid) ?? Number.NaN) - before;
  return {
    'start, s': start / 1000,
    'nudge, s': median(found.map(({ seconds }) => seconds)),
    'of it servers, s': median(found.map(({ servers }) => servers)),
    'nudge, ms of CPU': used / NUDGES,
    'nudge, KB': median(found.map(({ kilobytes }) => kilobytes)),
    'RSS, MB': memory(ferry.pid)?.rss ?? Number.NaN,
  };
}

/** Milliseconds that servers took for the commands that were sent and answered between two times. */
function answering(sides: readonly Notes[], from: number, to: number): number {
  return sides
    .flatMap(({ commands }) => commands)
    .filter(({ sent, said }) => sent >= from && said <= to && said > 0)
    .reduce((sum, { sent, said }) => sum + said - sent, 0);
}

function looked({ program }: Ferry): boolean {
  return program.count('folder.looked') > 0 && program.count('route.ready') > 0;
}

/** What passes between the ends of two sweeps in which nothing was new. */
async function sweeps({ place, between, wire }: Ground): Promise<Record<string, number>> {
  const changes = { ...KEEP, SWEEP_INTERVAL, LOG_LEVEL: 'debug' };
  await using ferry = Ferry.runIn(place, between, changes);
  const { program } = ferry;
  const swept = (nth: number) =>
    program.until(`sweep ${nth}`, () => program.count('sweep.finished') >= nth, PATIENCE);
  await swept(1);
  await notesOf(wire);
  await swept(2);
  const notes = await notesOf(wire);
  const second = program.log.filter(({ event }) => event === 'sweep.finished')[1];
  const searches = notes.source.commands.filter(({ name }) => name.endsWith('SEARCH'));
  return {
    'sweep, s': Number(second?.ms) / 1000,
    'sweep, KB': notes.bytes / 1024,
    'sweep, searches': searches.length,
    'sweep, commands': notes.source.commands.length,
  };
}

async function notesOf(wire: Ground['wire']) {
  const [source, destination] = [await wire.source.take(), await wire.destination.take()];
  const all = [source, destination];
  const bytes = all.reduce((sum, { bytesUp, bytesDown }) => sum + bytesUp + bytesDown, 0);
  return { source, destination, bytes };
}

function* letters(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield message({ size: SIZE });
}
