/** How long and how wide a wire really is, so that nobody is measured against what it was meant to be. */
import type { Strand } from '../wire/wires.ts';
import { now } from './clock.ts';
import { load } from './load.ts';
import type { Mailboxes } from './mailboxes.ts';
import { Raw } from './raw.ts';
import { median } from './statistics.ts';

const TIMES = 15;
const BYTES = 32 * 1024 * 1024;

/** Milliseconds of a NOOP, there and back. */
export async function measureRoundTrip(wire: Strand, mailboxes: Mailboxes): Promise<number> {
  using raw = await Raw.login(wire, mailboxes.fresh(), mailboxes.password);
  const took: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const began = now();
    await raw.command('NOOP');
    took.push(now() - began);
  }
  return median(took);
}

/** MB a second that come down in one FETCH, its first round trip left out. */
export async function measureWidth(wire: Strand, mailboxes: Mailboxes): Promise<number> {
  const user = mailboxes.fresh();
  await load(mailboxes.login(user), 'INBOX', [Buffer.alloc(BYTES, `${'x'.repeat(76)}\r\n`)]);
  using raw = await Raw.login(wire, user, mailboxes.password);
  await raw.command('SELECT INBOX');
  const began = now();
  let first = 0;
  raw.socket.once('data', () => {
    first = now();
  });
  await raw.command('FETCH 1 (BODY.PEEK[])');
  const last = now();
  mailboxes.discard(user);
  return BYTES / 1024 / 1024 / ((last - Math.max(first, began)) / 1000);
}
