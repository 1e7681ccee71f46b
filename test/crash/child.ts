/** imapferry as a process of its own that a test may kill: `run` or `sweep`, with its longest waits shortened. */

import { run } from '../../src/commands/run.ts';
import { sweep } from '../../src/commands/sweep.ts';
import { readEnvironment } from '../../src/config/config.ts';
import { eventStream } from '../../src/domain/events.ts';
import { PACE } from '../../src/forward/pace.ts';
import { subscribeLog } from '../../src/report/log.ts';

const config = readEnvironment([]);
const stream = eventStream();
subscribeLog(stream, { level: config.logLevel, format: config.logFormat });
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('stopped by SIGTERM')));
const options = {
  signal: stop.signal,
  stream,
  print: (line: string) => process.stdout.write(`${line}\n`),
  // On loopback a dead connection's APPEND is stored at once or never.
  pace: { ...PACE, settle: 1000, reconnectFirst: 100, attemptFirst: 100 },
};
process.exit(await (process.argv[2] === 'sweep' ? sweep(config, options) : run(config, options)));
