/**
 * The least that brings a message across as it comes: IDLE, and on EXISTS the FETCH at once behind DONE, the APPEND as soon
 * as the message is there; then STORE and EXPUNGE. It checks nothing. Prints a line a message.
 */
import type { Login } from '../tools/load.ts';
import { Raw } from '../tools/raw.ts';

const { source, destination } = JSON.parse(process.argv[2] ?? '') as Record<
  'source' | 'destination',
  Login
>;
const from = await Raw.login(source, source.user, source.password);
const into = await Raw.login(destination, destination.user, destination.password);
await from.command('SELECT INBOX');
for (;;) {
  const idle = from.command('IDLE');
  const exists = await heard(/^\* (\d+) EXISTS/);
  from.socket.write('DONE\r\n');
  const row = heard(/FETCH/);
  const fetched = from.command(`FETCH ${exists} (FLAGS INTERNALDATE BODY.PEEK[])`);
  await row;
  await Promise.all([idle, fetched]);
  const stored = from.command('STORE 1:* +FLAGS.SILENT (\\Deleted)');
  await Promise.all([stored, from.command('EXPUNGE')]);
  console.log('through');
}

/** Resolves with what the pattern has caught. A message goes on its way in the same moment. */
function heard(pattern: RegExp): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    from.failed.catch(reject);
    from.onUntagged = ({ text, literal }) => {
      const match = pattern.exec(text);
      if (!match) return;
      if (literal) pass(literal);
      resolve(match[1]);
    };
  });
}

function pass(message: Buffer): void {
  const { tag, answered } = into.begin();
  into.socket.write(
    Buffer.concat([
      Buffer.from(`${tag} APPEND INBOX () {${message.length}+}\r\n`),
      message,
      Buffer.from('\r\n'),
    ]),
  );
  answered.catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}
