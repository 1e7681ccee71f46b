/**
 * What real servers make of a message on storing it, and which of that proves the copy. Appended and read back by our
 * own Destination. Bytes are written as Latin-1 text.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Copy, Sendable } from '../../src/domain/message.ts';
import type { DestinationSession } from '../../src/domain/ports.ts';
import { Receipt } from '../../src/domain/receipt.ts';
import { destinationAccount } from '../../src/imap/destination.ts';
import { bytesOf, sendable } from '../support/content.ts';
import { startCourier } from '../support/courier.ts';
import { startCyrus } from '../support/cyrus.ts';
import type { MailServer } from '../support/daemon.ts';
import { startDovecot } from '../support/dovecot.ts';
import { Mail } from '../support/mail.ts';

const SERVERS = {
  Dovecot: () => startDovecot(),
  'Dovecot with mbox': () => startDovecot({ extra: 'mail_location = mbox:%h/mail:INBOX=%h/in' }),
  Cyrus: () => startCyrus(),
  Courier: () => startCourier(),
};

type Server = keyof typeof SERVERS;

interface Place {
  readonly daemon: Pick<MailServer, 'stop' | 'port'>;
  readonly session: DestinationSession;
}

const FOLDER = 'INBOX';
const HEADER = 'Message-ID: <1@example.org>\r\nFrom: someone@example.org\r\nSubject: Letter\r\n';

const places = new Map<Server, Place>();

async function start(server: Server): Promise<void> {
  const daemon = await SERVERS[server]();
  const account = daemon.account('destination', 'anna');
  const options = { emit: () => undefined, route: 'default' };
  const session = await destinationAccount(account, options).connect(new AbortController().signal);
  await session.open(FOLDER, { fresh: true });
  places.set(server, { daemon, session });
}

function place(server: Server): Place {
  const found = places.get(server);
  if (!found) throw new Error(`${server} has not started`);
  return found;
}

function original(bytes: Buffer): Sendable {
  return sendable(bytes, { internalDate: new Date('2011-02-03T04:05:06Z') });
}

interface Stored {
  readonly text: string;
  readonly receipt: Receipt | undefined;
}

/** Appends one message, reads the copy back, and asks for the Receipt. Rejects where the server refuses the message. */
async function stored(server: Server, text: string): Promise<Stored> {
  const { session } = place(server);
  const message = original(Buffer.from(text, 'latin1'));
  const [placement] = await session.append([message]);
  if (placement?.is !== 'stored' || !placement.copy) {
    throw placement?.is === 'stored' ? new Error('no APPENDUID') : placement?.failure;
  }
  return readBack(server, placement.copy, message);
}

async function readBack(
  server: Server,
  at: { readonly uid: number; readonly uidValidity: number },
  message: Sendable,
): Promise<Stored> {
  const copies: Copy[] = [];
  await place(server).session.read([{ uid: at.uid }], (copy) => copies.push(copy));
  const [copy] = copies;
  if (copies.length !== 1 || !copy) throw new Error(`${copies.length} copies with one UID`);
  const source = { folder: FOLDER, uidValidity: 1, uid: message.uid };
  const destination = { folder: FOLDER, ...at };
  const receipt = Receipt.of(source, message, destination, copy, 'bytes');
  return { text: bytesOf(copy).toString('latin1'), receipt };
}

beforeAll(() => Promise.all(Object.keys(SERVERS).map((server) => start(server as Server))));

afterAll(async () => {
  for (const { session, daemon } of places.values()) {
    session.close();
    await daemon.stop();
  }
});

interface Row {
  readonly server: Server;
  readonly does: string;
  readonly sent: string;
  /** What the server makes of it. */
  readonly kept: string;
}

const LF_ONLY = HEADER.replaceAll('\r\n', '\n');

