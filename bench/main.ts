/** npm run bench: how fast, how soon, how much memory, how far. Figures to read, not tests: machines are shared and noisy. */
import { drain } from './drain/bench.ts';
import { latency } from './latency/bench.ts';
import { memory } from './memory/bench.ts';
import { type Options, options, USAGE } from './options.ts';
import { report } from './report.ts';
import { scale } from './scale/bench.ts';
import { endAll } from './tools/mailboxes.ts';

const BENCHES: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  drain,
  latency,
  memory,
  scale,
};

let asked: ReturnType<typeof options>;
try {
  asked = options(process.argv.slice(2));
  const unknown = asked.names.find((name) => name !== 'report' && !(name in BENCHES));
  if (unknown !== undefined) throw new Error(`There is no bench ${unknown}`);
} catch (thrown) {
  console.error(`${thrown instanceof Error ? thrown.message : thrown}\n${USAGE}`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void endAll().finally(() => process.exit(1)));
}
for (const [name, bench] of Object.entries(BENCHES)) {
  if (asked.names.length === 0 || asked.names.includes(name)) await bench(asked.options);
}
if (asked.names.includes('report')) report();
