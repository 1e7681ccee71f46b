/** Names of folders: INBOX is the same in any letter case (RFC 9051 §5.1); every other name is as it is spelled. */

export function isInbox(name: string): boolean {
  return name.toUpperCase() === 'INBOX';
}

/** A name as it is compared with others: INBOX in capitals, every other one as it is. */
export function nameOf(path: string): string {
  return isInbox(path) ? 'INBOX' : path;
}

/** Whether both name one folder of an account. */
export function sameFolder(a: string, b: string): boolean {
  return nameOf(a) === nameOf(b);
}
