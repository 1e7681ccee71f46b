/** Which of a message's flags travel, and how they and its date are written in an APPEND. */
import { travellingFlags } from '../domain/message.ts';

/** An atom (RFC 9051 §9): nothing that would end or bend the command. `]` occurs in Gmail's keywords. */
const ATOM = /^\\?[!#$&'+,\-./0-9:;<=>?@A-Z[\]^_`a-z|}~]+$/;

/** What every server knows (RFC 9051 §2.3.2), of the flags that travel. */
const KNOWN = new Set(['\\seen', '\\answered', '\\flagged', '\\draft']);

/**
 * The flags that a folder keeps, of those that travel.
 * @param permanent PERMANENTFLAGS (RFC 9051 §7.1): absent means all; `\*` means any keyword
 * @param dropped called for each flag that is not kept
 */
export function allowedFlags(
  flags: ReadonlySet<string>,
  permanent: ReadonlySet<string> | undefined,
  dropped: (flag: string) => void,
): string[] {
  const kept = permanent && new Set([...permanent].map((flag) => flag.toLowerCase()));
  const anyKeyword = kept?.has('\\*') ?? true;
  return travellingFlags(flags).filter((flag) => {
    const keyword = !flag.startsWith('\\');
    const allowed =
      ATOM.test(flag) && (keyword && anyKeyword ? true : (kept ?? KNOWN).has(flag.toLowerCase()));
    if (!allowed) dropped(flag);
    return allowed;
  });
}

/** Sets of flags as messages have them; most have one of a few. */
const SETS = new Map<string, ReadonlySet<string>>();
const MOST_SETS = 500;

/** A set of the same flags that others share, so that ten thousand listed messages do not hold as many sets. */
export function shared(flags: ReadonlySet<string>): ReadonlySet<string> {
  const key = [...flags].sort().join(' ');
  const known = SETS.get(key);
  if (known !== undefined) return known;
  if (SETS.size < MOST_SETS) SETS.set(key, flags);
  return flags;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A date as APPEND takes it (RFC 9051 §9, date-time), in UTC; `undefined` for one that has no year of four digits. */
export function dateTime(date: Date | undefined): string | undefined {
  const year = date?.getUTCFullYear() ?? Number.NaN;
  if (date === undefined || !(year >= 1000 && year <= 9999)) return undefined;
  const two = (value: number) => String(value).padStart(2, '0');
  const day = String(date.getUTCDate()).padStart(2, ' ');
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return `${day}-${MONTHS[date.getUTCMonth()]}-${year} ${time} +0000`;
}
