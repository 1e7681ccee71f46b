/**
 * Tells the lasting troubles of one route, each once: in the INBOX of its destination, or by ALERT_COMMAND where the
 * destination itself is the trouble. What is told is noted before, so that no crash can double it. Nothing waits for it.
 */
import type { Emit } from '../domain/events.ts';
import { asFailure, Failure } from '../domain/failure.ts';
import type { AlertNote, Clock, RouteJournal } from '../domain/ports.ts';
import type { Route } from '../domain/route.ts';
import type { RouteStatus, Trouble } from '../domain/status.ts';
import { type AlertCommand, runAlertCommand } from './alert-command.ts';
import { alertMail } from './alert-mail.ts';
import { overWords, troubleWords, type Whose, type Words } from './alert-text.ts';
import {
  calmOf,
  due,
  isDestinations,
  isWell,
  type Look,
  open,
  withOver,
  withTold,
} from './alerts.ts';

/** For a message of imapferry's own a connection has to be free within so many ms. */
const PATIENCE = 60_000;
/** What could not be told is tried again after so many ms, doubling. */
const AGAIN_FIRST = 60_000;
const AGAIN_LONGEST = 60 * 60_000;

export interface AlertedRoute {
  readonly route: Route;
  readonly journal: Pick<RouteJournal, 'alerts' | 'noteAlerts'>;
  /** As RouteRunner has it. */
  readonly putLetter: (message: Buffer, inTime: AbortSignal) => Promise<void>;
}

export interface AlertWorld {
  /** ALERT_AFTER, in ms. */
  readonly after: number;
  readonly command?: AlertCommand | undefined;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Aborts when imapferry is to stop. */
  readonly quit: AbortSignal;
}

/** What is told at one time, in one way. */
interface Letter {
  readonly is: 'trouble' | 'over';
  readonly by: AlertNote['by'];
  readonly about: readonly (Trouble | AlertNote)[];
  readonly words: Words;
  /** What is noted before it is told in this way. */
  readonly noted: (by: AlertNote['by']) => AlertNote[];
}

export class Alerter {
  readonly #its: AlertedRoute;
  readonly #world: AlertWorld;
  readonly #whose: Whose;
  /** As the journal has it, or would have it if it could be written. */
  #told: readonly AlertNote[] | undefined;
  #busy = false;
  /** Since when all has been well (clock ticks). */
  #wellSince: number | undefined;
  #failed = 0;
  #againAt = Number.NEGATIVE_INFINITY;

  constructor(its: AlertedRoute, world: AlertWorld) {
    const { name, source, destination } = its.route;
    this.#its = its;
    this.#world = world;
    this.#whose = { route: name, source: source.host, destination: destination.host };
  }

  /**
   * Tells what is to be told now. To be called again and again.
   * @param troubles those of this route
   */
  look(status: RouteStatus, troubles: readonly Trouble[]): void {
    const told = this.#known();
    if (this.#busy || told === undefined) return;
    const { clock, after } = this.#world;
    const look: Look = { troubles, told, now: clock.now(), after };
    const news = due(look);
    const over = this.#over(status, look);
    if (news.length + over.length === 0) this.#failed = 0;
    else if (this.#failed > 0 && clock.ticks() < this.#againAt) return;
    else void this.#tell(news.length > 0 ? this.#ofTrouble(look, news) : this.#ofEnd(told, over));
  }

  /** What was told; `undefined` while the journal can't be read. */
  #known(): readonly AlertNote[] | undefined {
    try {
      this.#told ??= this.#its.journal.alerts();
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
    }
    return this.#told;
  }

  #over(status: RouteStatus, look: Look): AlertNote[] {
    const { clock, after } = this.#world;
    const now = clock.ticks();
    this.#wellSince = isWell(status, look) ? (this.#wellSince ?? now) : undefined;
    const isCalm = this.#wellSince !== undefined && now - this.#wellSince >= calmOf(after);
    return isCalm ? open(look.told) : [];
  }

  #ofTrouble(look: Look, news: readonly Trouble[]): Letter {
    const by = look.troubles.some(isDestinations) ? 'command' : 'inbox';
    return {
      is: 'trouble',
      by,
      about: news,
      words: troubleWords(this.#whose, news),
      noted: (by) => withTold(look, news, by),
    };
  }

