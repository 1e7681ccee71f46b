import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EventFields, type EventName, eventStream } from '../../src/domain/events.ts';
import { Failure, type FailureFields } from '../../src/domain/failure.ts';
import type { AlertNote, RouteJournal } from '../../src/domain/ports.ts';
import type { RouteStatus, Trouble } from '../../src/domain/status.ts';
import type { AlertCommand } from '../../src/report/alert-command.ts';
import { Alerter } from '../../src/report/alerter.ts';
import { folderWith } from '../config/support.ts';
import { routeOf } from '../forward/rig.ts';
import { HandClock } from '../support/hand-clock.ts';
import { memoryJournal } from '../support/memory-journal.ts';
import { parsed } from '../support/parsed.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WELL: RouteStatus = {
  route: 'default',
  dryRun: false,
  sweepInterval: 600_000,
  ready: true,
  accounts: (['source', 'destination'] as const).map((side) => ({
    side,
    is: 'connected',
    since: 0,
  })),
  folders: [],
  queued: 0,
};

function failure(fields: Partial<FailureFields>): Failure {
  return new Failure('It did not work.', { step: 'append', scope: 'connection', ...fields });
}

/** A household: one route, a journal, and hours that pass. */
class World {
  readonly clock = new HandClock();
  readonly letters: string[] = [];
  readonly told: [EventName, EventFields][] = [];
  journal: Pick<RouteJournal, 'alerts' | 'noteAlerts'> = memoryJournal().route('d', 'a', 'b');
  command: AlertCommand | undefined;
  dryRun = false;
  readonly quit = new AbortController();
  /** What becomes of letters from now on. */
  refuses: Failure | undefined;
  #alerter: Alerter | undefined;

  /** The next life. */
  restart(): void {
    this.#alerter = undefined;
  }

  /** So much time passes, and it is looked every ten minutes. */
  async pass(ms: number, troubles: (now: number) => Trouble[], status = WELL): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10 * MINUTE) {
      this.clock.advance(10 * MINUTE);
      await this.look(troubles(this.clock.now()), status);
    }
  }

  async look(troubles: Trouble[], status = WELL): Promise<void> {
    const stream = eventStream();
    stream.subscribe((...each) => this.told.push(each));
    const { clock, command } = this;
    const quit = this.quit.signal;
    const world = { after: HOUR, clock, command, quit, emit: stream.emit };
    const route = routeOf({ dryRun: this.dryRun });
    const putLetter = async (message: Buffer) => {
      if (this.refuses) throw this.refuses;
      this.letters.push(parsed(message).header.get('subject') ?? '');
    };
    this.#alerter ??= new Alerter({ route, journal: this.journal, putLetter }, world);
    this.#alerter.look(status, troubles);
    await wait(command ? 60 : 3);
  }

  names(): EventName[] {
    return this.told.map(([event]) => event);
  }
}

let world: World;
let since: number;
beforeEach(() => {
  world = new World();
  since = world.clock.now();
});

const trouble = (changes: Partial<Trouble> = {}): Trouble => ({
  cause: 'account-refused',
  side: 'source',
  route: 'default',
  since,
  says: 'It is so.',
  help: 'Do that.',
  unhealthy: true,
  ...changes,
});
const refused = () => [trouble()];
const full = () => [trouble({ cause: 'destination-full', side: 'destination' })];
const nothing = () => [];

const TROUBLE = 'Mail from your old mailbox is not coming through';
const OVER = 'It is over: mail from your old mailbox flows again';

describe('in the INBOX', () => {
  it('a trouble is told once it has lasted, and its end once all has been well for a while', async () => {
    await world.pass(50 * MINUTE, refused);
    expect(world.letters).toEqual([]);
    await world.pass(2 * 24 * HOUR, refused);
    expect(world.letters).toEqual([TROUBLE]);
    await world.pass(10 * MINUTE, nothing);
    expect(world.letters).toEqual([TROUBLE]);
    await world.pass(2 * HOUR, nothing);
    expect(world.letters).toEqual([TROUBLE, OVER]);
    expect(world.names()).toEqual(['alert.sent', 'alert.sent']);
    expect(world.told[1]?.[1]).toMatchObject({ why: 'the end of account-refused', count: 1 });
  });

  it('nothing is told of what passes, nor of its end', async () => {
    await world.pass(50 * MINUTE, refused);
    await world.pass(3 * HOUR, nothing);
    expect(world.letters).toEqual([]);
  });

  it('a restart tells nothing again, and no end that is not seen', async () => {
    await world.pass(2 * HOUR, refused);
    for (let i = 0; i < 5; i++) {
      world.restart();
      await world.pass(20 * MINUTE, nothing, { ...WELL, ready: false });
      await world.pass(2 * HOUR, refused);
    }
    expect(world.letters).toEqual([TROUBLE]);
    world.restart();
    await world.pass(HOUR, nothing);
    expect(world.letters).toEqual([TROUBLE, OVER]);
    world.restart();
    await world.pass(HOUR, nothing);
    expect(world.letters).toEqual([TROUBLE, OVER]);
  });

  it('what may have arrived is not sent again', async () => {
    world.refuses = failure({ outcomeUnknown: true });
    await world.pass(5 * HOUR, refused);
    world.restart();
    world.refuses = undefined;
    await world.pass(24 * HOUR, refused);
    expect(world.letters).toEqual([]);
    expect(world.names()).toEqual(['alert.failed']);
  });

  it('what was refused is told later, at growing intervals, and complained about once', async () => {
    world.refuses = failure({ scope: 'account', kind: 'full' });
    await world.pass(6 * HOUR, refused);
    expect(world.names()).toEqual(['alert.failed']);
    expect(world.told[0]?.[1].msg).toContain('It did not work. It is tried again');
    world.refuses = undefined;
    await world.pass(2 * HOUR, refused);
    expect(world.letters).toEqual([TROUBLE]);
  });

  it('it is noted before it is sent', async () => {
    let noted: AlertNote[] = [];
    const { journal } = world;
    world.journal = {
      alerts: () => journal.alerts(),
      noteAlerts: (notes) => {
        noted = [...notes];
        expect(world.letters).toEqual([]);
      },
    };
    await world.pass(2 * HOUR, refused);
    expect(noted).toMatchObject([{ cause: 'account-refused', side: 'source', over: false }]);
    expect(world.letters).toEqual([TROUBLE]);
  });

  it('nothing is sent that can not be noted', async () => {
    world.journal = {
      alerts: () => [],
      noteAlerts: () => {
        throw failure({ step: 'journal' });
      },
    };
    await world.pass(9 * HOUR, refused);
    expect(world.letters).toEqual([]);
    expect(world.names()).toEqual(['alert.failed']);
  });

  it('nothing is told while the journal can not be read', async () => {
    const { journal } = world;
    let reads = 0;
    world.journal = {
      ...journal,
      alerts: () => {
        if (reads++ < 12) throw failure({ step: 'journal' });
        return [];
      },
      noteAlerts: (notes) => journal.noteAlerts(notes),
    };
    await world.pass(2 * HOUR, refused);
    expect(world.letters).toEqual([]);
    await world.pass(HOUR, refused);
    expect(world.letters).toEqual([TROUBLE]);
  });

  it('a dry run tells the log alone', async () => {
    world.dryRun = true;
    await world.pass(3 * HOUR, refused);
    await world.pass(HOUR, nothing);
    expect(world.letters).toEqual([]);
    expect(world.names()).toEqual(['alert.planned', 'alert.planned']);
  });
});

