/** npm run demo: two mail servers in this process, mail trickling into the one, imapferry carrying it to the other. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { run } from '../src/commands/run.ts';
import { loadConfig } from '../src/config/config.ts';
import { eventStream } from '../src/domain/events.ts';
import { type LogOptions, subscribeLog } from '../src/report/log.ts';
import { size } from '../src/report/sentences.ts';
import { type MailServer, startMailServer } from './hoodiecrow.ts';
import { type Letter, letter } from './mail.ts';

const FOLDERS = ['INBOX', 'Sent'] as const;
/** What the last letters are given to arrive, in milliseconds. */
const LAST_CALL = 5_000;

export interface DemoServers extends AsyncDisposable {
  readonly source: MailServer;
  readonly destination: MailServer;
}

export interface Outcome {
  /** Letters put into the source. */
  readonly put: number;
  /** Of these, how many are at the destination, byte for byte and each once. */
  readonly arrived: number;
  readonly stillAtSource: number;
  /** Messages at the destination that nobody put into the source, or that are there twice. */
  readonly surplus: number;
  /** imapferry's own exit code. */
  readonly exit: number;
}

/** Starts both servers. Only the source has a folder Sent: imapferry makes the other. */
export async function startServers(): Promise<DemoServers> {
  const source = await startMailServer({
    user: 'old',
    folders: { Sent: '\\Sent' },
    uidValidity: 1795,
  });
  const destination = await startMailServer({ user: 'new' });
  return {
    source,
    destination,
    async [Symbol.asyncDispose]() {
      await Promise.all([source.close(), destination.close()]);
    },
  };
}

/** The settings of imapferry between the two servers, as they would stand in a .env file. */
export function settings({ source, destination }: DemoServers, stateDir: string): string {
  const side = (name: string, { host, port, user, password }: MailServer) => [
    `${name}_HOST=${host}`,
    `${name}_PORT=${port}`,
    `${name}_TLS=none`,
    `${name}_USER=${user}`,
    `${name}_PASSWORD=${password}`,
  ];
  return [
    ...side('SOURCE', source),
    ...side('DEST', destination),
    `FOLDERS=${FOLDERS.join(', ')}`,
    `STATE_DIR=${stateDir}`,
    '',
  ].join('\n');
}

/**
 * Runs the demo until `signal` aborts: letters come one or two seconds apart, or as `pause` says, in milliseconds.
 * @param say writes a line for the reader
 * @param log where imapferry's own log goes, if not to standard output
 */
export async function demo(
  signal: AbortSignal,
  say: (line: string) => void,
  pause: () => number = () => 1000 + Math.random() * 1000,
  log: Partial<LogOptions> = {},
): Promise<Outcome> {
  await using servers = await startServers();
  const { source, destination } = servers;
  const home = await mkdtemp(join(tmpdir(), 'imapferry-demo-'));
  try {
    const envFile = join(home, 'env');
    await writeFile(envFile, settings(servers, join(home, 'state')), { mode: 0o600 });
    const config = loadConfig({}, { envFiles: [envFile] });
    const stream = eventStream();
    await subscribeLog(stream, { level: 'info', format: 'pretty', ...log });
    const ferry = new AbortController();
    const running = run(config, { signal: ferry.signal, stream });
    const letters = await trickle(source, signal, say, pause);
    await emptied(source);
    ferry.abort();
    return { ...compared(letters, source, destination), exit: await running };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function trickle(
  source: MailServer,
  signal: AbortSignal,
  say: (line: string) => void,
  pause: () => number,
): Promise<Letter[]> {
  const letters: Letter[] = [];
  while (!signal.aborted) {
    const next = letter(letters.length);
    source.put(next.folder, next.bytes, next.flags);
    letters.push(next);
    say(`a letter of ${size(next.bytes.length)} comes to the old mailbox, ${next.folder}`);
    await sleep(pause(), undefined, { signal }).catch(() => undefined);
  }
  return letters;
}

/** Waits until the source is empty, but not for ever. */
async function emptied(source: MailServer): Promise<void> {
  const until = Date.now() + LAST_CALL;
  while (left(source) > 0 && Date.now() < until) await sleep(50);
}

function left(source: MailServer): number {
  return FOLDERS.reduce((sum, folder) => sum + source.messages(folder).length, 0);
}

function compared(
  letters: readonly Letter[],
  source: MailServer,
  destination: MailServer,
): Omit<Outcome, 'exit'> {
  const copies = FOLDERS.flatMap((folder) =>
    destination.messages(folder).map(({ bytes }) => ({ folder, bytes })),
  );
  let arrived = 0;
  for (const { folder, bytes } of letters) {
    const found = copies.findIndex((copy) => copy.folder === folder && copy.bytes.equals(bytes));
    if (found < 0) continue;
    copies.splice(found, 1);
    arrived++;
  }
  return { put: letters.length, arrived, stillAtSource: left(source), surplus: copies.length };
}

/** The demo as a command: `--seconds N`, one minute by default, or until Ctrl-C. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) {
    process.stderr.write(`--seconds wants a number above 0, for example --seconds 20\n`);
    return 2;
  }
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const dim = process.stdout.isTTY && process.stdout.hasColors();
  const say = (line: string) =>
    print(dim ? `\u001b[2m         ✉ ${line}\u001b[22m` : `         ✉ ${line}`);
  print(
    'Two mail servers run in this process. Mail comes to the old one; imapferry carries it over.',
  );
  print(`It ends after ${seconds} s, or when you press Ctrl-C.\n`);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const timer = setTimeout(() => stop.abort(), seconds * 1000);
  const outcome = await demo(stop.signal, say);
  clearTimeout(timer);
  print(summary(outcome));
  return isGood(outcome) ? 0 : 1;
}

function summary({ put, arrived, stillAtSource, surplus }: Outcome): string {
  return [
    '',
    `Letters that came to the old mailbox:                   ${put}`,
    `Arrived in the new one, byte for byte the same:         ${arrived}`,
    `Still in the old one:                                   ${stillAtSource}`,
    `In the new one twice, or other than they were sent:     ${surplus}`,
  ].join('\n');
}

/** Every letter is on exactly one side. */
export function isGood({ put, arrived, stillAtSource, surplus, exit }: Outcome): boolean {
  return exit === 0 && surplus === 0 && arrived === put && stillAtSource === 0;
}

if (import.meta.main) process.exitCode = await main();
