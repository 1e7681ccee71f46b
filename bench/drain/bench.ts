/** Drain: a mailbox full of old mail, carried by each contender in turn. */
import { bareLimit } from '../contenders/bare-limit.ts';
import type { Contender } from '../contenders/contender.ts';
import { imapferry } from '../contenders/imapferry.ts';
import { imapfilter } from '../contenders/imapfilter.ts';
import { imapsync } from '../contenders/imapsync.ts';
import { mbsync } from '../contenders/mbsync.ts';
import type { Options } from '../options.ts';
import { measureRoundTrip, measureWidth } from '../tools/line.ts';
import { Mailboxes } from '../tools/mailboxes.ts';
import { keep, type Part } from '../tools/results.ts';
import { Wires } from '../wire/wires.ts';
import { CAPABILITY, CASES, type Case } from './cases.ts';
import { type Measured, part } from './report.ts';
import { type Figures, type Ground, turn } from './turn.ts';

export const CONTENDERS: readonly Contender[] = [
  imapferry,
  bareLimit,
  mbsync,
  imapfilter,
  imapsync,
];

const USERS = 400;

/** Measures all cases, or those that are named. */
export async function drain(options: Options): Promise<void> {
  const cases = CASES.filter(
    ({ name }) => options.only === undefined || name.includes(options.only),
  );
  const parts: Part[] = [];
  await using wires = new Wires();
  await using source = await Mailboxes.open(USERS);
  for (const each of cases) parts.push(part(await measure(each, options, wires, source)));
  const order = CASES.map(({ name }) => name);
  keep({ name: 'drain', title: 'Drain: messages a second', order }, options.command, parts);
}

async function measure(
  each: Case,
  { messages, rounds }: Options,
  wires: Wires,
  source: Mailboxes,
): Promise<Measured> {
  const capability = CAPABILITY[each.appending];
  await using destination = await Mailboxes.open(USERS, capability ? { capability } : {});
  const ground: Ground = {
    wires,
    source,
    destination,
    wire: {
      source: await wires.open(source.dovecot.port, each.roundTrip),
      destination: await wires.open(destination.dovecot.port, each.roundTrip),
    },
  };
  const roundTrip = await measureRoundTrip(ground.wire.source, source);
  const width = await measureWidth(ground.wire.source, source);
  const templates = new Templates(source, each);
  const runs = new Map<Contender, Figures[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const contender of CONTENDERS) {
      if (contender.absent?.() !== undefined) continue;
      const most = contender.most?.(each) ?? Number.POSITIVE_INFINITY;
      const template = await templates.of(Math.min(messages, each.most, most));
      const figures = await turn(contender, each, ground, template);
      runs.set(contender, [...(runs.get(contender) ?? []), figures]);
      const rate = (figures.messages / figures.ms) * 1000;
      console.error(
        `${each.name}, round ${round}: ${contender.name} ${figures.messages} messages, ${rate.toFixed(1)} a second`,
      );
    }
  }
  for (const wire of Object.values(ground.wire)) await wire.close();
  templates.discard();
  return {
    name: each.name,
    title: each.title,
    roundTrip,
    width,
    entries: CONTENDERS.map((contender) => ({
      contender: contender.name,
      does: contender.does,
      absent: contender.absent?.(),
      runs: runs.get(contender) ?? [],
    })),
  };
}

/** Mailboxes to be copied, one for each number of messages that somebody is given. */
class Templates {
  readonly #source: Mailboxes;
  readonly #case: Case;
  readonly #made = new Map<number, string>();

  constructor(source: Mailboxes, each: Case) {
    this.#source = source;
    this.#case = each;
  }

  async of(count: number): Promise<string> {
    const made = this.#made.get(count);
    if (made !== undefined) return made;
    const user = await this.#source.template(this.#case.mail(count));
    this.#made.set(count, user);
    return user;
  }

  discard(): void {
    for (const user of this.#made.values()) this.#source.discard(user);
  }
}
