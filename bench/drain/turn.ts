/** One contender drains one mailbox, once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender } from '../contenders/contender.ts';
import { count } from '../tools/load.ts';
import type { Mailboxes } from '../tools/mailboxes.ts';
import { run } from '../tools/run.ts';
import type { Notes } from '../wire/trace.ts';
import type { Strand, Wires } from '../wire/wires.ts';
import { type Case, CONCURRENCY } from './cases.ts';

export interface Figures {
  readonly messages: number;
  /** Milliseconds from the first FETCH sent to the last EXPUNGE (of one that only copies: APPEND) answered. */
  readonly ms: number;
  /** Milliseconds from its start to the first FETCH. */
  readonly startUp: number;
  /** Milliseconds of CPU of the client in that time, and of the wires. */
  readonly cpu: number;
  readonly wireCpu: number;
  /** MB, at most. */
  readonly peak: number;
  readonly commands: { readonly source: number; readonly destination: number };
  readonly bytes: { readonly source: number; readonly destination: number };
}

export interface Ground {
  readonly wires: Wires;
  readonly source: Mailboxes;
  readonly destination: Mailboxes;
  readonly wire: { readonly source: Strand; readonly destination: Strand };
}

const LIMIT = 20 * 60_000;

/** Rejects where the contender fails, or has not done what it is here for. */
export async function turn(
  contender: Contender,
  { appending }: Case,
  { wires, source, destination, wire }: Ground,
  template: string,
): Promise<Figures> {
  const home = mkdtempSync(join(tmpdir(), 'imapferry-bench-'));
  const from = source.copy(template);
  const to = destination.fresh();
  const messages = await count(source.login(from), 'INBOX');
  await Promise.all([wire.source.take(), wire.destination.take()]);
  const wired = await wires.cpu();
  const { began, watch } = await run(
    contender.command({
      source: { door: wire.source, user: from, password: source.password },
      destination: { door: wire.destination, user: to, password: destination.password },
      appending,
      concurrency: CONCURRENCY,
      home,
    }),
    LIMIT,
  );
  const wireCpu = (await wires.cpu()) - wired;
  const notes = { source: await wire.source.take(), destination: await wire.destination.take() };
  const there = await count(destination.login(to), 'INBOX');
  const left = await count(source.login(from), 'INBOX');
  const wanted = contender.copies ? messages : 0;
  if (there !== messages || left !== wanted) {
    throw new Error(
      `${contender.name}: of ${messages} messages ${there} are at the destination and ${left} at the source`,
    );
  }
  const first = firstFetch(notes.source);
  const last = contender.copies
    ? lastAnswer(notes.destination, ['APPEND'])
    : lastAnswer(notes.source, ['EXPUNGE', 'UID EXPUNGE', 'CLOSE']);
  source.discard(from);
  destination.discard(to);
  rmSync(home, { recursive: true, force: true });
  return {
    messages,
    ms: last - first,
    startUp: first - began,
    cpu: watch.between(first, last),
    wireCpu,
    peak: watch.peak,
    commands: {
      source: notes.source.commands.length,
      destination: notes.destination.commands.length,
    },
    bytes: { source: bytes(notes.source), destination: bytes(notes.destination) },
  };
}

/** When the first FETCH was sent. */
export function firstFetch({ commands }: Notes): number {
  const fetches = commands.filter(({ name }) => name === 'FETCH' || name === 'UID FETCH');
  return Math.min(...fetches.map(({ sent }) => sent));
}

/** When the last of such commands was answered. */
export function lastAnswer({ commands }: Notes, names: readonly string[]): number {
  const answered = commands.filter(({ name }) => names.includes(name));
  return Math.max(...answered.map((command) => command.answered));
}

function bytes({ bytesUp, bytesDown }: Notes): number {
  return bytesUp + bytesDown;
}
