/** From the settings to `run` or `sweep`: reads them, opens the log, listens for signals. */
import { type Config, ConfigError, readEnvironment } from '../config/config.ts';
import { type EventStream, eventStream } from '../domain/events.ts';
import { drawBar } from '../report/bar.ts';
import { subscribeLog } from '../report/log.ts';
import { printable } from '../report/sentences.ts';
import { run } from './run.ts';
import { sweep } from './sweep.ts';
import { version } from './version.ts';

/** EX_SOFTWARE of sysexits.h: a mistake of ours. A restart may help, and nothing else would. */
const BROKEN = 70;

/**
 * Resolves with the exit code; 2 where the configuration can't be used.
 * @param how with `dryRun` every route is a dry run, whatever DRY_RUN says
 */
export async function forward(
  command: 'run' | 'sweep',
  envFiles: readonly string[],
  how: { readonly dryRun: boolean },
): Promise<number> {
  const stream = eventStream();
  const read = await configured(envFiles, stream);
  if (read === undefined) return 2;
  const config = how.dryRun ? dry(read) : read;
  const bar = command === 'sweep' ? drawBar(stream, process.stderr) : undefined;
  await subscribeLog(stream, { level: config.logLevel, format: config.logFormat });
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
  }
  const broken = (thrown: unknown) => {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    stream.emit('imapferry.failed', {
      err: thrown,
      why,
      msg: `imapferry made a mistake (${why}) and ends, so that it can be started anew. No original was removed without a proven copy. Please report this line.`,
    });
    process.exit(BROKEN);
  };
  process.on('uncaughtException', broken);
  process.on('unhandledRejection', broken);
  try {
    if (command === 'run')
      return await run(config, { signal: stop.signal, stream, version: version() });
    const print = (line: string) => process.stdout.write(`${printable(line)}\n`);
    return await sweep(config, { signal: stop.signal, stream, print, bar });
  } catch (thrown) {
    return broken(thrown);
  } finally {
    bar?.end();
  }
}

function dry(config: Config): Config {
  return { ...config, routes: config.routes.map((route) => ({ ...route, dryRun: true })) };
}

async function configured(envFiles: readonly string[], stream: EventStream) {
  try {
    return readEnvironment(envFiles);
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    process.stderr.write(`${thrown.message}\n`);
    // Whoever reads the log by machine hears of it, too; on a terminal it would be said twice.
    if (!process.stdout.isTTY) {
      await subscribeLog(stream, { level: 'error' });
      stream.emit('config.rejected', { count: thrown.mistakes.length, msg: thrown.message });
    }
    return undefined;
  }
}
