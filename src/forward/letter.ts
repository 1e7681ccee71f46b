/** A message of imapferry's own, put into the destination's INBOX: once, and only if a connection is lent in time. */
import { InMemory } from '../domain/content.ts';
import { Failure } from '../domain/failure.ts';
import type { DestinationSession } from '../domain/ports.ts';
import type { Destinations } from './destinations.ts';

/** RFC 9051 §5.1: the one folder that every account has. */
const INBOX = 'INBOX';

/**
 * Appends a message, unread, with `at` as its INTERNALDATE, behind whatever waits for a connection. Rejects with a Failure:
 * with `outcomeUnknown` it may be there all the same, and is not to be sent again.
 * @param inTime once it aborts, nothing is begun any more
 */
export async function putLetter(
  destinations: Destinations,
  message: Buffer,
  at: Date,
  inTime: AbortSignal,
): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const tooLate = () => reject(noConnection());
  inTime.addEventListener('abort', tooLate, { once: true });
  const put = destinations.use(INBOX, async (session) => {
    if (inTime.aborted) throw noConnection();
    inTime.removeEventListener('abort', tooLate);
    await append(session, message, at);
  });
  try {
    await Promise.race([put, late]);
  } finally {
    inTime.removeEventListener('abort', tooLate);
    put.catch(() => undefined);
  }
}

async function append(session: DestinationSession, message: Buffer, at: Date): Promise<void> {
  const view = await session.open(INBOX, { fresh: false });
  if (view.readOnly)
    throw new Failure('The INBOX of the destination opens read-only.', {
      step: 'open',
      scope: 'folder',
      lasting: true,
    });
  const content = new InMemory(message);
  const letter = { uid: 0, size: message.length, flags: new Set<string>(), internalDate: at };
  const [placement] = await session.append([{ ...letter, content }]);
  if (placement?.is === 'stored') return;
  if (placement && placement.is !== 'unknown') throw placement.failure;
  throw new Failure('Whether the destination has stored the message is not known.', {
    step: 'append',
    scope: 'connection',
    outcomeUnknown: true,
    cause: placement?.failure,
  });
}

function noConnection(): Failure {
  return new Failure('No connection to the destination was free in time.', {
    step: 'connect',
    scope: 'connection',
    kind: 'lost',
  });
}