describe('by ALERT_COMMAND', () => {
  let out: string;
  const given = () => readFileSync(out, 'utf8').split('--\n').slice(0, -1);
  const command = (script: string) => {
    const environment = { PATH: process.env.PATH, OUT: out };
    world.command = { words: ['sh', '-c', script], environment };
  };
  beforeEach(() => {
    out = folderWith({ out: '' })('out');
    command(
      'echo "$IMAPFERRY_ROUTE $IMAPFERRY_CAUSE $IMAPFERRY_STATE" >> $OUT; cat >> $OUT; echo -- >> $OUT',
    );
  });
  afterEach(() => expect(world.letters.filter((each) => each === OVER)).toEqual([]));

  it('a destination that is full is told, and its end, and nothing is put there', async () => {
    await world.pass(3 * HOUR, full);
    await world.pass(HOUR, nothing);
    expect(world.letters).toEqual([]);
    expect(world.names()).toEqual(['alert.handed', 'alert.handed']);
    const [trouble = '', end = '', ...rest] = given();
    expect(rest).toEqual([]);
    expect(trouble).toMatch(
      /^default destination-full trouble\nMail from your old mailbox .*\n\nHello,\n/,
    );
    expect(trouble).toContain('The new mailbox is full');
    expect(end).toMatch(/^default destination-full over\nIt is over/);
  });

  it('what the INBOX does not take is told', async () => {
    world.refuses = failure({ kind: 'lost' });
    await world.pass(3 * HOUR, refused);
    expect(world.names()).toEqual(['alert.handed']);
    expect(given()).toHaveLength(1);
    expect(world.journal.alerts()).toMatchObject([{ by: 'command' }]);
  });

  it('what can not be noted is told once in this life', async () => {
    world.journal = {
      alerts: () => [],
      noteAlerts: () => {
        throw failure({ step: 'journal' });
      },
    };
    await world.pass(3 * HOUR, refused);
    expect(given()).toHaveLength(1);
  });

  it('nothing is told of what was not told because imapferry stops, and the next one tells it', async () => {
    world.refuses = failure({ kind: 'lost' });
    world.quit.abort();
    await world.pass(HOUR, refused);
    expect([world.names(), given(), world.journal.alerts()]).toEqual([[], [], []]);
  });

  it('nothing is told of what the INBOX may have taken', async () => {
    world.refuses = failure({ outcomeUnknown: true });
    await world.pass(3 * HOUR, refused);
    expect(given()).toEqual([]);
  });

  it('is tried again where it fails, and what it prints is for those who look closely', async () => {
    command('echo "no network"; exit 7');
    await world.pass(2 * HOUR, full);
    expect(world.names().slice(0, 2)).toEqual(['alert.command', 'alert.failed']);
    expect(world.told[1]?.[1].msg).toContain('ALERT_COMMAND ended with exit code 7.');
    expect(world.names().filter((each) => each === 'alert.failed')).toHaveLength(1);
    command('echo -- >> $OUT');
    world.restart();
    await world.pass(20 * MINUTE, full);
    expect(given()).toHaveLength(1);
  });
});

it('a destination that is full, and no ALERT_COMMAND: the log says so once, and nothing is put there', async () => {
  world.refuses = undefined;
  await world.pass(9 * HOUR, full);
  await world.pass(HOUR, nothing);
  expect(world.letters).toEqual([]);
  expect(world.names()).toEqual(['alert.failed']);
  expect(world.told[0]?.[1].msg).toContain('ALERT_COMMAND is not set');
});
