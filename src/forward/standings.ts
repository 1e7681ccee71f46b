/**
 * Where folders stood when they were last looked at, and whether a STATUS tells anything new. Pure.
 *
 * A visit knows a folder from its SELECT, and from the STATUS that led to it. It may carry mail away meanwhile: until the
 * next STATUS, fewer messages under the same UIDNEXT are its own doing. From then on every difference counts.
 */
import type { FolderStatus } from '../domain/ports.ts';

interface Known {
  readonly bases: readonly FolderStatus[];
  readonly exact: boolean;
}

export class Standings {
  readonly #known = new Map<string, Known>();
  /** The STATUS that told something new last. */
  readonly #said = new Map<string, FolderStatus>();

  /** To be called before a folder is opened; what it returns, with the view that came of it. */
  opening(folder: string): (view: FolderStatus) => void {
    const said = this.#said.get(folder);
    return (view) => this.#known.set(folder, { bases: said ? [view, said] : [view], exact: false });
  }

  /** The folder was not looked through after all: whatever is said of it is new. */
  forget(folder: string): void {
    this.#known.delete(folder);
  }

  /** A STATUS has shown the folder as it is since it was looked at, so that from now on every change is one. */
  settled(folder: string): boolean {
    return this.#known.get(folder)?.exact === true;
  }

  /** Whether a STATUS shows anything that the last look at the folder did not. */
  isNews(folder: string, status: FolderStatus): boolean {
    const known = this.#known.get(folder);
    const base = known?.bases.find((each) => covers(each, status, known.exact));
    if (known !== undefined && base !== undefined) {
      this.#known.set(folder, { bases: [{ ...base, ...status }], exact: true });
      return false;
    }
    this.#said.set(folder, status);
    return true;
  }
}

function covers(base: FolderStatus, status: FolderStatus, exact: boolean): boolean {
  const same = (['uidValidity', 'uidNext'] as const).every(
    (name) => status[name] === undefined || status[name] === base[name],
  );
  const { messages = base.messages } = status;
  if (!same || messages === undefined || base.messages === undefined) return same;
  return exact ? messages === base.messages : messages <= base.messages;
}
