/**
 * The faults on the wires. What happens at a moment depends on the seed, on what kind of moment it is and on how many of
 * that kind came before it in the round, and on nothing else: two runs that differ in their timing meet the same faults
 * at the same places. How bad the weather is decides only which of them come.
 */
import type { Deed, ImapWire, Moment } from '../support/imap-wire.ts';
import { RESPONSE_CODES } from '../support/response-codes.ts';
import type { Dice } from './dice.ts';
import { countOf, MISFILED, misfile, misnumbered, missshown, SPOILT_WAYS, spoil } from './lies.ts';
import type { Trace } from './trace.ts';

export type Side = 'source' | 'destination';

/** The share of moments at which something goes wrong. */
export const WEATHER = { clear: 0, calm: 0.005, rough: 0.05, stormy: 0.12 } as const;
export type Weather = keyof typeof WEATHER;

const THROTTLED = 'TAG BAD Request is throttled. Suggested Backoff Time: 150 milliseconds';

const CUTS = { end: 2, reset: 2, silence: 0.7 } as const;
const SAYS = { 'NO with a code': 4, 'a bare NO': 2, BAD: 2, BYE: 2, throttled: 1 } as const;

export interface MischiefWorld {
  readonly dice: Dice;
  readonly trace: Trace;
  readonly wires: Readonly<Record<Side, ImapWire>>;
  /** SIGKILL, there and then. */
  readonly kill: () => void;
  readonly isDead: () => boolean;
  /** The destination's name of a folder. */
  readonly to: (folder: string) => string;
}

export class Mischief {
  weather: Weather = 'clear';
  /** INTERNALDATEs of the letters that the destination has stored wrongly. */
  readonly spoilt = new Set<number>();
  readonly #world: MischiefWorld;
  readonly #nth = new Map<string, number>();
  #appendUid: readonly [validity: string, uid: number] | undefined;

  /** @param rows whether rows of FETCH are lied about, too; literals in answers are not cut then */
  constructor(world: MischiefWorld, rows: boolean) {
    this.#world = world;
    for (const side of ['source', 'destination'] as const) {
      const wire = world.wires[side];
      wire.at = (moment) => this.#at(side, moment);
      wire.onJoin = () => this.#join(side);
      if (rows) wire.untagged = (answer) => this.#untagged(side, answer);
    }
  }

  /** The dice of this moment, where something is to go wrong at it. */
  #drawn(kind: string, share = 1): readonly [Dice, string] | undefined {
    const nth = (this.#nth.get(kind) ?? 0) + 1;
    this.#nth.set(kind, nth);
    const dice = this.#world.dice.of(`${kind} ${nth}`);
    return dice.chance(WEATHER[this.weather] * share) ? [dice, `${kind} ${nth}`] : undefined;
  }

