/** Who a message is from, by its header, whatever state that is in; the one door to nodemailer's address parser. */
import { isUtf8 } from 'node:buffer';
import { domainToASCII, domainToUnicode } from 'node:url';
import addressparser from 'nodemailer/lib/addressparser';
import type { Original } from '../domain/message.ts';
import type { FolderPair } from '../domain/route.ts';
import type { Sender } from '../domain/senders.ts';

/** Of each original of a folder by UID who sent it; nothing of folders that hold what nobody wrote to this account. */
export function sendersOf(
  { apart }: FolderPair,
  originals: Iterable<Original>,
): ReadonlyMap<number, Sender> {
  if (apart) return new Map();
  return new Map(Array.from(originals, ({ uid, content }) => [uid, senderOf(content.head)]));
}

/** Never throws. Costs what the header's length does. */
export function senderOf(head: Buffer): Sender {
  const fields = fieldsOf(head);
  const bulk = isBulk(fields);
  return { ...(listOf(fields) ?? authorOf(fields) ?? NOBODY), bulk };
}

type Who = Omit<Sender, 'bulk'>;
type Fields = ReadonlyMap<string, readonly string[]>;

const NOBODY: Who = { domain: '', address: '' };

/** In the order in which they are asked: who wrote it, who sent it (RFC 5322 §3.6.2), whom it was sent for (RFC 5321 §4.4). */
const AUTHORS = ['from', 'sender', 'return-path'];
const FIELD =
  /^(from|sender|return-path|list-id|list-post|list-unsubscribe|list-unsubscribe-post|precedence|auto-submitted|feedback-id)[ \t]*:(.*(?:\n[ \t].*)*)/gim;
/** No field needs more to say who it is: of one with thousands of authors the first counts. */
const LONGEST = 16 * 1024;
/** Nor does a header need it more often; once is what is allowed (RFC 5322 §3.6). */
const MOST = 3;

/** The values of the fields that matter here, by their names in lower case. */
function fieldsOf(head: Buffer): Fields {
  const fields = new Map<string, string[]>();
  for (const [, name = '', value = ''] of latin1(head).matchAll(FIELD)) {
    const values = fields.get(name.toLowerCase()) ?? [];
    if (values.length === 0) fields.set(name.toLowerCase(), values);
    if (values.length < MOST) values.push(value.slice(0, LONGEST));
  }
  return fields;
}

/** A lone CR ends no line (RFC 5322 §2.2), and the expression would take it for one. */
function latin1(head: Buffer): string {
  return head.toString('latin1').replaceAll('\r', '');
}

/**
 * List-Id tells a mailing list (RFC 2919), as do List-Post and List-Unsubscribe (RFC 2369), the latter newsletters, too, as
 * does its one-click form (RFC 8058). What no human sent says so by Auto-Submitted (RFC 3834 §5), or wants no answer at all
 * (RFC 5321 §4.5.5). Precedence is in no standard and in use all the same; by Feedback-ID large senders hear of complaints.
 */
function isBulk(fields: Fields): boolean {
  const says = (name: string) => fields.get(name)?.[0]?.trim().toLowerCase() ?? '';
  return (
    says('list-id') !== '' ||
    says('list-post') !== '' ||
    says('list-unsubscribe') !== '' ||
    says('list-unsubscribe-post') !== '' ||
    says('feedback-id') !== '' ||
    says('return-path') === '<>' ||
    /^(?:bulk|junk|list)\b/.test(says('precedence')) ||
    /^(?!no\b)[a-z]/.test(says('auto-submitted'))
  );
}

/**
 * A list to which one may post (List-Post other than NO, RFC 2369 §3.4) is what has to hear of a new address, not each of
 * those who write to it. It is known by its List-Id, whose namespace is the domain (RFC 2919 §2 and §3).
 */
function listOf(fields: Fields): Who | undefined {
  const post = fields.get('list-post')?.[0]?.trim() ?? '';
  if (post === '' || /^no\b/i.test(post)) return undefined;
  const address = /<([^<>\s]*)>\s*$/.exec(fields.get('list-id')?.[0] ?? '')?.[1]?.toLowerCase();
  const domain = domainOf(address?.slice(address.indexOf('.') + 1) ?? '');
  // Below `localhost` anybody makes up a name of his own.
  const isNamed = domain?.includes('.') && !/\.localhost$/.test(domain);
  return address && domain && isNamed ? { domain, address } : undefined;
}

function authorOf(fields: Fields): Who | undefined {
  for (const name of AUTHORS) {
    for (const value of fields.get(name) ?? []) {
      for (const { address = '' } of addressparser(decoded(value), { flatten: true })) {
        const who = whoOf(address);
        if (who) return who;
      }
    }
  }
  return undefined;
}

/** UTF-8 where it is (RFC 6532), else in Latin-1: of an address only the letters of ASCII have to be right. */
function decoded(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : value;
}

/** What an address may have at most (RFC 5321 §4.5.3.1.3), and somewhat more. */
const LONGEST_ADDRESS = 320;

function whoOf(address: string): Who | undefined {
  const at = address.lastIndexOf('@');
  const domain = at < 0 ? undefined : domainOf(address.slice(at + 1));
  if (domain === undefined) return undefined;
  const local = address.slice(0, at).toLowerCase().normalize('NFC');
  return { domain, address: `${local}@${domain}`.slice(-LONGEST_ADDRESS) };
}

const LITERAL = /^\[[\da-f.:]+\]$/;
const LABEL = /^[\p{L}\p{M}\p{N}_-]{1,63}$/u;

/**
 * A domain in the form in which it is shown and compared: lower case, Unicode. One whose Unicode form has more than
 * letters, digits and hyphens stays as DNS has it. `undefined` where it is no domain.
 */
function domainOf(text: string): string | undefined {
  const domain = text
    .trim()
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\[ipv6:/, '[');
  if (domain.length > 253) return undefined;
  if (LITERAL.test(domain)) return domain;
  if (!/[^\0-\x7f]|xn--/.test(domain)) return isDomain(domain) ? domain : undefined;
  const ascii = domainToASCII(domain);
  return [domainToUnicode(ascii), ascii, domain].find(isDomain);
}

function isDomain(text: string): boolean {
  return text.split('.').every((label) => LABEL.test(label));
}
