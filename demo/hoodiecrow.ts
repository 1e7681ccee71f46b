/** hoodiecrow-imap, a mail server inside the process: the few words of it that are used here, typed. */
import { createRequire } from 'node:module';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A message as the server keeps it. `raw` holds one byte a character. */
interface Kept {
  readonly uid: number;
  readonly flags: readonly string[];
  readonly internaldate: string;
  readonly raw: string;
}

interface Response {
  command?: string;
  readonly attributes?: readonly ({ type?: string; value?: string } | undefined)[];
}

interface Hoodiecrow {
  readonly outputHandlers: ((connection: unknown, response: Response) => void)[];
  readonly server: Server;
  getMailbox(path: string): { readonly messages: Kept[] } | undefined;
  appendMessage(path: string, flags: string[], internaldate: string, raw: string): unknown;
  listen(port: number, host: string, listening: () => void): void;
  close(closed: () => void): void;
}

const hoodiecrow = createRequire(import.meta.url)('hoodiecrow-imap') as (
  options: object,
) => Hoodiecrow;

export const CAPABILITIES = [
  'ID',
  'IDLE',
  'LITERALPLUS',
  'MOVE',
  'NAMESPACE',
  'SPECIAL-USE',
  'UIDPLUS',
  'UNSELECT',
];

export interface MailServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Puts a message into a folder; connections that idle there hear of it at once. */
  put(folder: string, bytes: Buffer, flags?: readonly string[]): void;
  /** What is in a folder now. */
  messages(folder: string): { uid: number; flags: readonly string[]; bytes: Buffer }[];
  /** Ends the server and every connection to it. */
  close(): Promise<void>;
}

export interface MailServerOptions {
  readonly user?: string;
  /** Folders beside INBOX, by name; with its special use where it has one. */
  readonly folders?: Readonly<Record<string, string | undefined>>;
  /** Of every folder that is there at the start. Two servers whose folders have one of these may be one server. */
  readonly uidValidity?: number;
  /** hoodiecrow's plugins, each a capability or two. */
  readonly plugins?: readonly string[];
}

/** Starts a mail server on a free port of the loopback interface. Nothing of it is ever on disk. */
export async function startMailServer({
  user = 'ferry',
  folders = {},
  uidValidity = 1,
  plugins = CAPABILITIES,
}: MailServerOptions = {}): Promise<MailServer> {
  const password = 'across';
  const named = Object.entries(folders).map(([name, use]) => [
    name,
    { uidvalidity: uidValidity, ...(use !== undefined && { 'special-use': use }) },
  ]);
  const crow = hoodiecrow({
    plugins: [...plugins, missingFolders],
    users: { [user]: { password } },
    storage: {
      INBOX: { uidvalidity: uidValidity },
      '': { separator: '/', folders: Object.fromEntries(named) },
    },
  });
  const sockets = new Set<Socket>();
  crow.server.on('connection', (socket) => {
    sockets.add(socket);
    // Its answers go out in small pieces, each of which would wait 40 ms for the one before to be acknowledged.
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
  });
  const host = '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    crow.server.once('error', reject);
    crow.listen(0, host, resolve);
  });
  return {
    host,
    port: (crow.server.address() as AddressInfo).port,
    user,
    password,
    put(folder, bytes, flags = []) {
      crow.appendMessage(folder, [...flags], dateTime(new Date()), bytes.toString('latin1'));
    },
    messages(folder) {
      return (crow.getMailbox(folder)?.messages ?? []).map(({ uid, flags, raw }) => ({
        uid,
        flags,
        bytes: Buffer.from(raw, 'latin1'),
      }));
    },
    close() {
      const closed = new Promise<void>((resolve) => crow.close(resolve));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
}

/** A folder that is missing is answered NO, as RFC 9051 §6.3.2 wants it; hoodiecrow says BAD, as if nobody could ask that. */
function missingFolders(crow: Hoodiecrow): void {
  crow.outputHandlers.push((_connection, response) => {
    const text = response.attributes?.find((attribute) => attribute?.type === 'TEXT')?.value;
    if (response.command === 'BAD' && text === 'Invalid mailbox name') response.command = 'NO';
  });
}

/** `24-Nov-2026 12:45:03 +0000` (RFC 9051, date-time): hoodiecrow's own goes wrong in zones of half an hour. */
function dateTime(date: Date): string {
  const [, day, month, year, time] = date.toUTCString().split(' ');
  return `${day}-${month}-${year} ${time} +0000`;
}
