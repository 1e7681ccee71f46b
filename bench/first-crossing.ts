/** npm run bench: how fast, how soon, how much memory. Figures to read, not tests: machines are shared and noisy. */
import { execFileSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { COMPILED, overWires, Place, Program } from '../test/journey/program.ts';
import { startDovecot } from '../test/support/dovecot.ts';
import { Mail, message } from '../test/support/mail.ts';
import { Wire } from '../test/support/wire.ts';

const users = { anna: 'secret-of-anna', bert: 'secret-of-bert', carl: 'secret-of-carl' };
await using source = await startDovecot({ users, durable: true });
await using destination = await startDovecot({ users, durable: true });

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function rss(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}

/** 300 messages of 8 KB with a round trip of `ms`, from the first FETCH sent to the last original gone. */
async function drain(ms: number): Promise<number> {
  using place = new Place();
  await using up = await Wire.between({ to: source.port, delay: ms / 2 });
  await using down = await Wire.between({ to: destination.port, delay: ms / 2 });
  await using old = await Mail.login(source.port, 'anna', users.anna);
  for (let i = 0; i < 300; i++) await old.put('INBOX', message({ size: 8000 }));
  await using program = new Program(
    place,
    place.settings(source, destination, {
      ...overWires(up, down),
      LOG_LEVEL: 'debug',
    }),
  );
  await program.saw('folder.looked');
  await program.until('all is carried', () => program.count('delivery.done') === 300, 120_000);
  const at = (event: string, last = false) => {
    const times = program.log
      .filter((line) => line.event === event)
      .map(({ time }) => Date.parse(String(time)));
    return last ? Math.max(...times) : Math.min(...times);
  };
  await program.kill('SIGTERM');
  return 300 / ((at('delivery.done', true) - at('folder.looked')) / 1000);
}

const RUNS = 3;
for (const ms of [0, 40]) {
  const rates: number[] = [];
  for (let i = 0; i < RUNS; i++) rates.push(await drain(ms));
  console.log(
    `drain, 300 x 8 KB, ${ms} ms round trip: ${rates.map((rate) => rate.toFixed(0)).join(', ')} messages/s, median ${median(rates).toFixed(0)}`,
  );
}

using place = new Place();
await using old = await Mail.login(source.port, 'carl', users.carl);
await using fresh = await Mail.login(destination.port, 'carl', users.carl);
await using program = new Program(
  place,
  place.settings(source, destination, {
    SOURCE_USER: 'carl',
    DEST_USER: 'carl',
    FOLDERS: 'INBOX',
    LOG_LEVEL: 'info',
    SOURCE_PASSWORD_FILE: place.file('carl', users.carl),
    DEST_PASSWORD_FILE: place.file('carl', users.carl),
  }),
  ['run'],
  { main: COMPILED },
);
await program.saw('route.ready');
await wait(3000);
console.log(`at rest, one route, one folder, TLS, compiled: ${rss(program.pid).toFixed(0)} MB RSS`);
const took: number[] = [];
for (let i = 1; i <= 30; i++) {
  await old.put('INBOX', message());
  const stored = performance.now();
  while ((await fresh.count('INBOX')) < i) await wait(2);
  took.push(performance.now() - stored);
  await wait(300);
}
const sorted = [...took].sort((a, b) => a - b);
console.log(
  `one message, stored to stored, loopback: p50 ${median(took).toFixed(0)} ms, p95 ${(sorted[28] ?? 0).toFixed(0)} ms, least ${(sorted[0] ?? 0).toFixed(0)} ms`,
);
