/** The waits of a life that is to be killed, and of the one after it. */
import { PACE, type Pace } from '../../src/forward/pace.ts';

/** On loopback a dead connection's APPEND is stored at once or never. */
export const PACE_OF_LIVES: Pace = {
  ...PACE,
  settle: 300,
  reconnectFirst: 100,
  attemptFirst: 100,
  gather: 100,
};
