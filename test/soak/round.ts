/** One round of a soak: mail flows while faults come, and when they stop all of it has to arrive. */
import { setTimeout as wait } from 'node:timers/promises';
import { Dice } from './dice.ts';
import { drawKind } from './kinds.ts';
import { Writer } from './letters.ts';
import type { Post } from './people.ts';
import { Trace } from './trace.ts';
import { CARRIED, type Fate, SoakWorld, Wrong } from './world.ts';

/** What is done between two pauses. */
const ACTS = 70;

/** How long all that can be carried may take once nothing goes wrong any more. */
const PATIENCE = 60_000;

const WEIGHTS = {
  mail: 30,
  look: 8,
  weather: 8,
  rest: 4,
  clean: 6,
  flag: 6,
  mark: 3,
  unmark: 2,
  'expunge an original': 2,
  'expunge a copy': 2,
  'move an original': 2,
  'move a copy': 2,
  renumber: 2,
  'make anew': 1,
  rename: 1.5,
  stop: 3,
  kill: 3,
  freeze: 1.5,
  strike: 4,
  trouble: 3,
  relief: 4,
  clock: 2,
} as const;
type Act = keyof typeof WEIGHTS;

export interface Outcome {
  readonly seed: number;
  readonly kind: string;
  readonly trace: Trace;
  readonly letters: number;
  readonly lives: number;
  readonly looks: number;
  readonly peak: number;
  /** What went wrong; none: each letter is where it has to be. */
  readonly wrong: string | undefined;
  /** The program's own log, of all its lives, and what it told the servers. */
  readonly log: readonly string[];
  readonly commands: readonly string[];
}

/** Never rejects for what the program does. */
export async function round(seed: number): Promise<Outcome> {
  const dice = new Dice(seed);
  const trace = new Trace();
  const kind = drawKind(dice.of('kind'));
  await using world = await SoakWorld.make(kind, dice, trace);
  const one = new Round(world, dice);
  let wrong: string | undefined;
  try {
    await one.run();
  } catch (thrown) {
    wrong = thrown instanceof Wrong ? thrown.message : String((thrown as Error).stack ?? thrown);
    if (!world.dead) await world.kill();
  }
  const { lives, looks, peak, logs: log, commands } = world;
  const letters = world.people.post.length;
  return { seed, kind: kind.told, trace, letters, lives, looks, peak, wrong, log, commands };
}

class Round {
  readonly #world: SoakWorld;
  readonly #dice: Dice;
  readonly #writer: Writer;

  constructor(world: SoakWorld, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
    this.#writer = new Writer(dice.of('letters'));
  }

  async run(): Promise<void> {
    const world = this.#world;
    await this.#mail(this.#dice.of('first mail'));
    await world.start();
    for (let nth = 1; nth <= ACTS; nth++) {
      const dice = this.#dice.of(`act ${nth}`);
      if (nth === 1) world.mischief.weather = 'rough';
      const act = dice.weighted(WEIGHTS);
      world.trace.tell(`act ${nth}: ${act}`);
      await this.#act(act, dice);
      await world.pass(dice.between(2, 25));
      await this.#afterwards(dice);
    }
    await this.#end();
  }

