/**
 * Folders whose numbers change under imapferry: UIDVALIDITY is another, the folder was deleted and made anew, renamed,
 * removed, or was not there before. Nothing is retired on old numbers, nobody else's message is touched, each arrives once.
 */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { EVENTS } from '../../src/domain/events.ts';
import { message } from '../support/mail.ts';
import { record } from '../support/results.ts';
import { type At, isBefore, MOMENTS, meanwhile } from './moments.ts';
import { Servers, type World, type WorldOptions } from './world.ts';

/** With sdbox, since Dovecot's maildir refuses for a while whatever comes right after a folder was made anew. */
const manner = { extra: 'mail_location = sdbox:%h\nservice imap {\n  service_count = 1\n}' };
const servers = await Servers.start({ source: manner, destination: manner });
afterAll(() => servers[Symbol.asyncDispose]());

// Each row mostly waits.
vi.setConfig({ maxConcurrency: 12 });

const PART = 'renumbered';

type Side = 'source' | 'destination';

/** A folder that may be deleted, which INBOX may not, with mail that waits in it. */
async function worldOf(options: WorldOptions = {}): Promise<World> {
  const world = await servers.world({
    freshEyes: true,
    ...options,
    route: {
      folders: [{ kind: 'folder', name: 'Box' }],
      sweepInterval: 300,
      ...options.route,
    },
  });
  await world.old.create('Box');
  await world.fresh.create('Box');
  for (const body of ['one', 'two', 'three']) await world.put('Box', message({ body }));
  return world;
}

/** What is done to a folder while imapferry runs. */
const DEEDS = {
  /** The same messages under the same UIDs, and another UIDVALIDITY. */
  'gets another UIDVALIDITY': (world: World, side: Side) =>
    servers[side].renumber(world.user, 'Box'),
  /** Other messages under the UIDs that the old ones had. */
  'is deleted and made anew': async (world: World, side: Side) => {
    await using other = await world.client(side);
    await other.command('DELETE Box');
    await other.create('Box');
    const { oracle } = world;
    if (side === 'destination') {
      for (let i = 0; i < 3; i++) {
        await taken(world, () => oracle.stranger(side, 'Box', message()));
      }
      return;
    }
    for (const letter of [...oracle.originals]) oracle.remove(letter);
    await taken(world, () => oracle.stranger(side, 'Box', message(), { flags: ['\\Deleted'] }));
    for (const body of ['four', 'five']) {
      await taken(world, () => oracle.put('Box', message({ body })));
    }
  },
};
type Deed = keyof typeof DEEDS;

/** Dovecot needs a while until it believes that a folder is another one. */
function taken(world: World, what: () => Promise<unknown>): Promise<void> {
  const works = () =>
    what().then(
      () => true,
      () => false,
    );
  return world.until('the server takes it', works);
}

/** imapferry carries on by itself, and in the end all is well. `marked`: what is marked at the source may stay. */
async function safe(world: World, { marked = false, left = 0 } = {}): Promise<void> {
  await taken(world, () => world.put('Box', message({ body: 'the last' })));
  await (marked ? world.marked('Box') : world.left(left, 'Box'));
  expect(await world.stop()).toBe(0);
  expect(await world.oracle.end({ journalLost: marked })).toEqual([]);
  const errors = world.told.filter(({ event }) => EVENTS[event][0] === 'error');
  expect(errors).toEqual([]);
}

/** Whether the original is marked by then, so that nobody can know who did it once it has another number. */
const isMarked = (at: At) => !isBefore(at, 'before the STORE');
/** Whether the copy may have been proven by then, so that nobody looks for it any more. */
const isProven = (at: At) => !isBefore(at, 'after the read-back');

const rows = (Object.keys(DEEDS) as Deed[]).flatMap((deed) =>
  (['source', 'destination'] as const).flatMap((side) =>
    MOMENTS.map((at) => [`the ${side} folder ${deed} ${at.name}`, deed, side, at] as const),
  ),
);

describe.concurrent('while a batch is under way', () => {
  it.for(rows)('%s', async ([point, deed, side, at]) => {
    await using world = await worldOf();
    const reached = meanwhile(world, at, async () => {
      const other = deed === 'is deleted and made anew';
      if (other && side === 'destination' && isProven(at)) {
        for (const letter of [...world.oracle.originals]) world.oracle.remove(letter);
      }
      await DEEDS[deed](world, side);
    });
    world.start();
    await world.until('the moment comes', reached);
    const other = deed === 'is deleted and made anew';
    if (side === 'destination') await safe(world);
    else await safe(world, { marked: !other && isMarked(at), left: other ? 1 : 0 });
    if (side === 'source') expect(world.count('folder.renumbered')).toBe(1);
    record({ part: PART, point, outcome: 'nothing on old numbers' });
  });
});
