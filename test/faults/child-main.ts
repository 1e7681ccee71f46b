/**
 * `imapferry run` as a process of its own, with the waits that TEST_PACE says (JSON): what the program does, only sooner.
 * With TEST_DIES_AT it is killed in the very moment in which it first tells that event; the line is in its log.
 */
import { run } from '../../src/commands/run.ts';
import { readEnvironment } from '../../src/config/config.ts';
import { eventStream } from '../../src/domain/events.ts';
import { PACE } from '../../src/forward/pace.ts';
import { subscribeLog } from '../../src/report/log.ts';

const config = readEnvironment([]);
const stream = eventStream();
await subscribeLog(stream, { level: config.logLevel, format: config.logFormat });
stream.subscribe((event) => {
  if (event === process.env.TEST_DIES_AT) process.kill(process.pid, 'SIGKILL');
});
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('stopped by SIGTERM')));
const pace = { ...PACE, ...JSON.parse(process.env.TEST_PACE ?? '{}') };
process.exit(await run(config, { signal: stop.signal, stream, pace }));