  async #act(act: Act, dice: Dice): Promise<void> {
    const world = this.#world;
    const { people, kind, mischief } = world;
    const folder = dice.pick(CARRIED);
    const spares = ({ internalDate }: Post) => mischief.spoilt.has(internalDate.getTime());
    switch (act) {
      case 'mail':
        return this.#mail(dice);
      case 'look':
        return world.look();
      case 'weather':
        mischief.weather = dice.weighted({ calm: 4, rough: 4, stormy: 2 });
        return world.trace.tell(`the weather is ${mischief.weather}`);
      case 'rest':
        return world.pass(200);
      case 'clean':
        return this.#clean();
      case 'flag':
        return people.flag(folder);
      case 'mark':
        return kind.uidPlus ? people.mark(folder) : undefined;
      case 'unmark':
        return people.unmark(folder);
      case 'expunge an original':
        return people.expunge('source', folder, () => false);
      case 'expunge a copy':
        return people.expunge('destination', kind.to(folder), spares);
      case 'move an original':
        return people.move('source', folder, () => false);
      case 'move a copy':
        return people.move('destination', kind.to(folder), spares);
      case 'renumber': {
        const side = dice.pick(['source', 'destination'] as const);
        const name = side === 'source' ? folder : kind.to(folder);
        return people.renumber(side, name, folder);
      }
      case 'make anew': {
        const side = dice.pick(['source', 'destination'] as const);
        return people.remake(side, side === 'source' ? 'Box' : kind.to('Box'), 'Box');
      }
      case 'rename':
        return people.rename('Box', () => world.pass(dice.between(2, 20)));
      case 'stop':
        return world.dead ? undefined : world.stop();
      case 'kill':
        return world.dead ? undefined : world.kill();
      case 'freeze':
        return this.#freeze(dice);
      case 'strike': {
        const side = dice.pick(['source', 'destination'] as const);
        const how = dice.pick(['end', 'reset', 'silence'] as const);
        world.trace.tell(`all connections at the ${side}: ${how}`, `all connections: ${how}`);
        return world.child[side].strike(how);
      }
      case 'trouble': {
        const what = dice.pick(['disk', 'names'] as const);
        world.trouble(what);
        if (what === 'names') world.child[dice.pick(['source', 'destination'] as const)].cut();
        return;
      }
      case 'relief':
        return world.relieve();
      case 'clock':
        return world.setClock(dice.pick([-400, -1, -0.01, 0, 0.01, 1, 40]));
    }
  }

  /** What has to be done after any act: the dead are started again, and what waits for a person gets one. */
  async #afterwards(dice: Dice): Promise<void> {
    const world = this.#world;
    if (world.blocked) {
      world.trace.tell('the route is blocked; a person starts it again', 'route blocked');
      await this.#clean();
      if (!world.dead) await world.stop();
    }
    if (!world.dead) return;
    const fate = dice.weighted<Fate>({ kept: 10, wiped: 1.5, older: 1.5, torn: 0.7 });
    await world.child.program.ended;
    if (dice.chance(0.3)) await this.#mail(dice);
    await world.look();
    await world.lose(fate, dice);
    await world.start();
  }

  async #mail(dice: Dice): Promise<void> {
    const folder = dice.chance(0.7) ? 'INBOX' : 'Box';
    const count = dice.chance(0.1) ? dice.between(10, 30) : dice.between(1, 5);
    for (let i = 0; i < count; i++) await this.#world.people.write(folder, this.#writer.next());
  }

  /** Deletes the bad copies of which the log tells. */
  async #clean(): Promise<void> {
    const { wrong, bad } = await this.#world.judge(false);
    if (wrong.length > 0) throw new Wrong(wrong.join('\n'));
    for (const [folder, uids] of bad) await this.#world.people.clean(folder, uids);
  }

  async #freeze(dice: Dice): Promise<void> {
    const world = this.#world;
    if (world.dead) return;
    world.freeze(true);
    await wait(dice.between(100, 2500));
    if (dice.chance(0.4)) world.child[dice.pick(['source', 'destination'] as const)].cut();
    if (dice.chance(0.5)) await this.#mail(dice);
    world.freeze(false);
  }

  /** No more faults: all that can be carried is, and then all the rest, once nobody holds it back. */
  async #end(): Promise<void> {
    const world = this.#world;
    world.trace.tell('the faults end');
    world.mischief.weather = 'clear';
    world.relieve();
    if (world.dead) await world.start();
    await this.#carried(world.kind.uidPlus ? 'ours' : 'all');
    for (const folder of CARRIED) await world.people.unmarkAll(folder);
    world.trace.tell('no letter is marked by anybody but imapferry any more');
    await this.#carried('all');
    await world.stop();
    const wrong = [...(await world.judge(true)).wrong, ...world.trespasses()];
    if (wrong.length > 0) throw new Wrong(wrong.join('\n'));
  }

  /** Waits until the oracle has nothing to say. `all`: whatever is marked \Deleted is unmarked by a person. */
  async #carried(what: 'ours' | 'all'): Promise<void> {
    const world = this.#world;
    const deadline = performance.now() + PATIENCE;
    for (let nth = 1; ; nth++) {
      await world.look();
      const { wrong, bad } = await world.judge(true);
      if (wrong.length === 0 && (what === 'ours' || (await this.#left()) === 0)) return;
      if (performance.now() > deadline) {
        throw new Wrong(`It does not come to its end:\n${wrong.join('\n') || 'marked mail stays'}`);
      }
      for (const [folder, uids] of bad) await world.people.clean(folder, uids);
      if (world.blocked) {
        await world.stop();
        await world.start();
      }
      if (what === 'all' && nth % 10 === 0) {
        for (const folder of CARRIED) await world.people.unmarkAll(folder);
      }
      await wait(250);
    }
  }

  /** Letters that are still at the source. */
  async #left(): Promise<number> {
    let sum = 0;
    for (const folder of CARRIED) {
      sum += await this.#world.people.ask('source', (mail) => mail.count(folder));
    }
    return sum - (this.#world.kind.uidPlus ? 1 : 0);
  }
}
