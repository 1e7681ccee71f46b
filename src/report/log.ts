/** Writes the event stream to the log: one line an event, JSON for machines or a diary for people. The only pino. */
import pino from 'pino';
import { EVENTS, type EventFields, type EventName, type EventStream } from '../domain/events.ts';
import { Failure } from '../domain/failure.ts';
import { withoutSecrets } from '../domain/secrets.ts';
import { escaped, sentence, shortened, UNSEEN, withoutAddresses } from './sentences.ts';

export interface LogOptions {
  readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
  /** Absent: `pretty` on a terminal, else `json`. */
  readonly format?: 'json' | 'pretty' | undefined;
  /** Where lines go, each with its line end; standard output by default. Colours are for terminals only. */
  readonly destination?: { write(line: string): unknown } & Partial<Terminal>;
}

/** What of a terminal's stream matters here. `hasColors` minds NO_COLOR. */
interface Terminal {
  readonly isTTY: boolean;
  hasColors(): boolean;
}

/** Logs every event from now on; resolves with what ends that. Lines are written before `emit` returns. */
export async function subscribeLog(
  stream: EventStream,
  { level, format, destination }: LogOptions,
): Promise<() => void> {
  const terminal = destination ?? process.stdout;
  const out = destination ?? pino.destination({ dest: 1, sync: true });
  const pretty = (format ?? (terminal.isTTY ? 'pretty' : 'json')) === 'pretty';
  const colorize = terminal.isTTY === true && terminal.hasColors?.() === true;
  const write = pretty ? (await import('./diary.ts')).diary(colorize) : json;
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Errors come told already; pino's own way would add their stack.
      serializers: { err: (err) => err },
    },
    {
      write: (line: string) => {
        for (const each of write(line)) out.write(each);
      },
    },
  );
  return stream.subscribe((event, whole) => {
    const [loudness] = EVENTS[event];
    if (!log.isLevelEnabled(loudness)) return;
    const fields = brief(whole);
    log[loudness](lineOf(event, fields), sentence(event, fields));
  });
}

/** An event's fields, none of them longer than a line bears. */
function brief(fields: EventFields): EventFields {
  const all = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'string' ? shortened(value) : value,
  ]);
  return Object.fromEntries(all) as EventFields;
}

/** An event's fields as its line shows them. */
function lineOf(event: EventName, { msg: _, why, err, ...fields }: EventFields): object {
  return {
    event,
    ...fields,
    ...(why !== undefined && { why: withoutAddresses(why) }),
    ...(err !== undefined && { err: told(err, event === 'imapferry.failed') }),
  };
}

/** What a line tells of an error: what the engine can tell apart, and what lies beneath. */
interface ToldError {
  readonly kind?: string;
  readonly step?: string;
  readonly code?: string;
  readonly message: string;
  /** The messages of its causes, the nearest first. */
  readonly causes?: readonly string[];
  /** Where in the program it came about; only for a mistake of ours. */
  readonly at?: readonly string[];
}

const DEEPEST = 8;

function told(err: unknown, ours: boolean): ToldError {
  const known = err instanceof Failure ? { kind: err.kind, step: err.step } : {};
  const code = codeOf(err);
  const causes: string[] = [];
  for (let cause = causeOf(err); cause !== undefined && causes.length < DEEPEST; ) {
    causes.push(messageOf(cause));
    cause = causeOf(cause);
  }
  const at = ours && err instanceof Error ? frames(err) : [];
  return {
    ...known,
    ...(code !== undefined && { code }),
    message: messageOf(err),
    ...(causes.length > 0 && { causes }),
    ...(at.length > 0 && { at }),
  };
}

function messageOf(err: unknown): string {
  const message = err instanceof Error ? err.message : String(err);
  return shortened(withoutAddresses(withoutSecrets(message)));
}

function causeOf(err: unknown): unknown {
  return err instanceof Error ? err.cause : undefined;
}

function codeOf(err: unknown): string | undefined {
  const code = err instanceof Error && 'code' in err ? err.code : undefined;
  return typeof code === 'string' ? shortened(code) : undefined;
}

/** The call stack without the message on top of it. */
function frames({ stack = '' }: Error): string[] {
  return stack.split('\n').flatMap((line) => /^\s+at (.*)$/.exec(line)?.[1] ?? []);
}

/** JSON itself escapes C0 only; the other characters that steer a terminal can stand inside strings alone. */
function json(line: string): string[] {
  return [line.trimEnd().replace(UNSEEN, escaped).concat('\n')];
}