  /** Whoever was told of a trouble is told of its end, in the same way. */
  #ofEnd(told: readonly AlertNote[], over: readonly AlertNote[]): Letter {
    const by =
      this.#world.command && over.some((note) => note.by === 'command') ? 'command' : 'inbox';
    const about = over.filter((note) => note.by === by || this.#world.command === undefined);
    return {
      is: 'over',
      by,
      about,
      words: overWords(this.#whose, about),
      noted: () => withOver(told, about),
    };
  }

  async #tell(letter: Letter): Promise<void> {
    const before = this.#told ?? [];
    this.#busy = true;
    try {
      await this.#send(letter);
      this.#failed = 0;
    } catch (thrown) {
      // It was certainly not told: it may be told later.
      this.#note(before);
      this.#again(letter, asFailure(thrown, 'append'));
    } finally {
      this.#busy = false;
    }
  }

  /** Rejects where nobody was told. */
  async #send(letter: Letter): Promise<void> {
    const { route } = this.#its;
    if (route.dryRun) {
      this.#told = letter.noted(letter.by);
      this.#emit('alert.planned', letter);
      return;
    }
    if (letter.by === 'command') return this.#hand(letter, unheard());
    // What could not be noted would be told in the INBOX again after each restart.
    if (!this.#note(letter.noted('inbox'))) return this.#hand(letter, unnoted());
    try {
      await this.#put(letter);
    } catch (thrown) {
      const failure = asFailure(thrown, 'append');
      // It was imapferry that had no time for it: the next one has.
      if (this.#world.quit.aborted && !failure.outcomeUnknown) throw failure;
      if (!failure.outcomeUnknown) return this.#hand(letter, failure);
      this.#emit('alert.failed', letter, { msg: doubtful(letter, failure), err: failure });
    }
  }

  async #put(letter: Letter): Promise<void> {
    const { clock, quit } = this.#world;
    const { route, putLetter } = this.#its;
    const at = new Date(clock.now());
    const message = await alertMail(letter.words, {
      route: route.name,
      user: route.destination.user,
      at,
    });
    await putLetter(message, AbortSignal.any([quit, AbortSignal.timeout(PATIENCE)]));
    this.#emit('alert.sent', letter);
  }

  /** Gives it to ALERT_COMMAND. Rejects with `failure` where there is none. */
  async #hand(letter: Letter, failure: Failure): Promise<void> {
    const { command } = this.#world;
    if (!command) throw failure;
    this.#note(letter.noted('command'));
    const { subject, text } = letter.words;
    const { wrong, printed } = await runAlertCommand(command, `${subject}\n\n${text}`, {
      IMAPFERRY_ROUTE: this.#its.route.name,
      IMAPFERRY_CAUSE: causesOf(letter),
      IMAPFERRY_STATE: letter.is,
    });
    if (printed !== '') this.#emit('alert.command', letter, { err: new Error(printed) });
    if (wrong !== undefined) throw failed(`ALERT_COMMAND ${wrong}.`);
    this.#emit('alert.handed', letter);
  }

  /** Says whether the journal took it. */
  #note(notes: readonly AlertNote[]): boolean {
    this.#told = notes;
    try {
      this.#its.journal.noteAlerts(notes);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      return false;
    }
  }

  #again(letter: Letter, failure: Failure): void {
    const { clock, quit } = this.#world;
    if (quit.aborted) return;
    // Told once, not at each try.
    if (this.#failed === 0)
      this.#emit('alert.failed', letter, { msg: untold(letter, failure), err: failure });
    const pause = Math.min(AGAIN_FIRST * 2 ** Math.min(this.#failed++, 10), AGAIN_LONGEST);
    this.#againAt = clock.ticks() + pause;
  }

  #emit(event: Parameters<Emit>[0], letter: Letter, fields: Parameters<Emit>[1] = {}): void {
    const { name } = this.#its.route;
    this.#world.emit(event, {
      route: name,
      count: letter.about.length,
      why: what(letter),
      ...fields,
    });
  }
}

/** `account-refused`, or `the end of destination-full`. */
function what(letter: Letter): string {
  return `${letter.is === 'over' ? 'the end of ' : ''}${causesOf(letter)}`;
}

function causesOf({ about }: Letter): string {
  return [...new Set(about.map(({ cause }) => cause))].join(' ');
}

function untold(letter: Letter, { message }: Failure): string {
  return `An alert could not be told (${what(letter)}). ${message} It is tried again while it is true, at growing intervals of at most an hour.`;
}

function doubtful(letter: Letter, { message }: Failure): string {
  return `It is not known whether an alert has arrived (${what(letter)}); so that it does not come twice, it is not sent again. ${message}`;
}

function unheard(): Failure {
  return failed(
    'The destination itself is the trouble, so that nothing can be told there, and ALERT_COMMAND is not set.',
  );
}

function unnoted(): Failure {
  return failed('The journal can not be written, so that it would be told again and again.');
}

function failed(sentence: string): Failure {
  return new Failure(sentence, { step: 'append', scope: 'account' });
}
