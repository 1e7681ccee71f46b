/** Where folders stand that are not open: asked by STATUS (RFC 9051 §6.3.11, RFC 5819), or told by NOTIFY (RFC 5465). */
import { decodePath, encodePath, normalizePath } from 'imapflow/lib/tools.js';
import type { FolderStatus } from '../domain/ports.ts';
import { failureOf } from './answers.ts';
import type { Client } from './client.ts';
import type { Answer, Token, Tokens } from './internals.ts';
import { statusItems } from './untagged.ts';

const atom = (value: string): Token => ({ type: 'ATOM', value });
const string = (value: string): Token => ({ type: 'STRING', value });

const ITEMS: Tokens = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'].map(atom);
const CHANGES: Tokens = ['MessageNew', 'MessageExpunge'].map(atom);

/** As `SourceSession.statuses`. @param atOnce the server takes LIST-STATUS */
export async function statusesOf(
  client: Client,
  folders: readonly string[],
  atOnce: boolean,
): Promise<Map<string, FolderStatus>> {
  const { mailbox } = client.flow;
  const wanted = new Set(folders);
  if (mailbox) wanted.delete(mailbox.path);
  const found = new Map<string, FolderStatus>();
  const ask = (name: string, attributes: Tokens, asked?: string) =>
    asking(client, name, attributes, (answer) => {
      const { folder, status } = read(client, answer);
      // What was not asked for, or is told twice, the server tells by itself.
      if (found.has(folder) || (asked ?? folder) !== folder)
        client.flow.untaggedHandlers.STATUS?.(answer);
      if (wanted.has(folder)) found.set(folder, { ...found.get(folder), ...status });
    });
  if (atOnce && wanted.size > 1) {
    const all = [string(''), string('*'), atom('RETURN'), [atom('STATUS'), ITEMS]];
    await ask('LIST', all);
  }
  for (const folder of wanted) {
    if (found.has(folder)) continue;
    const path = encodePath(client.flow, normalizePath(client.flow, folder));
    await ask('STATUS', [string(path), ITEMS], folder);
  }
  return found;
}

/** As `SourceSession.notify`. */
export async function notifyOf(
  client: Client,
  told: (folder?: string, status?: FolderStatus) => void,
): Promise<void> {
  const { flow } = client;
  flow.untaggedHandlers.STATUS = (answer) => {
    const { folder, status } = read(client, answer);
    told(folder, status);
  };
  flow.sectionHandlers.NOTIFICATIONOVERFLOW = () => told();
  // Without the first, the server would tell nothing of the folder that is open any more (RFC 5465 §6.1).
  const set: Tokens = [
    atom('SET'),
    [atom('SELECTED-DELAYED'), [...CHANGES, atom('FlagChange')]],
    [atom('PERSONAL'), CHANGES],
  ];
  await client.step('look', () => client.command('NOTIFY', set));
}

/** One command, with the STATUS answers that come meanwhile. A NO or BAD that concerns only what it asks of is no failure. */
async function asking(
  client: Client,
  name: string,
  attributes: Tokens,
  take: (answer: Answer) => void,
): Promise<void> {
  const untagged = {
    STATUS: (answer: Answer) => {
      client.wanted();
      take(answer);
    },
  };
  try {
    await client.step('look', () => client.command(name, attributes, { untagged }));
  } catch (thrown) {
    const failure = failureOf(thrown, 'look');
    const { outcomeUnknown, kind } = failure;
    if (outcomeUnknown || kind === 'throttled' || kind === 'crowded') throw failure;
  }
}

function read(client: Client, answer: Answer): { folder: string; status: FolderStatus } {
  const { path, items } = statusItems(answer);
  const [messages, uidNext, uidValidity] = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'].map((name) =>
    items.get(name),
  );
  return {
    folder: normalizePath(client.flow, decodePath(client.flow, path)),
    status: {
      ...(messages !== undefined && { messages }),
      ...(uidNext !== undefined && { uidNext }),
      ...(uidValidity !== undefined && { uidValidity }),
    },
  };
}
