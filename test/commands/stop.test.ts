/** A stop is a matter of seconds, whatever the servers do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../../src/commands/run.ts';
import { sweep } from '../../src/commands/sweep.ts';
import { loadConfig } from '../../src/config/config.ts';
import { eventStream } from '../../src/domain/events.ts';
import { PACE } from '../../src/forward/pace.ts';
import { FakeImap, type Reply } from '../support/fake-imap.ts';

const BYTES = 'Subject: one\r\n\r\nbody\r\n';
const LISTED = 'FLAGS () INTERNALDATE "01-Jan-2026 00:00:00 +0000"';

/** One message, UID 1, in the source's INBOX. */
const SOURCE: Readonly<Record<string, Reply>> = {
  SELECT: ({ tag }) =>
    `* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n${tag} OK [READ-WRITE] done`,
  'UID SEARCH': ({ tag }) => `* SEARCH 1\r\n${tag} OK done`,
  'UID FETCH': ({ tag, args }) => {
    const body = args.includes('BODY.PEEK[]') ? ` BODY[] {${BYTES.length}}\r\n${BYTES}` : '';
    return `* 1 FETCH (UID 1 ${LISTED} RFC822.SIZE ${BYTES.length}${body})\r\n${tag} OK done`;
  },
};

/** Nothing is there, and nothing comes of an APPEND before it is answered. */
const DESTINATION: Readonly<Record<string, Reply>> = {
  'UID FETCH': ({ tag }) => `${tag} OK done`,
};

interface Row {
  readonly side: 'source' | 'destination';
  readonly command: string;
  /** What the command must hold to be left unanswered; others of its name are answered. */
  readonly holds?: string;
  /** What the server goes on saying in place of an answer. */
  readonly says?: string;
}

const STALLS: readonly Row[] = [
  { side: 'source', command: 'LOGIN' },
  { side: 'source', command: 'LIST' },
  { side: 'source', command: 'SELECT' },
  { side: 'source', command: 'UID SEARCH' },
  { side: 'source', command: 'UID FETCH' },
  { side: 'source', command: 'UID FETCH', holds: 'BODY.PEEK[]' },
  { side: 'source', command: 'UID FETCH', holds: 'BODY.PEEK[]', says: '* OK still at it' },
  { side: 'destination', command: 'LOGIN' },
  { side: 'destination', command: 'LIST' },
  { side: 'destination', command: 'SELECT' },
  { side: 'destination', command: 'APPEND' },
  { side: 'destination', command: 'APPEND', says: '* 7 EXISTS' },
];

function title({ side, command, holds, says }: Row): string {
  const what = holds ? `${command} of ${holds}` : command;
  return `stops in time though the ${side} never answers ${what}${says ? ` and goes on saying "${says}"` : ''}`;
}

const CASES = STALLS.map((row) => [title(row), row] as const);

async function stopped(command: 'run' | 'sweep', { side, command: stalls, holds = '', says }: Row) {
  const stop = new AbortController();
  const talking: NodeJS.Timeout[] = [];
  const usual = (side === 'source' ? SOURCE : DESTINATION)[stalls];
  const stall: Reply = (asked, line) => {
    if (!asked.args.includes(holds)) return usual?.(asked, line);
    if (says) talking.push(setInterval(() => line.send(says), 5));
    stop.abort(new Error('stopped by SIGTERM'));
    return undefined;
  };
  const own = { [stalls]: stall };
  await using source = await FakeImap.start({
    replies: { ...SOURCE, ...(side === 'source' && own) },
  });
  await using destination = await FakeImap.start({
    replies: { ...DESTINATION, ...(side === 'destination' && own) },
  });
  const stateDir = mkdtempSync(join(tmpdir(), 'imapferry-stop-'));
  const account = (prefix: string, { port }: FakeImap) => ({
    [`${prefix}_HOST`]: '127.0.0.1',
    [`${prefix}_PORT`]: `${port}`,
    [`${prefix}_TLS`]: 'none',
    [`${prefix}_USER`]: 'anna',
    [`${prefix}_PASSWORD`]: 'a secret of hers',
  });
  const environment = {
    ...account('SOURCE', source),
    ...account('DEST', destination),
    FOLDERS: 'INBOX',
    STATE_DIR: stateDir,
  };
  try {
    const config = loadConfig(environment, { envFiles: [] });
    const options = {
      signal: stop.signal,
      stream: eventStream(),
      pace: { ...PACE, stop: 50 },
      print: () => undefined,
    };
    const code = await (command === 'run' ? run(config, options) : sweep(config, options));
    return { code, told: source.text + destination.text };
  } finally {
    for (const timer of talking) clearInterval(timer);
    rmSync(stateDir, { recursive: true, force: true });
  }
}

it.each(CASES)('run %s', async (_, row) => {
  const { code, told } = await stopped('run', row);
  expect(code).toBe(0);
  expect(told).not.toMatch(/EXPUNGE|STORE/);
});

it.each(CASES)('sweep %s', async (_, row) => {
  const { code, told } = await stopped('sweep', row);
  expect(code).toBe(1);
  expect(told).not.toMatch(/EXPUNGE|STORE/);
});
