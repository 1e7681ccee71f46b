/** `--dry-run` between two real servers: it says everything and changes nothing, on either side or in STATE_DIR. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sweep } from '../../src/commands/sweep.ts';
import { eventStream } from '../../src/domain/events.ts';
import type { Account, Route } from '../../src/domain/route.ts';
import { message } from '../support/mail.ts';
import { Servers, type World } from './world.ts';

const servers = await Servers.start();
afterAll(() => servers[Symbol.asyncDispose]());

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;
/** All that a client may say without changing anything. */
const HARMLESS = [
  'CAPABILITY',
  'COMPRESS',
  'ENABLE',
  'EXAMINE',
  'ID',
  'IDLE',
  'LIST',
  'LOGIN',
  'AUTHENTICATE',
  'LOGOUT',
  'LSUB',
  'NAMESPACE',
  'NOOP',
  'UID FETCH',
  'UID SEARCH',
];

/** Begins the program itself; `line` resolves with the first line that holds a text, `end` with all lines and the code. */
function program(world: World, args: string[], settings: Record<string, string> = {}) {
  const side = (name: 'SOURCE' | 'DEST', port: number) => ({
    [`${name}_HOST`]: '127.0.0.1',
    [`${name}_PORT`]: String(port),
    [`${name}_TLS`]: 'none',
    [`${name}_USER`]: world.user,
    [`${name}_PASSWORD`]: `secret-of-${world.user}`,
  });
  const env = {
    PATH: process.env.PATH,
    ...side('SOURCE', world.source.port),
    ...side('DEST', world.destination.port),
    STATE_DIR: world.stateDir,
    LOG_FORMAT: 'json',
    ...settings,
  };
  const child = spawn(process.execPath, [MAIN, ...args], { env, cwd: tmpdir() });
  let text = '';
  const heard = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      for (const hear of heard) hear();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    /** Waits until the output holds `what` so many times. */
    async said(what: string, times = 1): Promise<void> {
      const enough = () => text.split(what).length > times;
      const hears = new Promise<void>((resolve) => heard.add(() => enough() && resolve()));
      const early = ended.then((code) => {
        if (!enough()) throw new Error(`It ended with ${code}:\n${text}`);
      });
      if (!enough()) await Promise.race([hears, early]);
    },
    async end(signal?: 'SIGTERM' | 'SIGKILL') {
      if (signal) child.kill(signal);
      const code = await ended;
      return { code, text, plans: plans(text) };
    },
  };
}

function plans(text: string) {
  const events = text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    const event = JSON.parse(line) as Record<string, unknown>;
    return event.event === 'delivery.planned' ? [event] : [];
  });
  return events.map(({ folder, uid, dest, plan }) => `${folder} ${uid} → ${dest}: ${plan}`).sort();
}

/** All that another client sees of an account without changing it. */
async function account(world: World, side: Account['side']) {
  await using mail = await world.client(side);
  const lines = async (command: string) => {
    const answers = await mail.command(command);
    return answers.slice(0, -1).map((line) => line.toString('latin1').trim());
  };
  const listed = await lines('LIST "" "*"');
  const folders = listed.map((line) => / "?([^" ]+)"?$/.exec(line)?.[1] ?? '').sort();
  const seen = [];
  for (const folder of folders) {
    const status = await lines(`STATUS ${folder} (MESSAGES RECENT UNSEEN UIDNEXT UIDVALIDITY)`);
    seen.push({ folder, status, messages: await mail.dump(folder) });
  }
  // Whether a folder is \Marked is a hint (RFC 9051 §7.3.1), which Dovecot gives by what it has in its caches.
  const said = listed.map((line) => line.replace(/ ?\\(?:Un)?Marked/i, '')).sort();
  return { listed: said, subscribed: (await lines('LSUB "" "*"')).sort(), seen };
}

/** Every file of a directory: its mode, when it was written, and the SHA-256 of its bytes. */
function tree(directory: string) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(directory, name);
      const { mode, mtimeMs } = statSync(path);
      return {
        name,
        mode,
        mtimeMs,
        bytes: createHash('sha256').update(readFileSync(path)).digest('hex'),
      };
    });
}

async function all(world: World) {
  return {
    source: await account(world, 'source'),
    destination: await account(world, 'destination'),
    state: tree(world.stateDir),
  };
}

/** What went over both wires since they had carried so many commands. */
function said(world: World, since: readonly [number, number]) {
  const commands = [
    ...world.source.commands.slice(since[0]),
    ...world.destination.commands.slice(since[1]),
  ];
  expect(commands.length).toBeGreaterThan(0);
  const names = new Set(commands.map(({ name }) => name));
  const bodies = commands.filter(({ line }) => /BODY/.test(line.replaceAll('BODY.PEEK', '')));
  return { writing: [...names].filter((name) => !HARMLESS.includes(name)), bodies };
}

const now = ({ source, destination }: World) =>
  [source.commands.length, destination.commands.length] as const;

/** Two folders; in INBOX a message that was carried, one that was set aside, one whose copy is there, and a new one. */
async function prepared(world: World): Promise<void> {
  await world.old.command('CREATE Lists');
  await world.old.put('INBOX', message({ body: 'carried' }));
  await world.old.put('INBOX', message({ body: 'x'.repeat(9000) }));
  const first = program(world, ['sweep'], { AFTER_DELIVERY: 'keep', MAX_MESSAGE_SIZE: '8KB' });
  expect((await first.end()).code).toBe(1);
  const there = message({ body: 'there already' });
  await world.old.put('INBOX', there, { flags: ['\\Flagged'] });
  await world.fresh.put('INBOX', there);
  await world.old.put('INBOX', message({ body: 'new' }));
  await world.old.put('Lists', message({ body: 'for a folder that is not there' }));
}

