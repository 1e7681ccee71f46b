/** The moments of a batch's journey at which the world changes under it. */
import type { Deed, Moment } from '../support/imap-wire.ts';
import type { World } from './world.ts';

export interface At {
  readonly name: string;
  readonly side: 'source' | 'destination';
  readonly when: Moment['when'];
  readonly line: RegExp;
}

const WHOLE = / UID FETCH .* BODY\.PEEK\[\]/;

function around(what: string, side: At['side'], line: RegExp): At[] {
  return (['before', 'after'] as const).map((when) => ({
    name: `${when} the ${what}`,
    side,
    when,
    line,
  }));
}

/** From the look that finds a batch to its end, in order. */
export const MOMENTS: readonly At[] = [
  ...around('look', 'source', / UID SEARCH ALL/),
  ...around('fetch', 'source', WHOLE),
  ...around('APPEND', 'destination', / APPEND /).toSpliced(1, 0, {
    name: 'in the middle of the APPEND',
    side: 'destination',
    when: 'up',
    line: / APPEND /,
  }),
  ...around('read-back', 'destination', WHOLE),
  ...around('STORE', 'source', / UID STORE /),
  ...around('EXPUNGE', 'source', / (UID )?EXPUNGE/),
];

/** Whether this is one of these moments, and comes before the other. */
export function isBefore(one: At, other: string): boolean {
  const at = MOMENTS.indexOf(one);
  return at >= 0 && at < MOMENTS.findIndex(({ name }) => name === other);
}

/**
 * Has something done at the first such moment, while all else on that connection waits. The answer says whether it is
 * done; it throws what was thrown.
 */
export function meanwhile(world: World, at: At, deed: () => Promise<unknown>): () => boolean {
  let reached = false;
  let done = false;
  let thrown: unknown;
  const first = () =>
    deed().then(
      () => {
        done = true;
      },
      (error: unknown) => {
        thrown = error;
      },
    );
  world[at.side].at = ({ when, command }): Deed => {
    if (reached || when !== at.when || !at.line.test(command.line)) return undefined;
    reached = true;
    return { first };
  };
  return () => {
    if (thrown !== undefined) throw thrown;
    return done;
  };
}