const FORGIVEN: readonly Row[] = [
  {
    server: 'Dovecot',
    does: 'ends every line with CRLF where a bare LF was',
    sent: `${LF_ONLY}\nHello\nthere\n`,
    kept: `${HEADER}\r\nHello\r\nthere\r\n`,
  },
  {
    server: 'Courier',
    does: 'ends every line with CRLF where a bare LF was',
    sent: `${LF_ONLY}\nHello\nthere\n`,
    kept: `${HEADER}\r\nHello\r\nthere\r\n`,
  },
  {
    server: 'Dovecot',
    does: 'ends a line with one CR where two were',
    sent: `${HEADER}\r\nHello\r\r\nthere\r\n`,
    kept: `${HEADER}\r\nHello\r\nthere\r\n`,
  },
  {
    server: 'Courier',
    does: 'ends a line with one CR where two were',
    sent: `${HEADER}\r\nHello\r\r\nthere\r\n`,
    kept: `${HEADER}\r\nHello\r\nthere\r\n`,
  },
  {
    server: 'Courier',
    does: 'drops lone CRs',
    sent: `${HEADER}X-One: a\rb\r\n\r\nHel\rlo\r\n`,
    kept: `${HEADER}X-One: ab\r\n\r\nHello\r\n`,
  },
  {
    server: 'Dovecot',
    does: 'drops a lone CR at the end',
    sent: `${HEADER}\r\nHello\r`,
    kept: `${HEADER}\r\nHello`,
  },
  {
    server: 'Courier',
    does: 'adds the final line end',
    sent: `${HEADER}\r\nHello`,
    kept: `${HEADER}\r\nHello\r\n`,
  },
  {
    server: 'Dovecot with mbox',
    does: 'adds the final line end',
    sent: `${HEADER}\r\nHello`,
    kept: `${HEADER}\r\nHello\r\n`,
  },
  {
    server: 'Cyrus',
    does: 'adds the final line end to a header without a body',
    sent: HEADER.slice(0, -2),
    kept: HEADER,
  },
  {
    server: 'Dovecot',
    does: 'stores NUL as 0x80, in the header and in the body',
    sent: `${HEADER}X-One: a\0b\r\n\r\nHel\0lo\r\n`,
    kept: `${HEADER}X-One: a\x80b\r\n\r\nHel\x80lo\r\n`,
  },
  {
    server: 'Cyrus',
    does: 'stores each 8-bit byte in the header as X, and those in the body as they are',
    sent: `${HEADER}X-One: caf\xe9\r\nX-Two: caf\xc3\xa9\r\n\r\nna\xefve\r\n`,
    kept: `${HEADER}X-One: cafX\r\nX-Two: cafXX\r\n\r\nna\xefve\r\n`,
  },
];

const UNTOUCHED: readonly Omit<Row, 'kept'>[] = [
  {
    server: 'Cyrus',
    does: 'leaves two CRs at a line end',
    sent: `${HEADER}\r\nHello\r\r\nthere\r\n`,
  },
  {
    server: 'Cyrus',
    does: 'leaves lone CRs',
    sent: `${HEADER}X-One: a\rb\r\n\r\nHel\rlo\r`,
  },
  {
    server: 'Dovecot',
    does: 'leaves lone CRs that have something after them',
    sent: `${HEADER}X-One: a\rb\r\n\r\nHel\rlo\r\n`,
  },
  {
    server: 'Dovecot',
    does: 'leaves a missing final line end',
    sent: `${HEADER}\r\nHello`,
  },
  {
    server: 'Cyrus',
    does: 'leaves a missing final line end after a body',
    sent: `${HEADER}\r\nHello`,
  },
  {
    server: 'Courier',
    does: 'leaves empty lines at the end',
    sent: `${HEADER}\r\nHello\r\n\r\n\r\n`,
  },
  {
    server: 'Cyrus',
    does: 'leaves NUL in the body',
    sent: `${HEADER}\r\nHel\0lo\r\n`,
  },
  {
    server: 'Courier',
    does: 'leaves NUL',
    sent: `${HEADER}X-One: a\0b\r\n\r\nHel\0lo\r\n`,
  },
  {
    server: 'Dovecot',
    does: 'leaves 8-bit bytes in the header',
    sent: `${HEADER}X-One: caf\xe9\r\n\r\nna\xefve\r\n`,
  },
  {
    server: 'Courier',
    does: 'leaves 8-bit bytes in the header',
    sent: `${HEADER}X-One: caf\xe9\r\n\r\nna\xefve\r\n`,
  },
];

describe('what a server rewrites on storing', () => {
  it.each(FORGIVEN)('$server $does: equivalent', async ({ server, sent, kept }) => {
    const { text, receipt } = await stored(server, sent);
    expect(text).toBe(kept);
    expect(text).not.toBe(sent);
    expect(receipt?.proof).toBe('equivalent');
  });

  it.each(UNTOUCHED)('$server $does: identical', async ({ server, sent }) => {
    const { text, receipt } = await stored(server, sent);
    expect(text).toBe(sent);
    expect(receipt?.proof).toBe('identical');
  });
});

