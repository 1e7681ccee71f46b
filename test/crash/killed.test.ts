/**
 * imapferry is killed before and after each IMAP command, and in the middle of each literal, on either side; started
 * again, it comes to the same end. By default each point is tried once, and what becomes of the journal rotates by SEED;
 * with FULL=1 each point is tried with each state of the journal.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, type TestContext, vi } from 'vitest';
import type { Settings } from '../journey/program.ts';
import { bundled } from '../support/bundle.ts';
import { type Dovecot, someUsers, startDovecot } from '../support/dovecot.ts';
import type { Reading } from '../support/oracle.ts';
import { record } from '../support/results.ts';
import { FULL, SEED } from '../support/seed.ts';
import {
  CHILD,
  type JournalState,
  type Life,
  marked,
  type Point,
  Scene,
  same,
  told,
} from './rig.ts';

const STATES: readonly JournalState[] = ['kept', 'wiped', 'kept', 'older'];

const STATE_TOLD: Readonly<Record<JournalState, string>> = {
  kept: 'the journal kept',
  wiped: 'the journal wiped',
  older: 'an older journal restored',
};

// Each row mostly waits.
vi.setConfig({ maxConcurrency: 10 });

interface Set {
  readonly title: string;
  readonly capability?: string;
  readonly command: Life['command'];
  readonly settings?: Settings;
  /** Where the life before the one that is killed at each point has died: what is killed is taking up again. */
  readonly diedBefore?: (point: Point) => boolean;
  /** The commands before and after which it is killed; all if left out. */
  readonly only?: RegExp;
}

const isAppended = ({ name, when, nth }: Point) =>
  name === 'APPEND' && when === 'after' && nth === 1;
const isMarked = ({ name, when, nth }: Point) =>
  name === 'UID STORE' && when === 'after' && nth === 1;

const SETS: readonly Set[] = [
  { title: 'with MULTIAPPEND', command: 'run' },
  { title: 'with LITERAL+ only', capability: 'IMAP4rev1 UIDPLUS LITERAL+ IDLE', command: 'run' },
  { title: 'with bare IMAP4rev1', capability: 'IMAP4rev1', command: 'sweep' },
  { title: 'taking up an APPEND', command: 'sweep', diedBefore: isAppended },
  {
    title: 'taking up a mark',
    command: 'sweep',
    diedBefore: isMarked,
    only: /FETCH|STORE|EXPUNGE/,
  },
  {
    title: 'moving its originals',
    command: 'sweep',
    settings: { AFTER_DELIVERY: 'move:Carried' },
    only: /MOVE|CREATE|SUBSCRIBE/,
  },
  {
    title: 'moving its originals without MOVE',
    capability: 'IMAP4rev1 UIDPLUS',
    command: 'sweep',
    settings: { AFTER_DELIVERY: 'move:Carried' },
    only: /COPY|STORE|EXPUNGE|CREATE/,
  },
];

/** Two servers, and every point of a life between them that nothing disturbs. */
interface World extends Set {
  readonly source: Dovecot;
  readonly destination: Dovecot;
  readonly points: readonly Point[];
  /** A name whose mailboxes nobody has used. */
  readonly user: () => string;
}

const cache = mkdtempSync(join(tmpdir(), 'imapferry-compiled-'));
const start = { main: await bundled(CHILD, cache), cache };

/** So many mailboxes has each server: one for each row, and for each life that nothing disturbs. */
const MAILBOXES = FULL ? 1500 : 400;

