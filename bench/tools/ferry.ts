/** imapferry that runs, to be measured. */
import { readdirSync } from 'node:fs';
import { Place, Program, type Settings } from '../../test/journey/program.ts';
import type { Side } from '../contenders/contender.ts';
import { ENVIRONMENT, PROGRAM, sideSettings } from '../contenders/imapferry.ts';

export interface Between {
  readonly source: Side;
  readonly destination: Side;
}

/** The compiled program, with a folder of its own for state and secrets. */
export class Ferry implements AsyncDisposable {
  readonly program: Program;
  readonly #place: Place;
  readonly #keeps: boolean;

  private constructor(place: Place, program: Program, keeps: boolean) {
    this.#place = place;
    this.program = program;
    this.#keeps = keeps;
  }

  /** One route. INBOX only, unless `changes` say otherwise. */
  static run(between: Between, changes: Settings = {}): Ferry {
    const place = new Place();
    return new Ferry(
      place,
      start(place, { ...route(between, place), FOLDERS: 'INBOX', ...changes }),
      false,
    );
  }

  /** One route in a place that is there before, and after. */
  static runIn(place: Place, between: Between, changes: Settings = {}): Ferry {
    return new Ferry(
      place,
      start(place, { ...route(between, place), FOLDERS: 'INBOX', ...changes }),
      true,
    );
  }

  /** Several routes, with settings that all of them share. */
  static routes(all: ReadonlyMap<string, Between>, shared: Settings): Ferry {
    const place = new Place();
    const own = [...all].flatMap(([name, between]) =>
      Object.entries(route(between, place, name)).map(([key, value]) => [
        `${name.toUpperCase()}_${key}`,
        value,
      ]),
    );
    const settings = { ...Object.fromEntries(own), ROUTES: [...all.keys()].join(','), ...shared };
    return new Ferry(place, start(place, settings), false);
  }

  get pid(): number {
    return this.program.pid;
  }

  /** The files that STATE_DIR holds beside the journal. */
  leftovers(): string[] {
    return readdirSync(this.#place.stateDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/^journal|lock/.test(entry.name))
      .map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.kill('SIGTERM');
    if (!this.#keeps) this.#place[Symbol.dispose]();
  }
}

function route({ source, destination }: Between, place: Place, name = ''): Settings {
  return {
    ...sideSettings('SOURCE', source, place.home, name),
    ...sideSettings('DEST', destination, place.home, name),
  };
}

function start(place: Place, settings: Settings): Program {
  const own = { STATE_DIR: place.stateDir, LOG_FORMAT: 'json' };
  const all = { ...ENVIRONMENT, ...own, ...settings };
  return new Program(place, all, ['run'], { main: PROGRAM });
}
