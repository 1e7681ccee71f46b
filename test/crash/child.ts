/** imapferry as a process of its own that a test may kill: `run` or `sweep`, with its longest waits shortened. */

import { run } from '../../src/commands/run.ts';
import { sweep } from '../../src/commands/sweep.ts';
import { readEnvironment } from '../../src/config/config.ts';
import { eventStream } from '../../src/domain/events.ts';
import { subscribeLog } from '../../src/report/log.ts';
import { PACE_OF_LIVES } from './pace.ts';

const config = readEnvironment([]);
const stream = eventStream();
await subscribeLog(stream, { level: config.logLevel, format: config.logFormat });
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('stopped by SIGTERM')));
const options = {
  signal: stop.signal,
  stream,
  print: (line: string) => process.stdout.write(`${line}\n`),
  pace: PACE_OF_LIVES,
};
process.exit(await (process.argv[2] === 'sweep' ? sweep(config, options) : run(config, options)));