  #did(where: string, what: string, kind: string): void {
    this.#world.trace.tell(`${where}: ${what}`, kind);
  }

  #at(side: Side, moment: Moment): Deed {
    if (this.#world.isDead()) return 'reset';
    const { when, command, answer = '' } = moment;
    const [, validity, uid] = /APPENDUID (\d+) (?:\d+:)?(\d+)/.exec(answer) ?? [];
    if (side === 'destination' && validity && uid) this.#appendUid = [validity, Number(uid)];
    const drawn = this.#drawn(`${side} ${when} ${command.name}`);
    if (!drawn) return undefined;
    const [dice, where] = drawn;
    const append = side === 'destination' && command.name === 'APPEND';
    const deed = dice.weighted({
      cut: when === 'before' || when === 'after' ? 4 : 8,
      kill: 1.5,
      say: when === 'before' ? 6 : when === 'after' ? 2 : 0,
      lie: append && (when === 'before' || when === 'after') ? 6 : 0,
    });
    switch (deed) {
      case 'cut':
        return this.#cut(where, dice);
      case 'kill':
        this.#did(where, 'SIGKILL', 'SIGKILL at a command');
        this.#world.kill();
        return 'reset';
      case 'say':
        return this.#say(where, moment, dice);
      case 'lie':
        return when === 'before' ? this.#lie(where, dice) : this.#misnumber(where, answer, dice);
    }
  }

  #cut(where: string, dice: Dice): 'end' | 'reset' | 'silence' {
    const how = dice.weighted(CUTS);
    this.#did(where, how, `connection: ${how}`);
    return how;
  }

  #join(side: Side): 'end' | 'reset' | 'silence' | undefined {
    if (this.#world.isDead()) return 'reset';
    const drawn = this.#drawn(`${side} greeting`);
    return drawn && this.#cut(drawn[1], drawn[0]);
  }

  /** A refusal. What was carried out is told as refused only where that makes no lie of an APPEND. */
  #say(where: string, { when, command }: Moment, dice: Dice): Deed {
    const stored = when === 'after' && command.name === 'APPEND';
    const what = stored ? 'BYE' : dice.weighted(SAYS);
    const code = dice.pick(RESPONSE_CODES);
    const words = {
      'NO with a code': `TAG NO [${code}] Not now`,
      'a bare NO': 'TAG NO Not now',
      BAD: 'TAG BAD Not like this',
      BYE: '* BYE Not here',
      throttled: THROTTLED,
    }[what];
    this.#did(where, words, `refused: ${what}`);
    return what === 'BYE' ? { say: words, end: true } : { say: words };
  }

  #lie(where: string, dice: Dice): Deed {
    const how = dice.pick([...SPOILT_WAYS, 'misfiled', 'not stored'] as const);
    return {
      send: (command) => {
        if (how === 'not stored') {
          this.#did(where, `OK, and ${how}`, `lie: ${how}`);
          return `TAG OK ${this.#nextUids(countOf(command))}Done`;
        }
        if (how === 'misfiled') {
          this.#did(where, how, `lie: ${how}`);
          return misfile(command, this.#world.to(MISFILED));
        }
        const altered = spoil(command, how, dice);
        if (altered === undefined) return command;
        const shown = new Date(altered.date).toISOString();
        this.#did(where, `the letter of ${shown} stored with ${how}`, `lie: ${how}`);
        this.spoilt.add(altered.date);
        return altered.command;
      },
    };
  }

  /** What the server might say of messages that it has not stored. */
  #nextUids(count: number): string {
    if (this.#appendUid === undefined) return '';
    const [validity, uid] = this.#appendUid;
    const set = count > 1 ? `${uid + 1}:${uid + count}` : `${uid + 1}`;
    return `[APPENDUID ${validity} ${set}] `;
  }

  #misnumber(where: string, answer: string, dice: Dice): Deed {
    if (!answer.includes('APPENDUID')) return undefined;
    const said = misnumbered(answer, dice);
    this.#did(where, `in place of ${answer}: ${said}`, 'lie: wrong APPENDUID');
    return { say: said };
  }

  #untagged(side: Side, answer: Buffer): Buffer {
    if (this.#world.isDead() || !/^\* \d+ FETCH /.test(answer.toString('latin1', 0, 30))) {
      return answer;
    }
    const drawn = this.#drawn(`${side} row`, 0.5);
    if (!drawn) return answer;
    const [dice, where] = drawn;
    const nth = this.#nth.get(`${side} row`) ?? 1;
    const other = missshown(answer, nth, dice);
    if (other !== undefined) {
      this.#did(where, `shown with another body, ${other.length} bytes`, 'lie: wrong FETCH row');
      return other;
    }
    const foreign = dice.pick([
      '* 1 FETCH (UID 3999999999 FLAGS (\\Deleted \\Seen))\r\n',
      '* 1 FETCH (UID 3999999999 FLAGS () BODY[] {2}\r\nHi)\r\n',
      '* 7 EXISTS\r\n* 8 EXISTS\r\n* 9 EXISTS\r\n'.repeat(30),
    ]);
    this.#did(where, `and then ${foreign.slice(0, 40).trim()} …`, 'hostile: rows of nothing');
    return Buffer.concat([answer, Buffer.from(foreign)]);
  }
}
