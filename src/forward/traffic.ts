/** What a batch asks of both accounts, as rate limits count it: whole messages and their bytes, whether they come or not. */

/** So many messages, and so many bytes. */
export interface Load {
  readonly messages: number;
  readonly bytes: number;
}

/** What is asked of either side. */
export interface Loads {
  readonly source: Load;
  readonly destination: Load;
}

export const NO_LOAD: Load = { messages: 0, bytes: 0 };
export const NO_LOADS: Loads = { source: NO_LOAD, destination: NO_LOAD };
export const ENDLESS: Load = {
  messages: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
};

/** The two together; with a `sign` of -1, the first without the second. */
export function together(one: Load, other: Load, sign: 1 | -1 = 1): Load {
  return {
    messages: one.messages + sign * other.messages,
    bytes: one.bytes + sign * other.bytes,
  };
}

/** As much of one as is more than the other, on both sides. */
export function excess(one: Loads, other: Loads): Loads {
  const over = (a: Load, b: Load): Load => ({
    messages: Math.max(0, a.messages - b.messages),
    bytes: Math.max(0, a.bytes - b.bytes),
  });
  return {
    source: over(one.source, other.source),
    destination: over(one.destination, other.destination),
  };
}

/** What is asked of both sides by all of them. */
export function sum(all: readonly Loads[]): Loads {
  const add = (side: keyof Loads) =>
    all.reduce((load: Load, each) => together(load, each[side]), NO_LOAD);
  return { source: add('source'), destination: add('destination') };
}

/** Whether there is room for it on both sides. */
export function fits({ source, destination }: Loads, room: Loads): boolean {
  const isWithin = (load: Load, most: Load) =>
    load.messages <= most.messages && load.bytes <= most.bytes;
  return isWithin(source, room.source) && isWithin(destination, room.destination);
}

/** Told of each step that asks something, before it does. */
export class Traffic {
  readonly #asks: (loads: Loads) => void;

  /** @param asks hears what each of them asks */
  constructor(asks: (loads: Loads) => void = () => undefined) {
    this.#asks = asks;
  }

  /** Originals are fetched. */
  fetching(messages: readonly { readonly size: number }[]): void {
    this.#ask('source', loadOf(messages));
  }

  /** Copies are appended. */
  appending(messages: readonly { readonly size: number }[]): void {
    this.#ask('destination', loadOf(messages));
  }

  /** Copies that were appended just now are read back: the same messages, and their bytes once more. */
  readingBack(messages: readonly { readonly size: number }[]): void {
    const { bytes } = loadOf(messages);
    this.#ask('destination', { messages: 0, bytes });
  }

  /** What may be copies is read. */
  reading(messages: readonly { readonly size: number }[]): void {
    this.#ask('destination', loadOf(messages));
  }

  #ask(side: keyof Loads, load: Load): void {
    this.#asks({ ...NO_LOADS, [side]: load });
  }
}

function loadOf(messages: readonly { readonly size: number }[]): Load {
  return {
    messages: messages.length,
    bytes: messages.reduce((sum, { size }) => sum + size, 0),
  };
}
