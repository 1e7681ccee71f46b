/**
 * Keeps watch over two memory servers: no original goes without a copy of its own that was read back and is the same,
 * none is lost, and none is there twice. It knows nothing of imapferry's own comparing: what a copy has to look like is
 * what the destination makes of those very bytes.
 */
import { createHash } from 'node:crypto';
import type { MemoryServer, Origin } from './memory-server.ts';

export interface Oracle {
  /** What was done against the promise, as sentences, in the order in which it happened. Empty when all is well. */
  readonly violations: readonly string[];
  /** Originals that are neither at the source nor at the destination, though no other client removed them. */
  lost(): string[];
  /** Copies at the destination beyond one an original. */
  surplus(): string[];
  /** Throws where anything of the above is not empty; with `carried` also where an original is still in its folder. */
  assert(how?: { carried?: boolean }): void;
}

/** Watches from now on. Messages that are at the destination already count as copies if they are equal. */
export function watchCrossing(source: MemoryServer, destination: MemoryServer): Oracle {
  const violations: string[] = [];
  const stored = (origin: Origin) => print(destination.manners.rewrites(origin.bytes));
  const removedByUs = () => source.origins.filter(({ removedBy }) => removedBy === 'session');
  source.onRemoval((origin) => {
    const form = stored(origin);
    const proofs = destination
      .everything()
      .filter(({ bytes, readBack }) => readBack && print(bytes) === form).length;
    const gone = removedByUs().filter((other) => stored(other) === form).length;
    if (proofs < gone) {
      violations.push(`${named(origin)} was removed without a copy of its own that was read back`);
    }
  });
  destination.onRemoval((origin) =>
    violations.push(`${named(origin)} was removed from the destination`),
  );

  function lost(): string[] {
    const copies = tally(destination.everything().map(({ bytes }) => print(bytes)));
    const there = new Set(source.everything().map(({ origin }) => origin));
    return removedByUs()
      .filter(({ origin }) => !there.has(origin))
      .filter((origin) => !takeOne(copies, stored(origin)))
      .map((origin) => `${named(origin)} is on neither side`);
  }

  function surplus(): string[] {
    const originals = tally(source.origins.map(stored));
    return destination
      .everything()
      .filter(({ bytes }) => !takeOne(originals, print(bytes)))
      .map(({ uid, folder }) => `UID ${uid} in ${folder} is one copy too many, or no original's`);
  }

  return {
    violations,
    lost,
    surplus,
    assert({ carried = false } = {}) {
      const wrong = [...violations, ...lost(), ...surplus()];
      if (carried) {
        wrong.push(
          ...source.origins
            .filter(({ removedBy }) => removedBy === undefined)
            .map((origin) => `${named(origin)} is still in its folder`),
        );
      }
      if (wrong.length > 0) throw new Error(`The promise is broken:\n${wrong.join('\n')}`);
    },
  };
}

function named({ origin, folder, bytes }: Origin): string {
  return `message ${origin} of ${folder} (${bytes.length} bytes)`;
}

function print(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function tally(forms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const form of forms) counts.set(form, (counts.get(form) ?? 0) + 1);
  return counts;
}

function takeOne(counts: Map<string, number>, form: string): boolean {
  const count = counts.get(form) ?? 0;
  if (count > 0) counts.set(form, count - 1);
  return count > 0;
}
