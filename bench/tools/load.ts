/** Puts mail into a server, fast. */
import { Raw, type Where } from './raw.ts';

export interface Login extends Where {
  readonly user: string;
  readonly password: string;
}

/** So many messages travel in one APPEND; their bytes end it earlier. */
const MESSAGES = 100;
const BYTES = 8 * 1024 * 1024;
const DATE = '"06-May-2024 07:08:09 +0000"';

/** Appends messages to a folder, all that are wanted of them pipelined; resolves when the last one is stored. */
export async function load(
  login: Login,
  folder: string,
  messages: Iterable<Buffer>,
  flags = '\\Seen',
): Promise<void> {
  using raw = await Raw.login(login, login.user, login.password);
  const answers: Promise<string>[] = [];
  let [count, bytes] = [0, 0];
  for (const message of messages) {
    if (count === 0) {
      const { tag, answered } = raw.begin();
      answers.push(answered);
      raw.socket.write(`${tag} APPEND "${folder}"`);
    }
    raw.socket.write(` (${flags}) ${DATE} {${message.length}+}\r\n`);
    raw.socket.write(message);
    count++;
    bytes += message.length;
    if (count === MESSAGES || bytes >= BYTES) {
      raw.socket.write('\r\n');
      [count, bytes] = [0, 0];
    }
    await raw.room(BYTES);
  }
  if (count > 0) raw.socket.write('\r\n');
  await Promise.all(answers);
}

/** Messages in a folder, as the server tells. */
export async function count(login: Login, folder: string): Promise<number> {
  using raw = await Raw.login(login, login.user, login.password);
  let messages = Number.NaN;
  raw.onUntagged = ({ text }) => {
    messages = Number(/MESSAGES (\d+)/.exec(text)?.[1] ?? messages);
  };
  await raw.command(`STATUS "${folder}" (MESSAGES)`);
  return messages;
}
