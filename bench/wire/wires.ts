/** The wires of a bench, seen from the bench. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { authority, type Issued } from '../../test/support/certificates.ts';
import type { Answer, Asked } from './process.ts';
import type { Notes } from './trace.ts';

/** One wire: where a client connects, and what has passed. */
export interface Strand {
  readonly port: number;
  readonly ca: string;
  readonly caFile: string;
  /** What has passed since it was last asked. */
  take(): Promise<Notes>;
  close(): Promise<void>;
}

export class Wires implements AsyncDisposable {
  readonly #home = mkdtempSync(join(tmpdir(), 'imapferry-wires-'));
  readonly #issued: Issued = authority(this.#home);
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (told: Answer) => void>();
  #asked = 0;

  constructor() {
    const entry = fileURLToPath(new URL('process.ts', import.meta.url));
    this.#child = fork(entry, { serialization: 'advanced' });
    this.#child.on('message', ({ id, told }: { id: number; told: Answer }) => {
      this.#waiting.get(id)?.(told);
      this.#waiting.delete(id);
    });
  }

  /** @param roundTrip milliseconds */
  async open(to: number, roundTrip: number): Promise<Strand> {
    const { ca, caFile, certFile, keyFile } = this.#issued;
    const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certFile, 'utf8')];
    const settings = { to, delay: roundTrip / 2, key, cert };
    const { port = 0 } = await this.#ask({ ask: 'open', settings });
    return {
      port,
      ca,
      caFile,
      take: async () => {
        const { notes } = await this.#ask({ ask: 'take', port });
        if (!notes) throw new Error('There is no such wire');
        return notes;
      },
      close: async () => {
        await this.#ask({ ask: 'close', port });
      },
    };
  }

  /** Milliseconds of CPU that the wires have taken so far. */
  async cpu(): Promise<number> {
    return (await this.#ask({ ask: 'cpu' })).cpu ?? Number.NaN;
  }

  #ask(asked: Asked): Promise<Answer> {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, asked }, (error) => {
        if (error) reject(error);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.connected) this.#child.disconnect();
    else this.#child.kill('SIGKILL');
    await gone;
    rmSync(this.#home, { recursive: true, force: true });
  }
}
