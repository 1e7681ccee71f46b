import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { letter } from '../../demo/mail.ts';
import { demo, isGood, type Outcome } from '../../demo/main.ts';

it('carries every letter, each once and unchanged, and leaves the old mailbox empty', async () => {
  const stop = new AbortController();
  const told: string[] = [];
  let carried = 0;
  const write = (line: string) => {
    if (!line.includes('"event":"delivery.done"')) return;
    carried++;
    if (carried === 15) stop.abort();
  };
  const outcome = await demo(
    stop.signal,
    (line) => told.push(line),
    () => 25,
    {
      format: 'json',
      destination: { write },
    },
  );
  expect(outcome).toMatchObject({ stillAtSource: 0, surplus: 0, exit: 0 });
  expect(outcome.put).toBeGreaterThanOrEqual(15);
  expect(outcome.arrived).toBe(outcome.put);
  expect(told).toHaveLength(outcome.put);
  expect(isGood(outcome)).toBe(true);
});

const good: Outcome = { put: 3, arrived: 3, stillAtSource: 0, surplus: 0, exit: 0 };
it.each<[string, Partial<Outcome>]>([
  ['a letter is on neither side', { arrived: 2 }],
  ['a letter stays at the source', { stillAtSource: 1 }],
  ['a letter arrives twice', { surplus: 1 }],
  ['imapferry fails', { exit: 1 }],
])('does not call it good when %s', (_what, outcome) => {
  expect(isGood(good)).toBe(true);
  expect(isGood({ ...good, ...outcome })).toBe(false);
});

it('writes letters that all differ, some to Sent, some without a Message-ID, some with 8-bit bytes', () => {
  const letters = Array.from({ length: 30 }, (_, nth) => letter(nth));
  expect(new Set(letters.map(({ bytes }) => bytes.toString('latin1'))).size).toBe(30);
  expect(letters.some(({ folder }) => folder === 'Sent')).toBe(true);
  expect(letters.some(({ bytes }) => !bytes.includes('Message-ID:'))).toBe(true);
  expect(letters.some(({ bytes }) => bytes.some((byte) => byte >= 0x80))).toBe(true);
});

it.each([
  ['ends by itself', '3', undefined],
  ['ends on Ctrl-C', '60', 'SIGINT' as const],
])('%s, as a program, with a summary', async (_how, seconds, signal) => {
  const main = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, '--seconds', seconds], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  child.stdout.on('data', (chunk) => {
    out += chunk;
    if (signal && !child.killed && out.includes(' INBOX → INBOX, ')) child.kill(signal);
  });
  const [code] = await once(child, 'close');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const put = /^Letters that came.*: +(\d+)$/m.exec(out)?.[1];
  const arrived = /^Arrived.*: +(\d+)$/m.exec(out)?.[1];
  expect(Number(put)).toBeGreaterThan(0);
  expect(arrived).toBe(put);
});
