/** Whom the mail servers of the tests run as: the user who runs the tests, but not root, as whom mail servers refuse to run. */
import { execFileSync } from 'node:child_process';
import { chownSync, readdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';

export interface MailUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export function mailUser(): MailUser {
  const { username, uid, gid } = userInfo();
  if (uid !== 0) return { name: username, uid, gid };
  const id = (what: string) => Number(execFileSync('id', [what, 'nobody'], { encoding: 'utf8' }));
  return { name: 'nobody', uid: id('-u'), gid: id('-g') };
}

/** Gives a folder, and all that is in it, to a user; root alone can. */
export function owned(folder: string, { uid, gid }: MailUser): void {
  if (userInfo().uid !== 0) return;
  chownSync(folder, uid, gid);
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    chownSync(join(folder, path), uid, gid);
  }
}
