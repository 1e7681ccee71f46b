/**
 * Hostile servers beside good ones, in one process: each fault on a server that is source of one route and on one that is
 * destination of another, and a third route between real servers. That one carries its mail all the while.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Place, Program } from '../journey/program.ts';
import { FakeImap } from '../support/fake-imap.ts';
import { Mail, message } from '../support/mail.ts';
import { Oracle } from '../support/oracle.ts';
import { record } from '../support/results.ts';
import { MAX_WATCHERS, type RouteBetween } from './hostile-routes.ts';
import { FAULTS, type Fault, LETTER } from './hostile-servers.ts';
import { BRISK, Servers } from './world.ts';

const MAIN = fileURLToPath(new URL('hostile-main.ts', import.meta.url));
const MB = 1_000_000;
const MOST_MEMORY = 350 * MB;

/** The first pause before a further connection; each after it is twice as long. */
const FIRST_PAUSE = 100;
const PACE = {
  ...BRISK,
  silence: 20_000,
  reconnectFirst: FIRST_PAUSE,
  reconnectLongest: 60_000,
  attemptFirst: FIRST_PAUSE,
};

const SIDES = ['source', 'destination'] as const;

let servers: Servers;
const cache = mkdtempSync(join(tmpdir(), 'imapferry-compiled-'));

beforeAll(async () => {
  servers = await Servers.start();
});

afterAll(async () => {
  await servers[Symbol.asyncDispose]();
  rmSync(cache, { recursive: true, force: true });
});

let users = 0;

/** A user nobody used before, with a mailbox on each real server. */
async function mailboxes() {
  const user = `user${++users}`;
  const login = (port: number) => Mail.login(port, user, `secret-of-${user}`);
  return {
    user,
    old: await login(servers.source.port),
    fresh: await login(servers.destination.port),
    async [Symbol.asyncDispose]() {
      await this.old[Symbol.asyncDispose]();
      await this.fresh[Symbol.asyncDispose]();
    },
  };
}

interface Knock {
  readonly at: number;
  /** For how long the connection lasted, in ms; absent as long as it does. */
  lasted?: number;
}

