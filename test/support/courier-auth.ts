/** Who may log in to Courier: an authdaemon of our own, and the library by which Courier's programs find it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { MailUser } from './mail-user.ts';

/** Where Courier's programs look for the authdaemon: one place a machine, unless the library says another. */
const SOCKET = '/run/courier/authdaemon/socket';

/** Listens in `home`; `library` is the folder to be searched for libraries first. */
export async function startAuthdaemon(
  root: string,
  home: string,
  users: Readonly<Record<string, string>>,
  user: MailUser,
): Promise<{ library: string; close: () => void }> {
  const library = join(home, 'lib');
  mkdirSync(library);
  const path = `${home}/s`;
  const original = readFileSync(join(root, 'usr/lib/libcourierauth.so.0'));
  writeFileSync(join(library, 'libcourierauth.so.0'), withSocket(original, path));
  const server = createServer((socket) => answer(socket, home, users, user));
  await listening(server, path);
  return { library, close: () => server.close() };
}

/**
 * The library with another socket in place of its own. It is built into the program text, on amd64 as two overlapping
 * halves of 16 bytes, so the new path fills the same place: extra slashes mean nothing in a path.
 */
function withSocket(library: Buffer, path: string): Buffer {
  if (path.length > SOCKET.length) throw new Error(`${path} is too long for Courier's socket`);
  const wanted = path.replace(/\/(?=[^/]*$)/, (slash) =>
    slash.repeat(1 + SOCKET.length - path.length),
  );
  for (const form of [(text: string) => text, halves]) {
    const at = library.indexOf(form(SOCKET), 0, 'latin1');
    if (at < 0) continue;
    const changed = Buffer.from(library);
    changed.write(form(wanted), at, 'latin1');
    return changed;
  }
  throw new Error("Courier's library does not hold the path of its socket in a form known here");
}

function halves(path: string): string {
  return path.slice(0, 16) + path.slice(15);
}

/** One question, one answer: variables, `AUTH n`, then n bytes: service, `login`, name and password, one a line. */
function answer(
  socket: Socket,
  home: string,
  users: Readonly<Record<string, string>>,
  { uid, gid }: MailUser,
): void {
  let heard = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    heard += chunk.toString('latin1');
    const asked = /^(?:\w+=.*\n)*AUTH (\d+)\n/.exec(heard);
    if (!asked || heard.length < asked[0].length + Number(asked[1])) return;
    const [, kind, name = '', password] = heard.slice(asked[0].length).split('\n');
    const right = kind === 'login' && Object.hasOwn(users, name) && users[name] === password;
    socket.end(
      right
        ? `UID=${uid}\nGID=${gid}\nHOME=${home}/${name}\nADDRESS=${name}\nMAILDIR=${home}/${name}/Maildir\n.\n`
        : 'FAIL\n',
    );
  });
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}
