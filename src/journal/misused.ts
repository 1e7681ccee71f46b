/** What the journal says where it is asked for something that can't be, and of which message it speaks. */
import { Failure } from '../domain/failure.ts';
import type { MessageKey } from '../domain/message.ts';
import type { FolderKey } from '../domain/ports.ts';

export function named({ folder }: FolderKey, uid: number): string {
  return `the message with UID ${uid} in ${folder}`;
}

/** Concerns this message only: the engine goes on with the others, and this original stays. */
export function claimedAlready(copy: MessageKey): Failure {
  return new Failure(
    `The copy with UID ${copy.uid} in ${copy.folder} proves another original already; a copy proves one only, so this original stays.`,
    { step: 'verify', scope: 'message' },
  );
}

/** A mistake in imapferry, not in the world. */
export function misused(what: string): Failure {
  return new Failure(
    `The journal was asked for something that can not be right: ${what}. Nothing was changed and the original stays; please report this.`,
    { step: 'journal', scope: 'account', lasting: true },
  );
}
