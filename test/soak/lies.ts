/** What a server that can't be trusted makes of an APPEND, of its answer, and of the messages that it shows. */
import { message } from '../support/mail.ts';
import type { Dice } from './dice.ts';

/** A message that none of the letters is. */
export const JUNK = message({ id: '<junk@example.org>', body: 'Another message altogether' });

/** Where misfiled messages go at the destination. */
export const MISFILED = 'Misfiled';

interface Part {
  /** The line up to the literal: folder, flags, date. */
  readonly head: string;
  readonly plus: string;
  readonly bytes: Buffer;
}

const LITERAL = /^(.*)\{(\d+)(\+?)\}$/s;

function partsOf(command: Buffer): Part[] {
  const parts: Part[] = [];
  for (let at = 0; ; ) {
    const end = command.indexOf('\r\n', at);
    if (end < 0) return parts;
    const [, head = '', length, plus = ''] =
      LITERAL.exec(command.subarray(at, end).toString('latin1')) ?? [];
    if (length === undefined) return parts;
    at = end + 2 + Number(length);
    parts.push({ head, plus, bytes: command.subarray(end + 2, at) });
  }
}

function joined(parts: readonly Part[]): Buffer {
  const pieces = parts.flatMap(({ head, plus, bytes }) => [
    Buffer.from(`${head}{${bytes.length}${plus}}\r\n`, 'latin1'),
    bytes,
  ]);
  return Buffer.concat([...pieces, Buffer.from('\r\n')]);
}

const SPOILT = {
  'cut short': (bytes: Buffer, dice: Dice) =>
    bytes.subarray(0, dice.between(1, Math.floor(bytes.length / 2))),
  'one byte changed': (bytes: Buffer, dice: Dice) => {
    const changed = Buffer.from(bytes);
    const from = dice.below(bytes.length);
    for (let i = 0; i < bytes.length; i++) {
      const at = (from + i) % bytes.length;
      const byte = changed[at] ?? 0;
      if (byte < 0x61 || byte > 0x7a) continue;
      changed[at] = byte === 0x7a ? 0x61 : byte + 1;
      return changed;
    }
    return undefined;
  },
  "another message's bytes": () => JUNK,
} as const;

export type Spoilt = keyof typeof SPOILT;
export const SPOILT_WAYS = Object.keys(SPOILT) as Spoilt[];

/** Too short to be cut in a way that nobody would forgive. */
const LEAST = 40;

export interface Altered {
  readonly command: Buffer;
  /** The INTERNALDATE of the message that was spoilt, as a time. */
  readonly date: number;
}

/** The command with one of its messages spoilt; `undefined` where that can't be done. */
export function spoil(command: Buffer, how: Spoilt, dice: Dice): Altered | undefined {
  const parts = partsOf(command);
  if (parts.length === 0) return undefined;
  const nth = dice.below(parts.length);
  const part = parts[nth];
  const date = dateOf(part?.head ?? '');
  if (part === undefined || date === undefined || part.bytes.length < LEAST) return undefined;
  const bytes = SPOILT[how](part.bytes, dice);
  if (bytes === undefined) return undefined;
  return { date, command: joined(parts.map((one, i) => (i === nth ? { ...one, bytes } : one))) };
}

/** The command, meant for another folder. */
export function misfile(command: Buffer, folder: string): Buffer {
  const end = command.indexOf('\r\n');
  const line = command.subarray(0, end).toString('latin1');
  const other = line.replace(/^(\S+ APPEND )("[^"]*"|\S+)/i, `$1"${folder}"`);
  return Buffer.concat([Buffer.from(other, 'latin1'), command.subarray(end)]);
}

/** How many messages a command appends. */
export function countOf(command: Buffer): number {
  return partsOf(command).length;
}

function dateOf(head: string): number | undefined {
  const [, date] = /"([ \d]\d-\w{3}-\d{4} [\d:]{8} [+-]\d{4})"/.exec(head) ?? [];
  return date === undefined ? undefined : new Date(date.trim().replace(/-/g, ' ')).getTime();
}

/** An answer to APPEND that names other UIDs than the truth. */
export function misnumbered(answer: string, dice: Dice): string {
  const [, uid = '1'] = /APPENDUID \d+ (\d+)/.exec(answer) ?? [];
  const set = dice.pick([
    String(dice.between(1, Number(uid))),
    String(Number(uid) + 1),
    `${Number(uid) + dice.between(2, 50)}`,
    '1:3',
    '',
  ]);
  return answer.replace(/(APPENDUID \d+ )[\d:,]+/, `$1${set}`);
}

/** A FETCH row with another body, each time another one; the row itself where it shows no body. */
export function missshown(answer: Buffer, nth: number, dice: Dice): Buffer | undefined {
  const text = answer.toString('latin1');
  const found = /BODY\[\] \{(\d+)\}\r\n/.exec(text);
  if (!found) return undefined;
  const start = found.index + found[0].length;
  const body = answer.subarray(start, start + Number(found[1]));
  const short = body.length > LEAST ? body.subarray(0, -Math.min(body.length - 1, nth)) : body;
  const other = dice.pick([
    short,
    Buffer.alloc(0),
    Buffer.concat([JUNK, Buffer.from(`${nth}\r\n`)]),
  ]);
  if (other.length === body.length) return undefined;
  return Buffer.concat([
    answer.subarray(0, found.index),
    Buffer.from(`BODY[] {${other.length}}\r\n`),
    other,
    answer.subarray(start + body.length),
  ]);
}
