/**
 * Messages that are too large for memory, in files of STATE_DIR. A file loses its name as soon as it is open, so that what
 * it holds goes with the process, however that ends.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Content, type Tallied, Tally } from '../domain/content.ts';
import { Failure } from '../domain/failure.ts';
import type { Incoming, Spool } from '../domain/ports.ts';

/** So much is read at a time. */
const PIECE = 256 * 1024;

/** Where the spool of a STATE_DIR is. */
function folderOf(stateDir: string): string {
  return join(stateDir, 'spool');
}

/**
 * Removes what an imapferry left that died between opening a file and taking its name away. Throws a Failure (step
 * `journal`) where that can't be done.
 */
export function clearSpool(stateDir: string): void {
  const folder = folderOf(stateDir);
  try {
    const left = existsSync(folder) ? readdirSync(folder) : [];
    for (const name of left) rmSync(join(folder, name), { recursive: true });
  } catch (thrown) {
    throw new Failure(
      `The folder ${folder}, in which imapferry keeps large messages while it carries them, can not be used (${reason(thrown)}).`,
      { step: 'journal', scope: 'account', lasting: true, cause: thrown },
    );
  }
}

/** A spool in STATE_DIR, in which there is nothing yet. */
export function spoolIn(stateDir: string): Spool {
  return new FileSpool(folderOf(stateDir));
}

class FileSpool implements Spool {
  readonly #folder: string;
  readonly #files: FileHandle[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  receive(): Promise<Incoming> {
    return orFailure(async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const path = join(this.#folder, randomUUID());
      const file = await open(path, 'wx+', 0o600);
      this.#files.push(file);
      await unlink(path);
      return new SpoolFile(file);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files.splice(0)) await file.close().catch(() => undefined);
  }
}

class SpoolFile implements Incoming {
  readonly #file: FileHandle;
  readonly #tally = new Tally();
  #length = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(piece: Buffer): Promise<void> {
    this.#tally.add(piece);
    await orFailure(async () => {
      for (let at = 0; at < piece.length; ) {
        const left = piece.length - at;
        const { bytesWritten } = await this.#file.write(piece, at, left, this.#length);
        at += bytesWritten;
        this.#length += bytesWritten;
      }
    });
  }

  end(): Content {
    return new Spooled(this.#file, this.#tally.end());
  }
}

class Spooled implements Content {
  readonly bytes = undefined;
  readonly length: number;
  readonly sha256: string;
  readonly head: Buffer;
  readonly headIsWhole: boolean;
  readonly canonical: string;
  readonly rewritten: readonly string[];
  readonly hasNul: boolean;
  readonly endsLine: boolean;
  readonly #file: FileHandle;

  constructor(file: FileHandle, tallied: Tallied) {
    this.#file = file;
    this.length = tallied.length;
    this.sha256 = tallied.sha256;
    this.head = tallied.head;
    this.headIsWhole = tallied.headIsWhole;
    this.canonical = tallied.canonical;
    this.rewritten = tallied.rewritten;
    this.hasNul = tallied.hasNul;
    this.endsLine = tallied.endsLine;
  }

  async *pieces(): AsyncGenerator<Buffer> {
    const piece = Buffer.allocUnsafeSlow(PIECE);
    for (let at = 0; at < this.length; ) {
      const left = Math.min(piece.length, this.length - at);
      const { bytesRead } = await this.#file.read(piece, 0, left, at);
      if (bytesRead === 0) throw new Error('The spooled message ends too soon');
      yield piece.subarray(0, bytesRead);
      at += bytesRead;
    }
  }
}

/** What the disk does not take is the message's own trouble for now: all else goes on. */
async function orFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw new Failure(
      `A message that is too large for memory can not be put into STATE_DIR while it is carried (${reason(thrown)}). It stays at the source; there has to be as much room on that disk as the message is large, for each of those that are carried at once.`,
      { step: 'fetch', scope: 'message', cause: thrown },
    );
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'its quota is used up',
  EFBIG: 'the file system takes no file of that size',
  EACCES: 'it may not be written',
  EROFS: 'it is read-only',
};

function reason(thrown: unknown): string {
  const { code = '', message } = thrown as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}
