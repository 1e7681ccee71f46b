/**
 * Reads what both servers hold. The bytes of a message are fetched once: under its UIDVALIDITY and UID they are the same
 * for ever (RFC 9051 §2.3.1.1); its flags are read each time.
 */
import type { Mail, Stored } from '../support/mail.ts';
import type { Holdings } from '../support/oracle.ts';

export class Eyes implements AsyncDisposable {
  readonly #login: () => Promise<Mail>;
  readonly #bytes = new Map<string, Buffer>();
  #mail: Mail | undefined;

  constructor(login: () => Promise<Mail>) {
    this.#login = login;
  }

  /** Those of the folders that are there, opened afresh and read-only. */
  async read(folders: readonly string[]): Promise<Holdings> {
    for (let again = 2; ; again--) {
      this.#mail ??= await this.#login();
      try {
        return await this.#read(this.#mail, folders);
      } catch (thrown) {
        if (again === 0 || !isUpset(thrown)) throw thrown;
        await this.#mail[Symbol.asyncDispose]();
        this.#mail = undefined;
      }
    }
  }

  async #read(mail: Mail, folders: readonly string[]): Promise<Holdings> {
    const there = await mail.folders();
    const holdings = new Map<string, readonly Stored[]>();
    for (const folder of folders) {
      if (there.includes(folder)) holdings.set(folder, await this.#folder(mail, folder));
    }
    return holdings;
  }

  async #folder(mail: Mail, folder: string): Promise<Stored[]> {
    const opened = Buffer.concat(await mail.command(`EXAMINE "${folder}"`)).toString('latin1');
    const validity = /\[UIDVALIDITY (\d+)\]/.exec(opened)?.[1] ?? '';
    const key = (uid: number) => `${folder} ${validity} ${uid}`;
    const answers = await mail.command('UID FETCH 1:* (UID FLAGS INTERNALDATE)');
    const rows = answers.flatMap((answer) => rowOf(answer.toString('latin1')) ?? []);
    const unknown = rows.filter(({ uid }) => !this.#bytes.has(key(uid)));
    for (const { uid } of unknown) {
      const answers = await mail.command(`UID FETCH ${uid} (UID BODY.PEEK[])`);
      const bytes = answers.flatMap((answer) => bodyOf(answer) ?? []);
      if (bytes[0] !== undefined) this.#bytes.set(key(uid), bytes[0]);
    }
    await mail.command('UNSELECT');
    // What has gone between the two is not there.
    return rows.flatMap((row) => {
      const bytes = this.#bytes.get(key(row.uid));
      return bytes === undefined ? [] : [{ ...row, bytes }];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mail?.[Symbol.asyncDispose]();
  }
}

/** A server ends connections that have seen a folder under another UIDVALIDITY, or before it was made anew, or is muddled. */
export function isUpset(thrown: unknown): boolean {
  return /closed the connection|deleted under us|\[SERVERBUG\]/.test(String(thrown));
}

export type Row = Omit<Stored, 'bytes'>;

/** UID, flags and INTERNALDATE of a FETCH answer without a body. */
export function rowOf(answer: string): Row | undefined {
  const uid = /\bUID (\d+)/.exec(answer);
  const date = /INTERNALDATE "([^"]+)"/.exec(answer);
  const flags = /FLAGS \(([^)]*)\)/.exec(answer);
  if (!uid || !date || !flags) return undefined;
  return {
    uid: Number(uid[1]),
    flags: (flags[1] ?? '').split(' ').filter((flag) => flag !== '' && flag !== '\\Recent'),
    internalDate: new Date((date[1] ?? '').trim().replace(/-/g, ' ')),
  };
}

function bodyOf(answer: Buffer): Buffer | undefined {
  const found = /BODY\[\] (?:\{(\d+)\}\r\n|"")/.exec(answer.toString('latin1', 0, 200));
  if (!found) return undefined;
  const start = found.index + found[0].length;
  return Buffer.from(answer.subarray(start, start + Number(found[1] ?? 0)));
}
