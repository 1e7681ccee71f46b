/** New mail while old mail is carried: a mailbox full of it, and every second a new message in the same folder. */
import { setTimeout as wait } from 'node:timers/promises';
import { message } from '../../test/support/mail.ts';
import { now } from '../tools/clock.ts';
import { Ferry } from '../tools/ferry.ts';
import { load } from '../tools/load.ts';
import { type Servers, storedAt, wired } from './single.ts';

const SIZE = 8 * 1024;
const EVERY = 1000;
/** New mail comes until so much of the old is through. */
const ENOUGH = 0.9;
const PROVEN = 'delivery.verified';
const PATIENCE = 30 * 60_000;

/** Milliseconds from stored at the source to stored at the destination of each new message; Infinity: it came not at all. */
export async function overtaking(
  servers: Servers,
  template: string,
  old: number,
  roundTrip: number,
): Promise<number[]> {
  const { source, destination } = servers;
  const wire = await wired(servers, roundTrip);
  const user = source.copy(template);
  const to = destination.fresh();
  await using ferry = Ferry.run(
    {
      source: source.side(user, wire.source),
      destination: destination.side(to, wire.destination),
    },
    { LOG_LEVEL: 'debug' },
  );
  const { program } = ferry;
  // Expunged, and told as done, are large groups: what is proven tells earlier how far it is.
  await program.saw(PROVEN);
  const proven = () =>
    program.log
      .filter(({ event }) => event === PROVEN)
      .reduce((sum, { count }) => sum + Number(count), 0);
  const sent: { id: string; at: number }[] = [];
  while (proven() < old * ENOUGH) {
    const id = `${sent.length}.${user}.new@example.org`;
    await load(source.login(user), 'INBOX', [message({ id: `<${id}>`, size: SIZE })]);
    sent.push({ id, at: now() });
    await wait(EVERY);
  }
  const all = old + sent.length;
  await program.until('all is through', () => program.count('delivery.done') >= all, PATIENCE);
  const stored = storedAt(await wire.destination.take());
  return sent.map(({ id, at }) => (stored.get(id) ?? Number.POSITIVE_INFINITY) - at);
}
