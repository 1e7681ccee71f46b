/** Three ways to append messages, each the fastest that a server allows. */
import type { Raw } from '../../tools/raw.ts';
import type { Appender, Message } from './drain.ts';

/** Bytes that may wait to be sent. */
const WAITING = 8 * 1024 * 1024;
const IN_ONE = 100;
const BYTES_IN_ONE = 8 * 1024 * 1024;

/** Many messages in each APPEND (RFC 3502), one APPEND after the other without waiting (RFC 7888). */
export function multiAppending([raw]: readonly Raw[]): Appender {
  if (!raw) throw new Error('no connection');
  const answers: Promise<string>[] = [];
  let [count, bytes] = [0, 0];
  const close = () => {
    if (count > 0) raw.socket.write('\r\n');
    [count, bytes] = [0, 0];
  };
  return {
    append(message) {
      let begin = '';
      if (count === 0) {
        const { tag, answered } = raw.begin();
        answers.push(answered);
        begin = `${tag} APPEND INBOX`;
      }
      raw.socket.cork();
      raw.socket.write(`${begin} ${head(message)} {${message.bytes.length}+}\r\n`);
      raw.socket.write(message.bytes);
      count++;
      bytes += message.bytes.length;
      if (count === IN_ONE || bytes >= BYTES_IN_ONE) close();
      raw.socket.uncork();
    },
    hasRoom: () => raw.hasRoom(WAITING),
    room: () => raw.room(WAITING),
    async end() {
      close();
      await Promise.all(answers);
    },
  };
}

/** One message an APPEND, one after the other without waiting. */
export function singleAppending([raw]: readonly Raw[]): Appender {
  if (!raw) throw new Error('no connection');
  const answers: Promise<string>[] = [];
  return {
    append(message) {
      const { tag, answered } = raw.begin();
      answers.push(answered);
      raw.socket.cork();
      raw.socket.write(`${tag} APPEND INBOX ${head(message)} {${message.bytes.length}+}\r\n`);
      raw.socket.write(message.bytes);
      raw.socket.write('\r\n');
      raw.socket.uncork();
    },
    hasRoom: () => raw.hasRoom(WAITING),
    room: () => raw.room(WAITING),
    async end() {
      await Promise.all(answers);
    },
  };
}

/** Each literal waits until the server asks for it: two round trips a message, on several connections at once. */
export function synchronising(connections: readonly Raw[]): Appender {
  const waiting: Message[] = [];
  const idle = new Set(connections);
  let bytes = 0;
  let told = Promise.withResolvers<void>();
  const work = async (raw: Raw) => {
    idle.delete(raw);
    for (let message = waiting.shift(); message; message = waiting.shift()) {
      const { tag, answered } = raw.begin();
      const asked = raw.continued();
      raw.socket.write(`${tag} APPEND INBOX ${head(message)} {${message.bytes.length}}\r\n`);
      await asked;
      raw.socket.write(message.bytes);
      raw.socket.write('\r\n');
      await answered;
      bytes -= message.bytes.length;
      told.resolve();
    }
    idle.add(raw);
  };
  const works: Promise<void>[] = [];
  return {
    append(message) {
      waiting.push(message);
      bytes += message.bytes.length;
      const [raw] = idle;
      if (raw) works.push(work(raw));
    },
    hasRoom: () => bytes <= WAITING,
    async room() {
      while (bytes > WAITING) {
        told = Promise.withResolvers();
        await told.promise;
      }
    },
    async end() {
      await Promise.all(works);
    },
  };
}

function head({ flags, date }: Message): string {
  return `(${flags})${date === '' ? '' : ` ${date}`}`;
}