const PLANS = [
  'INBOX 1 → INBOX: retire',
  'INBOX 3 → INBOX: retire',
  'INBOX 4 → INBOX: carry',
  'Lists 1 → Lists: carry',
];

describe('a dry run changes nothing, not even what is new or seen', () => {
  it('as a sweep, and its summary says what would be', async () => {
    await using world = await servers.world();
    await prepared(world);
    const [before, since] = [await all(world), now(world)];
    const { code, text, plans } = await program(world, ['sweep', '--dry-run'], {
      MAX_MESSAGE_SIZE: '8KB',
    }).end();
    expect(plans).toEqual(PLANS);
    expect(text).toContain('default: this is a dry run: nothing was changed.');
    expect(text).toMatch(
      /INBOX → INBOX: 1 message \([\d.]+ K?B\) would be carried, 2 messages there already and not sent again; the originals would be expunged\./,
    );
    expect(text).toMatch(/the message with UID 2 in INBOX would stay: it has \d+ bytes/);
    expect(code).toBe(1);
    expect(said(world, since)).toEqual({ writing: [], bodies: [] });
    expect(await all(world)).toEqual(before);
  });

  it('while it watches, and it says what comes', async () => {
    await using world = await servers.world();
    await prepared(world);
    const [before, since] = [await all(world), now(world)];
    const dry = program(world, ['run'], { DRY_RUN: 'true', SWEEP_INTERVAL: '1s' });
    await dry.said('delivery.planned', PLANS.length);
    expect(await all(world)).toEqual(before);
    await world.old.put('INBOX', message({ body: 'comes now' }));
    const then = await all(world);
    await dry.said('delivery.planned', PLANS.length + 1);
    const ended = await dry.end('SIGTERM');
    expect(ended.plans).toEqual([...PLANS, 'INBOX 5 → INBOX: carry'].sort());
    expect(ended.code).toBe(0);
    expect(said(world, since)).toEqual({ writing: [], bodies: [] });
    expect(await all(world)).toEqual(then);
  });

  it('after imapferry was killed, and left its journal as it was', async () => {
    await using world = await servers.world();
    await prepared(world);
    const killed = program(world, ['run'], { FOLDERS: 'Lists=Lists', AFTER_DELIVERY: 'keep' });
    await killed.said('delivery.done');
    await killed.end('SIGKILL');
    const before = await all(world);
    expect(before.state).toContainEqual(expect.objectContaining({ name: 'journal.sqlite-wal' }));
    const { plans } = await program(world, ['sweep', '--dry-run']).end();
    expect(plans).toContain('Lists 1 → Lists: retire');
    expect(await all(world)).toEqual(before);
  });

  it('beside an imapferry that runs on the same STATE_DIR', async () => {
    await using world = await servers.world();
    await prepared(world);
    const running = program(world, ['run'], { AFTER_DELIVERY: 'keep', MAX_MESSAGE_SIZE: '8KB' });
    await running.said('delivery.done', 3);
    // What is in the files is the other one's doing; that there is none more is ours.
    const seen = async () => {
      const { source, destination, state } = await all(world);
      return { source, destination, files: state.map(({ name, mode }) => ({ name, mode })) };
    };
    const before = await seen();
    const dry = program(world, ['sweep', '--dry-run'], { AFTER_DELIVERY: 'keep' });
    const { code, plans } = await dry.end();
    expect(plans).toEqual([]);
    // The one that was set aside.
    expect(code).toBe(1);
    expect(await seen()).toEqual(before);
    await running.end('SIGTERM');
  });

  it('where there is no STATE_DIR, and makes none; all would be carried', async () => {
    await using world = await servers.world();
    rmSync(world.stateDir, { recursive: true });
    await world.old.put('INBOX', message({ body: 'new' }));
    const before = await all(world);
    const { code, plans } = await program(world, ['sweep', '--dry-run']).end();
    expect([code, plans]).toEqual([0, ['INBOX 1 → INBOX: carry']]);
    expect(await all(world)).toEqual(before);
    expect(existsSync(world.stateDir)).toBe(false);
  });
});

it('a dry route beside one that carries is dry, and the other carries', async () => {
  await using world = await servers.world();
  await world.old.command('CREATE Lists');
  await world.old.put('INBOX', message({ body: 'stays' }));
  await world.old.put('Lists', message({ body: 'goes' }));
  const { routes, ...rest } = world.config;
  const both = routes.flatMap((route): Route[] => [
    { ...route, name: 'dry', dryRun: true },
    { ...route, name: 'wet', folders: [{ kind: 'folder', name: 'Lists' }] },
  ]);
  const lines: string[] = [];
  const code = await sweep(
    { ...rest, routes: both },
    {
      signal: new AbortController().signal,
      stream: eventStream(),
      print: (line) => lines.push(line),
    },
  );
  expect(code).toBe(0);
  expect(lines).toContain('wet: 1 message carried.');
  expect(lines.join('\n')).toMatch(/dry: INBOX → INBOX: 1 message \(.*\) would be carried;/);
  expect(await world.old.count('INBOX')).toBe(1);
  expect(await world.old.count('Lists')).toBe(0);
});
