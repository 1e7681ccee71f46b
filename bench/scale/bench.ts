/** Scale: watchers, messages kept, routes, and rows of the journal, each at one, ten, a hundred times as many. */
import type { Options } from '../options.ts';
import { Mailboxes } from '../tools/mailboxes.ts';
import { keep } from '../tools/results.ts';
import { Wires } from '../wire/wires.ts';
import { kept } from './kept.ts';
import { part, type Scale } from './point.ts';
import { routes } from './routes.ts';
import { rows } from './rows.ts';
import { watchers } from './watchers.ts';

const USERS = 200;
/** Linux lets a user have few inotify instances; without one Dovecot looks at a folder this often. */
const LOOKS = 'mailbox_idle_check_interval = 1 secs\n';

const SIZES = {
  watchers: [1, 10, 100, 1000],
  kept: [1000, 10_000, 100_000],
  routes: [1, 10, 50],
  rows: [1000, 10_000, 100_000, 1_000_000],
};

/** Measures all scales, or the one that is named, up to the largest size that is asked for. */
export async function scale(options: Options): Promise<void> {
  const scales: Scale[] = [];
  const measure = async (
    name: keyof typeof SIZES,
    how: (ground: Ground, sizes: readonly number[]) => Promise<Scale>,
    extra = '',
  ) => {
    if (options.only !== undefined && !name.includes(options.only)) return;
    const sizes = SIZES[name].filter((size) => size <= options.largest);
    await using wires = new Wires();
    await using source = await Mailboxes.open(USERS, { extra });
    await using destination = await Mailboxes.open(USERS);
    scales.push(await how({ wires, source, destination }, sizes));
  };
  await measure('watchers', watchers);
  await measure('kept', kept);
  await measure('routes', routes, LOOKS);
  await measure('rows', (ground, sizes) => rows(ground, sizes, options.rounds));
  const order = Object.keys(SIZES);
  const title = 'Scale: both axes logarithmic';
  keep({ name: 'scale', title, order }, options.command, scales.map(part));
}

interface Ground {
  readonly wires: Wires;
  readonly source: Mailboxes;
  readonly destination: Mailboxes;
}