/** A hostile server: how often it struck, and when it was connected to. */
async function hostile(fault: Fault) {
  let strikes = 0;
  const knocks: Knock[] = [];
  const options = fault.server(() => strikes++);
  const server = await FakeImap.start({
    ...options,
    onConnect: (line) => {
      const knock: Knock = { at: performance.now() };
      knocks.push(knock);
      line.socket.once('close', () => {
        knock.lasted = performance.now() - knock.at;
      });
      options.onConnect?.(line);
    },
  });
  return {
    port: server.port,
    knocks,
    hasStruck: () => strikes > 0,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The most memory that the process has used so far, in bytes. */
function memory({ pid }: Program): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/**
 * The pauses between connections, each from one connection to the next: not shorter than they have to be.
 * @param worthwhile after a connection that lasted so long (ms) there is none, and then they begin with the first one again
 */
function tooSoon(knocks: readonly Knock[], worthwhile: number): string[] {
  let least = FIRST_PAUSE / 2;
  return knocks.slice(1).flatMap(({ at }, i) => {
    const { at: before = 0, lasted = 0 } = knocks[i] ?? {};
    const pause = at - before;
    least = lasted >= worthwhile ? FIRST_PAUSE / 2 : 2 * least;
    return pause < least - 5 ? [`pause ${i + 1} was ${pause} ms, not ${least}`] : [];
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to be found
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** Lines of the log in which something of a server came through as it was. */
function unescaped({ printed, plain, stderr }: Program): string[] {
  const json = Buffer.concat(printed).toString();
  const diary = stderr.trimEnd().split('\n');
  return [
    ...json.split('\n').filter((line) => RAW.test(line)),
    ...plain,
    ...diary.filter(
      (line) =>
        RAW.test(line) || !/^(\d\d:\d\d:\d\d [A-Z]+: |[A-Z][a-z]{2} \d{4}-\d\d-\d\d$)/.test(line),
    ),
  ].map((line) => JSON.stringify(line.slice(0, 300)));
}

async function beside(fault: Fault): Promise<void> {
  const { is, allFolders, onlySource, silence = PACE.silence, largest, knocks = 4 } = fault;
  await using good = await mailboxes();
  await using victim = await mailboxes();
  await using source = await hostile(fault);
  await using destination = await hostile(fault);
  using place = new Place();
  const inbox = [{ kind: 'folder', name: 'INBOX' }] as const;
  const all = [{ kind: 'pattern', pattern: '*' }] as const;
  const limits = largest === undefined ? {} : { maxMessageSize: largest };
  const [old, fresh] = [servers.source.port, servers.destination.port];
  const routes: RouteBetween[] = [
    {
      name: 'hostile-source',
      user: victim.user,
      source: source.port,
      destination: fresh,
      folders: allFolders ? all : inbox,
      ...limits,
    },
    {
      name: 'hostile-destination',
      user: victim.user,
      source: old,
      destination: destination.port,
      folders: inbox,
      ...limits,
    },
    { name: 'good', user: good.user, source: old, destination: fresh, folders: inbox },
  ];
  const oracle = new Oracle(good.old, good.fresh);
  await victim.old.put('INBOX', Buffer.from(LETTER));
  await oracle.put('INBOX', message());
  const settings = {
    STATE_DIR: place.stateDir,
    TEST_ROUTES: JSON.stringify(routes),
    TEST_PACE: JSON.stringify({ ...PACE, silence }),
    NODE_COMPILE_CACHE: cache,
  };
  await using program = new Program(place, settings, [], { main: MAIN });
  const enemies = onlySource ? [source] : [source, destination];
  await program.until('the hostile servers have struck', () =>
    enemies.every(({ hasStruck }) => hasStruck()),
  );
  for (let i = 0; i < 3; i++) await oracle.put('INBOX', message());
  await program.until('all is carried', async () => (await good.old.count('INBOX')) === 0);
  if (is === 'ended') {
    await program.until('connections are begun anew', () =>
      enemies.every((enemy) => enemy.knocks.length >= knocks),
    );
  }
  for (const enemy of enemies) {
    // Of a source that takes its time to end a connection, as on a busy machine, the next one is not in vain.
    const worthwhile = enemy === source ? 10 * FIRST_PAUSE : Number.POSITIVE_INFINITY;
    if (is === 'ended') expect(tooSoon(enemy.knocks, worthwhile)).toEqual([]);
    else expect(enemy.knocks.length).toBeLessThanOrEqual(allFolders ? 1 + MAX_WATCHERS : 1);
  }
  const used = memory(program);
  expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(used).toBeLessThan(MOST_MEMORY);
  expect(unescaped(program)).toEqual([]);
  expect(await oracle.end()).toEqual([]);
  const come = await victim.fresh.dump('INBOX');
  expect(come.map(({ bytes }) => bytes.toString())).toEqual(come.length > 0 ? [LETTER] : []);
  if (is === 'ended' && !onlySource) expect(await victim.old.count('INBOX')).toBe(1);
}

const OUTCOMES: Readonly<Record<Fault['is'], string>> = {
  ended: 'begun anew after growing pauses, the other routes carry on, nothing of it unescaped',
  borne: 'borne, the other routes carry on, nothing of it unescaped',
};

describe.concurrent('a server', () => {
  it.each(FAULTS)(
    'that $does',
    async (fault) => {
      await beside(fault);
      for (const side of fault.onlySource ? (['source'] as const) : SIDES) {
        record({
          part: 'hostile servers',
          point: `a ${side} that ${fault.does}`,
          outcome: OUTCOMES[fault.is],
        });
      }
    },
    120_000,
  );
});
