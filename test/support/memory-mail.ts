/** Two mail accounts in memory for the engine's tests, with every fault a server or a wire can have. */
import { Failure } from '../../src/domain/failure.ts';
import type { DestinationAccount, SourceAccount } from '../../src/domain/ports.ts';
import { MemoryDestination } from './memory-destination.ts';
import type { CallName } from './memory-faults.ts';
import type { MemoryServer } from './memory-server.ts';
import { lost } from './memory-session.ts';
import { MemorySource } from './memory-source.ts';

export * from './crossing-oracle.ts';
export * from './memory-faults.ts';
export * from './memory-server.ts';

/** A source account on a memory server. Any number of sessions see the same folders. */
export function memorySource(server: MemoryServer): SourceAccount {
  return { connect: (signal) => connected(server, signal, () => new MemorySource(server)) };
}

/** A destination account on a memory server. */
export function memoryDestination(server: MemoryServer): DestinationAccount {
  return { connect: (signal) => connected(server, signal, () => new MemoryDestination(server)) };
}

/** A login that the server refuses. */
export function loginRefused(): Failure {
  return new Failure('The server refused the login name or the password.', {
    step: 'login',
    scope: 'account',
    kind: 'login-refused',
    lasting: true,
    code: 'AUTHENTICATIONFAILED',
  });
}

/** A login that is one too many. */
export function crowded(): Failure {
  return new Failure('The server lets nobody in just now: too many connections.', {
    step: 'login',
    scope: 'account',
    kind: 'crowded',
  });
}

async function connected<T extends { close(): void }>(
  server: MemoryServer,
  signal: AbortSignal,
  begin: () => T,
): Promise<T> {
  for (const name of ['connect', 'login'] as const) await met(server, name, signal);
  if (server.connections.size >= server.manners.room) throw crowded();
  const session = begin();
  if (!signal.aborted) return session;
  session.close();
  throw lost('connect', false);
}

/** Meets the fault of `connect` or `login`, if one is planned. */
async function met(server: MemoryServer, name: CallName, signal: AbortSignal): Promise<void> {
  const fault = server.take({ name, session: 0 });
  await Promise.resolve();
  fault.before?.();
  if (fault.hangs && !signal.aborted) {
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  if (signal.aborted || fault.closesBefore || fault.closesAfter) throw lost(name, false);
  if (fault.fails) throw fault.fails;
  fault.after?.();
}