async function world(set: Set): Promise<World> {
  const users = someUsers(MAILBOXES);
  const names = Object.keys(users).values();
  const user = () => {
    const { value } = names.next();
    if (value === undefined) throw new Error(`More than ${MAILBOXES} mailboxes are needed`);
    return value;
  };
  const options = { users, ...(set.capability !== undefined && { capability: set.capability }) };
  const [source, destination] = await Promise.all([startDovecot(options), startDovecot(options)]);
  const { command, settings, diedBefore, only = /./ } = set;
  const how = { ...start, ...(settings && { settings }) };
  const undisturbed = async (): Promise<Point[]> => {
    await using scene = await Scene.set(source, destination, user(), how);
    if (diedBefore) await scene.live({ dies: diedBefore, command });
    await scene.live({ dies: () => false, command });
    const wrong = await scene.oracle.end();
    if (wrong.length > 0) throw new Error(`Undisturbed it went wrong:\n${wrong.join('\n')}`);
    return scene.points.all;
  };
  // What comes in one life only came by chance: a NOOP more, an IDLE begun anew.
  const [one, ...others] = await Promise.all([undisturbed(), undisturbed(), undisturbed()]);
  const points = one.filter(
    (point) =>
      only.test(point.name) && others.every((life) => life.some((each) => same(each, point))),
  );
  return { ...set, source, destination, points, user };
}

const worlds = await Promise.all(SETS.map(world));

afterAll(async () => {
  await Promise.all(
    worlds.flatMap(({ source, destination }) => [source.stop(), destination.stop()]),
  );
  rmSync(cache, { recursive: true, force: true });
});

interface Row {
  readonly point: Point;
  readonly state: JournalState;
  /** The moment whose journal is restored. */
  readonly earlier: Point;
  readonly name: string;
}

function rowsOf({ points }: World): Row[] {
  return points.flatMap((point, i) => {
    const states = FULL ? new Set(STATES) : [STATES[(i + SEED) % STATES.length] ?? 'kept'];
    // Spread over all that came before, differently with each seed.
    const earlier = points[(i * 7919 + SEED * 104729) % (i + 1)] ?? point;
    return [...states].map((state) => {
      const since = state === 'older' ? `, of ${told(earlier)}` : '';
      return { point, state, earlier, name: `${told(point)}, ${STATE_TOLD[state]}${since}` };
    });
  });
}

describe.each(worlds)(`$title (SEED=${SEED})`, (set) => {
  const { source, destination, user, command, settings, diedBefore } = set;
  const how = { ...start, ...(settings && { settings }) };
  const one = async ({ point, state, earlier, name }: Row, { skip }: TestContext) => {
    await using scene = await Scene.set(source, destination, user(), how);
    if (diedBefore) await scene.live({ dies: diedBefore, command });
    const killed = await scene.live({
      command,
      dies: (reached) => same(reached, point),
      saves: (reached) => state === 'older' && same(reached, earlier),
    });
    // On a busy machine mail may come before IDLE is begun anew, and that life has one fewer.
    if (!killed && point.name === 'IDLE') return skip('this life had one IDLE fewer');
    expect(killed).toBe(true);
    await scene.comeLater();
    const { oracle } = scene;
    const then = await oracle.read();
    expect(oracle.judge(then)).toEqual([]);
    scene.lose(state);
    const { code, summary, log } = await scene.again();
    const end = await oracle.read();
    const said = [...summary, ...log].join('\n');
    const journalLost = state !== 'kept';
    expect(oracle.judge(end, { ended: true, journalLost }), said).toEqual([]);
    if (state === 'wiped') expect(marked(end)).toEqual(expect.arrayContaining(marked(then)));
    const strictly = oracle.judge(end, { ended: true });
    // What we marked and an older journal takes to be on its way is told at each sweep; it stays, marked.
    if (state !== 'older' || marked(end).length === 0) expect(code, said).toBe(0);
    else if (code !== 0) expect(summary.join('\n')).toContain('on the way');
    const short = strictly.filter((wrong) => /twins\): there are \d copies only/.test(wrong));
    // Of twins one copy may stand for all where the journal is lost; the summary names them.
    if (short.length > 0) expect(said).toContain('one copy may stand for all');
    record({ part: `killed, ${set.title}`, point: name, outcome: outcome(strictly, end) });
  };
  for (const row of rowsOf(set))
    it.concurrent(`killed ${row.name}`, (context) => one(row, context));
});

function outcome(strictly: readonly string[], end: Reading): string {
  if (strictly.length === 0) return 'each message once';
  return marked(end).length > 0
    ? 'each message at the destination, originals marked before stay marked'
    : 'each message once, twins in fewer copies';
}
