/** What goes wrong at a memory server: a list of faults a step, one per attempt. */
import type { Failure } from '../../src/domain/failure.ts';

/** The calls that can be told to go wrong: the ports' methods, and the two halves of `connect`. */
export type CallName =
  | 'connect'
  | 'login'
  | 'listFolders'
  | 'noop'
  | 'logout'
  | 'open'
  | 'status'
  | 'statuses'
  | 'notify'
  | 'uids'
  | 'list'
  | 'listFrom'
  | 'fetch'
  | 'mark'
  | 'setFlag'
  | 'expunge'
  | 'expungeAlone'
  | 'move'
  | 'ensureFolder'
  | 'create'
  | 'append'
  | 'read'
  | 'reflag';

/**
 * How an answer lies while the call seems to succeed.
 * - `nothing`: nothing was done, and success is claimed (any call with an effect); of `fetch` and `read`: nothing comes
 * - `denied`: it was done, and the answer says that nothing was (`mark`, `expunge`, `expungeAlone`, `move`)
 * - `truncated`, `empty`, `changed` (one byte), `other` (another message's bytes): stored by `append`, or come back so
 *   from `fetch` and `read`
 * - `twice`: `append` stores the message twice
 * - `no-uid`, `wrong-uid`, `wrong-validity`: what APPENDUID says of a message that was stored well
 */
export type Lie =
  | 'nothing'
  | 'denied'
  | 'truncated'
  | 'empty'
  | 'changed'
  | 'other'
  | 'twice'
  | 'no-uid'
  | 'wrong-uid'
  | 'wrong-validity';

/** One attempt's fate. All parts are optional; they are worked off in the order they stand here. */
export interface Fault {
  /** The server takes its time: so many milliseconds pass before anything else. */
  readonly takes?: number;
  /** What another client does before the call has its effect. */
  readonly before?: () => void;
  /** The connection ends before the effect. The caller learns only that it ended. */
  readonly closesBefore?: boolean;
  /** The server refuses; the connection lives and nothing was done. */
  readonly fails?: Failure;
  /** No answer ever comes, and nothing is done. Ends when the connection does. */
  readonly hangs?: boolean;
  readonly lies?: Lie;
  /** What another client does after the effect and before the answer. */
  readonly after?: () => void;
  /** The effect is there and the connection ends before the answer. */
  readonly closesAfter?: boolean;
  /** The effect is there, the answer can't be understood, and the connection lives. */
  readonly unanswered?: boolean;
  /**
   * Which message of an `append`, `fetch` or `read` a lie concerns, by its index in the call (default 0). Everything
   * else concerns the whole command; without MULTIAPPEND each message of an append is a command of its own.
   */
  readonly at?: number;
}

/** An attempt at which nothing goes wrong. */
export const fine: Fault = {};

export const fails = (failure: Failure): Fault => ({ fails: failure });
export const closesBefore: Fault = { closesBefore: true };
export const closesAfter: Fault = { closesAfter: true };
export const unanswered: Fault = { unanswered: true };
export const hangs: Fault = { hangs: true };
export const lies = (lie: Lie, at = 0): Fault => ({ lies: lie, at });
/** Another client acts before, or after, the call has its effect. */
export const meanwhile = (before: () => void): Fault => ({ before });
export const afterwards = (after: () => void): Fault => ({ after });

/** The bytes that come instead of the true ones. `other` is another message's. */
export function falsified(lie: Lie, bytes: Buffer, other: Buffer): Buffer {
  switch (lie) {
    case 'truncated':
      return bytes.subarray(0, Math.floor(bytes.length / 2));
    case 'empty':
      return Buffer.alloc(0);
    case 'changed': {
      const changed = Buffer.from(bytes);
      const at = Math.max(0, changed.length - 3);
      changed[at] = ((changed[at] ?? 0) ^ 0x01) & 0xff;
      return changed;
    }
    case 'other':
      return other;
    default:
      return bytes;
  }
}
