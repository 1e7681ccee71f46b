// npm run test:full: every point with every fault, and docs/reliability.md made of what came of each. `--once`: each point once.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensure, env, run } from './ensure.mjs';
import { mailServers, welcomed } from './mail-servers.mjs';

ensure();
mailServers();
welcomed();
const folder = mkdtempSync(join(tmpdir(), 'imapferry-results-'));
const results = join(folder, 'results.jsonl');
const began = Date.now();
// Which tries are drawn where not all are made, and what the soak meets; said on the page, so that it can be done again.
const seed = process.env.SEED ?? String(Math.floor(Date.now() / 86_400_000));
const once = process.argv.includes('--once');
const args = process.argv.slice(2).filter((arg) => arg !== '--once');
const tested = run('vitest', ['run', ...args], {
  env: { ...env, FULL: once ? '' : '1', SEED: seed, RELIABILITY_RESULTS: results },
});
process.exitCode = tested;
if (tested !== 0)
  console.error(
    'docs/reliability.md stays as it is: it is made only of a run in which all went well.',
  );
else if (args.length > 0)
  console.error('docs/reliability.md stays as it is: not all tests were run.');
else {
  const { makeReliabilityPage } = await import('./reliability.mjs');
  const points = makeReliabilityPage(results, (Date.now() - began) / 1000, { full: !once, seed });
  console.log(`docs/reliability.md tells of ${points} points.`);
}
rmSync(folder, { recursive: true });
