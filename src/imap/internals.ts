/**
 * The untyped part of imapflow 2.10.2 that we use, declared once. `test/contract/internals.test.ts` holds it: raising
 * the version means running that first.
 */
import type { Socket } from 'node:net';
import type { ImapFlow } from 'imapflow';

/** A node of a command or of an answer, as the library's compiler and parser have them. */
export interface Token {
  readonly type: 'ATOM' | 'STRING' | 'SEQUENCE' | 'LITERAL' | 'NUMBER' | 'TEXT';
  readonly value: string | Buffer;
  /** A response code's content, e.g. `APPENDUID`, `1795422535`, `41:50`. */
  readonly section?: readonly (Token | null)[];
}

export type Tokens = readonly (Token | Tokens | null)[];

export interface Answer {
  readonly command?: string;
  readonly attributes?: Tokens;
  /** In place of `attributes` where an untagged SEARCH is nothing but numbers. */
  readonly numbers?: readonly number[];
}

/** An answer as it came: its lines, and its literals. */
export interface Unparsed {
  readonly payload: Buffer;
  readonly literals: readonly Buffer[];
}

export interface ExecOptions {
  /** Called for each untagged answer of that name while the command is under way, and waited for. */
  readonly untagged?: Record<string, (answer: Answer) => unknown>;
  /** Called once the command's line is written. */
  readonly onSend?: () => void;
}

/** Commands past the typed methods. `exec` does not break IDLE: see `command` in client.ts. */
export interface Internals {
  exec(
    command: string,
    attributes: Tokens | false,
    options?: ExecOptions,
  ): Promise<{ readonly response: Answer; next(): void }>;
  /** Writes to the connection; a CRLF follows, since no literal of the compiler's is pending. */
  write(chunk: Buffer | string): void;
  /** Runs a registered command: ends IDLE first, arms it again afterwards. */
  run(command: string, ...args: unknown[]): Promise<unknown>;
  /** Called for each answer, before it is parsed; whether to read on. */
  handleResponse(answer: Unparsed): Promise<boolean>;
  readonly commands: Map<string, (connection: unknown, ...args: never[]) => Promise<unknown>>;
  readonly capabilities: Map<string, boolean | number>;
  /** What LIST said of folders, by their paths. */
  readonly folders: Map<string, { readonly path: string }>;
  readonly socket: Socket | false;
  readonly writeSocket: Socket | false;
  /** What is called for a response code in any status answer, e.g. `UIDNOTSTICKY`. */
  readonly sectionHandlers: Record<string, () => void>;
  /** What is called for an untagged answer that no command under way asks for, by its name, e.g. `STATUS`. */
  readonly untaggedHandlers: Record<string, (answer: Answer) => unknown>;
  namespace: { prefix: string; delimiter?: string } | undefined;
  /** What NAMESPACE said; each prefix with its separator. `false`: none of that kind. */
  readonly namespaces:
    | Readonly<Record<'personal' | 'other' | 'shared', readonly { prefix: string }[] | false>>
    | undefined;
  skipIdle?: boolean;
  readonly options: { disableAutoIdle?: boolean };
}

export type Flow = ImapFlow & Internals;

const METHODS = ['exec', 'write', 'run', 'handleResponse'] as const;
const MAPS = ['commands', 'capabilities', 'folders'] as const;
const OBJECTS = ['options', 'sectionHandlers', 'untaggedHandlers'] as const;

/** An ImapFlow with its internals. Throws where this version of the library has them no more. */
export function internals(flow: ImapFlow): Flow {
  const open = flow as Flow;
  const lacking = [
    ...METHODS.filter((name) => typeof open[name] !== 'function'),
    ...MAPS.filter((name) => !(open[name] instanceof Map)),
    ...OBJECTS.filter((name) => typeof open[name] !== 'object' || open[name] === null),
  ];
  if (lacking.length > 0) {
    throw new TypeError(
      `This version of imapflow has no ${lacking.join(', ')} as imapferry knows it`,
    );
  }
  return open;
}
