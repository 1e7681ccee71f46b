/** The most memory that carrying takes. */
import { message } from '../../test/support/mail.ts';
import { Ferry } from '../tools/ferry.ts';
import { load } from '../tools/load.ts';
import { memory } from '../tools/usage.ts';
import type { Servers } from './rest.ts';

export interface Peak {
  /** MB at most. */
  readonly peak: number;
  readonly carried: number;
  /** Why others were not, by the first of them. */
  readonly why: string | undefined;
  /** What STATE_DIR held at the end beside the journal. */
  readonly leftovers: readonly string[];
}

const PATIENCE = 20 * 60_000;
/** The largest message that a bench has, and room. */
const LARGEST = '200MB';

/** Carries so many messages of so many bytes that are there at its start. */
export async function peak(
  { source, destination }: Servers,
  count: number,
  bytes: number,
): Promise<Peak> {
  const [from, to] = [source.fresh(), destination.fresh()];
  await load(source.login(from), 'INBOX', letters(count, bytes));
  await using ferry = Ferry.run(
    { source: source.side(from), destination: destination.side(to) },
    { MAX_WATCHERS: '1', MAX_MESSAGE_SIZE: LARGEST },
  );
  const { program } = ferry;
  const ended = () => program.count('delivery.done') + program.count('delivery.refused');
  await program.until('all is through', () => ended() >= count, PATIENCE);
  const found = {
    peak: memory(ferry.pid)?.peak ?? Number.NaN,
    carried: program.count('delivery.done'),
    why: program.log.find(({ event }) => event === 'delivery.refused')?.why as string | undefined,
    leftovers: ferry.leftovers(),
  };
  source.discard(from);
  destination.discard(to);
  return found;
}

function* letters(count: number, size: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield message({ size });
}
