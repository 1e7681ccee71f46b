/** Makes folders. */
import type { Client } from './client.ts';

/** Creates a folder and subscribes it; one that is there is only subscribed. Clients show mostly what is subscribed. */
export async function ensureFolder(client: Client, folder: string): Promise<void> {
  await client.step('open', async () => {
    try {
      await client.flow.mailboxCreate(folder);
    } catch (thrown) {
      if ((thrown as { serverResponseCode?: string }).serverResponseCode !== 'ALREADYEXISTS')
        throw thrown;
    }
    // Not subscribed is a nuisance; it keeps no mail from arriving.
    await client.flow.mailboxSubscribe(folder);
  });
}
