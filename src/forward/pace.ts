/** The waits of the engine in one place, so that tests can shorten them. All in milliseconds but `attempts`. */
export interface Pace {
  /** Without a byte in either direction for this long while a command is under way, a connection counts as dead. */
  readonly silence: number;
  /** First and longest pause between two tries to connect; doubling, with jitter. */
  readonly reconnectFirst: number;
  readonly reconnectLongest: number;
  /** Tries a batch gets before it is postponed to the next sweep, and the first pause between them; doubling. */
  readonly attempts: number;
  /** How many refused attempts a route, and refused logins an account, may make within how long. */
  readonly refusals: number;
  readonly refusalsWithin: number;
  readonly attemptFirst: number;
  /** So long at most does what is proven wait for the others in hand, to be retired together with them. */
  readonly gather: number;
  /** After this long since an interrupted connection ended, its APPEND is taken to have been stored or not. */
  readonly settle: number;
  /** After three refusals in a row, the pause before each further login. */
  readonly refusedLogin: number;
  /** How often a folder is asked whose server does not announce mail by itself. */
  readonly ask: number;
  /** How often a folder that no watcher holds is asked whether it has changed. */
  readonly notice: number;
  /** What a server told by NOTIFY is waited for, when STATUS has shown a change: longer, and NOTIFY is not relied on. */
  readonly notifyWithin: number;
  /** How long a folder without new mail keeps its watcher, though another has some. */
  readonly dwell: number;
  /** For how long a server may count a connection that has been ended. */
  readonly leaving: number;
  /** First and longest pause before a watcher more is tried, after the server had let no more connections in; doubling. */
  readonly crowdedFirst: number;
  readonly crowdedLongest: number;
  /** First and longest pause before a refused message is tried again; doubling. */
  readonly refusedFirst: number;
  readonly refusedLongest: number;
  /** How often a message whose copy differs is looked at again. */
  readonly unverified: number;
  /** First and longest pause of deliveries after the destination refused for the folder's or account's sake. */
  readonly holdFirst: number;
  readonly holdLongest: number;
  /** After so long without a throttle answer a route goes one step faster again. */
  readonly recover: number;
  /** How often the progress of a long drain is told, and how often that a rate limit holds it up. */
  readonly progress: number;
  readonly paced: number;
  /** The longest single pause that a sweep by command waits for a rate limit or a throttle answer. */
  readonly sweepWaits: number;
  /** A destination connection that rests this long is asked whether it lives; the spare ones are ended. */
  readonly rest: number;
  /** What a stop waits for what is in flight. */
  readonly stop: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

export const PACE: Pace = {
  silence: 90 * second,
  reconnectFirst: second,
  reconnectLongest: 5 * minute,
  attempts: 5,
  refusals: 6,
  refusalsWithin: minute,
  attemptFirst: second,
  gather: 5 * second,
  settle: 10 * second,
  refusedLogin: 15 * minute,
  ask: 30 * second,
  notice: 45 * second,
  notifyWithin: 5 * second,
  dwell: 10 * minute,
  leaving: 10 * second,
  crowdedFirst: hour,
  crowdedLongest: 24 * hour,
  refusedFirst: minute,
  refusedLongest: 6 * hour,
  unverified: 24 * hour,
  holdFirst: minute,
  holdLongest: hour,
  recover: 5 * minute,
  progress: minute,
  paced: hour,
  sweepWaits: 10 * minute,
  rest: 2 * minute,
  stop: 7 * second,
};

/** The pause after a message was refused for the `nth` time. */
export function refusedPause(
  { refusedFirst, refusedLongest }: Pick<Pace, 'refusedFirst' | 'refusedLongest'>,
  nth: number,
): number {
  return doubled(refusedFirst, Math.max(0, nth - 1), refusedLongest);
}

/** `first`, doubled `times` times, `longest` at most. */
export function doubled(first: number, times: number, longest: number): number {
  return Math.min(first * 2 ** Math.min(times, 40), longest);
}
