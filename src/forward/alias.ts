/** Whether source and destination folder are one and the same, whatever their servers' names say. */
import { Failure } from '../domain/failure.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { Batch } from './folder-state.ts';
import type { Works } from './works.ts';

/**
 * Rejects, scope account and kind `circle`, where a copy turns up in the source folder under its own UID: the original
 * would be its own proof, or what is appended would be new mail again. Asked only where both folders have one UIDVALIDITY;
 * then size and INTERNALDATE tell a copy from a message that has the same number by chance.
 */
export async function refuseAlias(
  works: Works,
  { epoch, lane, messages }: Batch,
  receipts: readonly Receipt[],
): Promise<void> {
  const suspects = receipts.filter(({ copy }) => copy.uidValidity === epoch.uidValidity);
  if (suspects.length === 0) return;
  const listed = await lane.use(epoch, works.cut, async (session) => {
    // What was appended a moment ago comes into view with the end of a command.
    await session.noop();
    return session.list(suspects.map(({ copy }) => copy.uid));
  });
  const there = new Map(listed.map((message) => [message.uid, message]));
  const originals = new Map(messages.map((message) => [message.uid, message]));
  const same = suspects.some(({ original, copy }) => {
    const found = there.get(copy.uid);
    const { size, internalDate } = originals.get(original.uid) ?? {};
    return found?.size === size && found?.internalDate?.getTime() === internalDate?.getTime();
  });
  if (!same) return;
  throw new Failure(
    `${epoch.pair.source} at the source and ${epoch.pair.dest} at the destination are one and the same folder: a copy turned up where its original lies.`,
    { step: 'verify', scope: 'account', kind: 'circle', lasting: true },
  );
}