const LIKE: readonly { what: string; sent: string; copy: string }[] = [
  {
    what: 'an 8-bit byte of the body as X',
    sent: `${HEADER}\r\nna\xefve\r\n`,
    copy: `${HEADER}\r\nnaXve\r\n`,
  },
  {
    what: '8-bit bytes of the header and of the body as X',
    sent: `${HEADER}X-One: caf\xe9\r\n\r\nna\xefve\r\n`,
    copy: `${HEADER}X-One: cafX\r\n\r\nnaXve\r\n`,
  },
  {
    what: 'one 8-bit byte of the header as X and another as it was',
    sent: `${HEADER}X-One: caf\xe9\r\nX-Two: caf\xe9\r\n\r\nHello\r\n`,
    copy: `${HEADER}X-One: cafX\r\nX-Two: caf\xe9\r\n\r\nHello\r\n`,
  },
  {
    what: 'an 8-bit byte of the header as a question mark',
    sent: `${HEADER}X-One: caf\xe9\r\n\r\nHello\r\n`,
    copy: `${HEADER}X-One: caf?\r\n\r\nHello\r\n`,
  },
  {
    what: 'X of the header as an 8-bit byte',
    sent: `${HEADER}X-One: cafX\r\n\r\nHello\r\n`,
    copy: `${HEADER}X-One: caf\xe9\r\n\r\nHello\r\n`,
  },
  {
    what: 'NUL as a space',
    sent: `${HEADER}\r\nHel\0lo\r\n`,
    copy: `${HEADER}\r\nHel lo\r\n`,
  },
  {
    what: 'one NUL as 0x80 and another left out',
    sent: `${HEADER}\r\nHel\0lo the\0re\r\n`,
    copy: `${HEADER}\r\nHel\x80lo there\r\n`,
  },
  {
    what: 'two final line ends fewer',
    sent: `${HEADER}\r\nHello\r\n\r\n`,
    copy: `${HEADER}\r\nHello`,
  },
  {
    what: 'a lone CR as a line end',
    sent: `${HEADER}\r\nHel\rlo\r\n`,
    copy: `${HEADER}\r\nHel\r\nlo\r\n`,
  },
  {
    what: 'an empty line fewer in the middle',
    sent: `${HEADER}\r\nHello\r\n\r\nthere\r\n`,
    copy: `${HEADER}\r\nHello\r\nthere\r\n`,
  },
  {
    what: 'a space fewer at a line end',
    sent: `${HEADER}\r\nHello \r\n`,
    copy: `${HEADER}\r\nHello\r\n`,
  },
  {
    what: 'a header field more',
    sent: `${HEADER}\r\nHello\r\n`,
    copy: `Received: by mail.example.org\r\n${HEADER}\r\nHello\r\n`,
  },
];

describe('what is much like a rewrite and proves nothing', () => {
  it.each(LIKE)('$what', async ({ sent, copy }) => {
    await using mail = await Mail.login(place('Dovecot').daemon.port, 'anna', 'secret-of-anna');
    const uid = (await mail.put(FOLDER, Buffer.from(copy, 'latin1'))) ?? 0;
    await place('Dovecot').session.open(FOLDER, { fresh: true });
    const at = { uid, uidValidity: await mail.uidValidity(FOLDER) };
    const { text, receipt } = await readBack('Dovecot', at, original(Buffer.from(sent, 'latin1')));
    expect(text).toBe(copy);
    expect(receipt).toBeUndefined();
  });

  it('two final line ends that Dovecot with mbox adds to a header without a body', async () => {
    const { text, receipt } = await stored('Dovecot with mbox', HEADER);
    expect(text).toBe(`${HEADER}\r\n\r\n`);
    expect(receipt).toBeUndefined();
  });
});

describe('what a server refuses to store is refused for this message alone', () => {
  it.each([
    { server: 'Cyrus', what: 'bare LFs', sent: `${LF_ONLY}\nHello\n` },
    { server: 'Cyrus', what: 'NUL in the header', sent: `${HEADER}X-One: a\0b\r\n\r\nHello\r\n` },
    { server: 'Cyrus', what: 'no header at all', sent: 'Hello, and nothing else\r\n' },
    { server: 'Dovecot', what: 'no byte at all', sent: '' },
  ] as const)('$what on $server', async ({ server, sent }) => {
    await expect(stored(server, sent)).rejects.toMatchObject({
      name: 'Failure',
      scope: 'message',
      outcomeUnknown: false,
    });
    expect((await stored(server, `${HEADER}\r\nHello\r\n`)).receipt?.proof).toBe('identical');
  });
});
