/** The servers that the contracts of Source and Destination are held on, seen alike. */

import { startMailServer } from '../../demo/hoodiecrow.ts';
import type { DestinationSession, SourceSession } from '../../src/domain/ports.ts';
import type { Account } from '../../src/domain/route.ts';
import { destinationAccount } from '../../src/imap/destination.ts';
import { sourceAccount } from '../../src/imap/source.ts';
import { type DovecotOptions, startDovecot } from '../support/dovecot.ts';
import { Mail } from '../support/mail.ts';
import { Wire } from '../support/wire.ts';

/** What a server can, so that a contract knows what to ask of it. */
export interface Can {
  readonly idle: boolean;
  readonly uidPlus: boolean;
  readonly move: boolean;
  readonly notify: boolean;
  readonly listStatus: boolean;
  readonly multi: boolean;
  readonly literalPlus: boolean;
  /** Leaves messages alone that UID EXPUNGE names but that are not \Deleted (RFC 4315 §2.1). */
  readonly expungesMarkedOnly: boolean;
  /** Reads quoted strings with quotation marks in them. */
  readonly readsQuotes: boolean;
  /** Refuses an APPEND to a folder that is gone for what it is, not like a bad message. */
  readonly holdsMissing: boolean;
  /** Says no to a message without a byte. */
  readonly refusesEmpty: boolean;
}

export interface TestServer extends AsyncDisposable {
  readonly can: Can;
  /** What every folder's name begins with. */
  readonly prefix: string;
  source(): Promise<SourceSession>;
  destination(): Promise<DestinationSession>;
  /** Another client, which does not come by the library. */
  mail(): Promise<Mail>;
  /** The lines that sessions have sent, where they can be overheard. */
  readonly sent: readonly string[] | undefined;
  /** Ends every connection of a session as a lost network does; only where they can be overheard. */
  cut(): void;
}

const IDLE_RENEW = 60_000;

interface Place {
  readonly can: Can;
  readonly prefix?: string;
  readonly account: (side: Account['side']) => Account;
  readonly mail: () => Promise<Mail>;
  readonly wire?: Wire;
  readonly stop: () => Promise<void>;
}

function server({ can, prefix = '', account, mail, wire, stop }: Place): TestServer {
  const signal = new AbortController().signal;
  return {
    can,
    prefix,
    mail,
    get sent() {
      return wire?.lines;
    },
    cut: () => wire?.cut(),
    source: () => sourceAccount(account('source'), { idleRenew: IDLE_RENEW }).connect(signal),
    destination: () =>
      destinationAccount(account('destination'), {
        emit: () => undefined,
        route: 'default',
      }).connect(signal),
    async [Symbol.asyncDispose]() {
      await wire?.[Symbol.asyncDispose]();
      await stop();
    },
  };
}

/** What Dovecot can. */
export const DOVECOT: Can = {
  idle: true,
  uidPlus: true,
  move: true,
  notify: true,
  listStatus: true,
  multi: true,
  literalPlus: true,
  expungesMarkedOnly: true,
  readsQuotes: true,
  holdsMissing: true,
  refusesEmpty: true,
};

/** Dovecot over TLS, or in plain text over a wire that listens. `less`: what its capability line leaves out. */
export async function dovecot(
  options: DovecotOptions & { readonly overheard?: boolean; readonly less?: Partial<Can> } = {},
): Promise<TestServer> {
  const daemon = await startDovecot(options);
  const wire = options.overheard ? await Wire.between({ to: daemon.port }) : undefined;
  return server({
    can: { ...DOVECOT, ...options.less },
    ...(options.prefix !== undefined && { prefix: options.prefix }),
    account: (side) =>
      daemon.account(
        side,
        'anna',
        wire && { host: '127.0.0.1', port: wire.port, security: 'none' },
      ),
    mail: () => Mail.login(daemon.port, 'anna', 'secret-of-anna'),
    ...(wire && { wire }),
    stop: () => daemon.stop(),
  });
}

/** What hoodiecrow can. */
export const HOODIECROW: Can = {
  idle: true,
  uidPlus: true,
  move: true,
  notify: false,
  listStatus: false,
  multi: false,
  literalPlus: true,
  expungesMarkedOnly: false,
  readsQuotes: false,
  holdsMissing: false,
  refusesEmpty: false,
};

/** hoodiecrow-imap, in the process. `plugins` are its capabilities. */
export async function hoodiecrow(
  plugins: readonly string[] | undefined,
  less: Partial<Can> = {},
): Promise<TestServer> {
  const crow = await startMailServer({ user: 'anna', ...(plugins && { plugins }) });
  const wire = await Wire.between({ to: crow.port });
  return server({
    can: { ...HOODIECROW, ...less },
    account: (side) => ({
      side,
      host: '127.0.0.1',
      port: wire.port,
      security: 'none',
      user: 'anna',
      auth: 'password',
      secret: async () => crow.password,
    }),
    mail: () => Mail.login(crow.port, 'anna', crow.password),
    wire,
    stop: () => crow.close(),
  });
}
