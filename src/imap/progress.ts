/**
 * Watches a connection for progress: bytes that crossed the wire, in either direction.
 *
 * Node's own socket timer will not do. Under TLS it does not see how a long message leaves piece by piece, and would end
 * a slow line that works; without TLS it takes up to twice its time to notice a stall.
 */
import type { Socket } from 'node:net';

/** What Node counts below TLS, on the connection itself. Not typed; the uploads in `test/imap/client.test.ts` hold it. */
interface Wire {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Of `bytesWritten`, what the operating system has not taken yet. */
  readonly writeQueueSize: number;
}

type Handle = Wire & { readonly _parent?: Wire };

/**
 * So many looks in a row at which nothing has moved make a silence. They lie a little closer than the silence divided by
 * their number: the first may find what moved just before the watch began, or just after the look before it.
 */
const LOOKS = 20;

/** Bytes received and sent so far. Of a connection that is gone, 0. */
export function moved(socket: Socket | false): number {
  const handle = socket && (socket as unknown as { _handle: Handle | null })._handle;
  if (!handle) return 0;
  const wire = handle._parent ?? handle;
  return wire.bytesRead + wire.bytesWritten - wire.writeQueueSize;
}

/**
 * Calls `silent` once nothing has moved for `silence` ms. Looks are counted, not the clock: a process that was itself held
 * up does not take that for the server's silence.
 * @param counted bytes moved so far
 * @returns what ends the watch
 */
export function watchProgress(
  counted: () => number,
  silence: number,
  silent: () => void,
): () => void {
  let last = counted();
  let quiet = 0;
  const timer = setInterval(
    () => {
      const now = counted();
      quiet = now === last ? quiet + 1 : 0;
      last = now;
      if (quiet < LOOKS) return;
      clearInterval(timer);
      silent();
    },
    silence / (LOOKS + 1),
  );
  return () => clearInterval(timer);
}
