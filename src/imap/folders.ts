/** Makes folders. */
import type { Client } from './client.ts';

/** Creates a folder and subscribes it; one that is there is only subscribed. Clients show mostly what is subscribed. */
export async function ensureFolder(client: Client, folder: string): Promise<void> {
  await client.step('open', async () => {
    try {
      await client.flow.mailboxCreate(folder);
    } catch (thrown) {
      // Not every server says why it refuses (ALREADYEXISTS, RFC 5530): the list does.
      if (!(await isThere(client, folder))) throw thrown;
    }
    // Not subscribed is a nuisance; it keeps no mail from arriving.
    await client.flow.mailboxSubscribe(folder);
  });
}

async function isThere(client: Client, folder: string): Promise<boolean> {
  const folders = client.flow.usable ? await client.flow.list() : [];
  return folders.some(({ path, flags }) => path === folder && !flags.has('\\NonExistent'));
}
