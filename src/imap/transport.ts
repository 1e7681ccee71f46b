/**
 * Opens and upgrades the socket, so that it is ours to say what certificate is trusted before anything secret is sent.
 */
import type { X509Certificate } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import type { ImapTransport } from 'imapflow';
import type { Account } from '../domain/route.ts';

/** The certificate is not the pinned one. `seen`: the SHA-256 of the one that the server showed. */
export class WrongFingerprint extends Error {
  readonly code = 'WRONG_FINGERPRINT';
  readonly seen: string;

  constructor(seen: string) {
    super('The certificate is not the pinned one');
    this.seen = seen;
  }
}

/**
 * Is shown the socket once it is open, and once more after STARTTLS, with the server's certificate where there is one;
 * each time before anything is sent on it.
 */
export type Met = (socket: net.Socket, certificate?: X509Certificate) => void;

/** The transport of one connection to this account. */
export function transportFor(account: Account, met: Met = () => undefined): ImapTransport {
  const secure = (where: tls.ConnectionOptions, onSecure: () => void) => {
    const socket = secured(account, where, (certificate) => {
      met(socket, certificate);
      onSecure();
    });
    return socket;
  };
  return {
    connect(options, onConnect) {
      const where = { host: account.host, port: account.port };
      if (options.secure) return secure(where, onConnect);
      const socket = net.connect({ ...where, noDelay: true }, () => {
        met(socket);
        onConnect();
      });
      return socket;
    },
    upgrade(plain, _options, onSecure) {
      return secure({ host: account.host, socket: plain as net.Socket }, onSecure);
    },
  } as ImapTransport;
}

function secured(
  account: Account,
  where: tls.ConnectionOptions,
  onSecure: (certificate: X509Certificate | undefined) => void,
): tls.TLSSocket {
  const name = account.tlsName ?? account.host;
  const socket = tls.connect(
    {
      ...where,
      // A name that is an address can't be sent as SNI (RFC 6066 §3), yet the certificate must bear it.
      ...(net.isIP(name) === 0 && { servername: name }),
      minVersion: 'TLSv1.2',
      checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(name, certificate),
      ...(account.ca !== undefined && { ca: account.ca }),
      // Pinned: the certificate itself is compared below, whoever issued it and whatever its dates.
      ...(account.fingerprint !== undefined && { rejectUnauthorized: false }),
    },
    () => {
      // Node.js hands it out once: asked again, it has none.
      const certificate = socket.getPeerX509Certificate();
      const seen = fingerprintOf(certificate);
      if (account.fingerprint === undefined || seen === account.fingerprint) onSecure(certificate);
      else socket.destroy(new WrongFingerprint(seen));
    },
  );
  socket.setNoDelay(true);
  return socket;
}

/** SHA-256 of the server's certificate, 64 lower-case hex digits. */
function fingerprintOf(certificate: X509Certificate | undefined): string {
  const shown = certificate?.fingerprint256 ?? '';
  return shown.replaceAll(':', '').toLowerCase();
}
