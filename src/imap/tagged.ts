/** The lines that end a command, of commands that are sent past the library (RFC 9051 §7.1). */

/** A tagged answer: its tag, OK or not, and the words behind it. */
export const TAGGED = /^([^ ]+) (OK|NO|BAD)(?: (.*))?$/is;

/** Not refused: some of the messages went meanwhile, and the server wants the client to know that first (RFC 2180 §4.1.2). */
export const GONE = /some of the requested messages no longer exist/i;

/** A refusal that does not say of what. */
export const UNTAGGED_REFUSAL = /^(BAD|NO)( |$)/i;

/** A response code and the words behind it. */
const CODE = /^\[([^\] ]+)([^\]]*)\] ?(.*)$/s;

/** A tagged NO or BAD, as the library would throw it. */
export function refusal(status: string, words: string): Error {
  const [, code, , text = words] = CODE.exec(words) ?? [];
  const told = { responseStatus: status, serverResponseCode: code, responseText: text };
  return Object.assign(new Error('The command was refused'), told);
}
