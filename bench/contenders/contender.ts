/** Who takes part in a drain, and what each is given. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../tools/run.ts';
import type { Strand } from '../wire/wires.ts';

/** A port that speaks TLS, and whom to trust there. */
export type Door = Pick<Strand, 'port' | 'ca' | 'caFile'>;

/** How the destination lets messages be appended. */
export type Appending = 'multiappend' | 'literal+' | 'synchronising';

export interface Side {
  /** Where it connects, over TLS. */
  readonly door: Door;
  readonly user: string;
  readonly password: string;
}

export interface Turn {
  readonly source: Side;
  readonly destination: Side;
  readonly appending: Appending;
  /** Connections to the destination, where more than one helps. */
  readonly concurrency: number;
  /** A folder for settings and state, empty. */
  readonly home: string;
}

export interface Contender {
  readonly name: string;
  /** What it does with a message, in the table. */
  readonly does: string;
  /** It leaves the originals where they are. */
  readonly copies?: boolean;
  /** Why it can not take part; undefined if it can. */
  absent?(): string | undefined;
  /** The most messages that it is given; its rate is that of those. */
  most?(turn: { readonly appending: Appending; readonly roundTrip: number }): number;
  command(turn: Turn): Command;
}

/** Whether a program is on PATH. */
export function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
