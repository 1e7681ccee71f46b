/** Mail that is easily lost or doubled. */
import { message } from '../support/mail.ts';
import type { World } from './world.ts';

/**
 * Fills a world: twins and one shared Message-ID in INBOX, a message without identity, a large one of `size` bytes with
 * flags and an odd date; `Papers`, which the destination does not have; strangers on both sides, one of them marked in the
 * source folder `marked`.
 */
export async function fill(
  { oracle, old }: World,
  { size, marked }: { size: number; marked: 'INBOX' | 'Papers' | 'Others' },
): Promise<void> {
  const twin = message({ body: 'the same' });
  for (const bytes of [
    message({ id: '<shared@example.org>', body: 'one' }),
    message({ id: '<shared@example.org>', body: 'another' }),
    twin,
    twin,
    Buffer.from('Subject: no identity\r\n\r\nbody\r\n'),
  ])
    await oracle.put('INBOX', bytes);
  const odd = { flags: ['\\Seen', 'a-keyword'], internalDate: new Date('1997-02-13T23:31:30Z') };
  await oracle.put('INBOX', message({ size }), odd);
  await old.create('Papers');
  await oracle.put('Papers', message(), odd);
  await oracle.stranger('destination', 'INBOX', message({ id: '<shared@example.org>' }));
  await old.create('Others');
  await oracle.stranger('source', marked, message(), { flags: ['\\Deleted'] });
}
