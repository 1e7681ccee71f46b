/** Makes folders. */
import { encodePath } from 'imapflow/lib/tools.js';
import type { SpecialUse } from '../domain/route.ts';
import type { Client } from './client.ts';

/** In an ordinary folder their mail would be taken for wanted mail. */
const NEVER_PLAIN: readonly SpecialUse[] = ['\\Junk', '\\Trash'];

/**
 * Creates a folder and subscribes it; one that is there is only subscribed. Clients show mostly what is subscribed. Resolves
 * with whether it was created.
 * @param use the special use it is made with, where the server can (RFC 6154 §3); where it refuses that, Junk and Trash
 * are not made, and all others without it
 */
export async function ensureFolder(
  client: Client,
  folder: string,
  use?: SpecialUse,
): Promise<boolean> {
  return client.step('open', async () => {
    const created = await createWithAbove(client, folder, use).catch((refused: unknown) => {
      if (use === undefined || NEVER_PLAIN.includes(use) || !client.flow.usable) throw refused;
      return createWithAbove(client, folder, undefined);
    });
    // Not subscribed is a nuisance; it keeps no mail from arriving.
    await client.flow.mailboxSubscribe(folder);
    return created;
  });
}

async function createWithAbove(
  client: Client,
  folder: string,
  use: SpecialUse | undefined,
): Promise<boolean> {
  return create(client, folder, use).catch(async (refused: unknown) => {
    // Not every server says why it refuses (ALREADYEXISTS, RFC 5530): the list does.
    const folders = client.flow.usable ? await client.flow.list() : [];
    const there = folders.find(({ path }) => path === folder);
    if (there && !there.flags.has('\\NonExistent')) return false;
    const above = superiors(folder, folders.find(({ delimiter }) => delimiter)?.delimiter ?? '');
    if (above.length === 0) throw refused;
    // A server should make them by itself (RFC 9051 §6.3.4), and not every one does.
    for (const each of above) await client.flow.mailboxCreate(each).catch(() => undefined);
    return create(client, folder, use).catch(() => {
      throw refused;
    });
  });
}

async function create(
  client: Client,
  folder: string,
  use: SpecialUse | undefined,
): Promise<boolean> {
  if (use === undefined || !client.has('CREATE-SPECIAL-USE')) {
    return (await client.flow.mailboxCreate(folder)).created;
  }
  await client.command('CREATE', [
    { type: 'ATOM', value: encodePath(client.flow, folder) },
    [{ type: 'ATOM', value: 'USE' }, [{ type: 'ATOM', value: use }]],
  ]);
  return true;
}

/** The paths of the folders above one, from the top down. */
function superiors(folder: string, delimiter: string): string[] {
  if (delimiter === '') return [];
  const names = folder.split(delimiter);
  return names.slice(1).map((_, i) => names.slice(0, i + 1).join(delimiter));
}
