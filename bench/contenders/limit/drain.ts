/**
 * The bare limit: what two servers and a line allow when a client does no more than it has to. One FETCH of everything; each
 * message is passed on as soon as it is whole, with its flags and INTERNALDATE; STORE and EXPUNGE when all are stored.
 */
import type { Login } from '../../tools/load.ts';
import { Raw } from '../../tools/raw.ts';
import type { Appending } from '../contender.ts';
import { multiAppending, singleAppending, synchronising } from './append.ts';

export interface Task {
  readonly source: Login;
  readonly destination: Login;
  readonly appending: Appending;
  readonly connections: number;
}

export interface Message {
  readonly bytes: Buffer;
  readonly flags: string;
  readonly date: string;
}

/** Takes messages for the destination. */
export interface Appender {
  append(message: Message): void;
  /** Whether there is room for more; if not, `room` waits for it. */
  hasRoom(): boolean;
  room(): Promise<void>;
  /** Resolves when all that was taken is stored. */
  end(): Promise<void>;
}

const APPENDERS = {
  multiappend: multiAppending,
  'literal+': singleAppending,
  synchronising,
} satisfies Record<Appending, (connections: readonly Raw[]) => Appender>;

/** Carries all messages of INBOX. */
export async function drain({ source, destination, appending, connections }: Task): Promise<void> {
  using from = await Raw.login(source, source.user, source.password);
  await from.command('SELECT INBOX');
  const into = await Promise.all(
    Array.from({ length: connections }, () =>
      Raw.login(destination, destination.user, destination.password),
    ),
  );
  const appender = APPENDERS[appending](into);
  from.onUntagged = ({ text, literal }) => {
    if (!literal) return;
    appender.append({
      bytes: literal,
      flags: (/FLAGS \(([^)]*)\)/.exec(text)?.[1] ?? '').replace(/ ?\\Recent/, ''),
      date: /INTERNALDATE ("[^"]*")/.exec(text)?.[1] ?? '',
    });
    if (appender.hasRoom() || from.socket.isPaused()) return;
    from.socket.pause();
    void appender.room().then(() => from.socket.resume());
  };
  await from.command('FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])');
  await appender.end();
  const stored = from.command('UID STORE 1:* +FLAGS.SILENT (\\Deleted)');
  await Promise.all([stored, from.command('UID EXPUNGE 1:*')]);
  for (const raw of into) raw[Symbol.dispose]();
}
